"""One record applied to the book."""

from __future__ import annotations

import numpy as np

from .contract import (
    ACTION_ADD,
    ACTION_CANCEL,
    ACTION_CLEAR,
    ACTION_FILL,
    ACTION_MODIFY,
    ACTION_TRADE,
    B_LAST_PRICE,
    BOOK_ONLY,
    C_APPLIED,
    C_IGNORED_NONE,
    C_IGNORED_TRADE,
    C_REJECTED_SIZE,
    DEPTH_RESET,
    FLAG_MBP,
    FLAG_TOB,
    KIND_BITS,
    UNDEF_PRICE,
    UNDEF_SIZE,
)
from .jit import routine, step
from .placing import NO_EFFECT, apply_to
from .publishers import clear_book
from .quotes import apply_without_order
from .state import BookState, Columns, Effect, Record


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
def note_trade(book: BookState, record: Record) -> None:
    """A trade, which changes no book."""
    book.counters[C_REJECTED_SIZE if record.size == UNDEF_SIZE else C_IGNORED_TRADE] += 1
    if record.price != UNDEF_PRICE and record.clock_ns != BOOK_ONLY:
        book.scalars[B_LAST_PRICE] = record.price


@step
def apply_other(book: BookState, record: Record) -> Effect:
    """A clear, a trade or a record without an action."""
    counters = book.counters
    if record.action == ACTION_CLEAR:
        counters[C_APPLIED] += 1
        clear_book(book, record.publisher)
        return Effect(DEPTH_RESET, 0, 0, 0, 0, 0, 0)
    if record.action == ACTION_TRADE:
        note_trade(book, record)
    else:
        counters[C_IGNORED_NONE] += 1
    return NO_EFFECT


@routine
def apply_record(book: BookState, record: Record, pendings: int) -> Effect:
    """Apply one record and return its effect; `pendings` is 0 where fills need not be remembered (book alone)."""
    action = record.action
    if action not in (ACTION_CANCEL, ACTION_ADD, ACTION_MODIFY, ACTION_FILL):
        return apply_other(book, record)
    if record.flags & (FLAG_TOB | FLAG_MBP):
        return apply_without_order(book, record, pendings)
    return apply_to(book, record, action, record.order_id, record.publisher << KIND_BITS, pendings)
