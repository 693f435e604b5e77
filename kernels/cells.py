"""One price bucket: its masses and derivative chains, touched and read.

A cell is CELL_FLOATS float64 (masses, then velocity, acceleration and jerk of add, pull, fill and rest depth,
then the gains of its last touch) and CELL_INTS int64 (depth now, depth baseline, time of the last touch,
event id).
"""

from __future__ import annotations

import math

from .contract import (
    CELL_FLOATS,
    CELL_INTS,
    F_A,
    F_GAIN_A,
    F_GAIN_J,
    F_GAIN_V,
    F_J,
    F_MASS,
    F_V,
    I_BASELINE,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    NO_TIME,
    P_HARMONIC,
    P_TAU_A,
    P_TAU_J,
    P_TAU_MASS,
    P_TAU_V,
    RING_MASK,
)
from .jit import routine, step
from .state import Cells, Float64s
from .vectors import load_four, make_four, store_four

SECONDS_PER_NS = 1e-9


@step
def expm1_negative(x: float) -> float:
    """exp(-x) - 1 for x >= 0, to a unit in the last place: a Taylor polynomial where x is small."""
    if x > 0.0625:
        return math.expm1(-x)
    p = 1.0 - x * (1.0 / 9.0)
    p = 1.0 - x * (1.0 / 8.0) * p
    p = 1.0 - x * (1.0 / 7.0) * p
    p = 1.0 - x * (1.0 / 6.0) * p
    p = 1.0 - x * (1.0 / 5.0) * p
    p = 1.0 - x * (1.0 / 4.0) * p
    p = 1.0 - x * (1.0 / 3.0) * p
    p = 1.0 - x * (1.0 / 2.0) * p
    return -x * p


@step
def decay(parameters: Float64s, dt: float) -> tuple[float, float, float, float, float]:
    """What `dt` seconds (float64, >= 0) leave of each filter.

    Returns (kept mass, alpha_v, alpha_a, alpha_j, kept jerk) with kept = exp(-dt/tau) and alpha = 1 - kept.
    With tau_mass = 30, tau_j = 10, tau_a = 5, tau_v = 2 and q = exp(-dt/30) the others are q^3, q^6 and q^15;
    the alphas are factored so that they keep their digits for small dt.
    """
    u = expm1_negative(dt / parameters[P_TAU_MASS])
    q = 1.0 + u
    if parameters[P_HARMONIC] != 0.0:
        q3 = q * q * q
        q6 = q3 * q3
        q12 = q6 * q6
        alpha_j = -u * (1.0 + q + q * q)
        return q, alpha_j * (1.0 + q3 + q6 + q6 * q3 + q12), alpha_j * (1.0 + q3), alpha_j, q3
    u_v = expm1_negative(dt / parameters[P_TAU_V])
    u_a = expm1_negative(dt / parameters[P_TAU_A])
    u_j = expm1_negative(dt / parameters[P_TAU_J])
    return q, -u_v, -u_a, -u_j, 1.0 + u_j


@routine
def forget(cells: Cells, bucket: int) -> None:
    """Make the cell of `bucket` one that was never touched; its depth is the caller's to set."""
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    for k in range(CELL_FLOATS):
        cells.floats[f + k] = 0.0
    cells.ints[i + I_DEPTH] = 0
    cells.ints[i + I_BASELINE] = 0
    cells.ints[i + I_TOUCHED_NS] = NO_TIME
    cells.ints[i + I_EVENT_ID] = 0


@step
def touch(
    cells: Cells, parameters: Float64s, bucket: int, clock: int, event_id: int, add: int, pull: int, fill: int
) -> None:
    """Touch the cell of `bucket` at `clock` (ns) with deltas add, pull, fill (contracts, int64).

    The rest-depth delta is the cell's depth now less its baseline. A touch at the clock of the last one adds
    on to it with the same gains, since the chain is linear in its deltas.
    """
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    before = cells.ints[i + I_TOUCHED_NS]
    depth = cells.ints[i + I_DEPTH]
    floats = cells.floats
    deltas = make_four(float(add), float(pull), float(fill), float(depth - cells.ints[i + I_BASELINE]))
    mass_deltas = make_four(float(add), float(pull), float(fill), 0.0)
    cells.ints[i + I_BASELINE] = depth
    cells.ints[i + I_TOUCHED_NS] = clock
    cells.ints[i + I_EVENT_ID] = event_id
    mass = load_four(floats, f + F_MASS)
    v = load_four(floats, f + F_V)
    a = load_four(floats, f + F_A)
    j = load_four(floats, f + F_J)
    if before in (clock, NO_TIME):
        change_v = floats[f + F_GAIN_V] * deltas  # zero while the first touch lasts
        change_a = floats[f + F_GAIN_A] * change_v
        store_four(floats, f + F_MASS, mass + mass_deltas)
        store_four(floats, f + F_J, j + floats[f + F_GAIN_J] * change_a)
    else:
        dt = float(clock - before) * SECONDS_PER_NS
        kept_mass, alpha_v, alpha_a, alpha_j, kept_j = decay(parameters, dt)
        per_second = 1.0 / dt
        gain_v = alpha_v * per_second
        gain_a = alpha_a * per_second
        gain_j = alpha_j * per_second
        floats[f + F_GAIN_V] = gain_v
        floats[f + F_GAIN_A] = gain_a
        floats[f + F_GAIN_J] = gain_j
        change_v = gain_v * deltas - alpha_v * v  # formed before v, to keep its digits
        change_a = gain_a * change_v - alpha_a * a
        store_four(floats, f + F_MASS, kept_mass * mass + mass_deltas)
        store_four(floats, f + F_J, gain_j * change_a + kept_j * j)
    store_four(floats, f + F_V, v + change_v)
    store_four(floats, f + F_A, a + change_a)
