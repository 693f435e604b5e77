"""The order table: order id -> price, size, pending fill, side, priority stamp.

Open addressing with linear probing over one flat int64 array of SLOT_WORDS words a slot; the home slot comes
from the top bits of a Fibonacci hash, and a removal shifts the run behind it back, so there are no tombstones.
The queue order of a level is the order of its priority stamps. A slot whose size is 0 is empty, so every id,
0 and -1 included, can be stored.
"""

from __future__ import annotations

import numpy as np

from kernels.contract import (
    SIZE_MASK,
    SLOT_ID,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SHIFT,
    SLOT_SIZE,
    SLOT_WORDS,
)
from kernels.jit import kernel, step
from kernels.machine import multiply_wrapping
from kernels.types import Int64s

HASH_MULTIPLIER = -7046029254386353131  # 2**64 / golden ratio, as int64


@step
def home_slot(order_id: int, mask: int) -> int:
    """First slot to probe for `order_id` (int64) in a table of `mask + 1` slots (a power of two)."""
    return (multiply_wrapping(order_id, HASH_MULTIPLIER) >> 32) & mask


@step
def find_slot(slots: Int64s, mask: int, order_id: int) -> int:
    """Word index of the slot that holds `order_id`, or of the empty slot where it belongs."""
    word = home_slot(order_id, mask) << SLOT_SHIFT
    last = mask << SLOT_SHIFT
    while (slots[word + SLOT_SIZE] & SIZE_MASK) != 0 and slots[word + SLOT_ID] != order_id:
        word = 0 if word == last else word + SLOT_WORDS
    return word


@step
def remove_slot(slots: Int64s, mask: int, word: int) -> None:
    """Empty the slot at `word` and close the gap, so that later probes still find their orders."""
    hole = word >> SLOT_SHIFT
    slot = hole
    while True:
        slot = (slot + 1) & mask
        source = slot << SLOT_SHIFT
        if (slots[source + SLOT_SIZE] & SIZE_MASK) == 0:
            break
        home = home_slot(slots[source + SLOT_ID], mask)
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            target = hole << SLOT_SHIFT
            for k in range(SLOT_WORDS):
                slots[target + k] = slots[source + k]
            hole = slot
    slots[(hole << SLOT_SHIFT) + SLOT_SIZE] = 0


@kernel
def rehash(source: Int64s, target: Int64s, target_mask: int) -> None:
    """Copy every order of the table `source` into the empty table `target` (int64 words, target_mask + 1 slots)."""
    for word in range(0, source.size, SLOT_WORDS):
        if (source[word + SLOT_SIZE] & SIZE_MASK) != 0:
            place = find_slot(target, target_mask, source[word + SLOT_ID])
            for k in range(SLOT_WORDS):
                target[place + k] = source[word + k]


@kernel
def insert_orders(
    slots: Int64s, mask: int, order_id: Int64s, price: Int64s, size: Int64s, side: Int64s, stamp: Int64s
) -> None:
    """Fill a table from columns (int64 each, one row an order, ids distinct, sizes > 0); no pending fills."""
    for i in range(order_id.size):
        word = find_slot(slots, mask, order_id[i])
        slots[word + SLOT_ID] = order_id[i]
        slots[word + SLOT_PRICE] = price[i]
        slots[word + SLOT_SIZE] = size[i]
        slots[word + SLOT_RANK] = (stamp[i] << 1) | side[i]


@kernel
def list_orders(slots: Int64s, order_id: Int64s, price: Int64s, size: Int64s, side: Int64s, stamp: Int64s) -> int:
    """Write the live orders, in table order, to int64 columns of at least that many rows; return how many."""
    n = 0
    for word in range(0, slots.size, SLOT_WORDS):
        if (slots[word + SLOT_SIZE] & SIZE_MASK) != 0:
            order_id[n] = slots[word + SLOT_ID]
            price[n] = slots[word + SLOT_PRICE]
            size[n] = slots[word + SLOT_SIZE] & SIZE_MASK
            side[n] = slots[word + SLOT_RANK] & 1
            stamp[n] = slots[word + SLOT_RANK] >> 1
            n += 1
    return n


@kernel
def drop_pending(slots: Int64s) -> None:
    """Forget every pending fill."""
    for word in range(0, slots.size, SLOT_WORDS):
        slots[word + SLOT_SIZE] = slots[word + SLOT_SIZE] & SIZE_MASK


def empty_slots(capacity: int) -> np.ndarray:
    """A table of `capacity` slots (a power of two) with nothing in it: int64[capacity * SLOT_WORDS]."""
    return np.zeros(capacity * SLOT_WORDS, np.int64)
