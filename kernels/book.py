"""What a record does to the book: the short way of most records, and the long way, which takes any.

The short way is that of records of one order at prices of the dense window, without flags that matter: an add of a new
order, a cancel or a fill of one that rests, a modify. A record that is not plain is found out before anything has
changed; it goes the long way, and both lead to the same state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_CLEAR,
    ACTION_FILL,
    ACTION_MODIFY,
    ACTION_TRADE,
    B_BEST_ASK,
    B_DENSE_ASKS,
    B_LAST_PRICE,
    B_LIVE,
    B_NEXT_RANK,
    B_PLACED,
    BOOK_ONLY,
    C_APPLIED,
    C_IGNORED_FILL,
    C_IGNORED_NONE,
    C_IGNORED_TRADE,
    C_PRICE_MISMATCH,
    C_REJECTED_SIZE,
    DEPTH_RESET,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_MBP,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    KIND_BITS,
    PENDING_MAX,
    PENDING_SHIFT,
    SIDE_ASK,
    SIDE_BID,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    UNDEF_PRICE,
    UNDEF_SIZE,
)
from .intrinsics import trailing_zeros
from .jit import routine, step
from .levels import dense_word, find_next_best
from .orders import MOST_PLACES, find_group, rank_of, tag_of
from .placing import NO_EFFECT, apply_to, put_order
from .publishers import clear_book, drop_order, is_plain
from .quotes import apply_without_order
from .state import BookState, Columns, Effect, Int64, Record

SPECIAL_FLAGS = FLAG_SNAPSHOT | FLAG_TOB | FLAG_MBP | FLAG_MAYBE_BAD_BOOK
# Cancels and fills, a bit each, counted from ACTION_ADD. Comparisons alone the compiler would make a table of jumps,
# of which the processor guesses fewer than of branches.
TAKES = 1 << ACTION_CANCEL - ACTION_ADD | 1 << ACTION_FILL - ACTION_ADD


class Legs(NamedTuple):
    """What a plain record did at one price, and, where it moved an order, at a second one; every field an int64."""

    word: Int64  # of the first dense level, its ask side; below 0: the record was not plain, and nothing has changed
    price: Int64
    depth: Int64  # what the level grew by
    add: Int64  # the deltas of a touch, in contracts
    pull: Int64
    fill: Int64
    to_word: Int64  # below 0: there is no second level
    to_price: Int64
    to_size: Int64  # what arrived there


NOT_PLAIN = Legs(-1, 0, 0, 0, 0, 0, -1, 0, 0)


@step
def record_at(columns: Columns, row: int) -> Record:
    """Row `row` of the columns."""
    return Record(
        columns.clock_ns[row],
        columns.order_id[row],
        columns.price[row],
        np.int64(columns.size[row]),
        np.int64(columns.flags[row]),
        np.int64(columns.action[row]),
        np.int64(columns.side[row]),
        np.int64(columns.publisher[row]),
    )


@step
def note_trade(book: BookState, record: Record) -> None:
    """A trade, which changes no book."""
    book.counters[C_REJECTED_SIZE if record.size == UNDEF_SIZE else C_IGNORED_TRADE] += 1
    if record.price != UNDEF_PRICE and record.clock_ns != BOOK_ONLY:
        book.scalars[B_LAST_PRICE] = record.price


@step
def may_be_plain(book: BookState, record: Record) -> bool:
    """Whether a record has no flags that matter, and tells nothing new about its publisher."""
    return record.flags & SPECIAL_FLAGS == 0 and is_plain(book, record.publisher) and book.scalars[B_PLACED] != 0


@step
def has_size(record: Record) -> bool | np.bool_:
    """Whether a size is stated, and is not 0."""
    return (record.size + 1) & SIZE_MASK > 1


@step
def change_depth(book: BookState, word: int, side: int, price: int, change: int) -> None:
    """Add `change` to one side of the dense level at `word`."""
    scalars = book.scalars
    before = book.depth[word + side]
    after = before + change
    book.depth[word + side] = after
    if before == 0:
        scalars[B_DENSE_ASKS + side] += 1
        upward = 2 * side - 1
        if upward * price > upward * scalars[B_BEST_ASK + side]:
            scalars[B_BEST_ASK + side] = price
    elif after == 0:
        scalars[B_DENSE_ASKS + side] -= 1
        if price == scalars[B_BEST_ASK + side]:
            find_next_best(book, side, price)


@step
def slot_in(group: int, bits: int) -> int:
    """Word of the first of a group's slots that `bits` name, of which there is one."""
    return (group + trailing_zeros(bits)) & MOST_PLACES


@step
def apply_plain(book: BookState, record: Record, pendings: int) -> Legs:
    """Apply a record that may be plain, if it is, as `apply_record` would; `pendings` as there."""
    action = record.action
    if action == ACTION_ADD:
        return add_plain(book, record)
    if TAKES >> action - ACTION_ADD & 1:
        return take_plain(book, record, pendings)
    if action == ACTION_MODIFY:
        return modify_plain(book, record)
    return NOT_PLAIN


