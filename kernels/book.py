"""One record applied to the book, and what a record and an event's end do besides: clock, quality, spot, room."""

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
    B_BAD_BOOK,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_GAP,
    B_IN_SNAPSHOT,
    B_INCOMPLETE,
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
    BOOK_ONLY,
    C_APPLIED,
    C_CROSSED,
    C_DUPLICATE_ADD,
    C_IGNORED_FILL,
    C_IGNORED_NONE,
    C_IGNORED_TRADE,
    C_LOCKED,
    C_OUT_OF_ORDER,
    C_OVERSIZE_CANCEL,
    C_PRICE_MISMATCH,
    C_REJECTED_CANCEL,
    C_REJECTED_PRICE,
    C_REJECTED_SIDE,
    C_REJECTED_SIZE,
    C_TIME_AHEAD,
    C_UNDEFINED_TIME,
    C_UNKNOWN_FILL,
    C_UNKNOWN_MODIFY,
    CLOCK_KEPT,
    CLOCK_UNKNOWN,
    DEPTH_RESET,
    DONE,
    FLAG_MBP,
    FLAG_TOB,
    GROW_LEVELS,
    GROW_ORDERS,
    KIND_ASK_LEVEL,
    KIND_BITS,
    KIND_MASK,
    KIND_ORDER,
    KIND_QUOTE,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    PENDING_MAX,
    PENDING_SHIFT,
    PUB_ASKS,
    QUALITY_BAD_BOOK,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_GAP,
    QUALITY_INCOMPLETE,
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
    UNDEF_SIZE,
)
from .jit import routine, step
from .levels import add_depth, place_window, remove_depth
from .orders import find_slot, rank_of
from .publishers import clear_book, drop_order, drop_side, end_snapshot, publisher_word
from .state import BookState, Columns, Effect, Record

MAX_LOAD_WORDS = 16  # words of the order table for each live order: at most a quarter of the slots are taken
NO_EFFECT = Effect(0, 0, 0, 0, 0, 0, 0)


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
def put_order(book: BookState, word: int, tag: int, side: int, price: int, size: int) -> None:
    """Let the slot at `word` hold this, last in its level's queue and without pending fills."""
    slots = book.slots
    slots[word + SLOT_PRICE] = price
    slots[word + SLOT_SIZE] = size
    slots[word + SLOT_RANK] = rank_of(book.scalars[B_NEXT_RANK], tag, side)
    book.scalars[B_NEXT_RANK] += 1
    book.publishers[publisher_word(tag >> KIND_BITS) + PUB_ASKS + side] += 1


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
def apply_cancel(book: BookState, record: Record, order_id: int, tag: int) -> Effect:
    """A cancel: an unknown id is rejected, more than rests takes what rests."""
    slots = book.slots
    counters = book.counters
    word = find_slot(slots, order_id, tag)
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
def apply_fill(book: BookState, record: Record, order_id: int, tag: int, pendings: int) -> Effect:
    """A fill changes no depth; the order remembers it, so that the cancel behind it is no pull."""
    slots = book.slots
    counters = book.counters
    if record.size == UNDEF_SIZE:
        counters[C_REJECTED_SIZE] += 1
        return NO_EFFECT
    word = find_slot(slots, order_id, tag)
    packed = slots[word + SLOT_SIZE]
    kind = tag & KIND_MASK
    if (packed & SIZE_MASK) == 0 or (kind == KIND_QUOTE and slots[word + SLOT_PRICE] != record.price):
        if kind == KIND_ORDER:
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
def is_placeable(book: BookState, record: Record) -> bool:
    """Whether an add or a modify names side, price and size; otherwise it is rejected here."""
    counters = book.counters
    if record.side == SIDE_NONE:
        counters[C_REJECTED_SIDE] += 1
    elif record.price == UNDEF_PRICE:
        counters[C_REJECTED_PRICE] += 1
    elif record.size == UNDEF_SIZE:
        counters[C_REJECTED_SIZE] += 1
    else:
        return True
    return False


