"""The full engine: records through the book and the cells, frames at event ends."""

from __future__ import annotations

import numpy as np

from .book import apply_record, record_at
from .cells import touch
from .contract import (
    ACTION_CLEAR,
    ACTION_TRADE,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_QUALITY,
    BOOK_ONLY,
    CELL_INTS,
    DEPTH_RESET,
    DONE,
    E_CROSSED_BEFORE_OPENING,
    E_EMITTING,
    E_LAST_FRAME_NS,
    E_LAST_TRADE_NS,
    E_LOCKED_BEFORE_OPENING,
    E_THROTTLE_NS,
    FLAG_LAST,
    FLAG_SNAPSHOT,
    FULL,
    GROW_TRADES,
    I_DEPTH,
    NO_TIME,
    OPENING_PAUSE_NS,
    QUALITY_CROSSED,
    REACHED,
    RING_MASK,
    SNAPSHOT_BEGINS,
    SNAPSHOT_ENDS,
    TOUCH_FROM,
    TOUCH_TO,
)
from .event import advance_clock, end_event, needs_room, records_of_room, update_spot
from .frame import write_frame
from .interval import count_order_flow, count_trade, forget_quote, trades_of_room
from .jit import kernel, routine, step
from .orders import MOST_PLACES, fetch_ahead
from .publishers import follow_publisher, is_settled, mark_bad_book
from .ring import bucket_of, count_all_depth, follow_spot, holds, rebase, touch_outside
from .state import BookState, Columns, Effect, FrameBuffer, Model


@step
def move_depth(book: BookState, model: Model, effect: Effect) -> None:
    """Keep the depth of the ring's cells what the book's is."""
    if effect.bits & DEPTH_RESET:
        count_all_depth(book, model)
        return
    if effect.removed != 0:
        bucket = bucket_of(effect.from_price, book.scalars[B_BUCKET])
        if holds(model, bucket):
            model.cells.ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] -= effect.removed
    if effect.added != 0:
        bucket = bucket_of(effect.to_price, book.scalars[B_BUCKET])
        if holds(model, bucket):
            model.cells.ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] += effect.added


@step
def touch_buckets(book: BookState, model: Model, effect: Effect) -> None:
    """Touch the bucket that the effect left, then the one where it arrived."""
    scalars = book.scalars
    clock = scalars[B_CLOCK]
    event_id = scalars[B_EVENT_ID]
    # One loop, not a branch for each leg: which leg a record has is as good as random.
    leaves = effect.bits & TOUCH_FROM != 0
    price = effect.from_price if leaves else effect.to_price
    add = 0 if leaves else effect.added
    pull = effect.pull if leaves else 0
    fill = effect.fill if leaves else 0
    legs = np.int64(leaves) + np.int64(effect.bits & TOUCH_TO != 0)
    while legs > 0:
        bucket = bucket_of(price, scalars[B_BUCKET])
        if holds(model, bucket):
            touch(model.cells, model.decay, bucket, clock, event_id, add, pull, fill)
        else:
            touch_outside(book, model, bucket, add, pull, fill)
        price = effect.to_price
        add = effect.added
        pull = 0
        fill = 0
        legs -= 1


@routine
def end_snapshot(book: BookState, model: Model) -> None:
    """A snapshot is over whose last record did not say so."""
    update_spot(book)
    follow_spot(book, model)
    rebase(book, model)


@routine
def start_afresh(book: BookState, model: Model) -> None:
    """A clear, or the first record of a snapshot: what is built from here on is no activity."""
    count_all_depth(book, model)
    rebase(book, model)
    forget_quote(model)


@step
def count_crossed_before_opening(book: BookState, model: Model) -> None:
    """Count a locked or crossed book where nothing trades: before the first trade, and in pauses."""
    last = model.scalars[E_LAST_TRADE_NS]
    if last == NO_TIME or book.scalars[B_CLOCK] - last > OPENING_PAUSE_NS:
        locked = book.scalars[B_BEST_BID] == book.scalars[B_BEST_ASK]
        model.scalars[E_LOCKED_BEFORE_OPENING if locked else E_CROSSED_BEFORE_OPENING] += 1


@step
def frame_is_due(book: BookState, model: Model) -> bool:
    """Whether this event's end makes a frame."""
    clock = book.scalars[B_CLOCK]
    if model.scalars[E_EMITTING] == 0 or clock == NO_TIME:
        return False
    last = model.scalars[E_LAST_FRAME_NS]
    return last == NO_TIME or clock - last >= model.scalars[E_THROTTLE_NS]


@kernel
def advance(
    columns: Columns, first: int, until: int, book: BookState, model: Model, frames: FrameBuffer, first_message: int
) -> tuple[int, int, int]:
    """Run records through book and cells, and write a frame at each event end that is due.

    Records are those from row `first` on, while the clock they bring stays under `until` (ns); frames go to messages
    `first_message` on.

    Returns (row of the next record, number of the next message, why it stopped).
    """
    scalars = book.scalars
    message = first_message
    follow_spot(book, model)
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for row in range(first, columns.clock_ns.size):
        i = row & MOST_PLACES
        record = record_at(columns, i)
        if max(record.clock_ns, scalars[B_CLOCK]) >= until:
            return i, message, REACHED
        if roomy == 0:
            room = needs_room(book)
            if room != DONE:
                return i, message, room
            roomy = min(records_of_room(book), trades_of_room(model))
            if roomy == 0:
                return i, message, GROW_TRADES
        roomy -= 1
        fetch_ahead(book.slots, columns.order_id, columns.publisher, i)
        clears = record.action == ACTION_CLEAR
        if not is_settled(book, record):
            changed = follow_publisher(book, record)
            clears |= changed == SNAPSHOT_BEGINS
            if changed == SNAPSHOT_ENDS:
                end_snapshot(book, model)
        advance_clock(book, record.clock_ns)
        active = np.int64(record.clock_ns != BOOK_ONLY and scalars[B_CLOCK] != NO_TIME)  # no touch without a clock
        scalars[B_EVENT_ID] += 1
        effect = apply_record(book, record, active)
        mark_bad_book(book, record)
        if effect.bits != 0:
            move_depth(book, model, effect)
            if active != 0:
                touch_buckets(book, model, effect)
        if active == 0:
            forget_quote(model)
        if clears:
            start_afresh(book, model)
        elif record.action == ACTION_TRADE and active != 0:
            model.scalars[E_LAST_TRADE_NS] = scalars[B_CLOCK]
            if model.scalars[E_EMITTING] != 0:
                count_trade(book, model, record)
        if record.flags & FLAG_LAST:
            end_event(book, record.publisher)
            if scalars[B_QUALITY] & QUALITY_CROSSED:
                count_crossed_before_opening(book, model)
            count_order_flow(book, model, active)
            follow_spot(book, model)
            if record.flags & FLAG_SNAPSHOT:
                rebase(book, model)
            if frame_is_due(book, model):
                write_frame(book, model, frames, message)
                message += 1
                if message == frames.uint8s.shape[0]:
                    return i + 1, message, FULL
    return columns.clock_ns.size, message, DONE
