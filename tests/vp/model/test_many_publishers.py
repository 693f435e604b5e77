"""Several publishers in one file, by hand: each has a book and a clock of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.agreement import TICK, events_of, run_frames
from tests.market_strategies import random_market
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_MBP, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, UNDEFINED_TIME
from tests.vp.model.publishers import MIXED_KINDS, SECOND, S, X, Y, Z, rec, rows_of
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine


def tops(records: list[Rec]) -> list[tuple[Any, ...]]:
    """Best prices in ticks, their sizes, and the quality, frame by frame."""

    def ticks(price: int | None) -> int | None:
        return None if price is None else price // TICK

    return [
        (ticks(row["bid_price"]), row["bid_size"], ticks(row["ask_price"]), row["ask_size"], row["quality"])
        for row in rows_of(records, K=3)
    ]


# By hand.


def test_venues_with_equal_order_ids() -> None:
    clears = [rec(0, "R", "N", None, 0, 0, publisher) for publisher in (X, Y)]
    orders = [
        rec(1, "A", "B", 100, 10, 1, X),
        rec(2, "A", "A", 102, 11, 2, X),
        rec(3, "A", "B", 99, 30, 1, Y),
        rec(4, "A", "A", 102, 31, 2, Y),
        rec(5, "C", "B", 99, 30, 1, Y),
        rec(6, "R", "N", None, 0, 0, Y),
    ]
    assert tops([*clears, *orders])[2:] == [
        (100, 10, None, 0, 1),
        (100, 10, 102, 11, 0),
        (100, 10, 102, 11, 0),
        (100, 10, 102, 42, 0),
        (100, 10, 102, 42, 0),
        (100, 10, 102, 11, 0),
    ]


def test_a_feed_of_best_quotes() -> None:
    quotes = [
        rec(1, "A", "B", 100, 10, 0, Z, F_TOB),
        rec(1, "A", "A", 104, 11, 0, Z, F_TOB),
        rec(2, "A", "B", 101, 30, 0, Z, F_TOB),
        rec(3, "A", "A", 103, 20, 0, Z, F_TOB),
        rec(4, "A", "B", None, 0, 0, Z, F_TOB),
        rec(5, "A", "B", 102, 10, 0, Z, F_TOB),
    ]
    assert tops(quotes) == [
        (100, 10, None, 0, 1),
        (100, 10, 104, 11, 0),
        (101, 30, 104, 11, 0),
        (101, 30, 103, 20, 0),
        (None, 0, 103, 20, 1),
        (102, 10, 103, 20, 0),
    ]


def test_a_feed_of_levels_needs_no_clear() -> None:
    levels = [
        rec(1, "A", "B", 100, 10, 0, Z, F_MBP),
        rec(1, "A", "B", 99, 20, 0, Z, F_MBP),
        rec(1, "A", "A", 102, 12, 0, Z, F_MBP),
        rec(2, "M", "B", 100, 7, 0, Z, F_MBP),
        rec(3, "M", "B", 100, 0, 0, Z, F_MBP),
    ]
    assert tops(levels)[2:] == [(100, 10, 102, 12, 0), (100, 7, 102, 12, 0), (99, 20, 102, 12, 0)]


def test_what_arrives_behind_the_snapshot_from_before_midnight() -> None:
    """A cancelled order does not rest all day, and is no pull."""
    snapshot = [
        Rec(S, "R", "N", UNDEFINED_PRICE, 0, 0, F_SNAPSHOT, X),
        rec(-3000, "A", "B", 96, 5, 1, X, F_SNAPSHOT)._replace(flags=F_SNAPSHOT),
        rec(-1, "A", "B", 99, 3, 2, X, F_SNAPSHOT)._replace(flags=F_SNAPSHOT),
        rec(-2000, "A", "A", 100, 5, 3, X, F_SNAPSHOT),
    ]
    late = [rec(-0.001, "C", "B", 99, 3, 2, X), rec(-0.0005, "A", "B", 98, 9, 4, X)]
    after = [rec(1, "A", "A", 101, 1, 5, X), rec(2, "A", "A", 99, 2, 6, X)]
    rows = rows_of([*snapshot, *late, *after])
    assert [(r["bid_price"] // TICK, r["bid_size"], r["ask_price"] // TICK, r["ask_size"]) for r in rows] == [
        (98, 9, 100, 5),
        (98, 9, 99, 2),
    ]
    assert [row["quality"] for row in rows] == [0, 0]
    assert not any(rows[-1]["pull_mass"])
    assert sum(rows[-1]["add_mass"]) == pytest.approx(2 + np.exp(-1 / 30))


def test_what_comes_before_the_window_is_no_activity_while_the_clock_runs_either() -> None:
    quotes = [rec(0, "A", "B", 100, 5, 1, X), rec(0, "A", "A", 102, 5, 2, X)]
    late = [rec(-2, "C", "B", 100, 3, 1, X), rec(-1, "A", "B", 100, 9, 3, X), rec(-1, "T", "B", 102, 9, 0, X)]
    last = rows_of([*quotes, rec(1, "N", "N", None, 0, 0, X), *late, rec(2, "N", "N", None, 0, 0, X)])[-1]
    assert (last["bid_size"], last["ts_ns"] - S, last["buy_volume"], last["last_price"]) == (11, 2 * SECOND, 0, None)
    assert not any(last["pull_mass"])
    assert sum(last["add_mass"]) == pytest.approx(10 * np.exp(-2 / 30))


@pytest.mark.parametrize("flags", [0, F_TOB, F_MBP], ids=["orders", "quotes", "levels"])
def test_a_bad_book_is_its_publishers_until_its_own_clear(flags: int) -> None:
    quotes = [rec(0, "A", side, ticks, 5, i, X) for i, (side, ticks) in enumerate((("B", 100), ("A", 102)))]
    records = [
        rec(0, "R", "N", None, 0, 0, X),
        *quotes,
        rec(1, "A", "B", 99, 5, 7, Y, flags | F_MAYBE_BAD_BOOK),
        rec(2, "R", "N", None, 0, 0, X),
        *quotes,
        rec(3, "R", "N", None, 0, 0, Y),
    ]
    unknown = 0 if flags else 16
    expected = [1, 1, 0, 8 + unknown, 9 + unknown, 9 + unknown, 8 + unknown, 0]
    assert [row["quality"] for row in rows_of(records)] == expected


def test_one_stray_time_does_not_stop_the_clock() -> None:
    quotes = [rec(0, "A", "B", 100, 5, 1, X), rec(0, "A", "A", 102, 5, 2, X)]
    stray = rec(5 * 3600, "A", "B", 100, 4, 3, X)._replace(ts_recv=S + SECOND)
    records = [*quotes, stray, rec(2, "A", "B", 100, 1, 4, X)]
    rows = rows_of(records)
    assert [(row["ts_ns"] - S) / SECOND for row in rows] == [0, 0, 0, 2]
    assert [row["bid_size"] for row in rows] == [5, 5, 9, 10]
    assert rows[-1]["add_mass"][49] == pytest.approx(9 * np.exp(-2 / 30) + 1)
    book = Book(TICK)
    book.fast_forward(events_of(records, start_ns=S))
    assert {name: count for name, count in book.anomalies().items() if count} == {"time_ahead": 1}


@pytest.mark.parametrize("ts_event", [S + 3600 * SECOND, UNDEFINED_TIME])
def test_what_comes_before_any_clock_is_no_activity(ts_event: int) -> None:
    """Its bucket would be touched at no time, and never fade."""
    first = Rec(ts_event, "A", "B", 100 * TICK, 7, 3, F_LAST, X, S)
    traded = first._replace(action="T", order_id=0)
    quotes = [rec(0, "A", "B", 99, 5, 1, X), rec(0, "A", "A", 102, 5, 2, X)]
    last = rows_of([first, traded, *quotes, rec(9, "N", "N", None, 0, 0, X)])[-1]
    assert (last["bid_size"], last["last_price"]) == (7, 100 * TICK)
    assert sum(last["add_mass"]) == pytest.approx(10 * np.exp(-9 / 30))
    assert rows_of([first, traded, quotes[0]])[0]["buy_volume"] == 0


def test_a_book_of_many_publishers_goes_on_from_its_table() -> None:
    records = random_market(17, 300, weights=dict.fromkeys(MIXED_KINDS, 1) | {"quote": 4})
    events = events_of(records, start_ns=S)
    for at in range(0, len(events), len(events) // 7):
        book = Book(TICK, dense_levels=64)
        book.fast_forward(events.slice(0, at))
        engines = [EventDrivenVPEngine(book=b) for b in (Book.from_arrow(book.to_arrow()), book)]
        resumed, direct = (run_frames(engine, events.slice(at, len(events))) for engine in engines)
        np.testing.assert_array_equal(resumed, direct)
