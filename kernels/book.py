"""One record applied to the book, and what a record and an event's end do besides: clock, flags, spot, room."""

from __future__ import annotations

import numpy as np

from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_CLEAR,
    ACTION_FILL,
    ACTION_MODIFY,
    ACTION_TRADE,
    ASK,
    B_ASK_ORDERS,
    B_BAD_BOOK,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_IN_SNAPSHOT,
    B_LAST_PRICE,
    B_LIVE,
    B_NEXT_RANK,
    B_OUTSIDE,
    B_PLACED,
    B_QUALITY,
    B_SPARSE_USED,
    B_SPOT,
    B_SPOT_ASK,
    B_SPOT_BID,
    B_WINDOW_HIGH,
    B_WINDOW_LOW,
    BID,
    C_APPLIED,
    C_CROSSED,
    C_DUPLICATE_ADD,
    C_IGNORED_FILL,
    C_IGNORED_NONE,
    C_IGNORED_TRADE,
    C_LOCKED,
    C_MAYBE_BAD_BOOK,
    C_OUT_OF_ORDER,
    C_OVERSIZE_CANCEL,
    C_PRICE_MISMATCH,
    C_REJECTED_CANCEL,
    C_REJECTED_PRICE,
    C_REJECTED_SIDE,
    C_UNKNOWN_FILL,
    C_UNKNOWN_MODIFY,
    DEPTH_RESET,
    DONE,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_SNAPSHOT,
    FLAG_TOB,
    GROW_LEVELS,
    GROW_ORDERS,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    PENDING_MAX,
    PENDING_SHIFT,
    QUALITY_BAD_BOOK,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_SNAPSHOT,
    SIDE_BID,
    SIDE_NONE,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    TOUCH_FROM,
    TOUCH_TO,
    UNDEF_PRICE,
)
from .jit import routine, step
from .levels import add_depth, empty_levels, place_window, remove_depth
from .orders import find_slot, remove_slot, slot_word
from .state import BookState, Columns, Effect, Record

MAX_LOAD_WORDS = 16  # words of the order table for each live order: at most a quarter of the slots are taken
NO_EFFECT = Effect(0, 0, 0, 0, 0, 0, 0)


@step
def record_at(columns: Columns, row: int) -> Record:
    """Row `row` of the columns."""
    return Record(
        columns.ts_event[row],
        columns.order_id[row],
        columns.price[row],
        np.int64(columns.size[row]),
        np.int64(columns.flags[row]),
        np.int64(columns.action[row]),
        np.int64(columns.side[row]),
    )


@routine
def clear_book(book: BookState) -> None:
    """Drop every order of the instrument; the book is trusted again."""
    scalars = book.scalars
    if scalars[B_LIVE] > 0:
        book.slots[:] = 0
    scalars[B_LIVE] = 0
    scalars[B_ASK_ORDERS + ASK] = 0
    scalars[B_ASK_ORDERS + BID] = 0
    scalars[B_BAD_BOOK] = 0
    empty_levels(book)


@step
def drop_order(book: BookState, word: int) -> None:
    """Take the order at `word` out of the table; its depth has already gone."""
    book.scalars[B_LIVE] -= 1
    book.scalars[B_ASK_ORDERS + (book.slots[word + SLOT_RANK] & 1)] -= 1
    remove_slot(book.slots, word)


@routine
def clear_side(book: BookState, side: int, keep: int, keep_id: int) -> None:
    """Drop every order of one side, but for the one of id `keep_id` where `keep` is 1."""
    slots = book.slots
    slot = 0
    while book.scalars[B_ASK_ORDERS + side] > keep:
        word = slot_word(slot)
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        mine = size != 0 and (slots[word + SLOT_RANK] & 1) == side
        if mine and (keep == 0 or slots[word] != keep_id):
            remove_depth(book, side, slots[word + SLOT_PRICE], size)
            drop_order(book, word)  # may pull another order into this slot: look at it again
        else:
            slot += 1
            if slot_word(slot) >= slots.size:
                slot = 0


@step
def shrink_order(book: BookState, word: int, quantity: int) -> Effect:
    """Take `quantity` (at most what rests) off the order at `word`; its first part realises pending fills."""
    slots = book.slots
    packed = slots[word + SLOT_SIZE]
    pending = packed >> PENDING_SHIFT
    realised = min(quantity, pending)
    left = (packed & SIZE_MASK) - quantity
    price = slots[word + SLOT_PRICE]
    remove_depth(book, slots[word + SLOT_RANK] & 1, price, quantity)
    if left == 0:
        drop_order(book, word)
    else:
        slots[word + SLOT_SIZE] = ((pending - realised) << PENDING_SHIFT) | left
    return Effect(TOUCH_FROM, price, quantity, quantity - realised, 0, 0, 0)


