"""One price bucket: its masses and derivative chains, touched and read.

A cell is CELL_FLOATS float64 (masses, then velocity, acceleration and jerk of add, pull, fill and rest depth,
then the gains of its last touch) and CELL_INTS int64 (depth now, depth baseline, time of the last touch,
event id). Formulas: the contract's section 4.
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
from .jit import kernel, step
from .types import Float64s, Int64s

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


@kernel
def forget(cell_floats: Float64s, cell_ints: Int64s, bucket: int) -> None:
    """Make the cell of `bucket` one that was never touched; its depth is the caller's to set."""
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    for k in range(CELL_FLOATS):
        cell_floats[f + k] = 0.0
    cell_ints[i + I_DEPTH] = 0
    cell_ints[i + I_BASELINE] = 0
    cell_ints[i + I_TOUCHED_NS] = NO_TIME
    cell_ints[i + I_EVENT_ID] = 0


@step
def touch(
    cell_floats: Float64s,
    cell_ints: Int64s,
    parameters: Float64s,
    bucket: int,
    clock: int,
    event_id: int,
    add: int,
    pull: int,
    fill: int,
) -> None:
    """Touch the cell of `bucket` at `clock` (ns) with deltas add, pull, fill (contracts, int64).

    The rest-depth delta is the cell's depth now less its baseline. A touch at the clock of the last one adds
    on to it with the same gains, since the chain is linear in its deltas.
    """
    f = (bucket & RING_MASK) * CELL_FLOATS
    i = (bucket & RING_MASK) * CELL_INTS
    before = cell_ints[i + I_TOUCHED_NS]
    depth = cell_ints[i + I_DEPTH]
    d_add = float(add)
    d_pull = float(pull)
    d_fill = float(fill)
    d_rest = float(depth - cell_ints[i + I_BASELINE])
    cell_ints[i + I_BASELINE] = depth
    cell_ints[i + I_EVENT_ID] = event_id
    if before in (clock, NO_TIME):
        cell_ints[i + I_TOUCHED_NS] = clock
        cell_floats[f + F_MASS] += d_add
        cell_floats[f + F_MASS + 1] += d_pull
        cell_floats[f + F_MASS + 2] += d_fill
        gain_v = cell_floats[f + F_GAIN_V]  # zero while the first touch lasts
        gain_a = cell_floats[f + F_GAIN_A]
        gain_j = cell_floats[f + F_GAIN_J]
        extend_chain(cell_floats, f, gain_v, gain_a, gain_j, d_add)
        extend_chain(cell_floats, f + 1, gain_v, gain_a, gain_j, d_pull)
        extend_chain(cell_floats, f + 2, gain_v, gain_a, gain_j, d_fill)
        extend_chain(cell_floats, f + 3, gain_v, gain_a, gain_j, d_rest)
        return
    dt = float(clock - before) * SECONDS_PER_NS
    kept_mass, alpha_v, alpha_a, alpha_j, kept_j = decay(parameters, dt)
    per_second = 1.0 / dt
    gain_v = alpha_v * per_second
    gain_a = alpha_a * per_second
    gain_j = alpha_j * per_second
    cell_ints[i + I_TOUCHED_NS] = clock
    cell_floats[f + F_MASS] = cell_floats[f + F_MASS] * kept_mass + d_add
    cell_floats[f + F_MASS + 1] = cell_floats[f + F_MASS + 1] * kept_mass + d_pull
    cell_floats[f + F_MASS + 2] = cell_floats[f + F_MASS + 2] * kept_mass + d_fill
    cell_floats[f + F_GAIN_V] = gain_v
    cell_floats[f + F_GAIN_A] = gain_a
    cell_floats[f + F_GAIN_J] = gain_j
    step_chain(cell_floats, f, gain_v, alpha_v, gain_a, alpha_a, gain_j, kept_j, d_add)
    step_chain(cell_floats, f + 1, gain_v, alpha_v, gain_a, alpha_a, gain_j, kept_j, d_pull)
    step_chain(cell_floats, f + 2, gain_v, alpha_v, gain_a, alpha_a, gain_j, kept_j, d_fill)
    step_chain(cell_floats, f + 3, gain_v, alpha_v, gain_a, alpha_a, gain_j, kept_j, d_rest)


@step
def step_chain(
    cell_floats: Float64s,
    at: int,
    gain_v: float,
    alpha_v: float,
    gain_a: float,
    alpha_a: float,
    gain_j: float,
    kept_j: float,
    delta: float,
) -> None:
    """v, a, j of one chain moved on by dt with its delta; the change of v is formed before v, to keep its digits."""
    change_v = gain_v * delta - alpha_v * cell_floats[at + F_V]
    change_a = gain_a * change_v - alpha_a * cell_floats[at + F_A]
    cell_floats[at + F_V] += change_v
    cell_floats[at + F_A] += change_a
    cell_floats[at + F_J] = gain_j * change_a + kept_j * cell_floats[at + F_J]


@step
def extend_chain(cell_floats: Float64s, at: int, gain_v: float, gain_a: float, gain_j: float, delta: float) -> None:
    """More delta at the clock of the last touch."""
    change_v = gain_v * delta
    change_a = gain_a * change_v
    cell_floats[at + F_V] += change_v
    cell_floats[at + F_A] += change_a
    cell_floats[at + F_J] += gain_j * change_a


@step
def read_chain(
    v: float, a: float, j: float, gain_a: float, alpha_v: float, alpha_a: float, gain_j: float, kept_j: float
) -> tuple[float, float, float]:
    """One chain as a zero-delta touch would leave it: (v, a, j)."""
    change_v = -alpha_v * v
    change_a = gain_a * change_v - alpha_a * a
    return v + change_v, a + change_a, gain_j * change_a + kept_j * j
