"""The short way of plain records against the long way: the same state, word for word, and the same touches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.agreement import TICK, events_of
from tests.kernels.entry import from_python
from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.oracle_book import F_LAST, Rec
from vp.kernels import book as book_kernels
from vp.kernels import publishers as publisher_kernels
from vp.kernels.book import Legs
from vp.kernels.contract import BOOK_ONLY, KIND_BITS, TOUCH_FROM, TOUCH_TO
from vp.kernels.orders import empty_slots, home_group
from vp.kernels.state import Effect, Record
from vp.model.book import Book

apply_plain = from_python(book_kernels.apply_plain)
may_be_plain = from_python(book_kernels.may_be_plain)
apply_record = from_python(book_kernels.apply_record)
follow_publisher = from_python(publisher_kernels.follow_publisher)
end_snapshot = from_python(publisher_kernels.end_snapshot)
record_at = from_python(book_kernels.record_at)
group_of = from_python(home_group)


def roomy_book(dense_levels: int, room: int) -> Book:
    book = Book(TICK, dense_levels=dense_levels)
    book.state = book.state._replace(slots=empty_slots(room))
    return book


def touches_of_effect(effect: Effect) -> list[tuple[int, ...]]:
    """Price, add, pull and fill of each touch, in order."""
    touches: list[tuple[Any, ...]] = []
    if effect.bits & TOUCH_FROM:
        touches.append((effect.from_price, 0, effect.pull, effect.fill))
    if effect.bits & TOUCH_TO:
        touches.append((effect.to_price, effect.added, 0, 0))
    return [tuple(map(int, touch)) for touch in touches]


def touches_of_legs(legs: Legs) -> list[tuple[int, ...]]:
    touches: list[tuple[Any, ...]] = [(legs.price, legs.add, legs.pull, legs.fill)]
    if legs.to_word >= 0:
        touches.append((legs.to_price, legs.to_size, 0, 0))
    return [tuple(map(int, touch)) for touch in touches]


def told(*changes: tuple[Any, Any]) -> dict[int, int]:
    """What the depth of each price changes by, where it does."""
    by_price: dict[int, int] = {}
    for price, change in changes:
        by_price[int(price)] = by_price.get(int(price), 0) + int(change)
    return {price: change for price, change in by_price.items() if change}


def assert_same_state(one: Book, other: Book, where: object) -> None:
    for name, left, right in zip(one.state._fields, one.state, other.state, strict=True):
        assert np.array_equal(left, right), (name, where)


def long_way(book: Book, record: Record, pendings: int) -> Effect:
    follow_publisher(book.state, record)
    return Effect(*map(int, apply_record(book.state, record, pendings)))


def share_of_plain(records: list[Rec], pendings: int, dense_levels: int = 1 << 12, room: int = 1 << 12) -> float:
    """Take records both ways and compare after each; returns how many of them were plain."""
    short, long, plain = roomy_book(dense_levels, room), roomy_book(dense_levels, room), 0
    for rec in records:
        record = Record(*map(int, record_at(events_of([rec]).columns, 0)))
        active = pendings if record.clock_ns != BOOK_ONLY else 0
        effect = long_way(long, record, active)
        legs = Legs(*map(int, book_kernels.NOT_PLAIN))
        if record.clock_ns != BOOK_ONLY and may_be_plain(short.state, record):
            legs = Legs(*map(int, apply_plain(short.state, record, active)))
        if legs.word < 0:
            effect = long_way(short, record, active)  # on a book that nothing has changed
        else:
            plain += 1
            assert touches_of_legs(legs) == touches_of_effect(effect), rec
            removed, added = (effect.from_price, -effect.removed), (effect.to_price, effect.added)
            assert told((legs.price, legs.depth), (legs.to_price, legs.to_size)) == told(removed, added), rec
        assert_same_state(short, long, rec)
        if rec.is_last:
            end_snapshot(short.state, rec.publisher)
            end_snapshot(long.state, rec.publisher)
    return plain / len(records)


@pytest.mark.parametrize("pendings", [0, 1])
@settings(max_examples=40, deadline=None)
@given(records=markets(max_events=30))
def test_both_ways_lead_to_the_same_book(pendings: int, records: list[Rec]) -> None:
    if records:
        share_of_plain(records, pendings)


@pytest.mark.parametrize(
    ("weights", "dense_levels", "least"), [(CALM, 1 << 12, 0.6), (WILD, 1 << 12, 0.2), (FAR, 64, 0.05)],
    ids=["calm", "wild", "far"],
)  # fmt: skip
def test_both_ways_lead_to_the_same_book_over_a_longer_market(
    weights: dict[str, int], dense_levels: int, least: float
) -> None:
    assert share_of_plain(random_market(17, 400, weights=weights), 1, dense_levels) >= least


@pytest.mark.parametrize("together", [False, True], ids=["apart", "in one group"])
def test_orders_of_several_publishers_with_one_id_are_taken_either_way(together: bool) -> None:
    slots = empty_slots(64)
    order_id = 42
    other = next(
        publisher
        for publisher in range(2, 1000)
        if (group_of(slots, order_id, publisher << KIND_BITS) == group_of(slots, order_id, 1 << KIND_BITS)) is together
    )
    rows = [(1, "A", 6), (2, "C", 2), (2, "F", 2), (2, "M", 2), (1, "C", 6)]  # what the other does not have
    rows += [(1, "A", 5), (2, "A", 7), (2, "F", 3), (1, "C", 5), (2, "M", 9), (2, "C", 9), (1, "A", 4), (2, "A", 4)]
    records = [
        Rec(1, action, "B", TICK * 100, size, order_id, F_LAST, publisher={1: 1, 2: other}[publisher])
        for publisher, action, size in rows
    ]
    assert share_of_plain(records, 1, room=64) > 0


def test_groups_that_are_full_are_taken_either_way() -> None:
    """Ids of one group: more orders than it has slots for, taken away in an order that leaves holes."""
    slots = empty_slots(64)
    ids = [order_id for order_id in range(1000) if group_of(slots, order_id, 1 << KIND_BITS) == 7][:12]
    adds = [Rec(1, "A", "A", TICK * 100, n + 1, order_id, F_LAST) for n, order_id in enumerate(ids)]
    cancels = [Rec(1, "C", "A", TICK * 100, n + 1, order_id, F_LAST) for n, order_id in enumerate(ids)]
    assert len(ids) == 12
    assert share_of_plain([*adds, *cancels[::2], *cancels[1::2], *adds], 1, room=64) > 0.9
