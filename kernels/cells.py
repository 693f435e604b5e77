"""One price bucket: its masses and derivative chains, what time leaves of them, what a touch does, and how it is read.

A cell is CELL_WORDS words: float64 (masses, then velocity, acceleration and jerk of add, pull, fill and rest depth,
then the gains of its last touch) and int64 (depth now, depth baseline, time of the last touch, event id).

What time leaves of its filters comes from a table: the same bits on every machine, and never below zero. A time in ns
is cut into digits of DECAY_BITS bits, and a remainder of half a row's step at the most. A table has a level for each
digit, and a level a row for each value: exp(-t/tau) of the four time constants, then exp(-t/tau) - 1. What is left of
longer times is the product over their digits; the remainder's factor is a polynomial.
"""

from __future__ import annotations

from .contract import (
    ACCELERATION,
    CELL_WORDS,
    CHAINS,
    DECAY_BITS,
    DECAY_FLOATS,
    DECAY_MASK,
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
from .jit import routine, step
from .state import Cells, Decay, Float64s, FourFloats
from .vectors import LANES, at_most, lane_of, load_four, make_four, store_four

SECONDS_PER_NS = 1e-9
ROW_FLOATS = 4 * CHAINS  # masses (and rest depth, which has none), velocities, accelerations, jerks


@step
def decay(table: Decay, elapsed_ns: int) -> tuple[FourFloats, FourFloats]:
    """exp(-t/tau) and 1 - exp(-t/tau) of the four filters after t = `elapsed_ns` >= 0: what is kept, and alpha.

    Both have all their digits, and neither is ever below 0 or above 1. What is kept is E + E p, and alpha -(M + E p),
    with E and M = E - 1 of the row, and p = exp(y) - 1 of the remainder: its first missing term is y^8 / 8! <= 2e-17 y.
    """
    half_ns = (1 << table.shift) >> 1
    steps = (elapsed_ns + half_ns) >> table.shift
    y = float(elapsed_ns - (steps << table.shift)) * load_four(table.rates, 0)
    at = (steps & DECAY_MASK) * DECAY_FLOATS
    kept = load_four(table.rows, at)
    less_one = load_four(table.rows, at + LANES)
    steps >>= DECAY_BITS
    level = (DECAY_MASK + 1) * DECAY_FLOATS
    while steps > 0:
        at = level + (steps & DECAY_MASK) * DECAY_FLOATS
        less_one = less_one + kept * load_four(table.rows, at + LANES)
        kept = kept * load_four(table.rows, at)
        steps >>= DECAY_BITS
        level += (DECAY_MASK + 1) * DECAY_FLOATS
    y2 = y * y
    series = (1 / 2 + 1 / 6 * y) + y2 * ((1 / 24 + 1 / 120 * y) + y2 * (1 / 720 + 1 / 5040 * y))
    change = kept * (y + y2 * series)
    return kept + change, at_most(-1.0 * (less_one + change), 1.0)


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


@step
def read_cell(cells: Cells, table: Decay, bucket: int, clock: int, out: Float64s, at: int) -> None:
    """Read the cell of `bucket` at `clock` (ns), as a zero-delta touch would leave it, to out[at : at + ROW_FLOATS]."""
    cell = cell_word(bucket)
    touched = cells.ints[cell + I_TOUCHED_NS]
    mass = load_four(cells.floats, cell + F_MASS)
    v = load_four(cells.floats, cell + F_V)
    a = load_four(cells.floats, cell + F_A)
    j = load_four(cells.floats, cell + F_J)
    if touched not in (clock, NO_TIME):
        kept, alpha = decay(table, clock - touched)
        gains = (1.0 / (float(clock - touched) * SECONDS_PER_NS)) * alpha
        rise_a = lane_of(gains, ACCELERATION) * (-lane_of(alpha, VELOCITY) * v)
        rise_j = lane_of(gains, JERK) * (rise_a - lane_of(alpha, ACCELERATION) * a)
        mass = lane_of(kept, MASS) * mass
        v = lane_of(kept, VELOCITY) * v
        a = lane_of(kept, ACCELERATION) * a + rise_a
        j = lane_of(kept, JERK) * j + rise_j
    store_four(out, at, mass + make_four(0.0, 0.0, 0.0, float(cells.ints[cell + I_DEPTH])))
    store_four(out, at + CHAINS, v)
    store_four(out, at + 2 * CHAINS, a)
    store_four(out, at + 3 * CHAINS, j)
