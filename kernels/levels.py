"""Resting depth by price and side, and the best prices.

Prices on the tick grid near the market lie in a dense array `depth`, two words a tick (ask, bid), whose level
0 is tick B_BASE_TICK; it has a power of two of levels. All others (stub quotes, off-tick prices) lie in a small
hash of prices: `far_price` and `far_depth` (two words a slot). Where the dense window stands is a matter of speed
alone: every result is the same wherever it is. Best prices are kept in book[B_BEST_ASK + side].
"""

from __future__ import annotations

import numpy as np

from .contract import (
    ASK,
    B_BASE_PRICE,
    B_BASE_TICK,
    B_BEST_ASK,
    B_BEST_BID,
    B_DENSE_ASKS,
    B_OUTSIDE,
    B_PLACED,
    B_SPARSE_ASKS,
    B_SPARSE_USED,
    B_TICK,
    B_TICK_INVERSE,
    B_TICK_TWOS,
    B_WINDOW_HIGH,
    B_WINDOW_LOW,
    BID,
    GROUP_SLOTS,
    GROUP_WORDS,
    NO_ASK,
    NO_BID,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    UNDEF_PRICE,
)
from .jit import kernel, step
from .machine import multiply_wrapping, rotate_right, subtract_wrapping
from .orders import MOST_PLACES, home, slot_word
from .types import Int64s

FREE = UNDEF_PRICE  # no order rests at the undefined price


