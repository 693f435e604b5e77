"""The loop that rebuilds a book, without cells or frames.

Nearly all records of a trading day are plain: an add of a new order, a cancel of one that rests, a modify, all at
prices of the dense window and without flags that matter. The loop has a short way for each of them. Whatever is
not plain goes the long way, by the very steps that the engine takes (book); a plain step finds that out
before it has changed anything, so that both ways lead to the same state.
"""

from __future__ import annotations

import numpy as np

from .book import apply_record, record_at
from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_MODIFY,
    ASK,
    B_BEST_ASK,
    B_CLOCK,
    B_DENSE_ASKS,
    B_EVENT_ID,
    B_LIVE,
    B_NEXT_RANK,
    B_PLACED,
    BID,
    C_APPLIED,
    C_PRICE_MISMATCH,
    DONE,
    FLAG_LAST,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_MBP,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    KIND_BITS,
    REACHED,
    SIDE_ASK,
    SIDE_BID,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    SNAPSHOT_ENDS,
    UNDEF_SIZE,
)
from .event import advance_clock, end_event, needs_room, records_of_room, update_spot
from .jit import kernel, routine, step
from .levels import dense_word, set_next_best
from .orders import MOST_PLACES, fetch_ahead, find_slot, rank_of
from .placing import put_order
from .publishers import drop_order, follow_publisher, is_plain, is_settled, mark_bad_book
from .state import BookState, Columns, Record

SPECIAL_FLAGS = FLAG_SNAPSHOT | FLAG_TOB | FLAG_MBP | FLAG_MAYBE_BAD_BOOK


@step
def raise_level(book: BookState, word: int, side: int, price: int, size: int) -> None:
    """Add `size` to one side of the dense level at `word`."""
    scalars = book.scalars
    before = book.depth[word + side]
    book.depth[word + side] = before + size
    if before == 0:
        scalars[B_DENSE_ASKS + side] += 1
        upward = 2 * side - 1
        if upward * price > upward * scalars[B_BEST_ASK + side]:
            scalars[B_BEST_ASK + side] = price


@step
def lower_level(book: BookState, word: int, side: int, price: int, size: int) -> None:
    """Take `size` off one side of the dense level at `word`."""
    left = book.depth[word + side] - size
    book.depth[word + side] = left
    if left == 0:
        book.scalars[B_DENSE_ASKS + side] -= 1
        if price == book.scalars[B_BEST_ASK + side]:
            set_next_best(book, side, price)


@step
def plain_cancel(book: BookState, record: Record) -> bool:
    """A cancel of at most what rests; False where it is not plain."""
    slots = book.slots
    slot = find_slot(slots, record.order_id, record.publisher << KIND_BITS)
    packed = slots[slot + SLOT_SIZE]
    price = slots[slot + SLOT_PRICE]
    size = record.size
    word = dense_word(book, price)
    if word < 0 or size > packed or size == 0 or packed > SIZE_MASK:
        return False
    if record.price != price:
        book.counters[C_PRICE_MISMATCH] += 1
    book.counters[C_APPLIED] += 1
    lower_level(book, word, slots[slot + SLOT_RANK] & 1, price, size)
    if size == packed:
        drop_order(book, slot)
    else:
        slots[slot + SLOT_SIZE] = packed - size
    return True


@step
def has_size(record: Record) -> bool:
    """Whether a size is stated, and is not 0."""
    return record.size not in (0, UNDEF_SIZE)


@step
def plain_add(book: BookState, record: Record) -> bool:
    """An add of an order that does not rest yet; False where it is not plain."""
    slots = book.slots
    tag = record.publisher << KIND_BITS
    slot = find_slot(slots, record.order_id, tag)
    word = dense_word(book, record.price)
    side = BID if record.side == SIDE_BID else ASK
    if word < 0 or slots[slot + SLOT_SIZE] != 0 or not has_size(record) or (side == ASK and record.side != SIDE_ASK):
        return False
    book.counters[C_APPLIED] += 1
    slots[slot] = record.order_id
    put_order(book, slot, tag, side, record.price, record.size)
    book.scalars[B_LIVE] += 1
    raise_level(book, word, side, record.price, record.size)
    return True


@step
def plain_modify(book: BookState, record: Record) -> bool:
    """A modify of an order that rests; False where it is not plain."""
    scalars = book.scalars
    slots = book.slots
    tag = record.publisher << KIND_BITS
    slot = find_slot(slots, record.order_id, tag)
    resting = slots[slot + SLOT_SIZE]
    old_price = slots[slot + SLOT_PRICE]
    rank = slots[slot + SLOT_RANK]
    old_side = rank & 1
    side = BID if record.side == SIDE_BID else ASK
    word = dense_word(book, record.price)
    old_word = dense_word(book, old_price)
    if word < 0 or old_word < 0 or resting == 0 or resting > SIZE_MASK or not has_size(record):
        return False
    if side == ASK and record.side != SIDE_ASK:
        return False
    book.counters[C_APPLIED] += 1
    if word != old_word or side != old_side or record.size > resting:
        rank = rank_of(scalars[B_NEXT_RANK], tag, side)
        scalars[B_NEXT_RANK] += 1
    slots[slot + SLOT_PRICE] = record.price
    slots[slot + SLOT_SIZE] = record.size
    slots[slot + SLOT_RANK] = rank
    raise_level(book, word, side, record.price, record.size)
    lower_level(book, old_word, old_side, old_price, resting)
    return True


@routine
def apply_any(book: BookState, record: Record) -> None:
    """Apply one record, whatever it is; fills are not remembered."""
    if not is_settled(book, record) and follow_publisher(book, record) == SNAPSHOT_ENDS:
        update_spot(book)
    apply_record(book, record, np.int64(0))
    mark_bad_book(book, record)


@kernel
def fast_forward(columns: Columns, first: int, until: int, book: BookState) -> tuple[int, int]:
    """Run records through the book alone: those from row `first` on, while the clock they bring stays under `until`.

    Returns (row of the next record, why it stopped); times in ns.
    """
    scalars = book.scalars
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for row in range(first, columns.clock_ns.size):
        i = row & MOST_PLACES
        record = record_at(columns, i)
        if max(record.clock_ns, scalars[B_CLOCK]) >= until:
            return i, REACHED
        if roomy == 0:
            room = needs_room(book)
            if room != DONE:
                return i, room
            roomy = records_of_room(book)
        roomy -= 1
        fetch_ahead(book.slots, columns.order_id, columns.publisher, i)
        scalars[B_EVENT_ID] += 1
        advance_clock(book, record.clock_ns)
        plain = False
        if record.flags & SPECIAL_FLAGS == 0 and is_plain(book, record.publisher) and scalars[B_PLACED] != 0:
            if record.action == ACTION_CANCEL:
                plain = plain_cancel(book, record)
            elif record.action == ACTION_ADD:
                plain = plain_add(book, record)
            elif record.action == ACTION_MODIFY:
                plain = plain_modify(book, record)
        if not plain:
            apply_any(book, record)
        if record.flags & FLAG_LAST:
            end_event(book, record.publisher)
    return columns.clock_ns.size, DONE
