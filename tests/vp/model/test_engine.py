"""Frames against the oracle's, and the same bits whichever way the engine is driven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import (
    EARLIEST_NS,
    LATEST_NS,
    TICK,
    assert_frames_are_the_oracles,
    events_of,
    frame_rows,
    run_frames,
)
from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.market_writer import BASE_PRICE, KINDS, SESSION_START_NS
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, UNDEFINED_PRICE, UNDEFINED_TIME
from vp.dbn.events import Events
from vp.errors import BadParameterError
from vp.kernels.contract import GRID_COLUMNS
from vp.model.book import Book
from vp.model.engine import GRID_DTYPE, EventDrivenVPEngine
from vp.model.parameters import ModelParameters

SECOND = 1_000_000_000
EQUITY_BUCKET = 50 * TICK
DEFAULTS = ModelParameters()
OTHERS = ModelParameters(
    tau_mass_seconds=12.0,
    tau_velocity_seconds=0.5,
    tau_acceleration_seconds=3.0,
    tau_jerk_seconds=20.0,
    pressure_add=0.8,
    pressure_rest=1.5,
    pressure_acceleration=0.05,
    vacuum_pull=1.2,
    vacuum_fill=0.4,
    vacuum_rest=0.9,
    vacuum_acceleration=0.6,
    tau_baseline_seconds=5.0,
    weak_share=0.6,
    enter_score=0.35,
    leave_score=0.05,
)
TOUCH = ModelParameters.preset("touch")


def assert_frames_agree(
    records: Sequence[Rec],
    *,
    K: int = 50,  # noqa: N803
    bucket_int: int | None = None,
    parameters: ModelParameters = DEFAULTS,
    throttle_ns: int = 0,
    warmup_from_ns: int = EARLIEST_NS,
    emit_from_ns: int = EARLIEST_NS,
) -> int:
    """The same records through engine and oracle, every frame and column; returns the number of frames."""
    book = Book(TICK, bucket_int)
    engine = EventDrivenVPEngine(K, TICK, bucket_int, parameters=parameters, throttle_ns=throttle_ns, book=book)
    if warmup_from_ns != EARLIEST_NS:  # the book alone first, the engine made from it
        index = book.fast_forward(events_of(records), 0, warmup_from_ns)
        engine = EventDrivenVPEngine(K, parameters=parameters, throttle_ns=throttle_ns, book=book)
        events = events_of(records[index:])
    else:
        events = events_of(records)
    got = frame_rows(engine.layout, run_frames(engine, events, emit_from_ns=emit_from_ns))
    assert_frames_are_the_oracles(
        got,
        engine.book,
        records,
        K=K,
        bucket_int=bucket_int,
        throttle_ns=throttle_ns,
        parameters=parameters,
        session_start_ns=EARLIEST_NS,
        warmup_from_ns=warmup_from_ns,
        emit_from_ns=emit_from_ns,
        end_ns=LATEST_NS,
    )
    return len(got)


NEAR_KINDS = tuple(kind for kind in KINDS if kind not in {"jump_far", "add_stub", "add_stub_across"})


@settings(max_examples=40, deadline=None)
@given(
    records=markets(max_events=20, kinds=NEAR_KINDS),
    bucket_int=st.sampled_from((TICK, EQUITY_BUCKET)),
    parameters=st.sampled_from((DEFAULTS, OTHERS, TOUCH)),
    throttle_ns=st.sampled_from((0, 0, 25_000_000)),
    grid=st.sampled_from((3, 50)),
)
def test_frames_are_the_oracles(
    records: list[Rec], bucket_int: int, parameters: ModelParameters, throttle_ns: int, grid: int
) -> None:
    assert_frames_agree(records, K=grid, bucket_int=bucket_int, parameters=parameters, throttle_ns=throttle_ns)


@settings(max_examples=30, deadline=None)
@given(records=markets(max_events=20, kinds=NEAR_KINDS), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_three_phases_are_the_oracles(records: list[Rec], cuts: tuple[float, float]) -> None:
    times = [rec.ts_event for rec in records if rec.ts_event != UNDEFINED_TIME]
    first, last = min(times, default=0), max(times, default=0)
    low, high = sorted(first + int(cut * (last - first + 1)) for cut in cuts)
    assert_frames_agree(records, K=10, warmup_from_ns=low, emit_from_ns=high)


@pytest.mark.parametrize("bucket_int", [TICK, EQUITY_BUCKET], ids=["futures", "equity"])
@pytest.mark.parametrize(("weights", "seed"), [(CALM, 21), (WILD, 22), (WILD, 23)], ids=["calm", "wild", "wild again"])
def test_frames_over_a_longer_market(weights: dict[str, int], seed: int, bucket_int: int) -> None:
    records = random_market(seed, 1200, weights=weights)
    assert assert_frames_agree(records, bucket_int=bucket_int, throttle_ns=500_000_000) > 200


@pytest.mark.parametrize("bucket_int", [TICK, EQUITY_BUCKET], ids=["futures", "equity"])
@pytest.mark.parametrize("seed", [3, 5, 6])
def test_frames_where_spot_goes_thousands_of_ticks_away(seed: int, bucket_int: int) -> None:
    opening = random_market(seed, 1, weights={"quote": 1})
    records = [*opening, *random_market(seed, 250, weights=FAR, start_ns=SESSION_START_NS + SECOND)]
    assert_frames_agree(records, bucket_int=bucket_int)


@pytest.mark.parametrize("parameters", [OTHERS, TOUCH, replace(OTHERS, reach=4)], ids=["other", "touch", "reach of 4"])
@pytest.mark.parametrize("bucket_int", [TICK, 3 * TICK], ids=["futures", "buckets of three ticks"])
def test_frames_under_other_parameters(parameters: ModelParameters, bucket_int: int) -> None:
    assert_frames_agree(random_market(31, 300, weights=WILD), parameters=parameters, bucket_int=bucket_int)


def test_book_alone_then_warmup_then_frames() -> None:
    records = random_market(41, 900, weights=WILD)
    times = sorted(rec.ts_event for rec in records)
    boundaries = times[len(times) // 3], times[2 * len(times) // 3]
    assert assert_frames_agree(records, warmup_from_ns=boundaries[0], emit_from_ns=boundaries[1]) > 100


def test_fills_of_the_book_only_phase_are_not_remembered() -> None:
    filled, cancelled = rec(0, "F", "B", 0, 4, 1), rec(2, "C", "B", 0, 10, 1)
    records = [*QUOTES, rec(0, "A", "B", -1, 5, 3), filled, cancelled, rec(3, "N", "N", 0, 0, 0)]
    assert_frames_agree(records, warmup_from_ns=SECOND, emit_from_ns=2 * SECOND)


@pytest.mark.parametrize("throttle_ns", [0, 1, 25_000_000, SECOND, 3600 * SECOND])
def test_throttle(throttle_ns: int) -> None:
    records = random_market(51, 150, weights=CALM)
    count = assert_frames_agree(records, K=5, throttle_ns=throttle_ns)
    assert (count == 1) == (throttle_ns == 3600 * SECOND)


def rec(seconds: float, action: str, side: str, ticks: int, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, BASE_PRICE + ticks * TICK, size, order_id, flags)


@pytest.mark.parametrize("jump_ticks", [513, 1023, 1024, 1025, 5000, -1024, -1025, -5000])
def test_the_record_that_takes_spot_far_away_counts_at_its_own_bucket(jump_ticks: int) -> None:
    """Its bucket is next to spot once it has been applied: nothing lets an engine forget it."""
    low, high = rec(0, "A", "B", 0, 5, 1), rec(0, "A", "A", 1, 5, 2)
    if jump_ticks > 0:
        away = [rec(1, "C", "A", 1, 5, 2), rec(2, "A", "A", 2 * jump_ticks, 7, 3)]
    else:
        away = [rec(1, "C", "B", 0, 5, 1), rec(2, "A", "B", 2 * jump_ticks, 7, 3)]
    near = rec(3, "A", "BA"[jump_ticks < 0], 2 * jump_ticks - (1 if jump_ticks > 0 else -1), 9, 4)
    assert_frames_agree([low, high, *away, near, rec(4, "C", "N", 2 * jump_ticks, 2, 3)])


def test_what_comes_before_the_first_spot_counts_wherever_the_first_order_was() -> None:
    """As at an equity's opening: a stub quote first, then the market, one side before the other."""
    stub = Rec(0, "A", "B", 0, 2, 1, F_LAST)
    one_side = [rec(1, "A", "B", 0, 5, 2), rec(2, "A", "B", -1, 4, 3), rec(3, "C", "B", 0, 5, 2)]
    assert_frames_agree([stub, *one_side, rec(4, "A", "A", 1, 3, 4), rec(5, "N", "N", 0, 0, 0)])


