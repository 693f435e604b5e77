"""The full engine: records through the book and the cells, frames at event ends."""

from __future__ import annotations

import numpy as np

from .book import advance_clock, apply_record, end_event, mark_bad_book, needs_room, records_of_room, update_spot
from .cells import touch
from .contract import (
    ACTION_CLEAR,
    ACTION_TRADE,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_IN_SNAPSHOT,
    B_SPOT,
    CELL_INTS,
    DEPTH_RESET,
    DONE,
    E_BUY_VOLUME,
    E_CENTRE,
    E_EMITTING,
    E_LAST_FRAME_NS,
    E_SELL_VOLUME,
    E_THROTTLE_NS,
    FLAG_LAST,
    FLAG_SNAPSHOT,
    FULL,
    I_DEPTH,
    NO_BUCKET,
    NO_TIME,
    REACHED,
    RING_MASK,
    SIDE_ASK,
    SIDE_BID,
    TOUCH_FROM,
    TOUCH_TO,
)
from .frame import write_frame
from .jit import kernel, step
from .orders import MOST_PLACES, fetch_ahead
from .ring import bucket_of, count_all_depth, holds, rebase, recentre, touch_outside
from .types import Bytes, Float32s, Float64s, Int64s, UInt32s


@step
def follow_spot(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    cell_floats: Float64s,
    cell_ints: Int64s,
    outer_floats: Float64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
    engine: Int64s,
) -> None:
    """Keep the ring's centre at spot."""
    if book[B_SPOT] != engine[E_CENTRE] and book[B_SPOT] != NO_BUCKET:
        recentre(
            depth,
            far_price,
            far_depth,
            book,
            cell_floats,
            cell_ints,
            outer_floats,
            outer_ints,
            outer_bucket,
            engine,
            book[B_SPOT],
        )


@step
def take_effect(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    cell_floats: Float64s,
    cell_ints: Int64s,
    outer_floats: Float64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
    engine: Int64s,
    parameters: Float64s,
    active: int,
    bits: int,
    from_price: int,
    removed: int,
    pull: int,
    fill: int,
    to_price: int,
    added: int,
) -> None:
    """Bring the effect of one record (kernels.book) into the cells; `active` is 0 for snapshot records."""
    clock = book[B_CLOCK]
    event_id = book[B_EVENT_ID]
    if bits & DEPTH_RESET:
        count_all_depth(depth, far_price, far_depth, book, cell_ints, engine)
    else:
        if removed != 0:
            bucket = bucket_of(from_price, book[B_BUCKET])
            if holds(engine, bucket):
                cell_ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] -= removed
        if added != 0:
            bucket = bucket_of(to_price, book[B_BUCKET])
            if holds(engine, bucket):
                cell_ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] += added
    if active == 0:
        return
    # One loop, not a branch for each leg: which leg a record has is as good as random.
    leaves = bits & TOUCH_FROM != 0
    price = from_price if leaves else to_price
    add = 0 if leaves else added
    pull = pull if leaves else 0
    fill = fill if leaves else 0
    legs = np.int64(leaves) + np.int64(bits & TOUCH_TO != 0)
    while legs > 0:
        bucket = bucket_of(price, book[B_BUCKET])
        if holds(engine, bucket):
            touch(cell_floats, cell_ints, parameters, bucket, clock, event_id, add, pull, fill)
        else:
            touch_outside(
                depth,
                far_price,
                far_depth,
                book,
                outer_floats,
                outer_ints,
                outer_bucket,
                parameters,
                bucket,
                add,
                pull,
                fill,
            )
        price = to_price
        add = added
        pull = 0
        fill = 0
        legs -= 1


