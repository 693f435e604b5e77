"""A frame: the grid and the market state of a moment, and the message they are written to."""

from __future__ import annotations

import numpy as np

from .cells import cell_word, decay
from .contract import (
    ASK,
    AT_ASK_PRICE,
    AT_ASK_SIZE,
    AT_BID_PRICE,
    AT_BID_SIZE,
    AT_BOOK_VALID,
    AT_BUY_VOLUME,
    AT_EVENT_ID,
    AT_GRID,
    AT_GRID_STRIDE,
    AT_LAST_EVENT_ID,
    AT_LAST_PRICE,
    AT_MID_PRICE,
    AT_NULL_COUNT,
    AT_OFI,
    AT_OTHER_VOLUME,
    AT_PRESSURE_ABOVE,
    AT_PRESSURE_BELOW,
    AT_QUALITY,
    AT_SCORE,
    AT_SELL_VOLUME,
    AT_SPOT_PRICE,
    AT_STATE,
    AT_STRENGTH,
    AT_TS_NS,
    AT_VACUUM_ABOVE,
    AT_VACUUM_BELOW,
    AT_VALIDITY,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_LAST_PRICE,
    B_QUALITY,
    B_SPOT,
    BID,
    E_BUY_VOLUME,
    E_K,
    E_LAST_FRAME_NS,
    E_OFI,
    E_OTHER_VOLUME,
    E_SELL_VOLUME,
    E_STATE,
    G_PRESSURE,
    G_VACUUM,
    GRID_FLOATS,
    I_EVENT_ID,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    NO_TIME,
    P_ENTER,
    P_LEAVE,
    P_REACH,
    P_WEAK,
    QUALITY_INVALID,
    UNDEF_PRICE,
)
from .grid import grid_stride, read_grid
from .interval import begin_interval
from .jit import routine, step
from .levels import level_depth
from .ring import bucket_of
from .state import BookState, Float64s, FrameBuffer, Model
from .vectors import LANES, lane_of, load_four, store_singles

MOST_SINGLE = float(np.finfo(np.float32).max)
MID_PER_SUM = 2e9  # the sum of bid and ask in 1e-9 units, for a mid of one in currency


@step
def counted_rows(book: BookState, model: Model) -> tuple[int, int, int, int]:
    """Which k count below and above the mid: (first below, last below, first above, last above).

    None count where first > last. The row of spot is on the side of the mid on which spot is. With a reach, rows
    count up to so many buckets from the best price of their side on, and none where that side is empty.
    """
    scalars = book.scalars
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    spot = scalars[B_SPOT]
    first_below = -model.scalars[E_K]
    last_below = -1
    first_above = 1
    last_above = model.scalars[E_K]
    if spot == NO_BUCKET:
        return first_below, last_below, first_above, last_above
    if bid != NO_BID and ask != NO_ASK:
        twice_spot = 2 * spot * scalars[B_BUCKET]
        if twice_spot > bid + ask:
            first_above = 0
        elif twice_spot < bid + ask:
            last_below = 0
    reach = np.int64(model.parameters[P_REACH])
    if reach > 0:
        nearest_below = bucket_of(bid, scalars[B_BUCKET]) - spot if bid != NO_BID else reach
        nearest_above = bucket_of(ask, scalars[B_BUCKET]) - spot if ask != NO_ASK else -reach
        first_below = max(first_below, nearest_below - reach + 1)
        last_above = min(last_above, nearest_above + reach - 1)
    return first_below, last_below, first_above, last_above


@step
def sum_rows(model: Model, grid: Float64s, first: int, last: int) -> tuple[float, float]:
    """Pressure and vacuum of rows k = first to last together."""
    stride = grid_stride(grid)
    k_max = model.scalars[E_K]
    pressure = vacuum = 0.0
    for row in range(first + k_max, last + k_max + 1):
        pressure += grid[G_PRESSURE * stride + row]
        vacuum += grid[G_VACUUM * stride + row]
    return pressure, vacuum


@step
def market_state(state: int, weak: bool, score: float, enter: float, leave: float) -> int:
    """1 UP, 0 CHOP, -1 DOWN: entered at |score| >= enter, held until weak or |score| < leave or the sign turns."""
    if weak:
        return 0
    if state * score >= leave and state != 0:
        return state
    if score >= enter:
        return 1
    if score <= -enter:
        return -1
    return 0


@step
def write_grid(book: BookState, model: Model, frames: FrameBuffer, message: int) -> None:
    """Read the grid of this moment and write it into a message."""
    grid = frames.grid
    read_grid(book, model, grid)
    stride = grid_stride(grid)
    spot = book.scalars[B_SPOT]
    rows = 2 * model.scalars[E_K] + 1
    in_fours = rows - rows % LANES
    for column in range(GRID_FLOATS):
        place = frames.places[AT_GRID] + column * frames.places[AT_GRID_STRIDE]
        flat = message * frames.float32s.shape[1] + place
        for row in range(0, in_fours, LANES):
            store_singles(frames.float32s, flat + row, load_four(grid, column * stride + row))
        for row in range(in_fours, rows):
            frames.float32s[message, place + row] = grid[column * stride + row]
    for row in range(rows):
        event_id = 0
        if spot != NO_BUCKET:
            event_id = model.cells.ints[cell_word(spot - model.scalars[E_K] + row) + I_EVENT_ID]
        frames.int64s[message, frames.places[AT_LAST_EVENT_ID] + row] = event_id


