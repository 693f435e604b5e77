"""The order table against a dictionary, crowded and wrapped around its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.contract import (
    PENDING_SHIFT,
    SIZE_MASK,
    SLOT_ID,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SHIFT,
    SLOT_SIZE,
    SLOT_WORDS,
)
from kernels.orders import (
    drop_pending,
    empty_slots,
    find_slot,
    home_slot,
    insert_orders,
    list_orders,
    rehash,
    remove_slot,
)

CAPACITY = 16
MASK = CAPACITY - 1
MOST_ORDERS = CAPACITY // 2
EXTREME_IDS = (0, 1, -1, 2**63 - 1, -(2**63))


def ids_at_home(slot: int, count: int) -> list[int]:
    """Ids whose probing begins at one slot."""
    found: list[int] = []
    order_id = 6_800_000_000_000
    while len(found) < count:
        if home_slot(order_id, MASK) == slot:
            found.append(order_id)
        order_id += 1
    return found


# Homes at both ends of the table, so that runs collide, grow together and wrap around.
CROWDED_IDS = (*EXTREME_IDS, *(i for slot in (0, 1, MASK - 1, MASK) for i in ids_at_home(slot, 4)))


def put(slots: np.ndarray, mask: int, order_id: int, price: int, size: int, rank: int) -> None:
    word = find_slot(slots, mask, order_id)
    slots[word + SLOT_ID] = order_id
    slots[word + SLOT_PRICE] = price
    slots[word + SLOT_SIZE] = size
    slots[word + SLOT_RANK] = rank


def contents(slots: np.ndarray) -> dict[int, tuple[int, int, int, int]]:
    """Id to price, size, side and stamp."""
    columns = [np.full(slots.size // SLOT_WORDS, -77, np.int64) for _ in range(5)]
    n = list_orders(slots, *columns)
    rows = list(zip(*(column[:n].tolist() for column in columns), strict=True))
    assert len({row[0] for row in rows}) == n
    assert all((column[n:] == -77).all() for column in columns)
    return {row[0]: row[1:] for row in rows}


def assert_found(slots: np.ndarray, mask: int, want: dict[int, tuple[int, int, int, int]]) -> None:
    """Every id in and out of the table is where a probe ends, and what the probe passes is occupied."""
    for order_id in CROWDED_IDS:
        word = int(find_slot(slots, mask, order_id))
        assert word % SLOT_WORDS == 0
        assert 0 <= word < slots.size
        size = int(slots[word + SLOT_SIZE]) & SIZE_MASK
        if order_id in want:
            assert (int(slots[word + SLOT_ID]), int(slots[word + SLOT_PRICE])) == (order_id, want[order_id][0])
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
            remove_slot(slots, MASK, find_slot(slots, MASK, order_id))
            del want[order_id]
        elif len(want) < MOST_ORDERS:
            put(slots, MASK, order_id, 3 * size, size, rank)
            want[order_id] = (3 * size, size, rank & 1, rank >> 1)
        assert contents(slots) == want
        assert_found(slots, MASK, want)


def test_a_run_around_the_end_closes_its_gaps() -> None:
    at_end, at_start = ids_at_home(MASK, 4), ids_at_home(0, 3)
    for removed in (*at_end, *at_start):
        slots = empty_slots(CAPACITY)
        for order_id in (*at_end, *at_start):
            put(slots, MASK, order_id, order_id, 5, 0)
        remove_slot(slots, MASK, find_slot(slots, MASK, removed))
        left = {order_id: (order_id, 5, 0, 0) for order_id in (*at_end, *at_start) if order_id != removed}
        assert contents(slots) == left
        assert_found(slots, MASK, left)


@given(order_id=st.integers(-(2**63), 2**63 - 1), bits=st.integers(1, 22))
@settings(max_examples=50, deadline=None)
def test_home_slot_lies_in_the_table(order_id: int, bits: int) -> None:
    assert 0 <= home_slot(order_id, (1 << bits) - 1) < 1 << bits


def test_consecutive_ids_spread() -> None:
    homes = [home_slot(6_800_000_000_000 + i, 4095) for i in range(2048)]
    assert max(np.bincount(homes, minlength=4096)) <= 3


@pytest.mark.parametrize("capacity", [CAPACITY, 64, 1024])
def test_rehash_and_insert_keep_every_order(capacity: int) -> None:
    slots = empty_slots(CAPACITY)
    for i, order_id in enumerate(CROWDED_IDS[:MOST_ORDERS]):
        put(slots, MASK, order_id, -i, i + 1, 4 * i + (i & 1))
        slots[find_slot(slots, MASK, order_id) + SLOT_SIZE] |= (i + 1) << PENDING_SHIFT
    want = contents(slots)
    assert len(want) == MOST_ORDERS

    moved = empty_slots(capacity)
    rehash(slots, moved, capacity - 1)
    assert contents(moved) == want
    assert_found(moved, capacity - 1, want)
    for i, order_id in enumerate(CROWDED_IDS[:MOST_ORDERS]):
        assert moved[find_slot(moved, capacity - 1, order_id) + SLOT_SIZE] >> PENDING_SHIFT == i + 1

    columns = [np.array(column, np.int64) for column in zip(*((i, *row) for i, row in want.items()), strict=True)]
    inserted = empty_slots(capacity)
    insert_orders(inserted, capacity - 1, *columns)
    assert contents(inserted) == want

    drop_pending(moved)
    assert contents(moved) == want
    assert not (moved.reshape(-1, SLOT_WORDS)[:, SLOT_SIZE] >> PENDING_SHIFT).any()


def test_an_empty_table_holds_nothing() -> None:
    slots = empty_slots(CAPACITY)
    assert slots.shape == (CAPACITY << SLOT_SHIFT,)
    assert contents(slots) == {}
    assert_found(slots, MASK, {})
