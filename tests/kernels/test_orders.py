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
    KIND_BITS,
    PENDING_SHIFT,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    TAG_MASK,
)
from vp.kernels.orders import capacity, empty_slots, insert_orders, list_orders, rehash

find_slot = from_python(order_kernels.find_slot)
home = from_python(order_kernels.home)
home_group = from_python(order_kernels.home_group)
rank_of = from_python(order_kernels.rank_of)
tag_of = from_python(order_kernels.tag_of)
remove_slot = from_python(order_kernels.remove_slot)
CAPACITY = 32
LAST_GROUP = CAPACITY // GROUP_SLOTS - 1
MOST_ORDERS = CAPACITY // 2
EXTREME_IDS = (0, 1, -1, 2**63 - 1, -(2**63))
TAGS = (0, 4, 1 << 2 | 3, TAG_MASK)
Key = tuple[int, int]  # id and tag
Contents = dict[Key, tuple[int, int, int, int]]  # to price, size, side and stamp


def keys_at_home(group: int, count: int) -> list[Key]:
    """Ids and tags that belong to one group, some ids under several tags."""
    found: list[Key] = []
    order_id = 6_800_000_000_000
    while len(found) < count:
        found += [(order_id, tag) for tag in TAGS if home_group(empty_slots(CAPACITY), order_id, tag) == group]
        order_id += 1
    return found[:count]


# Homes at both ends of the table, so that groups overflow into each other and around the end.
CROWDED = (
    *((order_id, tag) for order_id in EXTREME_IDS for tag in TAGS[:2]),
    *(key for group in (0, 1, LAST_GROUP - 1, LAST_GROUP) for key in keys_at_home(group, 7)),
)


def put(slots: np.ndarray, key: Key, price: int, size: int, side: int, stamp: int) -> None:
    word = find_slot(slots, *key)
    slots[word] = key[0]
    slots[word + SLOT_PRICE] = price
    slots[word + SLOT_SIZE] = size
    slots[word + SLOT_RANK] = rank_of(stamp, key[1], side)


def contents(slots: np.ndarray) -> Contents:
    columns = [np.full(capacity(slots), -77, np.int64) for _ in range(6)]
    n = list_orders(slots, *columns)
    rows = list(zip(*(column[:n].tolist() for column in columns), strict=True))
    assert len({row[:2] for row in rows}) == n
    assert all((column[n:] == -77).all() for column in columns)
    return {row[:2]: row[2:] for row in rows}


def assert_found(slots: np.ndarray, want: Contents) -> None:
    """Every id in and out of the table is where a probe ends, and what the probe passes is occupied."""
    for key in CROWDED:
        word = int(find_slot(slots, *key))
        assert word % GROUP_WORDS < GROUP_SLOTS
        assert 0 <= word < slots.size
        size = int(slots[word + SLOT_SIZE]) & SIZE_MASK
        if key in want:
            assert (int(slots[word]), int(slots[word + SLOT_PRICE])) == (key[0], want[key][0])
            assert tag_of(int(slots[word + SLOT_RANK])) == key[1]
            assert size == want[key][1]
        else:
            assert size == 0


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(CROWDED), st.integers(1, SIZE_MASK), st.integers(0, 1), st.integers(0, 2**43)),
        max_size=60,
    )
)
def test_table_is_a_dictionary(steps: list[tuple[Key, int, int, int]]) -> None:
    slots = empty_slots(CAPACITY)
    want: Contents = {}
    for key, size, side, stamp in steps:
        if key in want:
            remove_slot(slots, find_slot(slots, *key))
            del want[key]
        elif len(want) < MOST_ORDERS:
            put(slots, key, 3 * size, size, side, stamp)
            want[key] = (3 * size, size, side, stamp)
        assert contents(slots) == want
        assert_found(slots, want)


def test_groups_that_overflow_around_the_end_close_their_gaps() -> None:
    at_end, at_start = keys_at_home(LAST_GROUP, 7), keys_at_home(0, 6)
    for removed in (*at_end, *at_start):
        slots = empty_slots(CAPACITY)
        for key in (*at_end, *at_start):
            put(slots, key, key[0], 5, 0, 0)
        remove_slot(slots, find_slot(slots, *removed))
        left = {key: (key[0], 5, 0, 0) for key in (*at_end, *at_start) if key != removed}
        assert contents(slots) == left
        assert_found(slots, left)


@given(order_id=st.integers(-(2**63), 2**63 - 1), bits=st.integers(1, 22))
@settings(max_examples=50, deadline=None)
def test_home_lies_in_the_table(order_id: int, bits: int) -> None:
    assert 0 <= home(order_id, (1 << bits) - 1) < 1 << bits


def test_consecutive_ids_spread() -> None:
    homes = [home(6_800_000_000_000 + i, 4095) for i in range(2048)]
    assert max(np.bincount(homes, minlength=4096)) <= 2


def test_equal_ids_of_several_publishers_lie_apart() -> None:
    slots = empty_slots(4096 * GROUP_SLOTS)
    homes = [home_group(slots, 6_800_000_000_000, publisher << KIND_BITS) for publisher in range(256)]
    assert max(np.bincount(homes, minlength=4096)) <= 2


@pytest.mark.parametrize("count", [CAPACITY, 64, 1024])
def test_rehash_and_insert_keep_every_order(count: int) -> None:
    slots = empty_slots(CAPACITY)
    for i, key in enumerate(CROWDED[:MOST_ORDERS]):
        put(slots, key, -i, i + 1, i & 1, 2 * i)
        slots[find_slot(slots, *key) + SLOT_SIZE] |= (i + 1) << PENDING_SHIFT
    want = contents(slots)
    assert len(want) == MOST_ORDERS

    moved = empty_slots(count)
    rehash(slots, moved)
    assert contents(moved) == want
    assert_found(moved, want)
    for i, key in enumerate(CROWDED[:MOST_ORDERS]):
        assert moved[find_slot(moved, *key) + SLOT_SIZE] >> PENDING_SHIFT == i + 1

    columns = [np.array(column, np.int64) for column in zip(*((*key, *row) for key, row in want.items()), strict=True)]
    inserted = empty_slots(count)
    insert_orders(inserted, *columns)
    assert contents(inserted) == want


def test_an_empty_table_holds_nothing() -> None:
    slots = empty_slots(CAPACITY)
    assert slots.shape == (CAPACITY * 4,)
    assert slots.ctypes.data % 64 == 0
    assert contents(slots) == {}
    assert_found(slots, {})
