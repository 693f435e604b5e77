"""Several publishers of one instrument, as the views tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests import lakes
from tests.oracle_records import F_LAST, F_MBP, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, UNDEFINED_SIZE, Rec
from tests.vp.query.asked import rows
from vp.query import connect

# Two venues that number their orders alike; X sends a snapshot in the middle, Q quotes and L levels.
X, Y, Q, L = 39, 40, 41, 42
S = 10**9
T = lakes.OPEN_NS
VENUES = [
    Rec(T - 86_400 * S, "A", "B", 98 * S, 9, 5, F_SNAPSHOT, X, T - 3000 * S),
    Rec(T - 86_400 * S, "A", "A", 102 * S, 9, 6, F_SNAPSHOT | F_LAST, X, T - 3000 * S),
    Rec(T - 2000 * S, "A", "B", 99 * S, 10, 1, F_LAST, X),
    Rec(T - 1999 * S, "A", "B", 99 * S, 30, 1, F_LAST, Y),
    Rec(T - 1998 * S, "A", "B", 99 * S, 20, 2, F_LAST, X),
    Rec(T - 1997 * S, "A", "A", 101 * S, 40, 2, F_LAST, Y),
    Rec(T - 1996 * S, "A", "B", 99 * S, 70, 0, F_TOB | F_LAST, Q),
    Rec(T - 1995 * S, "A", "B", 99 * S, 80, 0, F_MBP | F_LAST, L),
    Rec(T - 10 * S, "C", "B", 99 * S, 30, 1, F_LAST, Y),
    Rec(T - 9 * S, "T", "B", 101 * S, UNDEFINED_SIZE, 0, F_LAST, Y),
    Rec(T - 8 * S, "T", "B", 101 * S, 4, 0, F_LAST, Y),
    Rec(T - 7 * S, "T", "N", UNDEFINED_PRICE, 6, 0, F_LAST, Y),
    Rec(T - 86_400 * S, "A", "B", 99 * S, 11, 3, F_SNAPSHOT | F_LAST, X, T - 5 * S),
    Rec(T - 4 * S, "R", "N", UNDEFINED_PRICE, 0, 0, F_LAST, Y),
]


@pytest.fixture(scope="module")
def venues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    lake = tmp_path_factory.mktemp("venues")
    lakes.put(lake, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, VENUES))
    with connect(lake, symbol="GOOD", dt=lakes.DATE, start_time="09:30", build=True) as connection:
        yield connection


def test_events_name_their_publisher_and_what_is_no_activity(venues: duckdb.DuckDBPyConnection) -> None:
    found = rows(venues, "SELECT event_id, publisher_id, book_only, price, size FROM events ORDER BY event_id")
    assert [row[0] for row in found] == list(range(1, len(VENUES) + 1))
    assert [row[1] for row in found] == [record.publisher for record in VENUES]
    assert [row[2] for row in found] == [bool(record.flags & F_SNAPSHOT) for record in VENUES]
    assert [row[3] for row in found] == [None if r.price == UNDEFINED_PRICE else r.price for r in VENUES]
    assert [row[4] for row in found] == [None if r.size == UNDEFINED_SIZE else r.size for r in VENUES]
    traded = rows(venues, "SELECT size FROM counts_by_action() WHERE action = 'T'")
    assert traded == [(10,)]
    assert rows(venues, "SELECT sum(messages)::INT, sum(volume)::INT, sum(buys)::INT FROM rates()") == [(10, 10, 4)]


def test_queues_are_each_publishers_own(venues: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT publisher_id, queue_rank, order_id, size, ahead, kind FROM {} WHERE side = 'B' {} ORDER BY 1, 2"
    expected = [
        (X, 0, 1, 10, 0, "order"),
        (X, 1, 2, 20, 10, "order"),
        (Y, 0, 1, 30, 0, "order"),
        (Q, 0, None, 70, 0, "quote"),
        (L, 0, None, 80, 0, "level"),
    ]
    assert rows(venues, sql.format("queue_at_price(at_price := 99)", "")) == sorted(expected)
    assert rows(venues, sql.format("book_orders()", "AND price = 99")) == sorted(expected)
    assert rows(venues, "SELECT size, orders FROM depth() WHERE side = 'B' AND level = 0") == [(210, 3)]
    assert rows(venues, "SELECT bid_size, bid_orders, ask_size FROM top_of_book()") == [(210, 3, 40)]


def test_lives_of_orders_are_told_apart_by_publisher_and_end_with_its_own_book(
    venues: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(venues, "SELECT publisher_id, order_id, ended, from_snapshot, life_seconds FROM order_lifetimes()")
    assert sorted(found) == [
        (X, 1, "cleared", False, 1995.0),
        (X, 2, "cleared", False, 1993.0),
        (X, 3, "resting", True, None),
        (X, 5, "cleared", True, 86_395.0),
        (X, 6, "cleared", True, 86_395.0),
        (Y, 1, "cancelled", False, 1989.0),
        (Y, 2, "cleared", False, 1993.0),
    ]