def test_a_market_that_comes_back_within_reach_finds_its_buckets() -> None:
    """Spot 500 buckets away and back: nothing is forgotten."""
    records = [rec(0, "A", "B", 0, 5, 1), rec(0, "A", "A", 1, 5, 2), rec(1, "A", "B", 0, 3, 3)]
    records += [rec(2, "C", "A", 1, 5, 2), rec(2, "A", "A", 1000, 7, 4), rec(3, "A", "A", 1, 6, 5)]
    assert_frames_agree(records)


# What builds the book again is no activity, and what cannot be trusted says so.

QUOTES = [rec(0, "A", "B", 0, 10, 1), rec(0, "A", "A", 1, 10, 2)]
FLOWS = [name for name in GRID_COLUMNS if name in {"pressure", "vacuum"} or name.startswith(("v_", "a_", "j_"))]


def rebuilt(at_seconds: int, flags: int, *, clear_flags: int | None) -> list[Rec]:
    """A book of other sizes and orders after a clear, or without one where its flags are None.

    With the flag F_SNAPSHOT its records are a day old.
    """
    stamp = at_seconds - 86_400 if flags & F_SNAPSHOT else at_seconds
    orders = [(side, ticks, 40 + 7 * ticks, 50 + 2 * ticks + (side == "A")) for ticks in range(8) for side in "BA"]
    return [
        *([] if clear_flags is None else [rec(at_seconds, "R", "N", 0, 0, 0, clear_flags)]),
        *(rec(stamp, "A", side, 1 + t if side == "A" else -t, size, order, flags) for side, t, size, order in orders),
        rec(at_seconds, "N", "N", 0, 0, 0),
    ]


