"""The order table against a dictionary, crowded and wrapped around its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from vp.kernels import orders as order_kernels
from vp.kernels.contract import (
    GROUP_SLOTS,
    GROUP_WORDS,
    PENDING_SHIFT,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
)
from vp.kernels.orders import (
    capacity,
    empty_slots,
    insert_orders,
    list_orders,
    rehash,
)

find_slot = from_python(order_kernels.find_slot)
home = from_python(order_kernels.home)
remove_slot = from_python(order_kernels.remove_slot)
CAPACITY = 32
LAST_GROUP = CAPACITY // GROUP_SLOTS - 1
MOST_ORDERS = CAPACITY // 2
EXTREME_IDS = (0, 1, -1, 2**63 - 1, -(2**63))


def ids_at_home(group: int, count: int) -> list[int]:
    """Ids that belong to one group."""
    found: list[int] = []
    order_id = 6_800_000_000_000
    while len(found) < count:
        if home(order_id, LAST_GROUP) == group:
            found.append(order_id)
        order_id += 1
    return found


# Homes at both ends of the table, so that groups overflow into each other and around the end.
CROWDED_IDS = (*EXTREME_IDS, *(i for group in (0, 1, LAST_GROUP - 1, LAST_GROUP) for i in ids_at_home(group, 7)))


def put(slots: np.ndarray, order_id: int, price: int, size: int, rank: int) -> None:
    word = find_slot(slots, order_id)
    slots[word] = order_id
    slots[word + SLOT_PRICE] = price
    slots[word + SLOT_SIZE] = size
    slots[word + SLOT_RANK] = rank


def contents(slots: np.ndarray) -> dict[int, tuple[int, int, int, int]]:
    """Id to price, size, side and stamp."""
    columns = [np.full(capacity(slots), -77, np.int64) for _ in range(5)]
    n = list_orders(slots, *columns)
    rows = list(zip(*(column[:n].tolist() for column in columns), strict=True))
    assert len({row[0] for row in rows}) == n
    assert all((column[n:] == -77).all() for column in columns)
    return {row[0]: row[1:] for row in rows}


def assert_found(slots: np.ndarray, want: dict[int, tuple[int, int, int, int]]) -> None:
    """Every id in and out of the table is where a probe ends, and what the probe passes is occupied."""
    for order_id in CROWDED_IDS:
        word = int(find_slot(slots, order_id))
        assert word % GROUP_WORDS < GROUP_SLOTS
        assert 0 <= word < slots.size
        size = int(slots[word + SLOT_SIZE]) & SIZE_MASK
        if order_id in want:
            assert (int(slots[word]), int(slots[word + SLOT_PRICE])) == (order_id, want[order_id][0])
            assert size == want[order_id][1]
        else:
            assert size == 0


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(CROWDED_IDS), st.integers(1, SIZE_MASK), st.integers(0, 2**20)), max_size=60
    )
)
def test_table_is_a_dictionary(steps: list[tuple[int, int, int]]) -> None:
    slots = empty_slots(CAPACITY)
    want: dict[int, tuple[int, int, int, int]] = {}
    for order_id, size, rank in steps:
        if order_id in want:
            remove_slot(slots, find_slot(slots, order_id))
            del want[order_id]
        elif len(want) < MOST_ORDERS:
            put(slots, order_id, 3 * size, size, rank)
            want[order_id] = (3 * size, size, rank & 1, rank >> 1)
        assert contents(slots) == want
        assert_found(slots, want)


def test_groups_that_overflow_around_the_end_close_their_gaps() -> None:
    at_end, at_start = ids_at_home(LAST_GROUP, 7), ids_at_home(0, 6)
    for removed in (*at_end, *at_start):
        slots = empty_slots(CAPACITY)
        for order_id in (*at_end, *at_start):
            put(slots, order_id, order_id, 5, 0)
        remove_slot(slots, find_slot(slots, removed))
        left = {order_id: (order_id, 5, 0, 0) for order_id in (*at_end, *at_start) if order_id != removed}
        assert contents(slots) == left
        assert_found(slots, left)


@given(order_id=st.integers(-(2**63), 2**63 - 1), bits=st.integers(1, 22))
@settings(max_examples=50, deadline=None)
def test_home_lies_in_the_table(order_id: int, bits: int) -> None:
    assert 0 <= home(order_id, (1 << bits) - 1) < 1 << bits


def test_consecutive_ids_spread() -> None:
    homes = [home(6_800_000_000_000 + i, 4095) for i in range(2048)]
    assert max(np.bincount(homes, minlength=4096)) <= 2


@pytest.mark.parametrize("count", [CAPACITY, 64, 1024])
def test_rehash_and_insert_keep_every_order(count: int) -> None:
    slots = empty_slots(CAPACITY)
    for i, order_id in enumerate(CROWDED_IDS[:MOST_ORDERS]):
        put(slots, order_id, -i, i + 1, 4 * i + (i & 1))
        slots[find_slot(slots, order_id) + SLOT_SIZE] |= (i + 1) << PENDING_SHIFT
    want = contents(slots)
    assert len(want) == MOST_ORDERS

    moved = empty_slots(count)
    rehash(slots, moved)
    assert contents(moved) == want
    assert_found(moved, want)
    for i, order_id in enumerate(CROWDED_IDS[:MOST_ORDERS]):
        assert moved[find_slot(moved, order_id) + SLOT_SIZE] >> PENDING_SHIFT == i + 1

    columns = [np.array(column, np.int64) for column in zip(*((i, *row) for i, row in want.items()), strict=True)]
    inserted = empty_slots(count)
    insert_orders(inserted, *columns)
    assert contents(inserted) == want


def test_an_empty_table_holds_nothing() -> None:
    slots = empty_slots(CAPACITY)
    assert slots.shape == (CAPACITY * 4,)
    assert slots.ctypes.data % 64 == 0
    assert contents(slots) == {}
    assert_found(slots, {})
