"""One record applied to the book, and the loop over many.

Every function takes the same state: `slots` (kernels.orders), `depth`, `far_price`, `far_depth`
(kernels.levels), `book` (int64[BOOK_SCALARS]) and `counters` (int64[COUNTERS]).

What a record did is told as an effect, a tuple of seven int64: (bits, from_price, removed, pull, fill,
to_price, added). `removed` left `from_price`, of which `pull` realised no fill; `fill` was filled at
`from_price`; `added` arrived at `to_price`. TOUCH_FROM and TOUCH_TO say which of the two were touched.
"""

from __future__ import annotations

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
    B_BOOK_VALID,
    B_BUCKET,
    B_CLOCK,
    B_IN_SNAPSHOT,
    B_LAST_PRICE,
    B_LIVE,
    B_NEXT_RANK,
    B_OUTSIDE,
    B_PLACED,
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
from .jit import kernel, step
from .levels import add_depth, empty_levels, place_window, remove_depth
from .orders import find_slot, remove_slot, slot_word
from .types import Effect, Int64s

MAX_LOAD_WORDS = 16  # words of the order table for each live order: at most a quarter of the slots are taken


@kernel
def clear_book(slots: Int64s, depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s) -> None:
    """Drop every order of the instrument; the book is trusted again."""
    if book[B_LIVE] > 0:
        slots[:] = 0
    book[B_LIVE] = 0
    book[B_ASK_ORDERS + ASK] = 0
    book[B_ASK_ORDERS + BID] = 0
    book[B_BAD_BOOK] = 0
    empty_levels(depth, far_price, far_depth, book)


@step
def drop_order(slots: Int64s, book: Int64s, word: int) -> None:
    """Take the order at `word` out of the table; its depth has already gone."""
    book[B_LIVE] -= 1
    book[B_ASK_ORDERS + (slots[word + SLOT_RANK] & 1)] -= 1
    remove_slot(slots, word)


@kernel
def clear_side(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    side: int,
    keep: int,
    keep_id: int,
) -> None:
    """Drop every order of one side, but for the one of id `keep_id` where `keep` is 1."""
    slot = 0
    while book[B_ASK_ORDERS + side] > keep:
        word = slot_word(slot)
        size = slots[word + SLOT_SIZE] & SIZE_MASK
        mine = size != 0 and (slots[word + SLOT_RANK] & 1) == side
        if mine and (keep == 0 or slots[word] != keep_id):
            remove_depth(depth, far_price, far_depth, book, side, slots[word + SLOT_PRICE], size)
            drop_order(slots, book, word)  # may pull another order into this slot: look at it again
        else:
            slot += 1
            if slot_word(slot) >= slots.size:
                slot = 0


@step
def shrink_order(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    word: int,
    quantity: int,
) -> Effect:
    """Take `quantity` (at most what rests) off the order at `word`; its first part realises pending fills."""
    packed = slots[word + SLOT_SIZE]
    pending = packed >> PENDING_SHIFT
    realised = min(quantity, pending)
    left = (packed & SIZE_MASK) - quantity
    price = slots[word + SLOT_PRICE]
    remove_depth(depth, far_price, far_depth, book, slots[word + SLOT_RANK] & 1, price, quantity)
    if left == 0:
        drop_order(slots, book, word)
    else:
        slots[word + SLOT_SIZE] = ((pending - realised) << PENDING_SHIFT) | left
    return TOUCH_FROM, price, quantity, quantity - realised, 0, 0, 0


@step
def apply_cancel(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    order_id: int,
    price: int,
    size: int,
) -> Effect:
    """A cancel: an unknown id is rejected, more than rests takes what rests."""
    word = find_slot(slots, order_id)
    resting = slots[word + SLOT_SIZE] & SIZE_MASK
    if resting == 0:
        counters[C_REJECTED_CANCEL] += 1
        return 0, 0, 0, 0, 0, 0, 0
    counters[C_APPLIED] += 1
    if size > resting:
        counters[C_OVERSIZE_CANCEL] += 1
        size = resting
    if price != slots[word + SLOT_PRICE]:
        counters[C_PRICE_MISMATCH] += 1
    return shrink_order(slots, depth, far_price, far_depth, book, word, size)


