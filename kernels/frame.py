"""A frame: the cells around spot read at the clock, the market state, and the message they are written to."""

from __future__ import annotations

from .cells import SECONDS_PER_NS, decay, expm1_negative
from .contract import (
    ADD,
    ASK,
    AT_ASK_PRICE,
    AT_ASK_SIZE,
    AT_BID_PRICE,
    AT_BID_SIZE,
    AT_BOOK_VALID,
    AT_BUY_VOLUME,
    AT_EVENT_ID,
    AT_GRID,
    AT_LAST_EVENT_ID,
    AT_LAST_PRICE,
    AT_MID_PRICE,
    AT_NULL_COUNT,
    AT_SCORE,
    AT_SELL_VOLUME,
    AT_SPOT_PRICE,
    AT_STATE,
    AT_STRENGTH,
    AT_TS_NS,
    AT_VALIDITY,
    B_BEST_ASK,
    B_BEST_BID,
    B_BOOK_VALID,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_LAST_PRICE,
    B_SPOT,
    BID,
    CELL_FLOATS,
    CELL_INTS,
    E_BUY_VOLUME,
    E_K,
    E_LAST_FRAME_NS,
    E_SELL_VOLUME,
    E_STATE,
    F_A,
    F_J,
    F_MASS,
    F_V,
    FILL,
    G_A,
    G_J,
    G_MASS,
    G_PRESSURE,
    G_REST_DEPTH,
    G_V,
    G_VACUUM,
    GRID_FLOATS,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    NO_TIME,
    P_ENTER,
    P_LEAVE,
    P_PRESSURE_ACCEL,
    P_PRESSURE_ADD,
    P_PRESSURE_REST,
    P_TAU_BASELINE,
    P_VACUUM_ACCEL,
    P_VACUUM_FILL,
    P_VACUUM_PULL,
    P_VACUUM_REST,
    P_WEAK,
    PULL,
    REST_DEPTH,
    RING_MASK,
    UNDEF_PRICE,
)
from .jit import kernel, routine, step
from .levels import level_depth
from .state import BookState, Cells, Float64s, FrameBuffer, Model
from .vectors import load_four, store_four

HALF_PER_UNIT = 0.5e-9  # (bid + ask) in 1e-9 units -> mid in currency


@step
def read_cell(cells: Cells, parameters: Float64s, bucket: int, clock: int, grid: Float64s, row: int) -> None:
    """Read the cell of `bucket` at `clock` (ns), as a zero-delta touch would leave it, into row `row` of the grid."""
    g = row * GRID_FLOATS
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    touched = cells.ints[i + I_TOUCHED_NS]
    mass = load_four(cells.floats, f + F_MASS)
    v = load_four(cells.floats, f + F_V)
    a = load_four(cells.floats, f + F_A)
    j = load_four(cells.floats, f + F_J)
    if touched not in (clock, NO_TIME):
        dt = float(clock - touched) * SECONDS_PER_NS
        kept_mass, alpha_v, alpha_a, alpha_j, kept_j = decay(parameters, dt)
        change_v = -alpha_v * v
        change_a = (alpha_a / dt) * change_v - alpha_a * a
        mass = kept_mass * mass
        v = v + change_v
        a = a + change_a
        j = (alpha_j / dt) * change_a + kept_j * j
    store_four(grid, g + G_MASS, mass)  # and rest depth, which has none
    store_four(grid, g + G_V, v)
    store_four(grid, g + G_A, a)
    store_four(grid, g + G_J, j)
    grid[g + G_REST_DEPTH] = float(cells.ints[i + I_DEPTH])
    grid[g + G_PRESSURE] = (
        parameters[P_PRESSURE_ADD] * grid[g + G_V + ADD]
        + parameters[P_PRESSURE_REST] * max(grid[g + G_V + REST_DEPTH], 0.0)
        + parameters[P_PRESSURE_ACCEL] * max(grid[g + G_A + ADD], 0.0)
    )
    grid[g + G_VACUUM] = (
        parameters[P_VACUUM_PULL] * grid[g + G_V + PULL]
        + parameters[P_VACUUM_FILL] * grid[g + G_V + FILL]
        + parameters[P_VACUUM_REST] * max(-grid[g + G_V + REST_DEPTH], 0.0)
        + parameters[P_VACUUM_ACCEL] * max(grid[g + G_A + PULL], 0.0)
    )