@step
def apply_cancel(book: BookState, record: Record) -> Effect:
    """A cancel: an unknown id is rejected, more than rests takes what rests."""
    slots = book.slots
    counters = book.counters
    word = find_slot(slots, record.order_id)
    resting = slots[word + SLOT_SIZE] & SIZE_MASK
    if resting == 0:
        counters[C_REJECTED_CANCEL] += 1
        return NO_EFFECT
    counters[C_APPLIED] += 1
    if record.size > resting:
        counters[C_OVERSIZE_CANCEL] += 1
    if record.price != slots[word + SLOT_PRICE]:
        counters[C_PRICE_MISMATCH] += 1
    return shrink_order(book, word, min(record.size, resting))


@step
def apply_fill(book: BookState, record: Record, pendings: int) -> Effect:
    """A fill changes no depth; the order remembers it, so that the cancel behind it is no pull."""
    slots = book.slots
    counters = book.counters
    word = find_slot(slots, record.order_id)
    packed = slots[word + SLOT_SIZE]
    if (packed & SIZE_MASK) == 0:
        counters[C_UNKNOWN_FILL] += 1
        if record.price == UNDEF_PRICE:
            counters[C_REJECTED_PRICE] += 1
            return NO_EFFECT
        counters[C_IGNORED_FILL] += 1
        return Effect(TOUCH_FROM, record.price, 0, 0, record.size, 0, 0)
    counters[C_IGNORED_FILL] += 1
    if pendings != 0:
        pending = min((packed >> PENDING_SHIFT) + record.size, PENDING_MAX)
        slots[word + SLOT_SIZE] = (pending << PENDING_SHIFT) | (packed & SIZE_MASK)
    return Effect(TOUCH_FROM, slots[word + SLOT_PRICE], 0, 0, record.size, 0, 0)


@step
def apply_place(book: BookState, record: Record) -> Effect:
    """An add or a modify: both put (side, price, size) in place of what the id had."""
    scalars = book.scalars
    slots = book.slots
    counters = book.counters
    price = record.price
    size = record.size
    if record.side == SIDE_NONE:
        counters[C_REJECTED_SIDE] += 1
        return NO_EFFECT
    side = BID if record.side == SIDE_BID else ASK
    if price == UNDEF_PRICE:
        if record.flags & FLAG_TOB == 0:
            counters[C_REJECTED_PRICE] += 1
            return NO_EFFECT
        counters[C_APPLIED] += 1
        clear_side(book, side, np.int64(0), np.int64(0))
        return Effect(DEPTH_RESET, 0, 0, 0, 0, 0, 0)
    counters[C_APPLIED] += 1
    if scalars[B_PLACED] == 0:
        place_window(book, price)

    word = find_slot(slots, record.order_id)
    packed = slots[word + SLOT_SIZE]
    resting = packed & SIZE_MASK
    if resting == 0:
        if record.action == ACTION_MODIFY:
            counters[C_UNKNOWN_MODIFY] += 1
        if size > 0:
            slots[word] = record.order_id
            slots[word + SLOT_PRICE] = price
            slots[word + SLOT_SIZE] = size
            slots[word + SLOT_RANK] = (scalars[B_NEXT_RANK] << 1) | side
            scalars[B_NEXT_RANK] += 1
            scalars[B_LIVE] += 1
            scalars[B_ASK_ORDERS + side] += 1
            add_depth(book, side, price, size)
        return Effect(TOUCH_TO, 0, 0, 0, 0, price, size)

    if record.action == ACTION_ADD:
        counters[C_DUPLICATE_ADD] += 1
    old_price = slots[word + SLOT_PRICE]
    old_side = slots[word + SLOT_RANK] & 1
    if price == old_price and side == old_side:
        if size < resting:
            return shrink_order(book, word, resting - size)
        if size > resting:
            slots[word + SLOT_SIZE] = packed + size - resting
            slots[word + SLOT_RANK] = (scalars[B_NEXT_RANK] << 1) | side
            scalars[B_NEXT_RANK] += 1
            add_depth(book, side, price, size - resting)
        return Effect(TOUCH_TO, 0, 0, 0, 0, price, size - resting)

    pull = resting - min(resting, packed >> PENDING_SHIFT)
    if size == 0:
        drop_order(book, word)
    else:
        slots[word + SLOT_PRICE] = price
        slots[word + SLOT_SIZE] = size
        slots[word + SLOT_RANK] = (scalars[B_NEXT_RANK] << 1) | side
        scalars[B_NEXT_RANK] += 1
        scalars[B_ASK_ORDERS + old_side] -= 1
        scalars[B_ASK_ORDERS + side] += 1
        add_depth(book, side, price, size)
    remove_depth(book, old_side, old_price, resting)
    return Effect(TOUCH_FROM | TOUCH_TO, old_price, resting, pull, 0, price, size)