@pytest.mark.parametrize("clear_flags", [0, F_SNAPSHOT, F_SNAPSHOT | F_LAST, None])
def test_a_snapshot_in_the_midst_of_a_session_is_no_flow(clear_flags: int | None) -> None:
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, *rebuilt(60, F_SNAPSHOT, clear_flags=clear_flags)]))
    assert engine.book.order_count == 16
    assert engine.grid["rest_depth"].sum() == 2 * sum(40 + 7 * ticks for ticks in range(8))
    for name in FLOWS:
        assert not engine.grid[name].any(), name
    run_frames(engine, events_of([rec(61, "A", "B", 0, 5, 99)]))
    bid = engine.grid[engine.grid["price"] == BASE_PRICE]
    assert bid["pressure"] > 0, "what comes after is activity again"
    assert bid["v_rest_depth"] == bid["v_add"] > 0, "and that alone: the snapshot's depth is no part of it"


def test_a_fill_that_is_remembered_is_no_part_of_what_rests() -> None:
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, rec(1, "F", "B", 0, 4, 1)]))
    assert engine.book.to_arrow()["size"].to_pylist() == [10, 10]
    run_frames(engine, events_of([rec(2, "C", "B", 0, 4, 1)]))
    assert engine.book.to_arrow()["size"].to_pylist() == [6, 10]
    assert not engine.grid["pull_mass"].any()


