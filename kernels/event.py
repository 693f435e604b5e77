"""What a record and an event's end do besides: clock, quality, spot, and whether there is room for more."""

from __future__ import annotations

from .contract import (
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_FAR_PRICES,
    B_LIVE,
    B_OUTSIDE,
    B_PLACED_AT,
    B_QUALITY,
    B_SPOT,
    B_SPOT_ASK,
    B_SPOT_BID,
    B_STANDING,
    B_WINDOW_HIGH,
    B_WINDOW_LOW,
    C_CROSSED,
    C_LOCKED,
    C_OUT_OF_ORDER,
    C_TIME_AHEAD,
    C_UNDEFINED_TIME,
    CLOCK_KEPT,
    CLOCK_UNKNOWN,
    DONE,
    FAR_WORDS,
    GROW_LEVELS,
    GROW_ORDERS,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_SNAPSHOT,
)
from .jit import step
from .publishers import end_snapshot
from .state import BookState

MAX_LOAD_WORDS = 16  # words of the order table for each live order: at most a quarter of the slots are taken
LEAST_ORDER_WORDS = 1 << 14  # of a table that is not made smaller
SPARE_WORDS = 1024  # as many for each live order are too many: a clear goes through all of them
FAR_LOAD_WORDS = 2 * FAR_WORDS  # of the far levels for each price: half of the slots
# Placing the window goes through the order table. Each record pays for this many words of it, so that a market which
# leaps from one end to the other takes no more of each record than others do.
PLACING_WORDS = 64
MOST_RECORDS = 256  # between two looks at the room there is


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
    if scalars[B_STANDING] & QUALITY_SNAPSHOT:
        end_snapshot(book, publisher)
    quality = scalars[B_STANDING]
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    if bid == NO_BID or ask == NO_ASK:
        quality |= QUALITY_EMPTY_SIDE
    elif bid >= ask:
        quality |= QUALITY_CROSSED
        book.counters[C_LOCKED if bid == ask else C_CROSSED] += 1
    scalars[B_QUALITY] = quality
    update_spot(book)


@step
def needs_room(book: BookState) -> int:
    """GROW_ORDERS, GROW_LEVELS or DONE: whether the tables suit what rests and one more record."""
    scalars = book.scalars
    if MAX_LOAD_WORDS * (scalars[B_LIVE] + 1) > book.slots.size:
        return GROW_ORDERS
    if book.slots.size > max(LEAST_ORDER_WORDS, SPARE_WORDS * (scalars[B_LIVE] + 1)):
        return GROW_ORDERS
    if FAR_LOAD_WORDS * (scalars[B_FAR_PRICES] + 1) > book.far.size:
        return GROW_LEVELS
    if scalars[B_OUTSIDE] != 0 and PLACING_WORDS * (scalars[B_EVENT_ID] - scalars[B_PLACED_AT]) >= book.slots.size:
        return GROW_LEVELS
    return DONE


@step
def records_of_room(book: BookState) -> int:
    """How many records surely find room: each takes one slot and one far level at the most.

    Few enough that tables which a clear has left far too large are soon made smaller.
    """
    orders = book.slots.size // MAX_LOAD_WORDS - book.scalars[B_LIVE]
    levels = book.far.size // FAR_LOAD_WORDS - book.scalars[B_FAR_PRICES]
    return min(orders, levels, MOST_RECORDS)
