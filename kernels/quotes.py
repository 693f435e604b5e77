"""Records of publishers that send no orders: aggregated levels (F_MBP) and quotes (F_TOB)."""

from __future__ import annotations

import numpy as np

from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_FILL,
    ACTION_MODIFY,
    ASK,
    BID,
    C_APPLIED,
    C_REJECTED_CANCEL,
    C_REJECTED_SIDE,
    DEPTH_RESET,
    FLAG_TOB,
    KIND_ASK_LEVEL,
    KIND_BITS,
    KIND_QUOTE,
    SIDE_BID,
    SIDE_NONE,
    SIZE_MASK,
    SLOT_SIZE,
    STATE_ASKS,
    STATE_QUOTES,
    UNDEF_PRICE,
)
from .jit import routine
from .orders import find_slot
from .placing import NO_EFFECT, apply_to, shrink_order
from .publishers import drop_side, set_state
from .state import BookState, Effect, Record


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
        effect = apply_to(book, record, record.action, side, tag, np.int64(0))
        if effect.bits == 0:
            return effect
    state = book.publishers[record.publisher]
    if state & (STATE_ASKS << side):
        set_state(book, record.publisher, (state & ~(STATE_ASKS << side)) | STATE_QUOTES)
        if drop_side(book, record.publisher, side, np.int64(1)) != 0:
            return Effect(effect.bits | DEPTH_RESET, *effect[1:])
    elif state & STATE_QUOTES == 0:
        set_state(book, record.publisher, state | STATE_QUOTES)
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
            return apply_to(book, record, record.action, side, tag | KIND_QUOTE, pendings)
        book.counters[C_REJECTED_CANCEL] += 1
        return NO_EFFECT
    tag |= KIND_ASK_LEVEL + side
    action = record.action
    if action == ACTION_CANCEL:
        if record.size == 0:
            action = np.int64(ACTION_MODIFY)
        elif record.side == SIDE_NONE:
            book.counters[C_REJECTED_SIDE] += 1
            return NO_EFFECT
    return apply_to(book, record, action, record.price, tag, pendings)