def test_orders_after_a_clear_alone_are_flow() -> None:
    """The same records without the snapshot's flag: the exchange began anew, and what comes is new."""
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, *rebuilt(60, 0, clear_flags=0), rec(61, "A", "B", 0, 5, 99)]))
    assert engine.grid["v_add"].any()


def test_a_book_rebuilt_while_a_bucket_is_out_of_reach_is_no_flow_there() -> None:
    """Spot goes 1,500 buckets away, the book is rebuilt meanwhile, and the bucket comes back with another depth."""
    engine = EventDrivenVPEngine(K=10)
    away = [rec(1, "C", "A", 1, 10, 2), rec(2, "A", "A", 3000, 10, 3)]
    back = [rec(61, "C", "A", 3000, 40, 12), rec(62, "A", "A", 1, 10, 13)]
    snapshot = [
        rec(60, "R", "N", 0, 0, 0, F_SNAPSHOT),
        rec(60, "A", "B", 0, 40, 11, F_SNAPSHOT),
        rec(60, "A", "A", 3000, 40, 12, F_SNAPSHOT | F_LAST),
    ]
    run_frames(engine, events_of([*QUOTES, *away, *snapshot, *back, rec(63, "A", "B", 0, 5, 14)]))
    bid = engine.grid[engine.grid["price"] == BASE_PRICE]
    assert bid["rest_depth"] == 45
    assert bid["v_add"] > 0
    assert bid["v_rest_depth"] == bid["v_add"], "the five that came, not the thirty that the snapshot brought"


def test_no_frame_is_valid_between_a_bad_book_and_the_next_clear() -> None:
    bad = rec(1, "N", "N", 0, 0, 0, F_LAST | F_MAYBE_BAD_BOOK)
    later = [rec(seconds, "A", "B", -seconds, 5, 100 + seconds) for seconds in range(2, 8)]
    records = [*QUOTES, bad, *later, *rebuilt(9, F_SNAPSHOT, clear_flags=F_SNAPSHOT)]
    engine = EventDrivenVPEngine()
    rows = frame_rows(engine.layout, run_frames(engine, events_of(records)))
    during = [row["book_valid"] for row in rows if SECOND <= row["ts_ns"] < 9 * SECOND]
    assert during == [False] * 7
    assert (rows[-1]["ts_ns"], rows[-1]["book_valid"]) == (9 * SECOND, True)


# The same bits.


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


@settings(max_examples=25, deadline=None)
@given(records=markets(max_events=25), seed=st.integers(0, 2**32 - 1))
def test_hand_fed_records_give_the_same_frames_and_grid(records: list[Rec], seed: int) -> None:
    """`update` record by record, without times of receipt; `grid` is the frame that an event's end would make."""
    records = [record for record in records if record.ts_event != UNDEFINED_TIME]  # by hand, a time is said
    fed, framed = EventDrivenVPEngine(K=5), EventDrivenVPEngine(K=5)
    framed.start_emitting()
    events = events_of(record._replace(ts_recv=None) for record in records)
    for i, record in enumerate(records):
        fed.update(*record[:7], publisher=record.publisher)
        _, batch = framed.advance(events.slice(i, i + 1))
        if batch.count:
            (row,) = frame_rows(framed.layout, batch.buffer)
            fed.start_emitting()
            assert_grid_is(fed.grid, {**row, "bought": fed.grid["bought"], "sold": fed.grid["sold"]})
    assert fed.book.to_arrow().equals(framed.book.to_arrow(), check_metadata=True)
    assert fed.anomalies() == framed.anomalies()


def assert_grid_is(grid: np.ndarray, row: dict[str, Any]) -> None:
    assert grid.dtype == GRID_DTYPE
    for name in GRID_COLUMNS:
        wanted = np.array(row[name], grid.dtype[name])
        np.testing.assert_array_equal(grid[name].astype(np.float32) if name != "last_event_id" else grid[name], wanted)
    spot = row["spot_price"]
    reach = len(grid) // 2
    np.testing.assert_array_equal(grid["k"], np.arange(-reach, reach + 1))
    np.testing.assert_array_equal(grid["price"], 0 if spot is None else spot + grid["k"].astype(np.int64) * TICK)