@kernel
def advance(
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
    cell_floats: Float64s,
    cell_ints: Int64s,
    outer_floats: Float64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
    engine: Int64s,
    parameters: Float64s,
    baseline: Float64s,
    places: Int64s,
    first_row: int,
    out_bytes: Bytes,
    out_ints: Int64s,
    out_floats: Float32s,
    out_doubles: Float64s,
    scratch: Float64s,
) -> tuple[int, int, int]:
    """Run records through book and cells, and write a frame at each event end that is due.

    Event columns and book state as in kernels.forward.fast_forward; cells and engine as in kernels.cells and
    kernels.ring; the out arrays as in kernels.frame, filled from message `first_row` on.

    Returns (index of the next record, number of the next message, why it stopped).
    """
    row = first_row
    follow_spot(
        depth, far_price, far_depth, book, cell_floats, cell_ints, outer_floats, outer_ints, outer_bucket, engine
    )
    roomy = 0  # records that will find room, so that it need not be looked at for each
    for record in range(first, ts_event.size):
        i = record & MOST_PLACES
        record_flags = np.int64(flags[i])
        record_action = action[i]
        snapshot = record_flags & FLAG_SNAPSHOT
        if snapshot == 0 and max(ts_event[i], book[B_CLOCK]) >= until:
            return i, row, REACHED
        if roomy == 0:
            room = needs_room(slots, far_price, book)
            if room != DONE:
                return i, row, room
            roomy = records_of_room(slots, far_price, book)
        roomy -= 1
        fetch_ahead(slots, order_id, i)
        active = 0
        if snapshot != 0:
            book[B_IN_SNAPSHOT] = 1
        else:
            if book[B_IN_SNAPSHOT] != 0:
                book[B_IN_SNAPSHOT] = 0
                update_spot(book)
                follow_spot(
                    depth,
                    far_price,
                    far_depth,
                    book,
                    cell_floats,
                    cell_ints,
                    outer_floats,
                    outer_ints,
                    outer_bucket,
                    engine,
                )
                rebase(depth, far_price, far_depth, book, cell_ints, outer_ints, outer_bucket)
            advance_clock(book, counters, ts_event[i])
            active = 1
        book[B_EVENT_ID] += 1
        bits, from_price, removed, pull, fill, to_price, added = apply_record(
            slots,
            depth,
            far_price,
            far_depth,
            book,
            counters,
            active,
            order_id[i],
            price[i],
            np.int64(size[i]),
            record_flags,
            record_action,
            side[i],
        )
        mark_bad_book(book, counters, record_flags)
        if bits != 0:
            take_effect(
                depth,
                far_price,
                far_depth,
                book,
                cell_floats,
                cell_ints,
                outer_floats,
                outer_ints,
                outer_bucket,
                engine,
                parameters,
                active,
                bits,
                from_price,
                removed,
                pull,
                fill,
                to_price,
                added,
            )
        if record_action == ACTION_CLEAR:
            rebase(depth, far_price, far_depth, book, cell_ints, outer_ints, outer_bucket)
        elif record_action == ACTION_TRADE and active != 0 and engine[E_EMITTING] != 0:
            if side[i] == SIDE_BID:
                engine[E_BUY_VOLUME] += np.int64(size[i])
            elif side[i] == SIDE_ASK:
                engine[E_SELL_VOLUME] += np.int64(size[i])
        if record_flags & FLAG_LAST:
            book[B_IN_SNAPSHOT] = 0
            end_event(book, counters)
            follow_spot(
                depth,
                far_price,
                far_depth,
                book,
                cell_floats,
                cell_ints,
                outer_floats,
                outer_ints,
                outer_bucket,
                engine,
            )
            if snapshot != 0:
                rebase(depth, far_price, far_depth, book, cell_ints, outer_ints, outer_bucket)
            if engine[E_EMITTING] != 0 and book[B_CLOCK] != NO_TIME:
                last = engine[E_LAST_FRAME_NS]
                if last == NO_TIME or book[B_CLOCK] - last >= engine[E_THROTTLE_NS]:
                    write_frame(
                        depth,
                        far_price,
                        far_depth,
                        book,
                        cell_floats,
                        cell_ints,
                        engine,
                        parameters,
                        baseline,
                        places,
                        row,
                        out_bytes,
                        out_ints,
                        out_floats,
                        out_doubles,
                        scratch,
                    )
                    row += 1
                    if row == out_bytes.shape[0]:
                        return i + 1, row, FULL
    return ts_event.size, row, DONE