@step
def apply_fill(slots: Int64s, counters: Int64s, pendings: int, order_id: int, price: int, size: int) -> Effect:
    """A fill changes no depth; the order remembers it, so that the cancel behind it is no pull."""
    word = find_slot(slots, order_id)
    packed = slots[word + SLOT_SIZE]
    if (packed & SIZE_MASK) == 0:
        counters[C_UNKNOWN_FILL] += 1
        if price == UNDEF_PRICE:
            counters[C_REJECTED_PRICE] += 1
            return 0, 0, 0, 0, 0, 0, 0
        counters[C_IGNORED_FILL] += 1
        return TOUCH_FROM, price, 0, 0, size, 0, 0
    counters[C_IGNORED_FILL] += 1
    if pendings != 0:
        pending = min((packed >> PENDING_SHIFT) + size, PENDING_MAX)
        slots[word + SLOT_SIZE] = (pending << PENDING_SHIFT) | (packed & SIZE_MASK)
    return TOUCH_FROM, slots[word + SLOT_PRICE], 0, 0, size, 0, 0


@step
def apply_place(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    order_id: int,
    price: int,
    size: int,
    action: int,
    flags: int,
    side_code: int,
) -> Effect:
    """An add or a modify: both put (side, price, size) in place of what the id had."""
    if side_code == SIDE_NONE:
        counters[C_REJECTED_SIDE] += 1
        return 0, 0, 0, 0, 0, 0, 0
    side = BID if side_code == SIDE_BID else ASK
    if price == UNDEF_PRICE:
        if flags & FLAG_TOB == 0:
            counters[C_REJECTED_PRICE] += 1
            return 0, 0, 0, 0, 0, 0, 0
        counters[C_APPLIED] += 1
        clear_side(slots, depth, far_price, far_depth, book, side, 0, 0)
        return DEPTH_RESET, 0, 0, 0, 0, 0, 0
    counters[C_APPLIED] += 1
    if book[B_PLACED] == 0:
        place_window(depth, book, price)

    word = find_slot(slots, order_id)
    packed = slots[word + SLOT_SIZE]
    resting = packed & SIZE_MASK
    if resting == 0:
        if action == ACTION_MODIFY:
            counters[C_UNKNOWN_MODIFY] += 1
        if size > 0:
            slots[word] = order_id
            slots[word + SLOT_PRICE] = price
            slots[word + SLOT_SIZE] = size
            slots[word + SLOT_RANK] = (book[B_NEXT_RANK] << 1) | side
            book[B_NEXT_RANK] += 1
            book[B_LIVE] += 1
            book[B_ASK_ORDERS + side] += 1
            add_depth(depth, far_price, far_depth, book, side, price, size)
        return TOUCH_TO, 0, 0, 0, 0, price, size

    if action == ACTION_ADD:
        counters[C_DUPLICATE_ADD] += 1
    old_price = slots[word + SLOT_PRICE]
    old_side = slots[word + SLOT_RANK] & 1
    if price == old_price and side == old_side:
        if size < resting:
            return shrink_order(slots, depth, far_price, far_depth, book, word, resting - size)
        if size > resting:
            slots[word + SLOT_SIZE] = packed + size - resting
            slots[word + SLOT_RANK] = (book[B_NEXT_RANK] << 1) | side
            book[B_NEXT_RANK] += 1
            add_depth(depth, far_price, far_depth, book, side, price, size - resting)
        return TOUCH_TO, 0, 0, 0, 0, price, size - resting

    pull = resting - min(resting, packed >> PENDING_SHIFT)
    if size == 0:
        drop_order(slots, book, word)
    else:
        slots[word + SLOT_PRICE] = price
        slots[word + SLOT_SIZE] = size
        slots[word + SLOT_RANK] = (book[B_NEXT_RANK] << 1) | side
        book[B_NEXT_RANK] += 1
        book[B_ASK_ORDERS + old_side] -= 1
        book[B_ASK_ORDERS + side] += 1
        add_depth(depth, far_price, far_depth, book, side, price, size)
    remove_depth(depth, far_price, far_depth, book, old_side, old_price, resting)
    return TOUCH_FROM | TOUCH_TO, old_price, resting, pull, 0, price, size


