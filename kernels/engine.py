"""The full engine: records through the book and the cells, frames at event ends."""

from __future__ import annotations

import numpy as np

from .book import (
    NOT_PLAIN,
    Legs,
    apply_plain,
    apply_record,
    may_be_plain,
    note_trade,
    record_at,
)
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
    CLOCK_UNKNOWN,
    DEPTH_RESET,
    DONE,
    E_CROSSED_BEFORE_OPENING,
    E_EMITTING,
    E_LAST_FRAME_NS,
    E_LAST_TRADE_NS,
    E_LOCKED_BEFORE_OPENING,
    E_QUOTE_BID,
    E_THROTTLE_NS,
    FLAG_LAST,
    FLAG_SNAPSHOT,
    FULL,
    GROW_TRADES,
    NO_BID,
    NO_TIME,
    OPENING_PAUSE_NS,
    QUALITY_CROSSED,
    REACHED,
    SNAPSHOT_BEGINS,
    SNAPSHOT_ENDS,
    TOUCH_FROM,
    TOUCH_TO,
    UNDEF_PRICE,
)
from .event import advance_clock, end_event, needs_room, records_of_room, update_spot
from .frame import write_frame
from .interval import NO_QUOTE, count_order_flow, count_trade, forget_quote, trades_of_room
from .jit import kernel, routine, step
from .ladder import note_event_end
from .orders import MOST_PLACES, fetch_ahead
from .publishers import follow_publisher, is_settled, mark_bad_book
from .ring import (
    bucket_of,
    bucket_of_level,
    change_cell_depth,
    count_all_depth,
    follow_spot,
    holds,
    rebase,
    touch_bucket,
)
from .state import BookState, Columns, Effect, FrameBuffer, Levels, Model, Record


@step
def touch_legs(book: BookState, model: Model, legs: Legs) -> None:
    """Bring the depth of the cells up to date, then touch the bucket of each leg."""
    bucket = bucket_of_level(book, legs.word, legs.price)
    change_cell_depth(model, bucket, legs.depth)
    to_bucket = bucket
    moves = legs.to_word >= 0
    if moves:
        to_bucket = bucket_of_level(book, legs.to_word, legs.to_price)
        change_cell_depth(model, to_bucket, legs.to_size)
    add = legs.add
    pull = legs.pull
    fill = legs.fill
    while True:
        if holds(model, bucket):
            clock = book.scalars[B_CLOCK]
            touch(model.cells, model.decay, bucket, clock, book.scalars[B_EVENT_ID], add, pull, fill)
        else:
            touch_bucket(book, model, bucket, add, pull, fill)
        if not moves:
            return
        moves = False
        bucket = to_bucket
        add = legs.to_size
        pull = 0
        fill = 0


@step
def move_depth(book: BookState, model: Model, effect: Effect) -> None:
    """Keep the depth of the ring's cells what the book's is."""
    if effect.bits & DEPTH_RESET:
        count_all_depth(book, model)
        return
    if effect.removed != 0:
        change_cell_depth(model, bucket_of(effect.from_price, book.scalars[B_BUCKET]), -effect.removed)
    if effect.added != 0:
        change_cell_depth(model, bucket_of(effect.to_price, book.scalars[B_BUCKET]), effect.added)


@step
def touch_buckets(book: BookState, model: Model, effect: Effect) -> None:
    """Touch the bucket that the effect left, then the one where it arrived."""
    bucket_size = book.scalars[B_BUCKET]
    zero = np.int64(0)  # compiled for one kind of number
    if effect.bits & TOUCH_FROM != 0:
        touch_bucket(book, model, bucket_of(effect.from_price, bucket_size), zero, effect.pull, effect.fill)
    if effect.bits & TOUCH_TO != 0:
        touch_bucket(book, model, bucket_of(effect.to_price, bucket_size), effect.added, zero, zero)


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
def is_active(book: BookState, record: Record) -> np.int64:
    """1 for a record that is activity: not of what builds the book only, nor of before there is a clock."""
    return np.int64(record.clock_ns != BOOK_ONLY and book.scalars[B_CLOCK] != NO_TIME)


@step
def take_trade(book: BookState, model: Model, record: Record) -> None:
    """Count a trade that is activity."""
    model.scalars[E_LAST_TRADE_NS] = book.scalars[B_CLOCK]
    if model.scalars[E_EMITTING] != 0:
        count_trade(book, model, record)


@routine
def take_any(book: BookState, model: Model, record: Record) -> None:
    """Take a record, whatever it is, through book and cells; the clock has been advanced."""
    clears = record.action == ACTION_CLEAR
    if not is_settled(book, record):
        changed = follow_publisher(book, record)
        clears |= changed == SNAPSHOT_BEGINS
        if changed == SNAPSHOT_ENDS:
            end_snapshot(book, model)
    active = is_active(book, record)
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
        take_trade(book, model, record)


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
    quote = NO_QUOTE
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
        advance_clock(book, record.clock_ns)
        scalars[B_EVENT_ID] += 1
        plain = record.clock_ns > CLOCK_UNKNOWN and may_be_plain(book, record)
        legs = NOT_PLAIN
        if plain and record.action == ACTION_TRADE:
            note_trade(book, record)
            take_trade(book, model, record)
        else:
            if plain:
                legs = apply_plain(book, record, np.int64(1))
            if legs.word >= 0:
                touch_legs(book, model, legs)
            else:
                take_any(book, model, record)
        if record.flags & FLAG_LAST:
            end_event(book, record.publisher)
            if scalars[B_QUALITY] & QUALITY_CROSSED:
                count_crossed_before_opening(book, model)
            if model.notes.size != 0:
                alone = i > first and columns.flags[i - 1] & FLAG_LAST != 0 and legs.word >= 0 and legs.to_word < 0
                comparable = model.scalars[E_QUOTE_BID] != NO_BID
                levels = Levels(book.depth, book.far, book.scalars)
                price = legs.price if alone else UNDEF_PRICE
                note_event_end(levels, model.notes, is_active(book, record), comparable, price)
            quote = count_order_flow(book, model, is_active(book, record), quote)
            follow_spot(book, model)
            if record.flags & FLAG_SNAPSHOT:
                rebase(book, model)
            if frame_is_due(book, model):
                write_frame(book, model, frames, message)
                message += 1
                if message == frames.uint8s.shape[0]:
                    return i + 1, message, FULL
    return columns.clock_ns.size, message, DONE