@step
def add_plain(book: BookState, record: Record) -> Legs:
    """Apply an add, if it is of an order that does not rest yet."""
    scalars = book.scalars
    slots = book.slots
    price = record.price
    size = record.size
    tag = record.publisher << KIND_BITS
    group, found, empty = find_group(slots, record.order_id, tag)
    word = dense_word(book, price)
    if word < 0 or found != 0 or not has_size(record) or (record.side - SIDE_ASK) >> 1 != 0:
        return NOT_PLAIN
    slot = slot_in(group, empty)
    side = np.int64(record.side == SIDE_BID)
    book.counters[C_APPLIED] += 1
    slots[slot] = record.order_id
    put_order(book, slot, tag, side, price, size)
    scalars[B_LIVE] += 1
    change_depth(book, word, side, price, size)
    return Legs(word, price, size, size, 0, 0, -1, 0, 0)


@step
def take_plain(book: BookState, record: Record, pendings: int) -> Legs:
    """Apply a cancel of at most what rests, or a fill of what rests."""
    slots = book.slots
    tag = record.publisher << KIND_BITS
    group, found, _ = find_group(slots, record.order_id, tag)
    if found == 0:
        return NOT_PLAIN
    slot = slot_in(group, found)
    packed = slots[slot + SLOT_SIZE]
    rank = slots[slot + SLOT_RANK]
    price = slots[slot + SLOT_PRICE]
    word = dense_word(book, price)
    resting = packed & SIZE_MASK
    pending = packed >> PENDING_SHIFT
    is_fill = np.int64(record.action == ACTION_FILL)
    filled = record.size & -is_fill
    taken = record.size - filled
    if word < 0 or tag_of(rank) != tag or taken > resting or not has_size(record):
        return NOT_PLAIN
    book.counters[C_APPLIED + (C_IGNORED_FILL - C_APPLIED) * is_fill] += 1
    book.counters[C_PRICE_MISMATCH] += np.int64(record.price != price) & ~is_fill
    realised = min(taken, pending)
    pending = min(pending - realised + (filled if pendings else 0), PENDING_MAX)
    change_depth(book, word, rank & 1, price, -taken)
    if taken == resting:
        drop_order(book, slot)
    else:
        slots[slot + SLOT_SIZE] = pending << PENDING_SHIFT | resting - taken
    return Legs(word, price, -taken, 0, taken - realised, filled, -1, 0, 0)


@step
def modify_plain(book: BookState, record: Record) -> Legs:
    """Apply a modify that may be plain, if it is."""
    scalars = book.scalars
    slots = book.slots
    tag = record.publisher << KIND_BITS
    group, found, _ = find_group(slots, record.order_id, tag)
    if found == 0:
        return NOT_PLAIN
    slot = slot_in(group, found)
    packed = slots[slot + SLOT_SIZE]
    rank = slots[slot + SLOT_RANK]
    old_price = slots[slot + SLOT_PRICE]
    resting = packed & SIZE_MASK
    old_side = rank & 1
    price = record.price
    size = record.size
    side = np.int64(record.side == SIDE_BID)
    word = dense_word(book, price)
    old_word = dense_word(book, old_price)
    if word < 0 or old_word < 0 or tag_of(rank) != tag or not has_size(record) or (record.side - SIDE_ASK) >> 1 != 0:
        return NOT_PLAIN
    book.counters[C_APPLIED] += 1
    stays = word == old_word and side == old_side
    taken = max(resting - size, 0) if stays else resting
    realised = min(taken, packed >> PENDING_SHIFT)
    if not stays or size > resting:
        rank = rank_of(scalars[B_NEXT_RANK], tag, side)
        scalars[B_NEXT_RANK] += 1
    pending = (packed >> PENDING_SHIFT) - realised if stays else 0
    slots[slot + SLOT_PRICE] = price
    slots[slot + SLOT_SIZE] = pending << PENDING_SHIFT | size
    slots[slot + SLOT_RANK] = rank
    if stays:
        change_depth(book, word, side, price, size - resting)
        return Legs(word, price, size - resting, max(size - resting, 0), taken - realised, 0, -1, 0, 0)
    change_depth(book, word, side, price, size)
    change_depth(book, old_word, old_side, old_price, -resting)
    return Legs(old_word, old_price, -resting, 0, taken - realised, 0, word, price, size)


@step
def apply_other(book: BookState, record: Record) -> Effect:
    """A clear, a trade or a record without an action."""
    counters = book.counters
    if record.action == ACTION_CLEAR:
        counters[C_APPLIED] += 1
        clear_book(book, record.publisher)
        return Effect(DEPTH_RESET, 0, 0, 0, 0, 0, 0)
    if record.action == ACTION_TRADE:
        note_trade(book, record)
    else:
        counters[C_IGNORED_NONE] += 1
    return NO_EFFECT


@routine
def apply_record(book: BookState, record: Record, pendings: int) -> Effect:
    """Apply one record and return its effect; `pendings` is 0 where fills need not be remembered (book alone)."""
    action = record.action
    if action not in (ACTION_CANCEL, ACTION_ADD, ACTION_MODIFY, ACTION_FILL):
        return apply_other(book, record)
    if record.flags & (FLAG_TOB | FLAG_MBP):
        return apply_without_order(book, record, pendings)
    return apply_to(book, record, action, record.order_id, record.publisher << KIND_BITS, pendings)
