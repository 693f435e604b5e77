"""Several publishers of one instrument, quotes, levels, snapshots that replace, and what quality says of the book."""

from __future__ import annotations

import pytest

from tests.agreement import TICK
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_MBP, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, UNDEFINED_SIZE
from vp.dbn.events import Events
from vp.kernels.contract import (
    FAR_DEPTH,
    FAR_WORDS,
    QUALITY_BAD_BOOK,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_GAP,
    QUALITY_INCOMPLETE,
    QUALITY_SNAPSHOT,
    SIZE_MASK,
)
from vp.model.book import Book

Row = tuple[int, str, str, int | None, int, int, int]  # publisher, action, side, price in ticks, size, id, flags
SNAPSHOT_END = F_SNAPSHOT | F_LAST


def send(book: Book, *rows: Row) -> Book:
    """Run rows through a book; a price of None is undefined."""
    records = [
        (1, action, side, UNDEFINED_PRICE if ticks is None else ticks * TICK, size, order_id, flags, publisher)
        for publisher, action, side, ticks, size, order_id, flags in rows
    ]
    assert book.fast_forward(Events.from_records(records)) == len(records)
    return book


def levels(book: Book) -> dict[str, list[tuple[int, int, int]]]:
    """Per side (price in ticks, size, orders), best first."""
    return {side: [(price // TICK, size, orders) for price, size, orders in book.levels(side)] for side in "BA"}


def found_anomalies(book: Book) -> dict[str, int]:
    return {name: count for name, count in book.anomalies().items() if count}


TWO_VENUES: tuple[Row, ...] = (
    (39, "A", "B", 100, 10, 1, F_LAST),
    (39, "A", "A", 102, 20, 2, F_LAST),
    (40, "A", "B", 99, 30, 1, F_LAST),
    (40, "A", "A", 102, 40, 2, F_LAST),
)


def clear(publisher: int) -> Row:
    return publisher, "R", "N", None, 0, 0, F_LAST


def test_publishers_number_their_orders_alike() -> None:
    book = send(Book(TICK), *TWO_VENUES)
    assert levels(book) == {"B": [(100, 10, 1), (99, 30, 1)], "A": [(102, 60, 2)]}
    send(book, (40, "C", "B", 99, 30, 1, F_LAST), (39, "M", "A", 103, 20, 2, F_LAST))
    assert levels(book) == {"B": [(100, 10, 1)], "A": [(102, 40, 1), (103, 20, 1)]}
    assert found_anomalies(book) == {}


@pytest.mark.parametrize(("cleared", "left"), [(39, [(99, 30, 1)]), (40, [(100, 10, 1)])])
def test_a_clear_is_of_its_publisher(cleared: int, left: list[tuple[int, int, int]]) -> None:
    book = send(Book(TICK), *TWO_VENUES, clear(cleared))
    assert levels(book)["B"] == left
    assert book.order_count == 2
    assert send(book, clear(39), clear(40)).order_count == 0
    assert levels(book) == {"B": [], "A": []}


def test_a_clear_among_many_orders_takes_all_of_its_own() -> None:
    rows = [(publisher, "A", "BA"[i % 2], (i % 2) * 300 + i, 1, i, F_LAST) for i in range(2000) for publisher in (1, 2)]
    book = send(Book(TICK), *rows, clear(1))
    assert book.order_count == 2000
    assert {row["publisher_id"] for row in book.to_arrow().to_pylist()} == {2}
    assert levels(book) == levels(send(Book(TICK), *(row for row in rows if row[0] == 2)))


@pytest.mark.parametrize("with_clear", [True, False])
def test_a_snapshot_replaces_the_book_of_its_publisher(with_clear: bool) -> None:
    book = send(Book(TICK), *TWO_VENUES)
    start: tuple[Row, ...] = ((39, "R", "N", None, 0, 0, F_SNAPSHOT),) if with_clear else ()
    send(book, *start, (39, "A", "B", 98, 7, 5, F_SNAPSHOT))
    assert levels(book) == {"B": [(99, 30, 1), (98, 7, 1)], "A": [(102, 40, 1)]}
    send(book, (39, "A", "A", 103, 8, 6, F_SNAPSHOT))
    assert levels(book) == {"B": [(99, 30, 1), (98, 7, 1)], "A": [(102, 40, 1), (103, 8, 1)]}


def test_a_second_snapshot_replaces_the_first() -> None:
    first: Row = (1, "A", "B", 100, 1, 1, SNAPSHOT_END)
    second: Row = (1, "A", "B", 90, 2, 2, SNAPSHOT_END)
    assert levels(send(Book(TICK), first, second))["B"] == [(100, 1, 1), (90, 2, 1)], "each record ends an event"
    between: Row = (1, "N", "N", None, 0, 0, F_LAST)
    assert levels(send(Book(TICK), first, between, second))["B"] == [(90, 2, 1)]
    of_another: Row = (2, "N", "N", None, 0, 0, F_LAST)
    assert levels(send(Book(TICK), first, of_another, second))["B"] == [(100, 1, 1), (90, 2, 1)]


def test_quotes_replace_their_side() -> None:
    book = send(
        Book(TICK),
        (7, "A", "B", 100, 10, 0, F_TOB),
        (7, "A", "A", 102, 20, 0, F_TOB | F_LAST),
        (7, "M", "B", 101, 30, 0, F_TOB | F_LAST),
    )
    assert levels(book) == {"B": [(101, 30, 0)], "A": [(102, 20, 0)]}
    assert (book.quality, book.valid) == (0, True), "no orders, so none can be missing"
    send(book, (7, "A", "A", None, 0, 0, F_TOB | F_LAST))
    assert levels(book) == {"B": [(101, 30, 0)], "A": []}
    assert found_anomalies(book) == {}


def test_a_quote_leaves_orders_of_others_and_the_other_side_alone() -> None:
    book = send(Book(TICK), *TWO_VENUES, (39, "A", "B", 97, 5, 0, F_TOB | F_LAST))
    assert levels(book) == {"B": [(99, 30, 1), (97, 5, 0)], "A": [(102, 60, 2)]}
    send(book, (40, "M", "A", None, 0, 0, F_TOB | F_LAST))
    assert levels(book) == {"B": [(99, 30, 1), (97, 5, 0)], "A": [(102, 20, 1)]}


def test_levels_have_the_size_that_is_stated() -> None:
    book = send(
        Book(TICK),
        (7, "A", "B", 100, 10, 0, F_MBP | F_LAST),
        (7, "A", "B", 99, 20, 0, F_MBP | F_LAST),
        (7, "A", "A", 100, 5, 0, F_MBP | F_LAST),
        (7, "M", "B", 100, 15, 0, F_MBP | F_LAST),
        (7, "A", "B", 99, 12, 0, F_MBP | F_LAST),
    )
    assert levels(book) == {"B": [(100, 15, 0), (99, 12, 0)], "A": [(100, 5, 0)]}
    send(book, (7, "M", "B", 100, 0, 0, F_MBP | F_LAST), (7, "C", "B", 99, 4, 0, F_MBP | F_LAST))
    assert levels(book) == {"B": [(99, 8, 0)], "A": [(100, 5, 0)]}
    send(book, (7, "C", "A", 100, 0, 0, F_MBP | F_LAST), (7, "C", "B", 99, 8, 0, F_MBP | F_LAST))
    assert levels(book) == {"B": [], "A": []}
    assert found_anomalies(book) == {"locked_book": 3}
    send(book, (7, "C", "B", 99, 8, 0, F_MBP | F_LAST), (7, "C", "B", 99, 8, 0, F_TOB | F_LAST))
    assert found_anomalies(book) == {"locked_book": 3, "unknown_cancel": 2}


def test_an_order_a_level_and_a_quote_of_one_id_price_and_publisher_are_three_things() -> None:
    price = 3
    book = send(
        Book(1),
        *((7, "A", "B", price, 10, price * TICK, flags) for flags in (0, F_MBP)),
        (8, "A", "B", price, 10, 1, F_TOB | F_LAST),
    )
    assert levels(book)["B"] == [(3, 30, 1)]
    assert [row["kind"] for row in book.to_arrow().to_pylist()] == ["order", "level", "quote"]


@pytest.mark.parametrize("action", ["A", "M", "F", "T"])
def test_an_undefined_size_counts_nothing(action: str) -> None:
    book = send(Book(TICK), *TWO_VENUES)
    before = book.to_arrow().to_pylist()
    send(book, (39, action, "B", 100, UNDEFINED_SIZE, 1, F_LAST))
    assert book.to_arrow().to_pylist() == before
    assert found_anomalies(book) == {"undefined_size": 1}


def test_a_cancel_of_undefined_size_takes_what_rests() -> None:
    book = send(Book(TICK), *TWO_VENUES, (39, "C", "B", 100, UNDEFINED_SIZE, 1, F_LAST))
    assert levels(book)["B"] == [(99, 30, 1)]


def test_the_largest_size_there_is() -> None:
    assert SIZE_MASK == UNDEFINED_SIZE
    book = send(Book(TICK), (1, "A", "B", 1, UNDEFINED_SIZE - 1, 1, F_LAST), (2, "A", "B", 1, 7, 1, F_LAST))
    assert levels(book)["B"] == [(1, UNDEFINED_SIZE + 6, 2)]


def test_quality_bit_by_bit() -> None:
    book = Book(TICK)

    def quality(*row: int | str | None) -> int:
        send(book, row)  # type: ignore[arg-type]  # a Row
        assert book.valid == (book.quality & ~QUALITY_INCOMPLETE == 0)
        return book.quality

    assert quality(1, "A", "B", 100, 5, 1, F_LAST) == QUALITY_EMPTY_SIDE | QUALITY_INCOMPLETE
    assert quality(1, "A", "A", 101, 5, 2, F_LAST) == QUALITY_INCOMPLETE
    assert quality(1, "A", "A", 100, 5, 3, F_LAST) == QUALITY_CROSSED | QUALITY_INCOMPLETE, "locked"
    assert quality(*clear(1)) == QUALITY_EMPTY_SIDE, "now nothing can be missing"
    assert quality(1, "A", "A", 102, 5, 2, F_LAST) == QUALITY_EMPTY_SIDE
    assert quality(1, "A", "B", 103, 5, 1, F_LAST) == QUALITY_CROSSED
    assert quality(1, "M", "B", 100, 5, 1, F_LAST) == 0
    assert quality(2, "T", "B", 100, 5, 0, F_LAST) == 0, "a trade is no order"
    assert quality(2, "A", "B", 99, 5, 0, F_TOB | F_LAST) == 0, "nor is a quote"
    assert quality(2, "A", "A", 104, 5, 0, F_MBP | F_LAST) == 0, "nor is a level"
    assert quality(2, "A", "B", 98, 5, 1, F_LAST) == QUALITY_INCOMPLETE, "of the second publisher"
    assert quality(1, "N", "N", None, 0, 0, F_LAST | F_MAYBE_BAD_BOOK) == QUALITY_INCOMPLETE | QUALITY_BAD_BOOK
    assert quality(*clear(2)) == QUALITY_BAD_BOOK, "that of the first still is in doubt"
    assert quality(1, "A", "B", 100, 1, 9, F_SNAPSHOT) == QUALITY_BAD_BOOK, "as of the last event end"
    assert quality(2, "A", "A", 105, 5, 1, F_LAST) == QUALITY_SNAPSHOT, "that of the first goes on"
    assert quality(1, "A", "A", 101, 1, 8, SNAPSHOT_END) == 0
    book.mark_gap()
    assert quality(1, "A", "A", 101, 1, 7, F_LAST) == QUALITY_GAP
    assert quality(*clear(1)) == QUALITY_GAP | QUALITY_EMPTY_SIDE, "until a snapshot"
    assert quality(2, "A", "B", 99, 5, 2, F_LAST) == QUALITY_GAP
    assert quality(1, "A", "A", 101, 1, 8, SNAPSHOT_END) == 0


def test_a_snapshot_lasts_until_an_event_of_its_own_publisher_ends() -> None:
    book = send(Book(TICK), *TWO_VENUES)
    send(book, (39, "A", "B", 100, 10, 1, F_SNAPSHOT), (39, "A", "A", 102, 20, 2, F_SNAPSHOT))
    send(book, (40, "A", "B", 99, 30, 1, F_SNAPSHOT), (40, "A", "A", 102, 40, 2, SNAPSHOT_END))
    assert (book.quality, book.valid) == (QUALITY_SNAPSHOT, False)
    send(book, (39, "A", "B", 98, 1, 3, SNAPSHOT_END))
    assert (book.quality, book.valid) == (0, True)


def test_levels_are_read_from_the_depth_arrays() -> None:
    book = send(Book(TICK, dense_levels=64), *TWO_VENUES, (1, "A", "A", 5000, 3, 9, F_LAST))
    state = book.state
    for side, at in (("A", 0), ("B", 1)):
        for depth in (state.depth[at::2], state.far[FAR_DEPTH + at :: FAR_WORDS]):
            before = book.levels(side)
            resting = depth.nonzero()[0]
            if len(resting):
                depth[resting[0]] += 1
                assert book.levels(side) != before
                depth[resting[0]] -= 1
                assert book.levels(side) == before
