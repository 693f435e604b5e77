"""Resting depth by price and side, and the best prices.

Prices on the tick grid near the market lie in a dense array `depth`, two words a tick (ask, bid), whose level
0 is tick B_BASE_TICK; it has a power of two of levels. All others (stub quotes, off-tick prices) are far levels
(`far_levels`). Where the dense window stands is a matter of speed alone: every result is the same wherever it is. The
best prices are scalars, B_BEST_ASK + side.
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
    B_EVENT_ID,
    B_OUTSIDE,
    B_PLACED,
    B_PLACED_AT,
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
)
from .far_levels import add_far, best_far, empty_far, far_depth, in_order, remove_far
from .intrinsics import multiply_wrapping, rotate_right, subtract_wrapping
from .jit import kernel, routine, step
from .orders import MOST_PLACES, slot_word
from .state import BookState, Int64s, Levels


@step
def dense_word(book: BookState | Levels, price: int) -> int:
    """Word of `depth` for the ask side of `price`, or -1 where the price is not in the dense window."""
    # Exact division by multiplication: with the inverse of the tick's odd part modulo 2**64, and its twos
    # rotated out, multiples of the tick map to their quotients and all other numbers beyond every quotient
    # (Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994, section 9).
    scalars = book.scalars
    product = multiply_wrapping(subtract_wrapping(price, scalars[B_BASE_PRICE]), scalars[B_TICK_INVERSE])
    level = rotate_right(product, scalars[B_TICK_TWOS])
    last_level = (book.depth.size // 2 - 1) & MOST_PLACES
    if level & ~last_level != 0:
        return -1
    return 2 * (level & last_level)


@kernel
def place_window(book: BookState, price: int) -> None:
    """Put the middle of the (empty) dense window at `price`; it stays there while the mid is in its inner half."""
    scalars = book.scalars
    tick = scalars[B_TICK]
    levels = book.depth.size // 2
    scalars[B_BASE_TICK] = price // tick - levels // 2
    scalars[B_BASE_PRICE] = scalars[B_BASE_TICK] * tick
    scalars[B_WINDOW_LOW] = (scalars[B_BASE_TICK] + levels // 4) * tick
    scalars[B_WINDOW_HIGH] = (scalars[B_BASE_TICK] + levels - levels // 4) * tick
    scalars[B_OUTSIDE] = 0
    scalars[B_PLACED] = 1
    scalars[B_PLACED_AT] = scalars[B_EVENT_ID]


@step
def level_depth(book: BookState, side: int, price: int) -> int:
    """Resting size at one price of one side."""
    word = dense_word(book, price)
    if word >= 0:
        return book.depth[word + side]
    return far_depth(book, np.int64(side), price)  # of a constant there would be two signatures


@kernel
def read_depth(book: BookState, side: int, price: int) -> int:
    """As `level_depth`, for Python."""
    return level_depth(book, side, price)


@step
def add_depth(book: BookState, side: int, price: int, size: int) -> None:
    """Add `size` at `price` and raise the best price where it is better."""
    scalars = book.scalars
    if size == 0:
        return
    word = dense_word(book, price)
    if word >= 0:
        before = book.depth[word + side]
        book.depth[word + side] = before + size
        if before != 0:
            return
        scalars[B_DENSE_ASKS + side] += 1
    else:
        add_far(book, side, price, size)
    # One comparison for both sides: which of them comes next cannot be foreseen, its outcome can.
    if in_order(side, price) > in_order(side, scalars[B_BEST_ASK + side]):
        scalars[B_BEST_ASK + side] = price


@step
def remove_depth(book: BookState, side: int, price: int, size: int) -> None:
    """Take `size` away at `price`; where that empties the best level, find the next."""
    scalars = book.scalars
    if size == 0:
        return
    word = dense_word(book, price)
    if word >= 0:
        left = book.depth[word + side] - size
        book.depth[word + side] = left
        if left != 0:
            return
        scalars[B_DENSE_ASKS + side] -= 1
    elif remove_far(book, side, price, size) != 0:
        return
    if price == scalars[B_BEST_ASK + side]:
        find_next_best(book, side, price)


@routine
def find_next_best(book: BookState, side: int, emptied: int) -> None:
    """Set the best price of a side whose best level, at `emptied`, has just become empty; steps come to it seldom."""
    if side == BID:
        book.scalars[B_BEST_BID] = next_bid(book, emptied)
    else:
        book.scalars[B_BEST_ASK] = next_ask(book, emptied)


@step
def next_bid(book: BookState, below: int) -> int:
    """Highest bid price, or NO_BID, once the best level, at `below`, is empty."""
    scalars = book.scalars
    best = NO_BID
    tick = scalars[B_TICK]
    base = scalars[B_BASE_TICK]
    if scalars[B_DENSE_ASKS + BID] > 0:
        level = book.depth.size // 2 - 1
        if below <= (base + level) * tick:
            level = (below - 1) // tick - base
        while level >= 0 and book.depth[2 * level + BID] == 0:
            level -= 1
        if level >= 0:
            best = (base + level) * tick
    return max(best, best_far(book, BID))


@step
def next_ask(book: BookState, above: int) -> int:
    """Lowest ask price, or NO_ASK, once the best level, at `above`, is empty."""
    scalars = book.scalars
    best = NO_ASK
    tick = scalars[B_TICK]
    base = scalars[B_BASE_TICK]
    if scalars[B_DENSE_ASKS + ASK] > 0:
        level = 0
        if above >= base * tick:
            level = above // tick + 1 - base
        levels = book.depth.size // 2
        while level < levels and book.depth[2 * level + ASK] == 0:
            level += 1
        if level < levels:
            best = (base + level) * tick
    return min(best, best_far(book, ASK))


@kernel
def empty_levels(book: BookState) -> None:
    """No depth anywhere, both sides without a best price."""
    scalars = book.scalars
    if scalars[B_DENSE_ASKS + ASK] + scalars[B_DENSE_ASKS + BID] > 0:
        book.depth[:] = 0
    empty_far(book)
    for side in (ASK, BID):
        scalars[B_DENSE_ASKS + side] = 0
    scalars[B_BEST_BID] = NO_BID
    scalars[B_BEST_ASK] = NO_ASK


@kernel
def build_levels(book: BookState) -> None:
    """Depth of all live orders into levels that are empty and large enough; base tick already set."""
    slots = book.slots
    for slot in range(slots.size // GROUP_WORDS * GROUP_SLOTS):
        word = slot_word(slot)
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        if size != 0:
            add_depth(book, slots[word + SLOT_RANK] & 1, slots[word + SLOT_PRICE], size)


def set_tick(scalars: Int64s, tick: int) -> None:
    """Write the tick size (1e-9 units, > 0) and what divides by it into the book's scalars."""
    twos = (tick & -tick).bit_length() - 1
    inverse = pow(tick >> twos, -1, 2**64)
    scalars[B_TICK] = tick
    scalars[B_TICK_TWOS] = twos
    scalars[B_TICK_INVERSE] = inverse - 2**64 if inverse >= 2**63 else inverse
