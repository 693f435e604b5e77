"""The loop that rebuilds a book, without cells or frames.

Nearly all records of a trading day are plain: an add of a new order, a cancel of one that rests, a modify, all at
prices of the dense window and without flags that matter. The loop has a short way for each of them. Whatever is
not plain goes the long way, by the very steps that the engine takes (kernels.book); a plain step finds that out
before it has changed anything, so that both ways lead to the same state.
"""

from __future__ import annotations

import numpy as np

from .book import (
    advance_clock,
    apply_record,
    drop_order,
    end_event,
    mark_bad_book,
    needs_room,
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
from .jit import kernel, step
from .levels import dense_word, find_next_best
from .orders import MOST_PLACES, fetch_ahead, find_slot
from .types import Bytes, Int64s, UInt32s

SPECIAL_FLAGS = FLAG_SNAPSHOT | FLAG_TOB | FLAG_MAYBE_BAD_BOOK


@step
def raise_level(depth: Int64s, book: Int64s, word: int, side: int, price: int, size: int) -> None:
    """Add `size` to one side of the dense level at `word`."""
    before = depth[word + side]
    depth[word + side] = before + size
    if before == 0:
        book[B_DENSE_ASKS + side] += 1
        upward = 2 * side - 1
        if upward * price > upward * book[B_BEST_ASK + side]:
            book[B_BEST_ASK + side] = price


@step
def lower_level(
    depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, word: int, side: int, price: int, size: int
) -> None:
    """Take `size` off one side of the dense level at `word`."""
    left = depth[word + side] - size
    depth[word + side] = left
    if left == 0:
        book[B_DENSE_ASKS + side] -= 1
        if price == book[B_BEST_ASK + side]:
            find_next_best(depth, far_price, far_depth, book, side, price)


@step
def plain_cancel(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    order_id: int,
    price: int,
    size: int,
) -> bool:
    """A cancel of at most what rests; False where it is not plain."""
    slot = find_slot(slots, order_id)
    packed = slots[slot + SLOT_SIZE]
    at_price = slots[slot + SLOT_PRICE]
    word = dense_word(depth, book, at_price)
    if word < 0 or size > packed or size == 0 or packed > SIZE_MASK:
        return False
    if price != at_price:
        counters[C_PRICE_MISMATCH] += 1
    counters[C_APPLIED] += 1
    lower_level(depth, far_price, far_depth, book, word, slots[slot + SLOT_RANK] & 1, at_price, size)
    if size == packed:
        drop_order(slots, book, slot)
    else:
        slots[slot + SLOT_SIZE] = packed - size
    return True


@step
def plain_add(
    slots: Int64s, depth: Int64s, book: Int64s, counters: Int64s, order_id: int, price: int, size: int, side_code: int
) -> bool:
    """An add of an order that does not rest yet; False where it is not plain."""
    slot = find_slot(slots, order_id)
    word = dense_word(depth, book, price)
    side = BID if side_code == SIDE_BID else ASK
    if word < 0 or slots[slot + SLOT_SIZE] != 0 or size == 0 or (side == ASK and side_code != SIDE_ASK):
        return False
    counters[C_APPLIED] += 1
    rank = book[B_NEXT_RANK]
    book[B_NEXT_RANK] = rank + 1
    slots[slot] = order_id
    slots[slot + SLOT_PRICE] = price
    slots[slot + SLOT_SIZE] = size
    slots[slot + SLOT_RANK] = rank << 1 | side
    book[B_LIVE] += 1
    book[B_ASK_ORDERS + side] += 1
    raise_level(depth, book, word, side, price, size)
    return True


@step
def plain_modify(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    order_id: int,
    price: int,
    size: int,
    side_code: int,
) -> bool:
    """A modify of an order that rests; False where it is not plain."""
    slot = find_slot(slots, order_id)
    resting = slots[slot + SLOT_SIZE]
    old_price = slots[slot + SLOT_PRICE]
    rank = slots[slot + SLOT_RANK]
    old_side = rank & 1
    side = BID if side_code == SIDE_BID else ASK
    word = dense_word(depth, book, price)
    old_word = dense_word(depth, book, old_price)
    if word < 0 or old_word < 0 or resting == 0 or resting > SIZE_MASK or size == 0:
        return False
    if side == ASK and side_code != SIDE_ASK:
        return False
    counters[C_APPLIED] += 1
    if word != old_word or side != old_side or size > resting:
        rank = book[B_NEXT_RANK] << 1 | side
        book[B_NEXT_RANK] += 1
    slots[slot + SLOT_PRICE] = price
    slots[slot + SLOT_SIZE] = size
    slots[slot + SLOT_RANK] = rank
    book[B_ASK_ORDERS + old_side] -= 1
    book[B_ASK_ORDERS + side] += 1
    raise_level(depth, book, word, side, price, size)
    lower_level(depth, far_price, far_depth, book, old_word, old_side, old_price, resting)
    return True


@kernel
def apply_any(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    order_id: int,
    price: int,
    size: int,
    flags: int,
    action: int,
    side: int,
) -> None:
    """Apply one record, whatever it is; fills are not remembered."""
    apply_record(slots, depth, far_price, far_depth, book, counters, 0, order_id, price, size, flags, action, side)
    mark_bad_book(book, counters, flags)


@kernel
def fast_forward(
    ts_event: Int64s,
    order_id: Int64s,
    price: Int64s,
    size: UInt32s,
    flags: Bytes,
    action: Bytes,
    side: Bytes,
    first: int,
    until: int,
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
) -> tuple[int, int]:
    """Run records through the book alone.

    Event columns are int64, except size (uint32), flags, action, side (uint8); records `first` on are taken
    while the clock they bring stays under `until` (ns).

    Returns (index of the next record, why it stopped).
    """
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for row in range(first, ts_event.size):
        i = row & MOST_PLACES
        record_flags = np.int64(flags[i])
        snapshot = record_flags & FLAG_SNAPSHOT
        if snapshot == 0 and max(ts_event[i], book[B_CLOCK]) >= until:
            return i, REACHED
        if roomy == 0:
            room = needs_room(slots, far_price, book)
            if room != DONE:
                return i, room
            roomy = records_of_room(slots, far_price, book)
        roomy -= 1
        fetch_ahead(slots, order_id, i)
        book[B_EVENT_ID] += 1
        plain = False
        if record_flags & SPECIAL_FLAGS == 0 and book[B_IN_SNAPSHOT] == 0 and book[B_PLACED] != 0:
            advance_clock(book, counters, ts_event[i])
            record_action = action[i]
            if record_action == ACTION_CANCEL:
                plain = plain_cancel(
                    slots, depth, far_price, far_depth, book, counters, order_id[i], price[i], np.int64(size[i])
                )
            elif record_action == ACTION_ADD:
                plain = plain_add(slots, depth, book, counters, order_id[i], price[i], np.int64(size[i]), side[i])
            elif record_action == ACTION_MODIFY:
                plain = plain_modify(
                    slots,
                    depth,
                    far_price,
                    far_depth,
                    book,
                    counters,
                    order_id[i],
                    price[i],
                    np.int64(size[i]),
                    side[i],
                )
        elif snapshot != 0:
            book[B_IN_SNAPSHOT] = 1
        else:
            if book[B_IN_SNAPSHOT] != 0:
                book[B_IN_SNAPSHOT] = 0
                update_spot(book)
            advance_clock(book, counters, ts_event[i])
        if not plain:
            apply_any(
                slots,
                depth,
                far_price,
                far_depth,
                book,
                counters,
                order_id[i],
                price[i],
                np.int64(size[i]),
                record_flags,
                np.int64(action[i]),
                np.int64(side[i]),
            )
        if record_flags & FLAG_LAST:
            book[B_IN_SNAPSHOT] = 0
            end_event(book, counters)
    return ts_event.size, DONE
