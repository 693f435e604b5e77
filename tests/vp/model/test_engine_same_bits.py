"""The same bits whichever way the engine is driven."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.agreement import TICK, events_of, run_frames
from tests.market_strategies import CALM, FAR, WILD, random_market
from tests.market_writer import SESSION_START_NS
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT
from tests.vp.model.quotes import EQUITY_BUCKET, SECOND, rebuilt, rec
from vp.kernels.contract import GRID_COLUMNS
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine

MARKET = random_market(61, 500, weights=WILD)


def whole(records: Sequence[Rec] = MARKET, **engine: Any) -> np.ndarray:
    return run_frames(EventDrivenVPEngine(**engine), events_of(records))


def test_two_runs_give_the_same_bits() -> None:
    assert len(whole()) > 300
    np.testing.assert_array_equal(whole(), whole())


@pytest.mark.parametrize("chunk", [1, 7, 1000, "random"])
@pytest.mark.parametrize("max_frames", [None, 1, 3])
def test_chunks_give_the_same_bits(chunk: int | str, max_frames: int | None) -> None:
    rng = Random(4)
    events = events_of(MARKET)
    engine = EventDrivenVPEngine(frame_capacity=16)
    engine.start_emitting()
    parts = []
    start = index = 0
    while start < len(events):
        stop = min(start + (rng.randint(1, 60) if chunk == "random" else int(chunk)), len(events))
        index = 0
        while index < stop - start:
            index, batch = engine.advance(events.slice(start, stop), index, max_frames=max_frames)
            assert batch.count <= (max_frames or 16)
            parts.append(batch.buffer.copy())
        start = stop
    np.testing.assert_array_equal(np.concatenate(parts), whole())


def over_midnight() -> list[Rec]:
    """A day's end, its clear and snapshot at 00:00 UTC between market events of several records, and the next day."""
    midnight_s = (SESSION_START_NS // (86_400 * SECOND) + 1) * 86_400 - SESSION_START_NS // SECOND
    evening = random_market(62, 60, weights=CALM, start_ns=SESSION_START_NS + (midnight_s - 600) * SECOND)
    evening = [record for record in evening if record.ts_event < SESSION_START_NS + midnight_s * SECOND]
    snapshot = rebuilt(midnight_s, F_SNAPSHOT, clear_flags=F_SNAPSHOT)
    split_event = [rec(midnight_s, "A", "B", -t, 3, 200 + t, F_LAST if t == 4 else 0) for t in range(5)]
    assert len(evening) > 20
    morning = random_market(63, 60, weights=WILD, start_ns=SESSION_START_NS + (midnight_s + 1) * SECOND)
    return [*evening, *snapshot, *split_event, *morning]


@pytest.mark.parametrize("size", [1, 7, 64, 10**6, "random"])
def test_pieces_of_a_session_over_midnight_give_the_same_bits(size: int | str) -> None:
    """Pieces end within the snapshot, within a market event and at midnight itself."""
    rng = Random(6)
    records = over_midnight()
    assert {True, False} == {bool(record.flags & F_SNAPSHOT) for record in records}
    engine = EventDrivenVPEngine()
    engine.start_emitting()
    parts, start = [], 0
    while start < len(records):
        stop = start + (rng.randint(1, 60) if size == "random" else int(size))
        piece, index = events_of(records[start:stop]), 0
        while index < len(piece):
            index, batch = engine.advance(piece, index)
            parts.append(batch.buffer.copy())
        start = stop
    assert np.concatenate(parts).tobytes() == whole(records).tobytes()


def test_a_session_over_midnight_cut_in_two_anywhere_gives_the_same_bits() -> None:
    records = over_midnight()
    events, want = events_of(records), whole(records)
    at = next(i for i, record in enumerate(records) if record.action == "R" and record.flags & F_SNAPSHOT)
    for cut in range(at - 3, at + 30):
        engine = EventDrivenVPEngine()
        engine.start_emitting()
        parts = []
        for piece in (events.slice(0, cut), events.slice(cut, len(events))):
            index = 0
            while index < len(piece):
                index, batch = engine.advance(piece, index)
                parts.append(batch.buffer.copy())
        assert np.concatenate(parts).tobytes() == want.tobytes(), cut


def test_stopping_at_clocks_gives_the_same_bits() -> None:
    rng = Random(5)
    events = events_of(MARKET)
    engine = EventDrivenVPEngine()
    engine.start_emitting()
    parts = []
    index, until_ns = 0, SESSION_START_NS
    while index < len(events):
        index, batch = engine.advance(events, index, until_ns, rng.choice((None, 2)))
        assert engine.clock_ns is None or engine.clock_ns < until_ns
        parts.append(batch.buffer.copy())
        if not batch.count:
            until_ns += rng.choice((0, 1, 1_000_000, SECOND))
    np.testing.assert_array_equal(np.concatenate(parts), whole())


@pytest.mark.parametrize("bucket_int", [TICK, EQUITY_BUCKET], ids=["futures", "equity"])
@pytest.mark.parametrize("weights", [WILD, FAR], ids=["wild", "far"])
def test_a_wider_grid_has_the_same_inner_rows(weights: dict[str, int], bucket_int: int) -> None:
    records = random_market(71, 400, weights=weights)
    engines = [EventDrivenVPEngine(K, TICK, bucket_int) for K in (50, 200)]
    narrow, wide = (engine.layout.table(run_frames(engine, events_of(records))) for engine in engines)
    assert narrow.num_rows == wide.num_rows > 200
    for name in GRID_COLUMNS:
        inner = wide[name].combine_chunks().flatten().to_numpy().reshape(-1, 401)[:, 150:251]
        rows = narrow[name].combine_chunks().flatten().to_numpy().reshape(-1, 101)
        assert inner.tobytes() == rows.tobytes(), name
    for name in ("ts_ns", "event_id", "spot_price", "bid_price", "ask_price", "bid_size", "ask_size", "book_valid"):
        assert narrow[name].equals(wide[name])


@pytest.mark.parametrize("weights", [WILD, FAR], ids=["wild", "far"])
def test_a_book_from_its_table_gives_the_same_bits(weights: dict[str, int]) -> None:
    events = events_of(random_market(81, 500, weights=weights))
    for at in (0, 1, 200, len(events) // 2):
        book = Book(TICK)
        book.fast_forward(events.slice(0, at))
        engines = [EventDrivenVPEngine(book=b) for b in (Book.from_arrow(book.to_arrow()), book)]
        rest = events.slice(at, len(events))
        resumed, direct = (run_frames(engine, rest) for engine in engines)
        np.testing.assert_array_equal(resumed, direct)


def test_where_the_dense_window_stands_changes_no_bit() -> None:
    for levels in (1, 64):
        np.testing.assert_array_equal(whole(book=Book(TICK, dense_levels=levels)), whole())