@step
def dense_word(depth: Int64s, book: Int64s, price: int) -> int:
    """Word of `depth` for the ask side of `price`, or -1 where the price is not in the dense window."""
    # Exact division by multiplication: with the inverse of the tick's odd part modulo 2**64, and its twos
    # rotated out, multiples of the tick map to their quotients and all other numbers beyond every quotient
    # (Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994, section 9).
    product = multiply_wrapping(subtract_wrapping(price, book[B_BASE_PRICE]), book[B_TICK_INVERSE])
    level = rotate_right(product, book[B_TICK_TWOS])
    last_level = (depth.size // 2 - 1) & MOST_PLACES
    if level & ~last_level != 0:
        return -1
    return 2 * (level & last_level)


@kernel
def place_window(depth: Int64s, book: Int64s, price: int) -> None:
    """Put the middle of the (empty) dense window at `price`; it stays there while the mid is in its inner half."""
    tick = book[B_TICK]
    levels = depth.size // 2
    book[B_BASE_TICK] = price // tick - levels // 2
    book[B_BASE_PRICE] = book[B_BASE_TICK] * tick
    book[B_WINDOW_LOW] = (book[B_BASE_TICK] + levels // 4) * tick
    book[B_WINDOW_HIGH] = (book[B_BASE_TICK] + levels - levels // 4) * tick
    book[B_OUTSIDE] = 0
    book[B_PLACED] = 1


@step
def far_slot(far_price: Int64s, price: int) -> int:
    """Slot of `price` in the far hash, or the free slot where it belongs."""
    mask = far_price.size - 1
    slot = home(price, mask)
    while far_price[slot] != price and far_price[slot] != FREE:
        slot = (slot + 1) & mask
    return slot


@step
def level_depth(depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, side: int, price: int) -> int:
    """Resting size at one price of one side."""
    word = dense_word(depth, book, price)
    if word >= 0:
        return depth[word + side]
    return far_depth[2 * far_slot(far_price, price) + side]


@step
def add_depth(
    depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, side: int, price: int, size: int
) -> None:
    """Add `size` at `price` and raise the best price where it is better."""
    if size == 0:
        return
    word = dense_word(depth, book, price)
    if word >= 0:
        before = depth[word + side]
        depth[word + side] = before + size
        if before != 0:
            return
        book[B_DENSE_ASKS + side] += 1
    else:
        slot = far_slot(far_price, price)
        if far_price[slot] == FREE:
            far_price[slot] = price
            book[B_SPARSE_USED] += 1
        if far_depth[2 * slot + side] == 0:
            book[B_SPARSE_ASKS + side] += 1
        far_depth[2 * slot + side] += size
    upward = 2 * side - 1  # one comparison for both sides: which of them comes next cannot be foreseen, its outcome can
    if upward * price > upward * book[B_BEST_ASK + side]:
        book[B_BEST_ASK + side] = price


@step
def remove_depth(
    depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, side: int, price: int, size: int
) -> None:
    """Take `size` away at `price`; where that empties the best level, find the next."""
    if size == 0:
        return
    word = dense_word(depth, book, price)
    if word >= 0:
        left = depth[word + side] - size
        depth[word + side] = left
        if left != 0:
            return
        book[B_DENSE_ASKS + side] -= 1
    else:
        at = 2 * far_slot(far_price, price) + side
        left = far_depth[at] - size
        far_depth[at] = left
        if left != 0:
            return
        book[B_SPARSE_ASKS + side] -= 1
    if price == book[B_BEST_ASK + side]:
        find_next_best(depth, far_price, far_depth, book, side, price)


@kernel
def find_next_best(depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, side: int, emptied: int) -> None:
    """Set the best price of a side whose best level, at `emptied`, has just become empty."""
    if side == BID:
        book[B_BEST_BID] = next_bid(depth, far_price, far_depth, book, emptied)
    else:
        book[B_BEST_ASK] = next_ask(depth, far_price, far_depth, book, emptied)


@step
def next_bid(depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, below: int) -> int:
    """Highest bid price under `below`, or NO_BID."""
    best = NO_BID
    tick = book[B_TICK]
    base = book[B_BASE_TICK]
    if book[B_DENSE_ASKS + BID] > 0:
        level = depth.size // 2 - 1
        if below <= (base + level) * tick:
            level = (below - 1) // tick - base
        while level >= 0 and depth[2 * level + BID] == 0:
            level -= 1
        if level >= 0:
            best = (base + level) * tick
    if book[B_SPARSE_ASKS + BID] > 0:
        for slot in range(far_price.size):
            if far_depth[2 * slot + BID] != 0 and far_price[slot] < below:
                best = max(best, far_price[slot])
    return best


@step
def next_ask(depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, above: int) -> int:
    """Lowest ask price over `above`, or NO_ASK."""
    best = NO_ASK
    tick = book[B_TICK]
    base = book[B_BASE_TICK]
    if book[B_DENSE_ASKS + ASK] > 0:
        level = 0
        if above >= base * tick:
            level = above // tick + 1 - base
        levels = depth.size // 2
        while level < levels and depth[2 * level + ASK] == 0:
            level += 1
        if level < levels:
            best = (base + level) * tick
    if book[B_SPARSE_ASKS + ASK] > 0:
        for slot in range(far_price.size):
            if far_depth[2 * slot + ASK] != 0 and far_price[slot] > above:
                best = min(best, far_price[slot])
    return best


@kernel
def empty_levels(depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s) -> None:
    """No depth anywhere, both sides without a best price."""
    if book[B_DENSE_ASKS + ASK] + book[B_DENSE_ASKS + BID] > 0:
        depth[:] = 0
    if book[B_SPARSE_USED] > 0:
        far_price[:] = FREE
        far_depth[:] = 0
    for side in (ASK, BID):
        book[B_DENSE_ASKS + side] = 0
        book[B_SPARSE_ASKS + side] = 0
    book[B_SPARSE_USED] = 0
    book[B_BEST_BID] = NO_BID
    book[B_BEST_ASK] = NO_ASK


@kernel
def build_levels(slots: Int64s, depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s) -> None:
    """Depth of all live orders into levels that are empty and large enough; base tick already set."""
    for slot in range(slots.size // GROUP_WORDS * GROUP_SLOTS):
        word = slot_word(slot)
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        if size != 0:
            add_depth(depth, far_price, far_depth, book, slots[word + SLOT_RANK] & 1, slots[word + SLOT_PRICE], size)


def set_tick(book: Int64s, tick: int) -> None:
    """Write the tick size (1e-9 units, > 0) and what divides by it into the book's scalars."""
    twos = (tick & -tick).bit_length() - 1
    inverse = pow(tick >> twos, -1, 2**64)
    book[B_TICK] = tick
    book[B_TICK_TWOS] = twos
    book[B_TICK_INVERSE] = inverse - 2**64 if inverse >= 2**63 else inverse


def empty_far_levels(capacity: int) -> tuple[np.ndarray, np.ndarray]:
    """A far hash of `capacity` slots (a power of two): prices int64[capacity], depths int64[2 * capacity]."""
    return np.full(capacity, FREE, np.int64), np.zeros(2 * capacity, np.int64)