@kernel
def read_grid(book: BookState, model: Model, grid: Float64s) -> None:
    """Read the cells around spot at the clock into `grid`, float64[(2 K + 1) * GRID_FLOATS], k ascending."""
    spot = book.scalars[B_SPOT]
    if spot == NO_BUCKET:
        grid[:] = 0.0
        return
    k_max = model.scalars[E_K]
    for row in range(2 * k_max + 1):
        read_cell(model.cells, model.parameters, spot - k_max + row, book.scalars[B_CLOCK], grid, row)


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
def write_grid(book: BookState, model: Model, frames: FrameBuffer, message: int) -> tuple[float, float]:
    """Write the grid of this moment into a message; returns (net, total) of its forces."""
    read_grid(book, model, frames.grid)
    grid = frames.grid
    spot = book.scalars[B_SPOT]
    k_max = model.scalars[E_K]
    below_p = above_p = below_v = above_v = 0.0
    for k in range(-k_max, k_max + 1):
        at = k + k_max
        for column in range(GRID_FLOATS):
            frames.float32s[message, frames.places[AT_GRID + column] + at] = grid[at * GRID_FLOATS + column]
        event_id = 0
        if spot != NO_BUCKET:
            event_id = model.cells.ints[((spot + k) & RING_MASK) * CELL_INTS + I_EVENT_ID]
        frames.int64s[message, frames.places[AT_LAST_EVENT_ID] + at] = event_id
        if k < 0:
            below_p += grid[at * GRID_FLOATS + G_PRESSURE]
            below_v += grid[at * GRID_FLOATS + G_VACUUM]
        elif k > 0:
            above_p += grid[at * GRID_FLOATS + G_PRESSURE]
            above_v += grid[at * GRID_FLOATS + G_VACUUM]
    return (below_p - above_p) + (above_v - below_v), below_p + above_p + below_v + above_v


@step
def write_market(
    book: BookState, model: Model, frames: FrameBuffer, message: int, score: float, strength: float
) -> None:
    """Write the scalar columns of this moment into a message."""
    scalars = book.scalars
    places = frames.places
    spot = scalars[B_SPOT]
    bid = scalars[B_BEST_BID]
    ask = scalars[B_BEST_ASK]
    last = scalars[B_LAST_PRICE]
    has_bid = bid != NO_BID
    has_ask = ask != NO_ASK
    mid = float(bid + ask) * HALF_PER_UNIT if has_bid and has_ask else 0.0
    frames.int64s[message, places[AT_TS_NS]] = scalars[B_CLOCK]
    frames.int64s[message, places[AT_EVENT_ID]] = scalars[B_EVENT_ID]
    frames.int64s[message, places[AT_SPOT_PRICE]] = spot * scalars[B_BUCKET] if spot != NO_BUCKET else 0
    frames.int64s[message, places[AT_BID_PRICE]] = bid if has_bid else 0
    frames.int64s[message, places[AT_ASK_PRICE]] = ask if has_ask else 0
    frames.float64s[message, places[AT_MID_PRICE]] = mid
    frames.int64s[message, places[AT_BID_SIZE]] = level_depth(book, BID, bid) if has_bid else 0
    frames.int64s[message, places[AT_ASK_SIZE]] = level_depth(book, ASK, ask) if has_ask else 0
    frames.int64s[message, places[AT_BUY_VOLUME]] = model.scalars[E_BUY_VOLUME]
    frames.int64s[message, places[AT_SELL_VOLUME]] = model.scalars[E_SELL_VOLUME]
    frames.int64s[message, places[AT_LAST_PRICE]] = last if last != UNDEF_PRICE else 0
    frames.uint8s[message, places[AT_STATE]] = model.scalars[E_STATE] & 0xFF
    frames.float32s[message, places[AT_SCORE]] = score
    frames.float32s[message, places[AT_STRENGTH]] = strength
    frames.uint8s[message, places[AT_BOOK_VALID]] = scalars[B_BOOK_VALID]
    present = (spot != NO_BUCKET, has_bid, has_ask, has_bid and has_ask, last != UNDEF_PRICE)  # as NULLABLE_COLUMNS
    for nullable in range(len(present)):
        frames.uint8s[message, places[AT_VALIDITY + nullable]] = 1 if present[nullable] else 0
        frames.int64s[message, places[AT_NULL_COUNT + nullable]] = 0 if present[nullable] else 1


@routine
def write_frame(book: BookState, model: Model, frames: FrameBuffer, message: int) -> None:
    """Write the frame of this moment into a message of the buffer, and begin the next frame's volumes."""
    clock = book.scalars[B_CLOCK]
    parameters = model.parameters
    baseline = model.baseline
    net, total = write_grid(book, model, frames, message)
    score = 0.0 if total == 0.0 else net / total
    if model.scalars[E_LAST_FRAME_NS] == NO_TIME:
        baseline[0] = total
    else:
        elapsed = float(clock - model.scalars[E_LAST_FRAME_NS]) * SECONDS_PER_NS
        baseline[0] -= expm1_negative(elapsed / parameters[P_TAU_BASELINE]) * (total - baseline[0])
    strength = total / baseline[0] if baseline[0] > 0.0 else 0.0
    weak = total == 0.0 or total < parameters[P_WEAK] * baseline[0]
    model.scalars[E_STATE] = market_state(model.scalars[E_STATE], weak, score, parameters[P_ENTER], parameters[P_LEAVE])
    write_market(book, model, frames, message, score, strength)
    model.scalars[E_LAST_FRAME_NS] = clock
    model.scalars[E_BUY_VOLUME] = 0
    model.scalars[E_SELL_VOLUME] = 0