@step
def apply_record(
    slots: Int64s,
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    counters: Int64s,
    pendings: int,
    order_id: int,
    price: int,
    size: int,
    flags: int,
    action: int,
    side: int,
) -> Effect:
    """Apply one record (int64 fields; action and side are DBN's character codes) and return its effect.

    `pendings` is 0 where fills need not be remembered (book alone).
    """
    if action == ACTION_CANCEL:
        return apply_cancel(slots, depth, far_price, far_depth, book, counters, order_id, price, size)
    if action in (ACTION_ADD, ACTION_MODIFY):
        unknown = counters[C_UNKNOWN_MODIFY]
        bits, from_price, removed, pull, fill, to_price, added = apply_place(
            slots,
            depth,
            far_price,
            far_depth,
            book,
            counters,
            order_id,
            price,
            size,
            action,
            flags,
            side,
        )
        replaces = action == ACTION_ADD or counters[C_UNKNOWN_MODIFY] != unknown
        if flags & FLAG_TOB and replaces and bits & TOUCH_TO | bits & TOUCH_FROM:
            keep = 1 if size > 0 else 0
            clear_side(
                slots,
                depth,
                far_price,
                far_depth,
                book,
                BID if side == SIDE_BID else ASK,
                keep,
                order_id,
            )
            bits |= DEPTH_RESET
        return bits, from_price, removed, pull, fill, to_price, added
    if action == ACTION_FILL:
        return apply_fill(slots, counters, pendings, order_id, price, size)
    if action == ACTION_CLEAR:
        counters[C_APPLIED] += 1
        clear_book(slots, depth, far_price, far_depth, book)
        return DEPTH_RESET, 0, 0, 0, 0, 0, 0
    counters[C_IGNORED_TRADE if action == ACTION_TRADE else C_IGNORED_NONE] += 1
    if action == ACTION_TRADE and price != UNDEF_PRICE and flags & FLAG_SNAPSHOT == 0:
        book[B_LAST_PRICE] = price
    return 0, 0, 0, 0, 0, 0, 0


@step
def update_spot(book: Int64s) -> None:
    """Spot = floor(mid / B + 1/2), in exact integers; the last one stays while a side is empty."""
    bid = book[B_BEST_BID]
    ask = book[B_BEST_ASK]
    if bid == NO_BID or ask == NO_ASK:
        return
    if bid != book[B_SPOT_BID] or ask != book[B_SPOT_ASK] or book[B_SPOT] == NO_BUCKET:
        book[B_SPOT_BID] = bid
        book[B_SPOT_ASK] = ask
        book[B_SPOT] = (bid + ask + book[B_BUCKET]) // (2 * book[B_BUCKET])
        mid = (bid + ask) >> 1
        if mid < book[B_WINDOW_LOW] or mid > book[B_WINDOW_HIGH]:
            book[B_OUTSIDE] = 1


@step
def end_event(book: Int64s, counters: Int64s) -> None:
    """The book is consistent: judge it and move spot."""
    bid = book[B_BEST_BID]
    ask = book[B_BEST_ASK]
    valid = 1 - (book[B_IN_SNAPSHOT] | book[B_BAD_BOOK])
    if bid == NO_BID or ask == NO_ASK:
        valid = 0
    elif bid >= ask:
        valid = 0
        counters[C_LOCKED if bid == ask else C_CROSSED] += 1
    book[B_BOOK_VALID] = valid
    update_spot(book)


@step
def needs_room(slots: Int64s, far_price: Int64s, book: Int64s) -> int:
    """GROW_ORDERS, GROW_LEVELS or DONE: whether one more record could need more room than there is."""
    if MAX_LOAD_WORDS * (book[B_LIVE] + 1) > slots.size:
        return GROW_ORDERS
    if 2 * (book[B_SPARSE_USED] + 1) > far_price.size or book[B_OUTSIDE] != 0:
        return GROW_LEVELS
    return DONE


@step
def records_of_room(slots: Int64s, far_price: Int64s, book: Int64s) -> int:
    """How many records surely find room: each takes one slot and one far level at the most."""
    orders = slots.size // MAX_LOAD_WORDS - book[B_LIVE]
    levels = far_price.size // 2 - book[B_SPARSE_USED]
    return min(orders, levels)


@step
def mark_bad_book(book: Int64s, counters: Int64s, flags: int) -> None:
    """A record with F_MAYBE_BAD_BOOK puts the book in doubt until the next clear."""
    if flags & FLAG_MAYBE_BAD_BOOK:
        book[B_BAD_BOOK] = 1
        counters[C_MAYBE_BAD_BOOK] += 1


@step
def advance_clock(book: Int64s, counters: Int64s, ts_event: int) -> None:
    """Bring the clock to the running maximum of ts_event."""
    if ts_event < book[B_CLOCK]:
        counters[C_OUT_OF_ORDER] += 1
    else:
        book[B_CLOCK] = ts_event
