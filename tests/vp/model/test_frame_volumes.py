"""Volumes of frames, by aggressor and price."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agreement import TICK, events_of, frame_rows, run_frames
from tests.oracle import Rec
from tests.oracle_book import UNDEFINED_PRICE, UNDEFINED_SIZE
from tests.vp.model.made_frames import QUOTES, SECOND, frames_of, rec, trade
from vp.kernels.contract import TRADED_INTS
from vp.model.engine import EventDrivenVPEngine
from vp.model.model_state import FIRST_TRADED_ENTRIES

# Volumes.


def rows_of(row: dict[str, Any], name: str) -> dict[int, float]:
    """A grid column by price in ticks, where it is not zero."""
    spot = row["spot_price"] // TICK
    return {spot + i - len(row[name]) // 2: value for i, value in enumerate(row[name]) if value}


def test_trades_stand_at_their_own_price_by_aggressor_since_the_last_frame() -> None:
    trades = [trade(1, "B", 101, 3, 0), trade(1, "B", 103, 4, 0), trade(1, "A", 100, 5, 0), trade(1, "A", 100, 6, 0)]
    first, second, third = frames_of([*QUOTES[:1], *trades, QUOTES[1], trade(2, "A", 99, 7), trade(3, "N", 98, 8)])[-3:]
    assert (rows_of(first, "bought"), rows_of(first, "sold")) == ({101: 3, 103: 4}, {100: 11})
    assert (first["buy_volume"], first["sell_volume"], first["other_volume"]) == (7, 11, 0)
    assert (rows_of(second, "bought"), rows_of(second, "sold")) == ({}, {99: 7})
    assert (third["buy_volume"], third["sell_volume"], third["other_volume"]) == (0, 0, 8)
    assert rows_of(third, "bought") == rows_of(third, "sold") == {}
    assert third["last_price"] == 98 * TICK


def test_what_lies_outside_the_rows_or_has_no_price_stands_in_the_scalars_alone() -> None:
    unpriced = trade(1, "B", 0, 2, 0)._replace(price=UNDEFINED_PRICE)
    (row,) = frames_of([*QUOTES, unpriced, trade(1, "B", 104, 3, 0), trade(1, "A", 105, 4)], K=3)[2:]
    assert (row["buy_volume"], row["sell_volume"]) == (5, 4)
    assert (rows_of(row, "bought"), rows_of(row, "sold")) == ({104: 3}, {})


def test_a_trade_of_undefined_size_is_no_volume() -> None:
    unsized = [trade(1, side, 101, UNDEFINED_SIZE, 0) for side in "BAN"]
    row = frames_of([*QUOTES, *unsized, trade(1, "A", 100, 4)])[-1]
    assert (row["buy_volume"], row["sell_volume"], row["other_volume"]) == (0, 4, 0)
    assert (rows_of(row, "bought"), rows_of(row, "sold")) == ({}, {100: 4})


@pytest.mark.parametrize("away", [60, 1024, 2048, 4096, FIRST_TRADED_ENTRIES, 10**6, -4096, -5000])
def test_spot_may_go_anywhere_between_a_trade_and_the_frame(away: int) -> None:
    """There, where others of the same place in a table trade, and back; and the frame where spot stays."""

    def moved(to: int, order_id: int) -> list[Rec]:
        old = [rec(2, "C", "B", 0, 1000, order_id - 2, 0), rec(2, "C", "A", 0, 1000, order_id - 1, 0)]
        return [*old, rec(2, "A", "B", to, 1, order_id, 0), rec(2, "A", "A", to + 1, 1, order_id + 1)]

    begin = moved(10_000, 10)
    there = [trade(1, "B", 10_000, 3, 0), *moved(10_000 + away, 12), trade(2, "A", 10_000 + away, 5)]
    back = [*moved(10_000, 14), trade(2, "B", 10_001, 7)]
    throttled: dict[str, Any] = {"throttle_ns": 60 * SECOND}
    end = rec(100, "N", "N", 0, 0, 0)
    returned = frames_of([*begin, *there, *back, end], **throttled)[-1]
    assert (rows_of(returned, "bought"), rows_of(returned, "sold")) == ({10_000: 3, 10_001: 7}, {})
    stayed = frames_of([*begin, *there, end], **throttled)[-1]
    assert (rows_of(stayed, "bought"), rows_of(stayed, "sold")) == ({}, {10_000 + away: 5})
    assert (stayed["buy_volume"], stayed["sell_volume"]) == (3, 5)


def test_trades_at_more_prices_than_the_table_has_entries_are_all_remembered() -> None:
    count = 3 * FIRST_TRADED_ENTRIES
    step = FIRST_TRADED_ENTRIES // 4  # many have the same place
    prices = [1000 + (i * step) % (count * 7) + i // 28 for i in range(count)]
    assert len(set(prices)) > 2 * FIRST_TRADED_ENTRIES
    trades = [trade(1, "BA"[i & 1], ticks, 1 + i % 5, 0) for i, ticks in enumerate(prices)]
    machine = EventDrivenVPEngine(K=512, throttle_ns=SECOND)
    quotes = [rec(0, "A", "B", 1499, 1, 1), rec(0, "A", "A", 1500, 1, 2)]
    messages = run_frames(machine, events_of([*quotes, *trades, rec(9, "N", "N", 0, 0, 0)]))
    row = frame_rows(machine.layout, messages)[-1]
    for name, side in (("bought", "B"), ("sold", "A")):
        want: dict[int, float] = {}
        for record in trades:
            if record.side == side and abs(record.price // TICK - 1500) <= 512:
                want[record.price // TICK] = want.get(record.price // TICK, 0) + record.size
        assert rows_of(row, name) == want
    assert machine._model.traded.size > 2 * FIRST_TRADED_ENTRIES * TRADED_INTS


def test_volumes_of_the_first_frame_are_those_since_the_emit_boundary() -> None:
    records = [*QUOTES, trade(1, "B", 101, 3), trade(2, "B", 101, 4), trade(2, "N", 101, 5)]
    first, second = frames_of(records, emit_from_ns=2 * SECOND)
    assert (first["buy_volume"], rows_of(first, "bought"), first["other_volume"]) == (4, {101: 4}, 0)
    assert (second["buy_volume"], second["other_volume"]) == (0, 5)
