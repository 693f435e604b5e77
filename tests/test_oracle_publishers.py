"""The oracle's book where several publishers speak: levels and quotes, snapshots, the window, and times that stray."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import OracleBook, OracleEngine, Rec, Touch, run_session
from tests.oracle_book import (
    F_BAD_TS_RECV,
    F_LAST,
    F_MAYBE_BAD_BOOK,
    F_MBP,
    F_SNAPSHOT,
    F_TOB,
    UNDEFINED_PRICE,
    UNDEFINED_SIZE,
    UNDEFINED_TIME,
)

TICK = 250_000_000
SECOND = 1_000_000_000
X, Y, QUOTES, LEVELS = 39, 40, 41, 42
DAY = 86_400


def rec(
    seconds: float, action: str, side: str, ticks: int | None, size: int, order_id: int, publisher: int, flags: int = 0
) -> Rec:
    """The end of an event; `ticks` None is an undefined price."""
    price = UNDEFINED_PRICE if ticks is None else ticks * TICK
    return Rec(int(seconds * SECOND), action, side, price, size, order_id, flags | F_LAST, publisher)


def clear(seconds: float, publisher: int) -> Rec:
    return rec(seconds, "R", "N", None, 0, 0, publisher)


def tops(*records: Rec, book: OracleBook | None = None) -> list[tuple[Any, ...]]:
    """Best prices in ticks and their sizes after each record."""
    book = book or OracleBook(TICK)
    found = []
    for record in records:
        book.apply(record)
        bid, ask = book.best_bid, book.best_ask
        sides = ((bid, "B"), (ask, "A"))
        found.append(
            tuple(x for p, side in sides for x in ((None, 0) if p is None else (p // TICK, book.level_size(side, p))))
        )
    return found


def test_publishers_with_the_same_order_ids_have_books_of_their_own() -> None:
    book = OracleBook(TICK)
    assert tops(
        rec(1, "A", "B", 100, 10, 1, X),
        rec(2, "A", "A", 102, 11, 2, X),
        rec(3, "A", "B", 99, 30, 1, Y),
        rec(4, "A", "A", 102, 31, 2, Y),
        rec(5, "C", "B", 99, 30, 1, Y),
        clear(6, Y),
        book=book,
    ) == [
        (100, 10, None, 0),
        (100, 10, 102, 11),
        (100, 10, 102, 11),
        (100, 10, 102, 42),
        (100, 10, 102, 42),
        (100, 10, 102, 11),
    ]
    assert not any(book.anomalies.values())


def test_a_level_of_two_publishers_has_one_queue_in_order_of_arrival() -> None:
    book = OracleBook(TICK)
    for publisher, order_id in ((X, 7), (Y, 7), (X, 8)):
        book.apply(rec(1, "A", "B", 100, 10, order_id, publisher))
    book.apply(rec(2, "M", "B", 100, 11, 7, X))
    assert [(o.publisher, o.order_id) for o in book.orders["B"][0][1]] == [(Y, 7), (X, 8), (X, 7)]


def test_quotes_replace_their_publishers_side_alone() -> None:
    book = OracleBook(TICK)
    assert tops(
        rec(1, "A", "B", 100, 10, 1, X),
        rec(1, "A", "B", 101, 20, 0, QUOTES, F_TOB),
        rec(1, "A", "A", 104, 21, 0, QUOTES, F_TOB),
        rec(2, "A", "B", 99, 30, 0, QUOTES, F_TOB),
        rec(2, "M", "A", 103, 31, 0, QUOTES, F_TOB),
        rec(3, "A", "A", None, 0, 0, QUOTES, F_TOB),
        clear(4, X),
        book=book,
    ) == [
        (100, 10, None, 0),
        (101, 20, None, 0),
        (101, 20, 104, 21),
        (100, 10, 104, 21),
        (100, 10, 103, 31),
        (100, 10, None, 0),
        (99, 30, None, 0),
    ]
    assert not any(book.anomalies.values())
    assert not book.quality & 16, "quotes need neither clear nor snapshot, and the one with orders had its clear"


def test_activity_of_quotes() -> None:
    book = OracleBook(TICK)
    steps = [
        (rec(1, "A", "B", 100, 10, 1, X), [Touch(100 * TICK, add=10)]),
        (rec(1, "A", "B", 98, 5, 0, X, F_TOB), [Touch(98 * TICK, add=5)]),  # the order goes without activity
        (rec(1, "A", "B", 98, 7, 0, X, F_TOB), [Touch(98 * TICK, add=2)]),
        (rec(1, "A", "B", 98, 3, 9, X, F_TOB), [Touch(98 * TICK, pull=4)]),
        (rec(1, "A", "B", 97, 6, 0, X, F_TOB), [Touch(98 * TICK, pull=3), Touch(97 * TICK, add=6)]),
        (rec(1, "C", "B", 97, 6, 0, X, F_TOB), []),  # there are no orders to cancel
        (rec(1, "F", "B", 97, 2, 0, X, F_TOB), [Touch(97 * TICK, fill=2)]),
        (rec(1, "F", "B", 96, 2, 0, X, F_TOB), [Touch(96 * TICK, fill=2)]),  # not what the quote is
        (rec(1, "A", "B", None, 0, 0, X, F_TOB), [Touch(97 * TICK, pull=4)]),
        (rec(1, "A", "B", None, 0, 0, X, F_TOB), []),
    ]
    for record, activity in steps:
        assert book.apply(record) == activity
    assert {name for name, count in book.anomalies.items() if count} == {"unknown_cancel"}


def test_levels_have_the_size_that_is_said() -> None:
    book = OracleBook(TICK)
    steps = [
        (rec(1, "A", "B", 100, 10, 0, LEVELS, F_MBP), [Touch(100 * TICK, add=10)]),
        (rec(1, "A", "B", 99, 5, 0, LEVELS, F_MBP), [Touch(99 * TICK, add=5)]),
        (rec(1, "M", "B", 100, 4, 77, LEVELS, F_MBP), [Touch(100 * TICK, pull=6)]),
        (rec(1, "A", "A", 100, 3, 0, LEVELS, F_MBP), [Touch(100 * TICK, add=3)]),
        (rec(1, "F", "B", 100, 2, 0, LEVELS, F_MBP), [Touch(100 * TICK, fill=2)]),
        (rec(1, "C", "B", 99, 0, 0, LEVELS, F_MBP), [Touch(99 * TICK, pull=5)]),
        (rec(1, "A", "B", 100, 1, 0, LEVELS, F_MBP), [Touch(100 * TICK, pull=1)]),  # two of the three were filled
        (rec(1, "F", "N", 100, 2, 0, LEVELS, F_MBP), [Touch(100 * TICK, fill=2)]),  # of whose level, nobody knows
        (rec(1, "A", "A", 100, 1, 0, LEVELS, F_MBP), [Touch(100 * TICK, pull=2)]),
    ]
    for record, activity in steps:
        assert book.apply(record) == activity
    assert (book.levels("B"), book.levels("A")) == ([(100 * TICK, 1, 0)], [(100 * TICK, 1, 0)])
    assert {name for name, count in book.anomalies.items() if count} == {"locked_book"}


@pytest.mark.parametrize("with_clear", [True, False])
def test_a_snapshot_replaces_its_publishers_book_and_no_other(with_clear: bool) -> None:
    book = OracleBook(TICK)
    before = [rec(1, "A", "B", 100, 10, 1, X), rec(1, "A", "A", 101, 20, 2, X), rec(1, "A", "B", 100, 30, 1, Y)]
    snapshot = [
        Rec(-DAY * SECOND, "A", "B", 99 * TICK, 5, 8, F_SNAPSHOT, X),
        Rec(-DAY * SECOND, "A", "A", 103 * TICK, 6, 9, F_SNAPSHOT, X),
    ]
    if with_clear:
        snapshot.insert(0, Rec(1, "R", "N", UNDEFINED_PRICE, 0, 0, F_SNAPSHOT, X))
    for record in [*before, *snapshot]:
        book.apply(record)
    assert book.levels("B") == [(100 * TICK, 30, 1), (99 * TICK, 5, 1)]
    assert book.levels("A") == [(103 * TICK, 6, 1)]
    assert (book.in_snapshot, book.clock_ns) == (True, SECOND)
    book.apply(rec(2, "N", "N", None, 0, 0, Y))
    assert book.in_snapshot, "it ends with its own publisher's next record"
    book.apply(rec(2, "N", "N", None, 0, 0, X))
    assert not book.in_snapshot


def test_a_snapshot_whose_records_each_end_an_event_clears_once() -> None:
    book = OracleBook(TICK)
    for record in (rec(1, "A", "B", 100 - i, 5, i, X, F_SNAPSHOT) for i in range(3)):
        book.apply(record)
    assert book.order_count == 3
    book.apply(rec(1, "N", "N", None, 0, 0, X))
    book.apply(rec(1, "A", "B", 90, 5, 1, X, F_SNAPSHOT))
    assert book.order_count == 1


def test_what_cannot_rest_is_counted() -> None:
    book = OracleBook(TICK)
    for flags in (0, F_MBP, F_TOB):
        book.apply(rec(1, "A", "B", 100, UNDEFINED_SIZE, 1, X, flags))
        book.apply(rec(1, "A", "N", 100, 5, 1, X, flags))
    for flags in (0, F_MBP):
        book.apply(rec(1, "M", "B", None, 5, 1, X, flags))
    assert book.order_count == 0
    assert book.apply(rec(1, "F", "B", 100, UNDEFINED_SIZE, 1, X)) == []
    book.apply(rec(1, "T", "B", 100, UNDEFINED_SIZE, 1, X))
    counted = {name: count for name, count in book.anomalies.items() if count}
    assert counted == {"undefined_size": 5, "undefined_side": 3, "undefined_price": 2}


def test_what_comes_before_the_window_builds_the_book_and_no_more() -> None:
    late = Rec(-1, "C", "B", 100 * TICK, 3, 2, F_LAST, X)
    records = [
        rec(0.5, "A", "B", 100, 5, 1, X),
        rec(0.5, "A", "A", 102, 7, 3, X),
        rec(1, "A", "B", 100, 3, 2, X),
        Rec(-1, "T", "A", 90 * TICK, 50, 0, 0, X),
        Rec(-1, "F", "B", 100 * TICK, 3, 2, 0, X),
        late,
        rec(2, "C", "B", 100, 1, 1, X),
    ]
    engine = OracleEngine()
    frames = run_session(
        records, session_start_ns=0, warmup_from_ns=0, emit_from_ns=0, end_ns=DAY * SECOND, engine=engine
    )
    assert [frame["event_id"] for frame in frames] == [1, 2, 3, 6, 7]
    of_late, last = frames[3:]
    assert (of_late["ts_ns"], of_late["bid_size"], of_late["sell_volume"], of_late["last_price"]) == (
        SECOND,
        5,
        0,
        None,
    )
    assert not any(of_late["pull_mass"] + of_late["fill_mass"])
    assert sum(last["pull_mass"]) == 1
    assert not any(engine.book.anomalies.values())


def test_a_time_far_ahead_of_its_receipt_moves_no_clock() -> None:
    book = OracleBook(TICK)
    quote = rec(1, "A", "B", 100, 5, 1, X)
    hour = 3600 * SECOND
    assert book.apply(quote._replace(ts_recv=SECOND)) == [Touch(100 * TICK, add=5)]
    stray = quote._replace(ts_event=hour, ts_recv=SECOND, order_id=2)
    assert book.apply(stray) == [Touch(100 * TICK, add=5)]
    assert (book.clock_ns, book.order_count, book.anomalies["time_ahead"]) == (SECOND, 2, 1)
    book.apply(stray._replace(ts_event=2 * SECOND, order_id=3))
    assert (book.clock_ns, book.anomalies["time_ahead"]) == (2 * SECOND, 1), "a second ahead is none too many"
    book.apply(stray._replace(ts_event=2 * SECOND + 1, order_id=4))
    assert (book.clock_ns, book.anomalies["time_ahead"]) == (2 * SECOND, 2)
    book.apply(stray._replace(flags=F_LAST | F_BAD_TS_RECV, order_id=5))
    assert (book.clock_ns, book.anomalies["time_ahead"]) == (hour, 2)


def test_a_record_without_a_time_is_placed_by_its_receipt() -> None:
    engine = OracleEngine()
    timeless = rec(1, "A", "B", 100, 5, 2, X)._replace(ts_event=UNDEFINED_TIME)
    records = [
        rec(1, "A", "B", 100, 5, 1, X),
        timeless,
        timeless._replace(order_id=3, ts_recv=2 * SECOND),
        timeless._replace(order_id=4, ts_recv=-1),
        timeless._replace(order_id=5, ts_recv=10 * SECOND),
    ]
    frames = run_session(
        records, session_start_ns=0, warmup_from_ns=0, emit_from_ns=0, end_ns=10 * SECOND, engine=engine
    )
    assert [(frame["ts_ns"], frame["bid_size"]) for frame in frames] == [(SECOND, 5 * n) for n in (1, 2, 3, 4)]
    assert engine.cells[100].state(engine.p).mass["add"] == 15, "what was received before the window is no activity"
    assert {name: n for name, n in engine.book.anomalies.items() if n} == {"undefined_time": 2}


def test_a_time_that_cannot_be_true_drops_no_record() -> None:
    engine = OracleEngine()
    stray = rec(3600, "A", "B", 100, 5, 2, X)
    records = [stray._replace(ts_recv=SECOND), stray._replace(ts_recv=10 * SECOND), stray._replace(ts_recv=None)]
    run_session(records, session_start_ns=0, warmup_from_ns=0, emit_from_ns=0, end_ns=10 * SECOND, engine=engine)
    assert engine.book.levels("B") == [(100 * TICK, 5, 1)]
    assert engine.book.anomalies["time_ahead"] == 1


def test_what_comes_after_the_window_is_dropped_but_for_clears_and_snapshots_of_before() -> None:
    end = 10 * SECOND
    engine = OracleEngine()
    records = [
        rec(1, "A", "B", 100, 5, 1, X),
        rec(1, "A", "B", 90, 5, 1, Y),
        rec(10, "A", "B", 101, 5, 2, X),
        clear(10, X)._replace(ts_recv=end - 1),
        clear(5, Y)._replace(ts_recv=end),
        rec(5, "A", "B", 95, 5, 3, QUOTES, F_SNAPSHOT)._replace(ts_recv=end),
        rec(11, "A", "B", 94, 5, 4, LEVELS, F_SNAPSHOT),
    ]
    run_session(records, session_start_ns=0, warmup_from_ns=0, emit_from_ns=0, end_ns=end, engine=engine)
    assert engine.book.levels("B") == [(94 * TICK, 5, 1), (90 * TICK, 5, 1)]
    assert (engine.book.event_id, engine.book.clock_ns) == (4, SECOND)


def test_quality() -> None:
    book = OracleBook(TICK)

    def after(*records: Rec) -> int:
        for record in records:
            book.apply(record)
        assert book.book_valid == (book.quality in (0, 16))
        return book.quality

    assert after() == 1
    assert after(rec(1, "T", "B", 100, 5, 0, Y)) == 1, "trades alone are no orders"
    assert after(rec(1, "A", "B", 100, 5, 1, X)) == 1 + 16
    assert after(rec(1, "A", "A", 102, 5, 2, X)) == 16
    assert after(rec(1, "A", "A", 100, 5, 3, X)) == 2 + 16
    assert after(rec(1, "A", "A", 99, 5, 3, X)) == 2 + 16
    assert after(clear(2, X), rec(2, "A", "B", 100, 5, 1, X), rec(2, "A", "A", 102, 5, 2, X)) == 0
    assert after(rec(2, "N", "N", None, 0, 0, Y, F_MAYBE_BAD_BOOK)) == 8
    assert after(clear(2, X), rec(2, "A", "B", 100, 5, 1, X), rec(2, "A", "A", 102, 5, 2, X)) == 8, "of another's book"
    in_snapshot = Rec(0, "A", "B", 99 * TICK, 5, 1, F_SNAPSHOT, Y)
    assert after(in_snapshot) == 4
    assert after(in_snapshot._replace(order_id=2, flags=F_SNAPSHOT | F_LAST)) == 0
