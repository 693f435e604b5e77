"""The loop that rebuilds a book, without cells or frames.

Nearly all records of a trading day are plain: an add of a new order, a cancel of one that rests, a modify, all at
prices of the dense window and without flags that matter. The loop has a short way for each of them. Whatever is
not plain goes the long way, by the very steps that the engine takes (book); a plain step finds that out
before it has changed anything, so that both ways lead to the same state.
"""

from __future__ import annotations

from .book import (
    advance_clock,
    apply_record,
    drop_order,
    end_event,
    mark_bad_book,
    needs_room,
    record_at,
    records_of_room,
    update_spot,
)
from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_MODIFY,
    ASK,
    B_ASK_ORDERS,
    B_BEST_ASK,
    B_CLOCK,
    B_DENSE_ASKS,
    B_EVENT_ID,
    B_IN_SNAPSHOT,
    B_LIVE,
    B_NEXT_RANK,
    B_PLACED,
    BID,
    C_APPLIED,
    C_PRICE_MISMATCH,
    DONE,
    FLAG_LAST,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    REACHED,
    SIDE_ASK,
    SIDE_BID,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
)
from .jit import kernel, routine, step
from .levels import dense_word, set_next_best
from .orders import MOST_PLACES, fetch_ahead, find_slot
from .state import BookState, Columns, Record

SPECIAL_FLAGS = FLAG_SNAPSHOT | FLAG_TOB | FLAG_MAYBE_BAD_BOOK


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
    slot = find_slot(slots, record.order_id)
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
def plain_add(book: BookState, record: Record) -> bool:
    """An add of an order that does not rest yet; False where it is not plain."""
    scalars = book.scalars
    slots = book.slots
    slot = find_slot(slots, record.order_id)
    word = dense_word(book, record.price)
    side = BID if record.side == SIDE_BID else ASK
    if word < 0 or slots[slot + SLOT_SIZE] != 0 or record.size == 0 or (side == ASK and record.side != SIDE_ASK):
        return False
    book.counters[C_APPLIED] += 1
    rank = scalars[B_NEXT_RANK]
    scalars[B_NEXT_RANK] = rank + 1
    slots[slot] = record.order_id
    slots[slot + SLOT_PRICE] = record.price
    slots[slot + SLOT_SIZE] = record.size
    slots[slot + SLOT_RANK] = rank << 1 | side
    scalars[B_LIVE] += 1
    scalars[B_ASK_ORDERS + side] += 1
    raise_level(book, word, side, record.price, record.size)
    return True


@step
def plain_modify(book: BookState, record: Record) -> bool:
    """A modify of an order that rests; False where it is not plain."""
    scalars = book.scalars
    slots = book.slots
    slot = find_slot(slots, record.order_id)
    resting = slots[slot + SLOT_SIZE]
    old_price = slots[slot + SLOT_PRICE]
    rank = slots[slot + SLOT_RANK]
    old_side = rank & 1
    side = BID if record.side == SIDE_BID else ASK
    word = dense_word(book, record.price)
    old_word = dense_word(book, old_price)
    if word < 0 or old_word < 0 or resting == 0 or resting > SIZE_MASK or record.size == 0:
        return False
    if side == ASK and record.side != SIDE_ASK:
        return False
    book.counters[C_APPLIED] += 1
    if word != old_word or side != old_side or record.size > resting:
        rank = scalars[B_NEXT_RANK] << 1 | side
        scalars[B_NEXT_RANK] += 1
    slots[slot + SLOT_PRICE] = record.price
    slots[slot + SLOT_SIZE] = record.size
    slots[slot + SLOT_RANK] = rank
    scalars[B_ASK_ORDERS + old_side] -= 1
    scalars[B_ASK_ORDERS + side] += 1
    raise_level(book, word, side, record.price, record.size)
    lower_level(book, old_word, old_side, old_price, resting)
    return True


@routine
def apply_any(book: BookState, record: Record) -> None:
    """Apply one record, whatever it is; fills are not remembered."""
    apply_record(book, record, 0)
    mark_bad_book(book, record.flags)


@kernel
def fast_forward(columns: Columns, first: int, until: int, book: BookState) -> tuple[int, int]:
    """Run records through the book alone: those from row `first` on, while the clock they bring stays under `until`.

    Returns (row of the next record, why it stopped); times in ns.
    """
    scalars = book.scalars
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for row in range(first, columns.ts_event.size):
        i = row & MOST_PLACES
        record = record_at(columns, i)
        snapshot = record.flags & FLAG_SNAPSHOT
        if snapshot == 0 and max(record.ts_event, scalars[B_CLOCK]) >= until:
            return i, REACHED
        if roomy == 0:
            room = needs_room(book)
            if room != DONE:
                return i, room
            roomy = records_of_room(book)
        roomy -= 1
        fetch_ahead(book.slots, columns.order_id, i)
        scalars[B_EVENT_ID] += 1
        plain = False
        if record.flags & SPECIAL_FLAGS == 0 and scalars[B_IN_SNAPSHOT] == 0 and scalars[B_PLACED] != 0:
            advance_clock(book, record.ts_event)
            if record.action == ACTION_CANCEL:
                plain = plain_cancel(book, record)
            elif record.action == ACTION_ADD:
                plain = plain_add(book, record)
            elif record.action == ACTION_MODIFY:
                plain = plain_modify(book, record)
        elif snapshot != 0:
            scalars[B_IN_SNAPSHOT] = 1
        else:
            if scalars[B_IN_SNAPSHOT] != 0:
                scalars[B_IN_SNAPSHOT] = 0
                update_spot(book)
            advance_clock(book, record.ts_event)
        if not plain:
            apply_any(book, record)
        if record.flags & FLAG_LAST:
            scalars[B_IN_SNAPSHOT] = 0
            end_event(book)
    return columns.ts_event.size, DONE