@step
def apply_record(book: BookState, record: Record, pendings: int) -> Effect:
    """Apply one record and return its effect; `pendings` is 0 where fills need not be remembered (book alone)."""
    counters = book.counters
    if record.action == ACTION_CANCEL:
        return apply_cancel(book, record)
    if record.action in (ACTION_ADD, ACTION_MODIFY):
        unknown = counters[C_UNKNOWN_MODIFY]
        effect = apply_place(book, record)
        touched = effect.bits & (TOUCH_FROM | TOUCH_TO)
        replaces = record.action == ACTION_ADD or counters[C_UNKNOWN_MODIFY] != unknown
        if record.flags & FLAG_TOB and replaces and touched:
            keep = 1 if record.size > 0 else 0
            clear_side(book, BID if record.side == SIDE_BID else ASK, keep, record.order_id)
            return Effect(effect.bits | DEPTH_RESET, *effect[1:])
        return effect
    if record.action == ACTION_FILL:
        return apply_fill(book, record, pendings)
    if record.action == ACTION_CLEAR:
        counters[C_APPLIED] += 1
        clear_book(book)
        return Effect(DEPTH_RESET, 0, 0, 0, 0, 0, 0)
    counters[C_IGNORED_TRADE if record.action == ACTION_TRADE else C_IGNORED_NONE] += 1
    if record.action == ACTION_TRADE and record.price != UNDEF_PRICE and record.flags & FLAG_SNAPSHOT == 0:
        book.scalars[B_LAST_PRICE] = record.price
    return NO_EFFECT


@step
def update_spot(book: BookState) -> None:
    """Spot = floor(mid / B + 1/2), in exact integers; the last one stays while a side is empty."""
    scalars = book.scalars
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    if bid == NO_BID or ask == NO_ASK:
        return
    if bid != scalars[B_SPOT_BID] or ask != scalars[B_SPOT_ASK] or scalars[B_SPOT] == NO_BUCKET:
        scalars[B_SPOT_BID] = bid
        scalars[B_SPOT_ASK] = ask
        scalars[B_SPOT] = (bid + ask + scalars[B_BUCKET]) // (2 * scalars[B_BUCKET])
        mid = (bid + ask) >> 1
        if mid < scalars[B_WINDOW_LOW] or mid > scalars[B_WINDOW_HIGH]:
            scalars[B_OUTSIDE] = 1


@step
def end_event(book: BookState) -> None:
    """The book is consistent: judge it and move spot."""
    scalars = book.scalars
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    quality = scalars[B_IN_SNAPSHOT] * QUALITY_SNAPSHOT | scalars[B_BAD_BOOK] * QUALITY_BAD_BOOK
    if bid == NO_BID or ask == NO_ASK:
        quality |= QUALITY_EMPTY_SIDE
    elif bid >= ask:
        quality |= QUALITY_CROSSED
        book.counters[C_LOCKED if bid == ask else C_CROSSED] += 1
    scalars[B_QUALITY] = quality
    update_spot(book)


@step
def needs_room(book: BookState) -> int:
    """GROW_ORDERS, GROW_LEVELS or DONE: whether one more record could need more room than there is."""
    scalars = book.scalars
    if MAX_LOAD_WORDS * (scalars[B_LIVE] + 1) > book.slots.size:
        return GROW_ORDERS
    if 2 * (scalars[B_SPARSE_USED] + 1) > book.far_price.size or scalars[B_OUTSIDE] != 0:
        return GROW_LEVELS
    return DONE


@step
def records_of_room(book: BookState) -> int:
    """How many records surely find room: each takes one slot and one far level at the most."""
    orders = book.slots.size // MAX_LOAD_WORDS - book.scalars[B_LIVE]
    levels = book.far_price.size // 2 - book.scalars[B_SPARSE_USED]
    return min(orders, levels)


@step
def mark_bad_book(book: BookState, flags: int) -> None:
    """A record with F_MAYBE_BAD_BOOK puts the book in doubt until the next clear."""
    if flags & FLAG_MAYBE_BAD_BOOK:
        book.scalars[B_BAD_BOOK] = 1
        book.counters[C_MAYBE_BAD_BOOK] += 1


@step
def advance_clock(book: BookState, ts_event: int) -> None:
    """Bring the clock to the running maximum of ts_event."""
    if ts_event < book.scalars[B_CLOCK]:
        book.counters[C_OUT_OF_ORDER] += 1
    else:
        book.scalars[B_CLOCK] = ts_event
