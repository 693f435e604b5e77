"""Frames of a clock grid, the order flow of ten levels, and the changes of the mid, against the oracle."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.agreement import TICK, events_of, frame_rows, run_frames
from tests.market_strategies import CALM, WILD, random_market
from tests.oracle import OracleBook, OracleEngine, Rec
from tests.vp.model.made_frames import QUOTES, SECOND, rec, trade
from vp.dbn.events import Events
from vp.model.engine import EventDrivenVPEngine
from vp.model.sampling_engine import SamplingEngine

LEVELS = 10
PERIOD_NS = 40_000_000
NEVER = -(2**63)
NOT_OF_THE_MARKET = {"state", "score", "strength", "buy_volume", "sell_volume", "other_volume", "ofi"}
NOT_OF_THE_MARKET |= {"bought", "sold"}  # counted since the frame before, or by the baseline


class LadderFlow:
    """Order-flow imbalance of each of the ten best levels, from event end to event end."""

    def __init__(self) -> None:
        self.levels = [0] * LEVELS
        self.imbalance = 0
        self.before: tuple[list[tuple[float, int]], list[tuple[float, int]]] | None = None

    def start_afresh(self) -> None:
        self.before = None

    def end_event(self, book: OracleBook) -> None:
        if book.best_bid is None or book.best_ask is None or book.in_snapshot:
            self.before = None
            return
        bids, asks = ladder(book, "B", -np.inf), ladder(book, "A", np.inf)
        if self.before is not None:
            for level, (b, qb), (a, qa), (b0, qb0), (a0, qa0) in zip(
                range(LEVELS), bids, asks, *self.before, strict=True
            ):
                self.levels[level] += (b >= b0) * qb - (b <= b0) * qb0 - (a <= a0) * qa + (a >= a0) * qa0
        self.before = (bids, asks)


def ladder(book: OracleBook, side: str, nowhere: float) -> list[tuple[float, int]]:
    levels: list[tuple[float, int]] = [(price, size) for price, size, _ in book.levels(side)[:LEVELS]]
    return levels + [(nowhere, 0)] * (LEVELS - len(levels))


def flow_at_event_ends(records: list[Rec]) -> list[tuple[int, ...]]:
    """The flow of each level up to each event end."""
    oracle = OracleEngine()
    flow = LadderFlow()
    oracle.flow = flow  # type: ignore[assignment]
    ends = []
    for record in records:
        oracle.apply(record)
        if record.is_last:
            ends.append(tuple(flow.levels))
    return ends


def clocks_of(records: list[Rec]) -> list[int | None]:
    """The engine clock after each record."""
    book = OracleBook(TICK)
    clocks = []
    for record in records:
        book.apply(record)
        clocks.append(book.clock_ns)
    return clocks


def sampled(records: list[Rec], period_ns: int, chunk: int) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    engine = SamplingEngine(period_ns=period_ns)
    engine.start_emitting()
    rows = []
    for first in range(0, len(records), chunk):
        events = events_of(records[first : first + chunk])
        index = 0
        while index < len(events):
            index, batch = engine.advance(events, index)
            rows += frame_rows(engine.layout, batch.buffer.copy())
    return rows, engine.take_samples(), engine.take_changes()


class Known(NamedTuple):
    """A market, and what other ways make of it: flow at event ends, frames by event, the clock after each record."""

    records: list[Rec]
    ends: list[tuple[int, ...]]
    frames: dict[int, dict[str, Any]]
    clocks: list[int]


MARKETS = {"calm": (1, CALM), "wild": (2, WILD), "wilder": (3, WILD)}


@cache
def known(market: str) -> Known:
    seed, weights = MARKETS[market]
    records = random_market(seed, 900, weights=weights)
    every = EventDrivenVPEngine()
    frames = {row["event_id"]: row for row in frame_rows(every.layout, run_frames(every, events_of(records)))}
    clocks = [NEVER if end is None else end for end in clocks_of(records)]
    return Known(records, flow_at_event_ends(records), frames, clocks)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("chunk", [1 << 30, 37], ids=["in one go", "in pieces"])
def test_samples_are_the_last_event_ends_up_to_each_moment(market: str, chunk: int) -> None:
    records, ends, frames, clocks = known(market)
    rows, samples, _ = sampled(records, PERIOD_NS, chunk)
    assert len(rows) == len(samples) > 20
    assert [tuple(flow) for flow in samples[:, 1:].tolist()] == [ends[count - 1] for count in samples[:, 0]]
    assert np.cumsum([row["ofi"] for row in rows]).tolist() == samples[:, 1].tolist()

    for row in rows:
        same = frames[row["event_id"]]
        assert {name: row[name] for name in row.keys() - NOT_OF_THE_MARKET} == {
            name: same[name] for name in row.keys() - NOT_OF_THE_MARKET
        }
    held = {row["event_id"] for row in rows}
    moments = np.arange(rows[0]["ts_ns"] // PERIOD_NS + 1, rows[-1]["ts_ns"] // PERIOD_NS) * PERIOD_NS
    for record in set(np.searchsorted(clocks, moments, "right").tolist()):  # so many records have come by then
        assert not records[record - 1].is_last or record in held, "a moment has its frame, unless it is within an event"


def test_ten_levels_off_the_grid_of_prices_and_far_away_are_found_in_their_order() -> None:
    prices = [100, 99, 90, 40, -30_000, 98, 97, 96, 95, 94, 93]
    book = [rec(0, "A", "B", ticks, 10 + i, 1 + i) for i, ticks in enumerate(prices)]
    book += [rec(0, "A", "A", 101, 20, 50), rec(0, "A", "A", 60_000, 3, 51)]
    between = rec(1, "A", "B", 0, 7, 60)._replace(price=96 * TICK + TICK // 2)  # between two ticks, fifth of its side
    records = [*book, between, rec(2, "C", "A", 60_000, 3, 51), rec(3, "N", "N", 0, 0, 0)]
    _, samples, _ = sampled(records, SECOND, 1 << 30)
    assert [tuple(row) for row in samples[:, 1:].tolist()] == [
        flow_at_event_ends(records)[n - 1] for n in samples[:, 0]
    ]
    assert samples[1, 5] - samples[0, 5] == 7
    assert samples[2, 2] - samples[1, 2] == 3  # an ask that goes is flow upward


def test_ten_levels_of_many_far_ones_are_the_best_ten() -> None:
    """More of them than a ladder has, come in any order and gone from its middle."""
    order = np.random.default_rng(5).permutation(40).tolist()
    book = [rec(0, "A", "A", 10**6 + 50 * n, 1 + n, 100 + n) for n in order]
    book += [rec(0, "A", "B", -(10**6) - 50 * n, 1 + n, 200 + n) for n in order]
    changes = [rec(i, "A", "B", -(10**6) - 50 * n - 7, 3, 500 + n) for i, n in enumerate(order[:12], 1)]
    gone = [rec(20 + i, "C", "A", 10**6 + 50 * n, 1 + n, 100 + n) for i, n in enumerate((4, 1, 7, 0, 9))]
    records = [*book, *changes, *gone, rec(40, "N", "N", 0, 0, 0)]
    _, samples, _ = sampled(records, SECOND, 1 << 30)
    ends = flow_at_event_ends(records)
    assert len(samples) > 10
    assert [tuple(row) for row in samples[:, 1:].tolist()] == [ends[n - 1] for n in samples[:, 0]]
    assert any(samples[-1, 2:])


def test_a_change_stands_for_each_move_of_the_mid_and_each_end_of_a_sound_book() -> None:
    records = [
        *QUOTES,
        rec(1, "A", "B", 99, 5, 3),
        rec(2, "C", "B", 100, 10, 1),
        trade(3, "B", 101, 1),
        rec(4, "A", "B", 102, 1, 4),  # crossed
        rec(5, "C", "B", 102, 1, 4),
        rec(5 + 301, "N", "N", 0, 0, 0),
        rec(5 + 303, "N", "N", 0, 0, 0),
    ]
    _, _, changes = sampled(records, SECOND, 1 << 30)
    start = QUOTES[0].ts_event
    rows = [(int((c - start) // SECOND), int(n), t / TICK, int(f), s / TICK) for c, n, t, f, s in changes.tolist()]
    assert rows == [(0, 2, 201, 1, 1), (2, 4, 200, 1, 2), (4, 6, 0, 0, 0), (5, 7, 200, 1, 2), (306, 8, 200, 3, 2)]


def test_what_was_noted_before_the_samples_begin_is_no_flow() -> None:
    records = [*QUOTES, rec(1, "A", "B", 100, 5, 3), rec(2, "A", "B", 100, 2, 4), rec(4, "N", "N", 0, 0, 0)]
    engine = SamplingEngine()
    events = events_of(records)
    index, none = engine.advance(events, 0, records[-2].ts_event)
    engine.start_emitting()
    index, batch = engine.advance(events, index)
    assert (none.count, batch.count) == (0, 1)
    assert engine.take_samples().tolist() == [[1] + [0] * LEVELS]


def test_there_is_nothing_without_records() -> None:
    engine = SamplingEngine()
    engine.start_emitting()
    assert engine.advance(Events.allocate(0))[1].count == 0
    assert engine.take_samples().shape == (0, 11)
    assert engine.take_changes().shape == (0, 5)
