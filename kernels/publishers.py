"""The publishers of an instrument: what rests of each, its snapshots, and what is known of its book.

A file can hold several publishers of one instrument. Each has a book of its own, which its clears, snapshots and
quotes concern alone; depth and best prices are those of all together. Most feeds have one publisher: whatever happens
to all that rests is then done to whole arrays.
"""

from __future__ import annotations

import numpy as np

from .contract import (
    ACTION_CLEAR,
    ACTION_NONE,
    ACTION_TRADE,
    ASK,
    B_BAD_BOOK,
    B_IN_SNAPSHOT,
    B_INCOMPLETE,
    B_LIVE,
    B_RESTING,
    B_STANDING,
    BID,
    C_MAYBE_BAD_BOOK,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_MBP,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    KIND_BITS,
    KIND_MASK,
    KIND_QUOTE,
    QUALITY_BAD_BOOK,
    QUALITY_GAP,
    QUALITY_INCOMPLETE,
    QUALITY_SNAPSHOT,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    SNAPSHOT_BEGINS,
    SNAPSHOT_ENDS,
    STATE_ASKS,
    STATE_BAD_BOOK,
    STATE_BIDS,
    STATE_COMPLETE,
    STATE_IN_SNAPSHOT,
    STATE_ORDERS,
    STATE_QUOTES,
    STATE_REPLAYS,
)
from .jit import routine, step
from .levels import empty_levels, remove_depth
from .orders import remove_slot, slot_word, tag_of
from .state import BookState, Record

SNAPSHOT = STATE_IN_SNAPSHOT | STATE_REPLAYS
SIDES = STATE_ASKS | STATE_BIDS
SETTLED = STATE_ORDERS | SIDES


@step
def is_plain(book: BookState, publisher: int) -> bool:
    """Whether a record that is of no snapshot tells nothing new about its publisher: one that sends orders."""
    return book.publishers[publisher] & (SETTLED | SNAPSHOT) == SETTLED


@step
def is_settled(book: BookState, record: Record) -> bool:
    """Whether the record tells nothing new about its publisher: it sends orders, and is in or out of a snapshot."""
    expected = SETTLED | SNAPSHOT if record.flags & FLAG_SNAPSHOT else SETTLED
    return book.publishers[record.publisher] & (SETTLED | SNAPSHOT) == expected


@routine
def set_state(book: BookState, publisher: int, state: int) -> None:
    """Write a publisher's state, and what follows for the quality of the book."""
    scalars = book.scalars
    old = book.publishers[publisher]
    book.publishers[publisher] = state
    scalars[B_RESTING] += may_rest(state) - may_rest(old)
    scalars[B_IN_SNAPSHOT] += in_snapshot(state) - in_snapshot(old)
    scalars[B_BAD_BOOK] += (state & STATE_BAD_BOOK) - (old & STATE_BAD_BOOK)
    scalars[B_INCOMPLETE] += is_incomplete(state) - is_incomplete(old)
    standing = scalars[B_STANDING] & QUALITY_GAP
    standing |= QUALITY_SNAPSHOT if scalars[B_IN_SNAPSHOT] else 0
    standing |= QUALITY_BAD_BOOK if scalars[B_BAD_BOOK] else 0
    standing |= QUALITY_INCOMPLETE if scalars[B_INCOMPLETE] else 0
    scalars[B_STANDING] = standing


@step
def may_rest(state: int) -> int:
    """1 for a publisher of which something may rest."""
    return 1 if state & (SIDES | STATE_QUOTES) else 0


@step
def in_snapshot(state: int) -> int:
    """1 for a publisher within a snapshot."""
    return 1 if state & STATE_IN_SNAPSHOT else 0


@step
def is_incomplete(state: int) -> int:
    """1 for a publisher that sends orders, of which some may have come before its first record."""
    return 1 if state & (STATE_ORDERS | STATE_COMPLETE) == STATE_ORDERS else 0


@routine
def follow_publisher(book: BookState, record: Record) -> int:
    """What the record tells about its publisher, before it is applied; SNAPSHOT_BEGINS, SNAPSHOT_ENDS or 0.

    A snapshot replaces the publisher's book, so its first record clears, whatever its action. It is the first with
    F_SNAPSHOT after one without: a snapshot each of whose records ends an event stays one.
    """
    changed = 0
    state = book.publishers[record.publisher]
    if record.flags & FLAG_SNAPSHOT:
        if state & STATE_REPLAYS == 0:
            clear_book(book, record.publisher)
            book.scalars[B_STANDING] &= ~QUALITY_GAP
            state = book.publishers[record.publisher]
            changed = SNAPSHOT_BEGINS
        state |= SNAPSHOT
    else:
        if state & STATE_IN_SNAPSHOT:
            changed = SNAPSHOT_ENDS
        state &= ~SNAPSHOT
    action = record.action
    if action not in (ACTION_TRADE, ACTION_NONE, ACTION_CLEAR) and record.flags & FLAG_TOB == 0:
        state |= SIDES if record.flags & FLAG_MBP else SETTLED
    set_state(book, record.publisher, state)
    return changed


@routine
def end_snapshot(book: BookState, publisher: int) -> None:
    """F_LAST: a snapshot of this publisher is over, if there is one."""
    state = book.publishers[publisher]
    if state & STATE_IN_SNAPSHOT:
        set_state(book, publisher, state & ~STATE_IN_SNAPSHOT)


@step
def mark_bad_book(book: BookState, record: Record) -> None:
    """A record with F_MAYBE_BAD_BOOK puts its publisher's book in doubt until the next clear or snapshot."""
    if record.flags & FLAG_MAYBE_BAD_BOOK:
        book.counters[C_MAYBE_BAD_BOOK] += 1
        state = book.publishers[record.publisher]
        set_state(book, record.publisher, state | STATE_BAD_BOOK)


@step
def drop_order(book: BookState, word: int) -> None:
    """Take what rests at `word` out of the table; its depth has already gone."""
    book.scalars[B_LIVE] -= 1
    remove_slot(book.slots, word)


@routine
def drop_side(book: BookState, publisher: int, side: int, keep: int) -> int:
    """Drop all that rests of one side of a publisher, or, where `keep` is 1, all but its quote; return how much."""
    slots = book.slots
    live = book.scalars[B_LIVE]
    slot = 0
    word = np.int64(0)  # compiled for one kind of number
    while word < slots.size:
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        rank = slots[word + SLOT_RANK]
        tag = tag_of(rank)
        mine = size != 0 and tag >> KIND_BITS == publisher and (rank & 1) == side
        if mine and (keep == 0 or tag & KIND_MASK != KIND_QUOTE):
            remove_depth(book, side, slots[word + SLOT_PRICE], size)
            drop_order(book, word)  # may pull another order into this slot: look at it again
        else:
            slot += 1
            word = slot_word(slot)
    return live - book.scalars[B_LIVE]


@routine
def clear_book(book: BookState, publisher: int) -> None:
    """Drop all that rests of a publisher; its book is whole and trusted from here on."""
    state = book.publishers[publisher]
    if book.scalars[B_RESTING] == may_rest(state):
        if book.scalars[B_LIVE] > 0:
            book.slots[:] = 0
        book.scalars[B_LIVE] = 0
        empty_levels(book)
    elif may_rest(state):
        for side in (ASK, BID):
            drop_side(book, publisher, side, np.int64(0))
    set_state(book, publisher, (state & ~(STATE_BAD_BOOK | SIDES | STATE_QUOTES)) | STATE_COMPLETE)