@step
def apply_place(book: BookState, record: Record, order_id: int, tag: int) -> Effect:
    """An add or a modify: both put (side, price, size) in place of what the id had."""
    scalars = book.scalars
    slots = book.slots
    counters = book.counters
    price = record.price
    size = record.size
    if not is_placeable(book, record):
        return NO_EFFECT
    side = BID if record.side == SIDE_BID else ASK
    counters[C_APPLIED] += 1
    if scalars[B_PLACED] == 0:
        place_window(book, price)

    word = find_slot(slots, order_id, tag)
    packed = slots[word + SLOT_SIZE]
    resting = packed & SIZE_MASK
    is_order = tag & KIND_MASK == KIND_ORDER
    if resting == 0:
        if record.action == ACTION_MODIFY and is_order:
            counters[C_UNKNOWN_MODIFY] += 1
        if size > 0:
            slots[word] = order_id
            put_order(book, word, tag, side, price, size)
            scalars[B_LIVE] += 1
            add_depth(book, side, price, size)
        return Effect(TOUCH_TO, 0, 0, 0, 0, price, size)

    if record.action == ACTION_ADD and is_order:
        counters[C_DUPLICATE_ADD] += 1
    old_price = slots[word + SLOT_PRICE]
    old_side = slots[word + SLOT_RANK] & 1
    if price == old_price and side == old_side:
        if size < resting:
            return shrink_order(book, word, resting - size)
        if size > resting:
            slots[word + SLOT_SIZE] = packed + size - resting
            slots[word + SLOT_RANK] = rank_of(scalars[B_NEXT_RANK], tag, side)
            scalars[B_NEXT_RANK] += 1
            add_depth(book, side, price, size - resting)
        return Effect(TOUCH_TO, 0, 0, 0, 0, price, size - resting)

    pull = resting - min(resting, packed >> PENDING_SHIFT)
    if size == 0:
        drop_order(book, word)
    else:
        book.publishers[publisher_word(tag >> KIND_BITS) + PUB_ASKS + old_side] -= 1
        put_order(book, word, tag, side, price, size)
        add_depth(book, side, price, size)
    remove_depth(book, old_side, old_price, resting)
    return Effect(TOUCH_FROM | TOUCH_TO, old_price, resting, pull, 0, price, size)


@routine
def apply_quote(book: BookState, record: Record) -> Effect:
    """An add or a modify with F_TOB: one level takes the place of its publisher's side, or, without a price, none.

    What it does is told as a modify of the quote that stood there; what else stood on the side goes unmentioned.
    """
    side = BID if record.side == SIDE_BID else ASK
    tag = record.publisher << KIND_BITS | KIND_QUOTE
    slots = book.slots
    effect = NO_EFFECT
    if record.side != SIDE_NONE and record.price == UNDEF_PRICE:
        book.counters[C_APPLIED] += 1
        word = find_slot(slots, side, tag)
        if slots[word + SLOT_SIZE] != 0:
            effect = shrink_order(book, word, slots[word + SLOT_SIZE] & SIZE_MASK)
    else:
        effect = apply_place(book, record, side, tag)
        if effect.bits == 0:
            return effect
    keep = np.int64(slots[find_slot(slots, side, tag) + SLOT_SIZE] != 0)
    if book.publishers[publisher_word(record.publisher) + PUB_ASKS + side] > keep:
        drop_side(book, record.publisher, side, keep)
        return Effect(effect.bits | DEPTH_RESET, *effect[1:])
    return effect


