"""A frame: the cells around spot read at the clock, the market state, and the message they are written to."""

from __future__ import annotations

from .cells import SECONDS_PER_NS, decay, expm1_negative, read_chain
from .contract import (
    ASK,
    AT_GRID,
    AT_NULL_COUNT,
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
    RING_MASK,
    UNDEF_PRICE,
)
from .jit import kernel, step
from .levels import level_depth
from .types import Bytes, Float32s, Float64s, Int64s

HALF_PER_UNIT = 0.5e-9  # (bid + ask) in 1e-9 units -> mid in currency


@step
def read_cell(
    cell_floats: Float64s, cell_ints: Int64s, parameters: Float64s, bucket: int, clock: int, out: Float64s
) -> None:
    """Read the cell of `bucket` at `clock` (ns) into `out`, float64[18], in the order of the grid columns."""
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    touched = cell_ints[i + I_TOUCHED_NS]
    out[5] = float(cell_ints[i + I_DEPTH])
    if touched in (clock, NO_TIME):
        for chain in range(3):
            out[2 + chain] = cell_floats[f + F_MASS + chain]
        for chain in range(4):
            out[6 + chain] = cell_floats[f + F_V + chain]
            out[10 + chain] = cell_floats[f + F_A + chain]
            out[14 + chain] = cell_floats[f + F_J + chain]
    else:
        dt = float(clock - touched) * SECONDS_PER_NS
        kept_mass, alpha_v, alpha_a, alpha_j, kept_j = decay(parameters, dt)
        gain_a = alpha_a / dt
        gain_j = alpha_j / dt
        for chain in range(3):
            out[2 + chain] = cell_floats[f + F_MASS + chain] * kept_mass
        for chain in range(4):
            v, a, j = read_chain(
                cell_floats[f + F_V + chain],
                cell_floats[f + F_A + chain],
                cell_floats[f + F_J + chain],
                gain_a,
                alpha_v,
                alpha_a,
                gain_j,
                kept_j,
            )
            out[6 + chain] = v
            out[10 + chain] = a
            out[14 + chain] = j
    out[0] = (
        parameters[P_PRESSURE_ADD] * out[6]
        + parameters[P_PRESSURE_REST] * max(out[9], 0.0)
        + parameters[P_PRESSURE_ACCEL] * max(out[10], 0.0)
    )
    out[1] = (
        parameters[P_VACUUM_PULL] * out[7]
        + parameters[P_VACUUM_FILL] * out[8]
        + parameters[P_VACUUM_REST] * max(-out[9], 0.0)
        + parameters[P_VACUUM_ACCEL] * max(out[11], 0.0)
    )


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


@kernel
def write_frame(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    cell_floats: Float64s,
    cell_ints: Int64s,
    engine: Int64s,
    parameters: Float64s,
    baseline: Float64s,
    places: Int64s,
    row: int,
    out_bytes: Bytes,
    out_ints: Int64s,
    out_floats: Float32s,
    out_doubles: Float64s,
    scratch: Float64s,
) -> None:
    """Write the frame of this moment into message `row` of the buffer.

    out_bytes, out_ints, out_floats and out_doubles are views of one buffer of equal messages, as uint8, int64,
    float32 and float64 [messages, words]; `places` says at which byte each field lies. `baseline`, float64[1],
    is the running mean of total force over frames; `scratch` is float64[18].
    """
    clock = book[B_CLOCK]
    spot = book[B_SPOT]
    k_max = engine[E_K]
    below_p = above_p = below_v = above_v = 0.0
    for k in range(-k_max, k_max + 1):
        at = k + k_max
        event_id = 0
        if spot == NO_BUCKET:
            for column in range(18):
                scratch[column] = 0.0
        else:
            read_cell(cell_floats, cell_ints, parameters, spot + k, clock, scratch)
            event_id = cell_ints[((spot + k) & RING_MASK) * CELL_INTS + I_EVENT_ID]
        for column in range(18):
            out_floats[row, (places[AT_GRID + column] >> 2) + at] = scratch[column]
        out_ints[row, (places[AT_GRID + 18] >> 3) + at] = event_id
        if k < 0:
            below_p += scratch[0]
            below_v += scratch[1]
        elif k > 0:
            above_p += scratch[0]
            above_v += scratch[1]

    total = below_p + above_p + below_v + above_v
    score = 0.0 if total == 0.0 else ((below_p - above_p) + (above_v - below_v)) / total
    if engine[E_LAST_FRAME_NS] == NO_TIME:
        baseline[0] = total
    else:
        elapsed = float(clock - engine[E_LAST_FRAME_NS]) * SECONDS_PER_NS
        baseline[0] -= expm1_negative(elapsed / parameters[P_TAU_BASELINE]) * (total - baseline[0])
    weak = total == 0.0 or total < parameters[P_WEAK] * baseline[0]
    engine[E_STATE] = market_state(engine[E_STATE], weak, score, parameters[P_ENTER], parameters[P_LEAVE])

    bid = book[B_BEST_BID]
    ask = book[B_BEST_ASK]
    last = book[B_LAST_PRICE]
    has_bid = bid != NO_BID
    has_ask = ask != NO_ASK
    out_ints[row, places[0] >> 3] = clock
    out_ints[row, places[1] >> 3] = book[B_EVENT_ID]
    out_ints[row, places[2] >> 3] = spot * book[B_BUCKET] if spot != NO_BUCKET else 0
    out_ints[row, places[3] >> 3] = bid if has_bid else 0
    out_ints[row, places[4] >> 3] = ask if has_ask else 0
    out_doubles[row, places[5] >> 3] = float(bid + ask) * HALF_PER_UNIT if has_bid and has_ask else 0.0
    out_ints[row, places[6] >> 3] = level_depth(depth, far_price, far_depth, book, BID, bid) if has_bid else 0
    out_ints[row, places[7] >> 3] = level_depth(depth, far_price, far_depth, book, ASK, ask) if has_ask else 0
    out_ints[row, places[8] >> 3] = engine[E_BUY_VOLUME]
    out_ints[row, places[9] >> 3] = engine[E_SELL_VOLUME]
    out_ints[row, places[10] >> 3] = last if last != UNDEF_PRICE else 0
    out_bytes[row, places[11]] = engine[E_STATE] & 0xFF
    out_floats[row, places[12] >> 2] = score
    out_floats[row, places[13] >> 2] = total / baseline[0] if baseline[0] > 0.0 else 0.0
    out_bytes[row, places[14]] = book[B_BOOK_VALID]
    present = (spot != NO_BUCKET, has_bid, has_ask, has_bid and has_ask, last != UNDEF_PRICE)
    for nullable in range(len(present)):
        out_bytes[row, places[AT_VALIDITY + nullable]] = 1 if present[nullable] else 0
        out_ints[row, places[AT_NULL_COUNT + nullable] >> 3] = 0 if present[nullable] else 1

    engine[E_LAST_FRAME_NS] = clock
    engine[E_BUY_VOLUME] = 0
    engine[E_SELL_VOLUME] = 0
