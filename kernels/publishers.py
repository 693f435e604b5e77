"""The publishers of an instrument: what rests of each, its snapshots, and what is known of its book.

A file can hold several publishers of one instrument. Each has a book of its own, which its clears, snapshots and
quotes concern alone; depth and best prices are those of all together. Most feeds have one publisher: whatever happens
to all that rests is then done to whole arrays.
"""

from __future__ import annotations

from .contract import (
    ACTION_CLEAR,
    ACTION_NONE,
    ACTION_TRADE,
    ASK,
    B_BAD_BOOK,
    B_GAP,
    B_IN_SNAPSHOT,
    B_INCOMPLETE,
    B_LIVE,
    BID,
    C_MAYBE_BAD_BOOK,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_MBP,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    KIND_BITS,
    KIND_MASK,
    KIND_QUOTE,
    PUB_ASKS,
    PUB_STATE,
    PUBLISHER_SHIFT,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    SNAPSHOT_BEGINS,
    SNAPSHOT_ENDS,
    STATE_BAD_BOOK,
    STATE_COMPLETE,
    STATE_IN_SNAPSHOT,
    STATE_ORDERS,
    STATE_REPLAYS,
)
from .jit import routine, step
from .levels import empty_levels, remove_depth
from .orders import remove_slot, slot_word, tag_of
from .state import BookState, Record

SNAPSHOT_STATE = STATE_IN_SNAPSHOT | STATE_REPLAYS


@step
def publisher_word(publisher: int) -> int:
    """First word of a publisher."""
    return publisher << PUBLISHER_SHIFT


@step
def is_settled(book: BookState, record: Record) -> bool:
    """Whether the record tells nothing new about its publisher: it sends orders, and is in or out of a snapshot."""
    snapshot = record.flags & FLAG_SNAPSHOT
    expected = STATE_ORDERS | (STATE_IN_SNAPSHOT if snapshot else 0) | snapshot
    state = book.publishers[publisher_word(record.publisher) + PUB_STATE]
    return state & (STATE_ORDERS | SNAPSHOT_STATE) == expected


@step
def set_state(book: BookState, publisher: int, state: int) -> None:
    """Write a publisher's state, and count anew how many publishers are in each."""
    scalars = book.scalars
    at = publisher_word(publisher) + PUB_STATE
    old = book.publishers[at]
    book.publishers[at] = state
    scalars[B_IN_SNAPSHOT] += in_snapshot(state) - in_snapshot(old)
    scalars[B_BAD_BOOK] += (state & STATE_BAD_BOOK) - (old & STATE_BAD_BOOK)
    scalars[B_INCOMPLETE] += is_incomplete(state) - is_incomplete(old)


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
    state = book.publishers[publisher_word(record.publisher) + PUB_STATE]
    if record.flags & FLAG_SNAPSHOT:
        if state & STATE_REPLAYS == 0:
            clear_book(book, record.publisher)
            book.scalars[B_GAP] = 0
            state = book.publishers[publisher_word(record.publisher) + PUB_STATE]
            changed = SNAPSHOT_BEGINS
        state |= SNAPSHOT_STATE
    else:
        if state & STATE_IN_SNAPSHOT:
            changed = SNAPSHOT_ENDS
        state &= ~SNAPSHOT_STATE
    action = record.action
    concerns_order = action not in (ACTION_TRADE, ACTION_NONE, ACTION_CLEAR)
    if concerns_order and record.flags & (FLAG_TOB | FLAG_MBP) == 0:
        state |= STATE_ORDERS
    set_state(book, record.publisher, state)
    return changed


@step
def end_snapshot(book: BookState, publisher: int) -> None:
    """F_LAST: a snapshot of this publisher is over, if there is one."""
    state = book.publishers[publisher_word(publisher) + PUB_STATE]
    if state & STATE_IN_SNAPSHOT:
        set_state(book, publisher, state & ~STATE_IN_SNAPSHOT)


@step
def mark_bad_book(book: BookState, record: Record) -> None:
    """A record with F_MAYBE_BAD_BOOK puts its publisher's book in doubt until the next clear or snapshot."""
    if record.flags & FLAG_MAYBE_BAD_BOOK:
        book.counters[C_MAYBE_BAD_BOOK] += 1
        state = book.publishers[publisher_word(record.publisher) + PUB_STATE]
        set_state(book, record.publisher, state | STATE_BAD_BOOK)


@step
def drop_order(book: BookState, word: int) -> None:
    """Take what rests at `word` out of the table; its depth has already gone."""
    rank = book.slots[word + SLOT_RANK]
    book.scalars[B_LIVE] -= 1
    book.publishers[publisher_word(tag_of(rank) >> KIND_BITS) + PUB_ASKS + (rank & 1)] -= 1
    remove_slot(book.slots, word)


@routine
def drop_side(book: BookState, publisher: int, side: int, keep: int) -> None:
    """Drop all that rests of one side of a publisher; where `keep` is 1, all but its quote, which is there."""
    slots = book.slots
    count = publisher_word(publisher) + PUB_ASKS + side
    slot = 0
    while book.publishers[count] > keep:
        word = slot_word(slot)
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        rank = slots[word + SLOT_RANK]
        tag = tag_of(rank)
        mine = size != 0 and tag >> KIND_BITS == publisher and (rank & 1) == side
        if mine and (keep == 0 or tag & KIND_MASK != KIND_QUOTE):
            remove_depth(book, side, slots[word + SLOT_PRICE], size)
            drop_order(book, word)  # may pull another order into this slot: look at it again
        else:
            slot += 1
            if slot_word(slot) >= slots.size:
                slot = 0


@routine
def clear_book(book: BookState, publisher: int) -> None:
    """Drop all that rests of a publisher; its book is whole and trusted from here on."""
    first = publisher_word(publisher)
    resting = book.publishers[first + PUB_ASKS + ASK] + book.publishers[first + PUB_ASKS + BID]
    if resting == book.scalars[B_LIVE]:
        if resting > 0:
            book.slots[:] = 0
        book.scalars[B_LIVE] = 0
        book.publishers[first + PUB_ASKS + ASK] = 0
        book.publishers[first + PUB_ASKS + BID] = 0
        empty_levels(book)
    else:
        for side in (ASK, BID):
            drop_side(book, publisher, side, 0)
    state = book.publishers[first + PUB_STATE]
    set_state(book, publisher, (state & ~STATE_BAD_BOOK) | STATE_COMPLETE)
