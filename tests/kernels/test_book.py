"""One record applied to the book: what it did is told as the oracle tells it, and room is asked for in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings

from tests.agreement import TICK, assert_same_book, events_of
from tests.kernels.entry import from_python
from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.oracle_book import F_LAST, UNDEFINED_TIME, OracleBook, Rec, Touch
from vp.kernels import book as book_kernels
from vp.kernels import levels as level_kernels
from vp.kernels import publishers as publisher_kernels
from vp.kernels.contract import (
    B_CLOCK,
    B_EVENT_ID,
    B_LIVE,
    BOOK_ONLY,
    DEPTH_RESET,
    DONE,
    FLAG_LAST,
    FLAG_SNAPSHOT,
    GROW_LEVELS,
    GROW_ORDERS,
    REACHED,
    SNAPSHOT_BEGINS,
    TOUCH_FROM,
    TOUCH_TO,
)
from vp.kernels.event import MOST_RECORDS, PLACING_WORDS
from vp.kernels.far_levels import empty_far_levels
from vp.kernels.forward import fast_forward
from vp.kernels.orders import capacity, empty_slots
from vp.kernels.placing import NO_EFFECT
from vp.kernels.state import Effect, Record
from vp.model.book import FIRST_ORDER_SLOTS, NO_LIMIT, Book

SIDES = "AB"
apply_record = from_python(book_kernels.apply_record)
record_at = from_python(book_kernels.record_at)
follow_publisher = from_python(publisher_kernels.follow_publisher)
end_snapshot = from_python(publisher_kernels.end_snapshot)
level_depth = from_python(level_kernels.level_depth)


def apply(book: Book, rec: Rec) -> Effect:
    """Apply one record as the loops do, but for clock and spot; a snapshot that begins resets depth too."""
    record = Record(*map(int, record_at(events_of([rec]).columns, 0)))
    began = follow_publisher(book.state, record) == SNAPSHOT_BEGINS
    effect = Effect(*map(int, apply_record(book.state, record, int(record.clock_ns != BOOK_ONLY))))
    if rec.is_last:
        end_snapshot(book.state, rec.publisher)
    return effect._replace(bits=effect.bits | DEPTH_RESET) if began else effect


def touches_of(effect: Effect) -> list[Touch]:
    bits, from_price, _, pull, fill, to_price, added = map(int, effect)
    touches = []
    if bits & TOUCH_FROM:
        touches.append(Touch(from_price, pull=pull, fill=fill))
    if bits & TOUCH_TO:
        touches.append(Touch(to_price, add=added))
    return touches


def depth_at(book: Book, price: int) -> int:
    return sum(int(level_depth(book.state, side, price)) for side in (0, 1))


def check_effects(records: list[Rec]) -> None:
    book, oracle = Book(TICK), OracleBook(TICK)
    for rec in records:
        before = {price: oracle.depth(price) for side in SIDES for price, _, _ in oracle.levels(side)}
        is_activity = oracle.is_activity(rec)  # at no clock there is none, whatever the book's kernel tells of it
        want = oracle.apply(rec)
        effect = apply(book, rec)
        bits, from_price, removed, pull, _, to_price, added = map(int, effect)
        assert 0 <= pull <= removed
        if is_activity:
            assert touches_of(effect) == want, rec
        after = {price: oracle.depth(price) for side in SIDES for price, _, _ in oracle.levels(side)}
        told: dict[int, int] = {}
        told[from_price] = told.get(from_price, 0) - removed
        told[to_price] = told.get(to_price, 0) + added
        for price in before.keys() | after.keys() | ({from_price, to_price} if bits else set()):
            assert depth_at(book, price) == after.get(price, 0)
            if not bits & DEPTH_RESET:
                assert after.get(price, 0) - before.get(price, 0) == told.get(price, 0), rec


@settings(max_examples=60, deadline=None)
@given(records=markets(max_events=30))
@example(records=[Rec(UNDEFINED_TIME, "A", "A", 20_000 * TICK, 10, 1, F_LAST)])
def test_effects_are_the_oracles_touches(records: list[Rec]) -> None:
    check_effects(records)


@pytest.mark.parametrize("weights", [CALM, WILD, FAR], ids=["calm", "wild", "far"])
def test_effects_over_a_longer_market(weights: dict[str, int]) -> None:
    check_effects(random_market(11, 150, weights=weights))


@pytest.mark.parametrize(
    "after",
    [
        [("F", 10), ("C", 10)], [("F", 4), ("M", 6)], [("F", 4), ("C", 10)], [("F", 4), ("C", 3), ("C", 3)],
        [("F", 3), ("F", 4), ("C", 9)], [("F", 4), ("M", 15), ("C", 15)], [("C", 3), ("C", 99)],
    ],
)  # fmt: skip
def test_what_fills_took_is_no_pull(after: list[tuple[str, int]]) -> None:
    check_effects([Rec(0, "A", "B", TICK, 10, 1, F_LAST), *(Rec(1, a, "B", TICK, n, 1, F_LAST) for a, n in after)])


def test_a_fill_is_forgotten_when_its_order_moves() -> None:
    rows = [("A", TICK, 10), ("F", TICK, 4), ("M", 2 * TICK, 7), ("C", 2 * TICK, 7)]
    check_effects([Rec(1, action, "B", price, size, 1, F_LAST) for action, price, size in rows])


def add(order_id: int, price: int = 0, *, clock: int = 1, flags: int = F_LAST) -> Rec:
    return Rec(clock, "A", "B", price, 1, order_id, flags)


def small_book(*, order_slots: int = 16, far_slots: int = 8, dense_levels: int = 4) -> Book:
    book = Book(TICK, dense_levels=dense_levels)
    book.state = book.state._replace(slots=empty_slots(order_slots), far=empty_far_levels(far_slots))
    return book


def forward(book: Book, records: list[Rec], first: int = 0, until_ns: int = NO_LIMIT) -> tuple[int, int]:
    index, why = fast_forward(events_of(records).columns, first, until_ns, book.state)
    return int(index), int(why)


def test_the_kernel_comes_back_before_a_quarter_of_the_order_table_is_taken() -> None:
    book = small_book(order_slots=16)
    records = [add(i) for i in range(20)]
    assert forward(book, records) == (4, GROW_ORDERS)
    before = [array.copy() for array in book.state]
    assert forward(book, records, 4) == (4, GROW_ORDERS), "asking again changes nothing"
    assert all(np.array_equal(a, b) for a, b in zip(before, book.state, strict=True))
    assert book.make_room(GROW_ORDERS)
    assert forward(book, records, 4) == (20, DONE)
    assert (book.scalars[B_LIVE], capacity(book.state.slots)) == (20, FIRST_ORDER_SLOTS)


def test_a_clear_leaves_an_order_table_that_the_next_clear_goes_through_soon() -> None:
    book = Book(TICK)
    book.fast_forward(events_of([add(i) for i in range(9000)]))
    assert capacity(book.state.slots) == 16 * FIRST_ORDER_SLOTS
    again = [Rec(1, "R", "N", 0, 0, 0, F_LAST), *(add(7, i) for i in range(MOST_RECORDS))]
    index, why = forward(book, again)
    assert why == GROW_ORDERS
    assert index <= MOST_RECORDS
    assert book.make_room(why)
    assert capacity(book.state.slots) == FIRST_ORDER_SLOTS
    assert forward(book, again, index) == (len(again), DONE)
    assert (book.order_count, book.best_bid, book.event_id) == (1, MOST_RECORDS - 1, 9000 + len(again))


def test_a_market_that_leaps_has_the_window_follow_it_seldom() -> None:
    """Each time costs a look at all orders."""
    book = Book(TICK)
    resting = [add(i, 100 * TICK - i % 7 * TICK) for i in range(3000)]
    leaps = [Rec(1, "AC"[i % 2], "A", (10**6 if i % 4 < 2 else 200) * TICK, 1, 10**6, F_LAST) for i in range(4000)]
    records = [*resting, *leaps]
    index, why, placed = 0, GROW_ORDERS, 0
    while why != DONE:
        index, why = forward(book, records, index)
        placed += why == GROW_LEVELS
        book.make_room(why)
    assert 1 <= placed <= len(records) * PLACING_WORDS // book.state.slots.size + 2


def test_the_kernel_comes_back_before_the_far_levels_are_half_full() -> None:
    book = small_book(order_slots=64, far_slots=8)
    records = [add(i, i * 1000 * TICK) for i in range(20)]
    index, why = forward(book, records)
    assert (index, why) == (5, GROW_LEVELS), "the first price lies in the dense window, four outside"
    while why != DONE:
        assert book.make_room(why)
        index, why = forward(book, records, index)
    oracle = OracleBook(TICK)
    for record in records:
        oracle.apply(record)
    assert_same_book(book, oracle)


def test_until_stops_before_the_record_that_reaches_it() -> None:
    book = small_book(order_slots=64)
    snapshot = add(9, clock=99, flags=FLAG_SNAPSHOT)
    records = [add(1, clock=10), snapshot, add(2, clock=5), add(3, clock=20), add(4, clock=19)]
    assert forward(book, records, 0, 10) == (0, REACHED)
    assert forward(book, records, 0, 20) == (3, REACHED), "snapshots have no time; late ones have the clock's"
    assert (book.scalars[B_CLOCK], book.scalars[B_EVENT_ID]) == (10, 3)
    assert forward(book, records, 3, 20) == (3, REACHED)
    assert forward(book, records, 3, 21) == (5, DONE), "the clock counts, not the record's own time"
    assert forward(book, records, 5, 21) == (5, DONE)


def test_effect_of_a_clear_and_of_what_has_none() -> None:
    book = Book(TICK)
    apply(book, add(1))
    assert apply(book, Rec(1, "N", "N", 0, 0, 0, FLAG_LAST)) == NO_EFFECT
    assert apply(book, Rec(1, "T", "B", 0, 5, 0, FLAG_LAST)) == NO_EFFECT
    assert apply(book, Rec(1, "C", "B", 0, 5, 77, FLAG_LAST)) == NO_EFFECT
    assert apply(book, Rec(1, "R", "N", 0, 0, 0, FLAG_LAST)).bits == DEPTH_RESET
    assert book.order_count == 0
