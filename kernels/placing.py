"""Cancel, fill, add and modify of one thing that rests, by its id and tag."""

from __future__ import annotations

from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_FILL,
    ACTION_MODIFY,
    ASK,
    B_LIVE,
    B_NEXT_RANK,
    B_PLACED,
    BID,
    C_APPLIED,
    C_DUPLICATE_ADD,
    C_IGNORED_FILL,
    C_OVERSIZE_CANCEL,
    C_PRICE_MISMATCH,
    C_REJECTED_CANCEL,
    C_REJECTED_PRICE,
    C_REJECTED_SIDE,
    C_REJECTED_SIZE,
    C_UNKNOWN_FILL,
    C_UNKNOWN_MODIFY,
    KIND_MASK,
    KIND_ORDER,
    KIND_QUOTE,
    PENDING_MAX,
    PENDING_SHIFT,
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
from .publishers import drop_order
from .state import BookState, Effect, Record

NO_EFFECT = Effect(0, 0, 0, 0, 0, 0, 0)


@step
def put_order(book: BookState, word: int, tag: int, side: int, price: int, size: int) -> None:
    """Let the slot at `word` hold this, last in its level's queue and without pending fills."""
    slots = book.slots
    slots[word + SLOT_PRICE] = price
    slots[word + SLOT_SIZE] = size
    slots[word + SLOT_RANK] = rank_of(book.scalars[B_NEXT_RANK], tag, side)
    book.scalars[B_NEXT_RANK] += 1


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
        put_order(book, word, tag, side, price, size)
        add_depth(book, side, price, size)
    remove_depth(book, old_side, old_price, resting)
    return Effect(TOUCH_FROM | TOUCH_TO, old_price, resting, pull, 0, price, size)


@routine
def apply_to(book: BookState, record: Record, action: int, order_id: int, tag: int, pendings: int) -> Effect:
    """Apply a cancel, a fill, or else an add or a modify, to what rests by this id and tag; `action` says which it is.

    `pendings` is 0 where fills need not be remembered (book alone).
    """
    if action == ACTION_CANCEL:
        return apply_cancel(book, record, order_id, tag)
    if action == ACTION_FILL:
        return apply_fill(book, record, order_id, tag, pendings)
    return apply_place(book, record, order_id, tag)