@step
def write_market(book: BookState, model: Model, frames: FrameBuffer, message: int) -> None:
    """Write what book, trades and quotes say at this moment into a message."""
    scalars = book.scalars
    places = frames.places
    int64s = frames.int64s
    spot = scalars[B_SPOT]
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    last = scalars[B_LAST_PRICE]
    has_bid = bid != NO_BID
    has_ask = ask != NO_ASK
    int64s[message, places[AT_TS_NS]] = scalars[B_CLOCK]
    int64s[message, places[AT_EVENT_ID]] = scalars[B_EVENT_ID]
    int64s[message, places[AT_SPOT_PRICE]] = spot * scalars[B_BUCKET] if spot != NO_BUCKET else 0
    int64s[message, places[AT_BID_PRICE]] = bid if has_bid else 0
    int64s[message, places[AT_ASK_PRICE]] = ask if has_ask else 0
    frames.float64s[message, places[AT_MID_PRICE]] = float(bid + ask) / MID_PER_SUM if has_bid and has_ask else 0.0
    int64s[message, places[AT_BID_SIZE]] = level_depth(book, BID, bid) if has_bid else 0
    int64s[message, places[AT_ASK_SIZE]] = level_depth(book, ASK, ask) if has_ask else 0
    int64s[message, places[AT_BUY_VOLUME]] = model.scalars[E_BUY_VOLUME]
    int64s[message, places[AT_SELL_VOLUME]] = model.scalars[E_SELL_VOLUME]
    int64s[message, places[AT_OTHER_VOLUME]] = model.scalars[E_OTHER_VOLUME]
    int64s[message, places[AT_LAST_PRICE]] = last if last != UNDEF_PRICE else 0
    int64s[message, places[AT_OFI]] = model.scalars[E_OFI]
    frames.uint8s[message, places[AT_BOOK_VALID]] = 1 if scalars[B_QUALITY] & QUALITY_INVALID == 0 else 0
    frames.uint8s[message, places[AT_QUALITY]] = scalars[B_QUALITY]
    present = (spot != NO_BUCKET, has_bid, has_ask, has_bid and has_ask, last != UNDEF_PRICE)  # as NULLABLE_COLUMNS
    for nullable in range(len(present)):
        frames.uint8s[message, places[AT_VALIDITY + nullable]] = 1 if present[nullable] else 0
        int64s[message, places[AT_NULL_COUNT + nullable]] = 0 if present[nullable] else 1


@step
def write_state(book: BookState, model: Model, frames: FrameBuffer, message: int) -> None:
    """Judge the market by the forces of the grid that was read last, and write that into a message."""
    clock = book.scalars[B_CLOCK]
    parameters = model.parameters
    baseline = model.baseline
    places = frames.places
    first_below, last_below, first_above, last_above = counted_rows(book, model)
    pressure_below, vacuum_below = sum_rows(model, frames.grid, first_below, last_below)
    pressure_above, vacuum_above = sum_rows(model, frames.grid, first_above, last_above)
    # Both are rounded alike on the way, so that the net is never more than the total.
    net = (pressure_below - pressure_above) + (vacuum_above - vacuum_below)
    total = (pressure_below + pressure_above) + (vacuum_above + vacuum_below)
    score = 0.0 if total == 0.0 else net / total
    if model.scalars[E_LAST_FRAME_NS] == NO_TIME:
        baseline[0] = total
    else:
        kept, alpha = decay(model.baseline_decay, clock - model.scalars[E_LAST_FRAME_NS])
        baseline[0] = lane_of(kept, 0) * baseline[0] + lane_of(alpha, 0) * total
    # A baseline can fade to next to nothing in hours of silence; at their end, strength is beyond a float32.
    strength = min(total / baseline[0], MOST_SINGLE) if baseline[0] > 0.0 else 0.0
    weak = total == 0.0 or total < parameters[P_WEAK] * baseline[0]
    model.scalars[E_STATE] = market_state(model.scalars[E_STATE], weak, score, parameters[P_ENTER], parameters[P_LEAVE])
    frames.uint8s[message, places[AT_STATE]] = model.scalars[E_STATE] & 0xFF
    frames.float32s[message, places[AT_SCORE]] = score
    frames.float32s[message, places[AT_STRENGTH]] = strength
    frames.float32s[message, places[AT_PRESSURE_ABOVE]] = pressure_above
    frames.float32s[message, places[AT_PRESSURE_BELOW]] = pressure_below
    frames.float32s[message, places[AT_VACUUM_ABOVE]] = vacuum_above
    frames.float32s[message, places[AT_VACUUM_BELOW]] = vacuum_below


@routine
def write_frame(book: BookState, model: Model, frames: FrameBuffer, message: int) -> None:
    """Write the frame of this moment into a message of the buffer, and begin to count for the next."""
    write_grid(book, model, frames, message)
    write_state(book, model, frames, message)
    write_market(book, model, frames, message)
    model.scalars[E_LAST_FRAME_NS] = book.scalars[B_CLOCK]
    begin_interval(model)