def test_update_by_hand() -> None:
    engine = EventDrivenVPEngine(K=2, tick_int=TICK)
    assert not engine.grid["price"].any()
    engine.update(0, "A", "B", 100 * TICK, 10, 1)
    engine.update(0, "A", "A", 101 * TICK, 10, 2, flags=F_LAST)
    engine.update(SECOND, "A", "B", 100 * TICK, 4, 2**64 - 1)
    grid = engine.grid
    assert grid["k"].tolist() == [-2, -1, 0, 1, 2]
    assert (grid["price"] // TICK).tolist() == [99, 100, 101, 102, 103]
    assert grid["rest_depth"].tolist() == [0, 14, 10, 0, 0]
    assert grid["last_event_id"].tolist() == [0, 3, 2, 0, 0]
    assert grid["v_add"][1] == pytest.approx((1 - np.exp(-1 / 2)) * 4)
    assert grid["add_mass"][1] == pytest.approx(10 * np.exp(-1 / 30) + 4)
    assert (EventDrivenVPEngine().clock_ns, engine.clock_ns) == (None, SECOND)
    assert engine.grid.tobytes() == grid.tobytes(), "reading changes nothing"


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


def test_frame_times_and_messages_of_a_batch() -> None:
    engine = EventDrivenVPEngine(K=3, frame_capacity=10)
    engine.start_emitting()
    index, batch = engine.advance(events_of(MARKET))
    assert batch.count == 10
    rows = frame_rows(engine.layout, batch.buffer)
    assert batch.ts_ns.tolist() == [row["ts_ns"] for row in rows]
    assert [bytes(batch.message(i)) for i in range(10)] == [message.tobytes() for message in batch.buffer]
    assert index == rows[-1]["event_id"]
    times = batch.ts_ns
    engine.advance(events_of(MARKET), index)
    assert times.tolist() == [row["ts_ns"] for row in rows], "a copy outlives the buffer"
    assert engine.no_frames().count == 0


def test_volumes_count_from_the_start_of_emitting() -> None:
    engine = EventDrivenVPEngine(K=1)
    trade = (SECOND, "T", "B", 5 * TICK, 7, 0, F_LAST)
    _, before = engine.advance(Events.from_records([trade, (SECOND, "T", "A", 4 * TICK, 3, 0, F_LAST)]))
    assert before.count == 0
    engine.start_emitting()
    unflagged = (SECOND, "T", "A", UNDEFINED_PRICE, 2, 0, 0)
    _, batch = engine.advance(Events.from_records([unflagged, (SECOND, "T", "N", 9 * TICK, 50, 0, F_LAST), trade]))
    first, second = frame_rows(engine.layout, batch.buffer)
    assert (first["buy_volume"], first["sell_volume"], first["last_price"]) == (0, 2, 9 * TICK)
    assert (second["buy_volume"], second["sell_volume"], second["last_price"]) == (7, 0, 5 * TICK)


def test_a_trade_of_a_snapshot_is_neither_volume_nor_a_price() -> None:
    engine = EventDrivenVPEngine(K=1)
    engine.start_emitting()
    quotes = [(0, "A", "B", TICK, 1, 1, F_LAST), (0, "T", "B", 2 * TICK, 3, 0, F_LAST)]
    replayed = [(0, "T", side, 7 * TICK, 50, 0, F_SNAPSHOT) for side in "BA"]
    _, batch = engine.advance(Events.from_records([*quotes, *replayed, (1, "N", "N", 0, 0, 0, F_LAST)]))
    _, traded, last = frame_rows(engine.layout, batch.buffer)
    assert (traded["buy_volume"], traded["sell_volume"], traded["last_price"]) == (3, 0, 2 * TICK)
    assert (last["buy_volume"], last["sell_volume"], last["last_price"]) == (0, 0, 2 * TICK)


def test_no_frame_before_there_is_a_clock() -> None:
    engine = EventDrivenVPEngine(K=1)
    engine.start_emitting()
    snapshot = [(5, "A", "B", TICK, 1, 1, F_SNAPSHOT), (5, "A", "A", 2 * TICK, 1, 2, F_SNAPSHOT | F_LAST)]
    _, batch = engine.advance(Events.from_records(snapshot))
    assert (batch.count, engine.clock_ns, engine.book.valid) == (0, None, True)
    _, batch = engine.advance(Events.from_records([(9, "N", "N", 0, 0, 0, F_LAST)]))
    (row,) = frame_rows(engine.layout, batch.buffer)
    assert (row["ts_ns"], row["event_id"], row["rest_depth"]) == (9, 3, [1, 1, 0])
    assert row["last_event_id"] == [0, 0, 0]


@pytest.mark.parametrize("K", [0, -1, 513, 10_000])
def test_a_grid_that_is_too_high_or_none(K: int) -> None:  # noqa: N803
    with pytest.raises(BadParameterError, match=f"K was {K}"):
        EventDrivenVPEngine(K)


@pytest.mark.parametrize(("tick_int", "bucket_int"), [(0, None), (-1, None), (TICK, 0), (TICK, -TICK)])
def test_a_tick_or_bucket_that_is_none(tick_int: int, bucket_int: int | None) -> None:
    wrong = "tick_int" if tick_int <= 0 else "bucket_int"
    with pytest.raises(BadParameterError, match=f"{wrong} was .* whole number of 1e-9 units from 1"):
        EventDrivenVPEngine(50, tick_int, bucket_int)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("K", 50.0), ("K", True), ("K", "50"), ("tick_int", 0.25), ("tick_int", None), ("bucket_int", 2**61),
        ("parameters", {"tau_mass_seconds": 1.0}), ("parameters", "touch"), ("throttle_ns", -1), ("throttle_ns", 2.5),
        ("throttle_ns", 2**63), ("frame_capacity", 0), ("frame_capacity", 2**40), ("book", "book"),
        ("metadata", "symbol"), ("metadata", {"symbol": 1}),
    ],
)  # fmt: skip
def test_what_an_engine_cannot_be_made_of(argument: str, value: Any) -> None:
    of: dict[str, Any] = {argument: value}
    with pytest.raises(BadParameterError, match=argument) as caught:
        EventDrivenVPEngine(**of)
    assert "expected" in caught.value.message


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("ts_ns", -1), ("ts_ns", 2**63), ("ts_ns", 1.5), ("action", "X"), ("action", "AC"), ("action", ""),
        ("action", 65), ("side", "C"), ("side", None), ("price_int", 2**63), ("price_int", 0.25), ("size", -1),
        ("size", 2**32), ("order_id", -1), ("order_id", 2**64), ("flags", 256), ("flags", None),
    ],
)  # fmt: skip
def test_what_no_record_can_be(argument: str, value: Any) -> None:
    engine = EventDrivenVPEngine()
    record: dict[str, Any] = {"ts_ns": 0, "action": "A", "side": "B", "price_int": TICK, "size": 1, "order_id": 1}
    with pytest.raises(BadParameterError, match=f"^{argument} was {value!r}"):
        engine.update(**(record | {argument: value}))
    assert engine.book.event_id == 0
    engine.update(**record)
    assert engine.book.event_id == 1


@pytest.mark.parametrize(
    ("argument", "value"),
    [("first", -1), ("first", 2), ("first", 0.0), ("until_ns", 2**63), ("max_frames", -1), ("events", [])],
)
def test_what_an_engine_cannot_be_told_to_do(argument: str, value: Any) -> None:
    engine = EventDrivenVPEngine()
    asked: dict[str, Any] = {"events": Events.from_records([(0, "A", "B", TICK, 1, 1, F_LAST)])}
    with pytest.raises(BadParameterError, match=f"^{argument} was"):
        engine.advance(**(asked | {argument: value}))
    assert engine.book.event_id == 0


def test_the_highest_grid_reads_its_own_ring_only() -> None:
    assert_frames_agree(random_market(91, 30, weights=CALM), K=512)