@routine
def apply_without_order(book: BookState, record: Record, pendings: int) -> Effect:
    """A record with F_TOB or F_MBP, which knows no orders and no ids.

    With F_MBP it is about the level of its side and price. An add or a modify states the level's size, 0 that it is
    gone; so does a cancel of size 0, and any other cancel takes its size off; a fill fills the level. With F_TOB it is
    about the best level of its side, which adds and modifies alone change: a cancel is of an unknown order.
    """
    side = BID if record.side == SIDE_BID else ASK
    tag = record.publisher << KIND_BITS
    if record.flags & FLAG_TOB:
        if record.action in (ACTION_ADD, ACTION_MODIFY):
            return apply_quote(book, record)
        if record.action == ACTION_FILL:
            return apply_fill(book, record, side, tag | KIND_QUOTE, pendings)
        book.counters[C_REJECTED_CANCEL] += 1
        return NO_EFFECT
    tag |= KIND_ASK_LEVEL + side
    if record.action == ACTION_FILL:
        return apply_fill(book, record, record.price, tag, pendings)
    if record.action != ACTION_CANCEL or record.size == 0:
        return apply_place(book, record, record.price, tag)
    if record.side == SIDE_NONE:
        book.counters[C_REJECTED_SIDE] += 1
        return NO_EFFECT
    return apply_cancel(book, record, record.price, tag)


@step
def apply_other(book: BookState, record: Record) -> Effect:
    """A clear, a trade or a record without an action."""
    counters = book.counters
    if record.action == ACTION_CLEAR:
        counters[C_APPLIED] += 1
        clear_book(book, record.publisher)
        return Effect(DEPTH_RESET, 0, 0, 0, 0, 0, 0)
    if record.action == ACTION_TRADE:
        counters[C_REJECTED_SIZE if record.size == UNDEF_SIZE else C_IGNORED_TRADE] += 1
        if record.price != UNDEF_PRICE and record.clock_ns != BOOK_ONLY:
            book.scalars[B_LAST_PRICE] = record.price
    else:
        counters[C_IGNORED_NONE] += 1
    return NO_EFFECT


@step
def apply_record(book: BookState, record: Record, pendings: int) -> Effect:
    """Apply one record and return its effect; `pendings` is 0 where fills need not be remembered (book alone)."""
    action = record.action
    if action not in (ACTION_CANCEL, ACTION_ADD, ACTION_MODIFY, ACTION_FILL):
        return apply_other(book, record)
    if record.flags & (FLAG_TOB | FLAG_MBP):
        return apply_without_order(book, record, pendings)
    tag = record.publisher << KIND_BITS
    if action == ACTION_CANCEL:
        return apply_cancel(book, record, record.order_id, tag)
    if action == ACTION_FILL:
        return apply_fill(book, record, record.order_id, tag, pendings)
    return apply_place(book, record, record.order_id, tag)


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
def end_event(book: BookState, publisher: int) -> None:
    """F_LAST of a record of this publisher: judge the book and move spot."""
    scalars = book.scalars
    end_snapshot(book, publisher)
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    quality = 0
    if bid == NO_BID or ask == NO_ASK:
        quality = QUALITY_EMPTY_SIDE
    elif bid >= ask:
        quality = QUALITY_CROSSED
        book.counters[C_LOCKED if bid == ask else C_CROSSED] += 1
    if scalars[B_IN_SNAPSHOT] | scalars[B_BAD_BOOK] | scalars[B_INCOMPLETE] | scalars[B_GAP]:
        quality |= QUALITY_SNAPSHOT if scalars[B_IN_SNAPSHOT] else 0
        quality |= QUALITY_BAD_BOOK if scalars[B_BAD_BOOK] else 0
        quality |= QUALITY_INCOMPLETE if scalars[B_INCOMPLETE] else 0
        quality |= QUALITY_GAP if scalars[B_GAP] else 0
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
def advance_clock(book: BookState, clock_ns: int) -> None:
    """Bring the clock to the running maximum of the records' times; `clock_ns` as in Columns."""
    if clock_ns > CLOCK_UNKNOWN:
        if clock_ns < book.scalars[B_CLOCK]:
            book.counters[C_OUT_OF_ORDER] += 1
        else:
            book.scalars[B_CLOCK] = clock_ns
    elif clock_ns == CLOCK_KEPT:
        book.counters[C_TIME_AHEAD] += 1
    elif clock_ns == CLOCK_UNKNOWN:
        book.counters[C_UNDEFINED_TIME] += 1
