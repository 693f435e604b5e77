"""One price bucket: its masses and derivative chains, and what a touch does to them.

A cell is CELL_WORDS words: float64 (masses, then velocity, acceleration and jerk of add, pull, fill and rest depth,
then the gains of its last touch) and int64 (depth now, depth baseline, time of the last touch, event id).
"""

from __future__ import annotations

from .contract import (
    ACCELERATION,
    CELL_WORDS,
    F_A,
    F_GAIN,
    F_J,
    F_MASS,
    F_V,
    I_BASELINE,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    JERK,
    MASS,
    NO_TIME,
    RING_MASK,
    VELOCITY,
)
from .decay import decay
from .jit import routine, step
from .state import Cells, Decay
from .vectors import lane_of, load_four, make_four, store_four

SECONDS_PER_NS = 1e-9


@step
def cell_word(bucket: int) -> int:
    """First word of the cell of `bucket`."""
    return (bucket & RING_MASK) * CELL_WORDS


@routine
def forget(cells: Cells, bucket: int) -> None:
    """Make the cell of `bucket` one that was never touched; its depth is the caller's to set."""
    cell = cell_word(bucket)
    for word in range(cell, cell + CELL_WORDS):
        cells.ints[word] = 0
    cells.ints[cell + I_TOUCHED_NS] = NO_TIME


@step
def touch(cells: Cells, table: Decay, bucket: int, clock: int, event_id: int, add: int, pull: int, fill: int) -> None:
    """Touch the cell of `bucket` at `clock` (ns) with deltas add, pull, fill (contracts, int64).

    The rest-depth delta is the cell's depth now less its baseline. A touch at the clock of the last one adds
    on to it with the same gains, since the chain is linear in its deltas.
    """
    cell = cell_word(bucket)
    before = cells.ints[cell + I_TOUCHED_NS]
    depth = cells.ints[cell + I_DEPTH]
    floats = cells.floats
    deltas = make_four(float(add), float(pull), float(fill), float(depth - cells.ints[cell + I_BASELINE]))
    mass_deltas = make_four(float(add), float(pull), float(fill), 0.0)
    cells.ints[cell + I_BASELINE] = depth
    cells.ints[cell + I_TOUCHED_NS] = clock
    cells.ints[cell + I_EVENT_ID] = event_id
    mass = load_four(floats, cell + F_MASS)
    v = load_four(floats, cell + F_V)
    a = load_four(floats, cell + F_A)
    j = load_four(floats, cell + F_J)
    if before in (clock, NO_TIME):
        gains = load_four(floats, cell + F_GAIN)
        rise_v = lane_of(gains, VELOCITY) * deltas  # zero while the first touch lasts
        rise_a = lane_of(gains, ACCELERATION) * rise_v
        store_four(floats, cell + F_MASS, mass + mass_deltas)
        store_four(floats, cell + F_V, v + rise_v)
        store_four(floats, cell + F_A, a + rise_a)
        store_four(floats, cell + F_J, j + lane_of(gains, JERK) * rise_a)
        return
    kept, alpha = decay(table, clock - before)
    gains = (1.0 / (float(clock - before) * SECONDS_PER_NS)) * alpha
    store_four(floats, cell + F_GAIN, gains)
    rise_v = lane_of(gains, VELOCITY) * deltas
    rise_a = lane_of(gains, ACCELERATION) * (rise_v - lane_of(alpha, VELOCITY) * v)
    # v' - v and a' - a are not differences of the rounded: those have no digits left over a nanosecond.
    rise_j = lane_of(gains, JERK) * (rise_a - lane_of(alpha, ACCELERATION) * a)
    store_four(floats, cell + F_MASS, lane_of(kept, MASS) * mass + mass_deltas)
    store_four(floats, cell + F_V, lane_of(kept, VELOCITY) * v + rise_v)
    store_four(floats, cell + F_A, lane_of(kept, ACCELERATION) * a + rise_a)
    store_four(floats, cell + F_J, lane_of(kept, JERK) * j + rise_j)
