"""One bucket's masses and chains against the oracle's, which takes the formulas one at a time."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import to_oracle_parameters
from tests.kernels.entry import from_python
from tests.oracle_book import Touch
from tests.oracle_cells import CHAINS, MASSES, Cell, OracleParameters, pressure, vacuum
from vp.kernels import cells as cell_kernels
from vp.kernels import frame as frame_kernels
from vp.kernels.contract import (
    CELL_FLOATS,
    CELL_INTS,
    GRID_COLUMNS,
    GRID_FLOATS,
    I_BASELINE,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    NO_TIME,
    RING,
    RING_MASK,
)
from vp.kernels.state import Cells
from vp.model.parameters import ModelParameters

BUCKET = 86_000
START_NS = 1_770_336_000_000_000_000
DEFAULTS = ModelParameters()
OTHERS = ModelParameters(
    tau_mass_seconds=7.0,
    tau_velocity_seconds=0.25,
    tau_acceleration_seconds=11.0,
    tau_jerk_seconds=3.0,
    pressure_add=0.7,
    pressure_rest=2.0,
    pressure_acceleration=0.0,
    vacuum_pull=1.1,
    vacuum_fill=0.2,
    vacuum_rest=3.0,
    vacuum_acceleration=0.9,
)
STEPS_NS = (0, 0, 1, 2, 999, 1_000_000, 62_499_999, 1_875_000_000, 1_875_000_001, 30 * 10**9, 3_600 * 10**9)
FLOATS = GRID_COLUMNS[:GRID_FLOATS]
decay = from_python(cell_kernels.decay)
expm1_negative = from_python(cell_kernels.expm1_negative)
forget = from_python(cell_kernels.forget)
read_cell = from_python(frame_kernels.read_cell)
touch = from_python(cell_kernels.touch)


class KernelCell:
    """A cell in a ring of its own."""

    def __init__(self, parameters: ModelParameters, bucket: int = BUCKET) -> None:
        self.bucket = bucket
        self.floats = np.full(RING * CELL_FLOATS, np.nan)
        self.ints = np.full(RING * CELL_INTS, -77, np.int64)
        self.cells = Cells(self.floats, self.ints)
        self.at = (bucket & RING_MASK) * CELL_INTS
        self.parameters = parameters.to_array()
        forget(self.cells, bucket)

    def touch(self, clock_ns: int, event_id: int, depth: int, add: int, pull: int, fill: int) -> None:
        self.ints[self.at + I_DEPTH] = depth
        touch(self.cells, self.parameters, self.bucket, clock_ns, event_id, add, pull, fill)

    def read(self, clock_ns: int) -> dict[str, float]:
        grid = np.full(3 * GRID_FLOATS, np.nan)
        read_cell(self.cells, self.parameters, self.bucket, clock_ns, grid, 1)
        rows = grid.reshape(3, GRID_FLOATS)
        assert np.isnan(rows[[0, 2]]).all(), "other rows are left alone"
        return dict(zip(FLOATS, rows[1].tolist(), strict=True))


def oracle_row(cell: Cell, clock_ns: int, depth: int, p: OracleParameters) -> dict[str, float]:
    state = cell.read(clock_ns, p)
    row = {"pressure": pressure(state, p), "vacuum": vacuum(state, p), "rest_depth": float(depth)}
    row |= {f"{name}_mass": state.mass[name] for name in MASSES}
    for level in "vaj":
        row |= {f"{level}_{name}": getattr(state, level)[name] for name in CHAINS}
    return row


touches = st.lists(
    st.tuples(
        st.sampled_from(STEPS_NS), st.integers(0, 9000), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=120, deadline=None)
@given(steps=touches, wait_ns=st.sampled_from(STEPS_NS), parameters=st.sampled_from((DEFAULTS, OTHERS)))
def test_touches_and_readings_are_the_oracles(
    steps: list[tuple[int, int, int, int, int]], wait_ns: int, parameters: ModelParameters
) -> None:
    p = to_oracle_parameters(parameters)
    cell = KernelCell(parameters)
    clock_ns = START_NS
    want: Cell | None = None
    for event_id, (step_ns, depth, add, pull, fill) in enumerate(steps, 1):
        clock_ns += step_ns
        if want is None:
            cell.ints[cell.at + I_BASELINE] = depth  # a bucket's first touch sets its baseline
            want = Cell(clock_ns, depth)
        cell.touch(clock_ns, event_id, depth, add, pull, fill)
        want.touch(clock_ns, Touch(0, add, pull, fill), depth, event_id, p)
        for read_ns in (clock_ns, clock_ns + wait_ns):
            got = cell.read(read_ns)
            # acceleration and jerk of the oracle lose digits in v' - v over a nanosecond
            assert got == pytest.approx(oracle_row(want, read_ns, depth, p), rel=1e-6, abs=1e-6)
            assert all(math.isfinite(value) for value in got.values())
            assert got["pressure"] >= 0
            assert got["vacuum"] >= 0
        assert cell.ints[cell.at + I_EVENT_ID] == want.last_event_id


@settings(max_examples=60, deadline=None)
@given(steps=touches, wait_ns=st.sampled_from(STEPS_NS), parameters=st.sampled_from((DEFAULTS, OTHERS)))
def test_a_reading_is_what_a_zero_touch_would_leave(
    steps: list[tuple[int, int, int, int, int]], wait_ns: int, parameters: ModelParameters
) -> None:
    cell = KernelCell(parameters)
    clock_ns = START_NS
    depth = 0
    for event_id, (step_ns, depth, add, pull, fill) in enumerate(steps, 1):
        clock_ns += step_ns
        cell.touch(clock_ns, event_id, depth, add, pull, fill)
    before = cell.floats.copy()
    read = cell.read(clock_ns + wait_ns)
    np.testing.assert_array_equal(cell.floats, before, err_msg="a reading changes nothing")
    cell.touch(clock_ns + wait_ns, 99, depth, 0, 0, 0)
    assert cell.read(clock_ns + wait_ns) == pytest.approx(read, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("parameters", [DEFAULTS, OTHERS], ids=["harmonic", "general"])
@pytest.mark.parametrize("dt_ns", [1, 1_000_000, 4_000_000_000])
def test_touches_at_one_clock_add_up_in_any_order(parameters: ModelParameters, dt_ns: int) -> None:
    deltas = [(5, 0, 0), (0, 3, 0), (0, 0, 4), (7, 0, 0)]
    depths = [15, 12, 12, 19]
    whole = KernelCell(parameters)
    whole.touch(START_NS, 1, 10, 10, 0, 0)
    whole.touch(START_NS + dt_ns, 2, 19, 12, 3, 4)
    for order in permutations(range(4)):
        cell = KernelCell(parameters)
        cell.touch(START_NS, 1, 10, 10, 0, 0)
        for event_id, i in enumerate(order, 2):
            depth = 19 if event_id == 5 else depths[i]  # wherever it went between, it ends the same
            cell.touch(START_NS + dt_ns, event_id, depth, *deltas[i])
        for later_ns in (0, 1, 10**9):
            clock_ns = START_NS + dt_ns + later_ns
            assert cell.read(clock_ns) == pytest.approx(whole.read(clock_ns), rel=1e-9, abs=1e-9)


def test_a_forgotten_cell_is_new() -> None:
    cell = KernelCell(DEFAULTS)
    assert cell.read(START_NS) == dict.fromkeys(FLOATS, 0.0)
    cell.touch(START_NS, 1, 10, 10, 2, 3)
    cell.touch(START_NS + 10**9, 2, 30, 20, 2, 3)
    forget(cell.cells, BUCKET)
    assert cell.read(START_NS + 2 * 10**9) == dict.fromkeys(FLOATS, 0.0)
    assert cell.ints[cell.at : cell.at + CELL_INTS].tolist() == [0, 0, NO_TIME, 0]
    assert cell.ints[cell.at + I_TOUCHED_NS] == NO_TIME
    assert np.isnan(cell.floats).sum() == (RING - 1) * CELL_FLOATS, "its neighbours are left alone"


@pytest.mark.parametrize("x", [0.0, 1e-300, 3.3e-11, 1e-6, 0.01, 0.0624999, 0.0625, 0.0625001, 0.5, 2.0, 50.0, 800.0])
def test_expm1_keeps_its_digits(x: float) -> None:
    assert expm1_negative(x) == pytest.approx(math.expm1(-x), rel=3e-16, abs=0)


@pytest.mark.parametrize("parameters", [DEFAULTS, OTHERS], ids=["harmonic", "general"])
@pytest.mark.parametrize("dt", [1e-9, 1e-6, 0.001, 0.5, 1.875, 1.8750001, 20.0, 3600.0, 1e9])
def test_decay_is_four_exponentials(parameters: ModelParameters, dt: float) -> None:
    array: Any = parameters.to_array()
    taus = (
        parameters.tau_velocity_seconds,
        parameters.tau_acceleration_seconds,
        parameters.tau_jerk_seconds,
    )
    want = (
        math.exp(-dt / parameters.tau_mass_seconds),
        *(-math.expm1(-dt / tau) for tau in taus),
        math.exp(-dt / parameters.tau_jerk_seconds),
    )
    # kept = 1 - alpha: what is left of a filter is known to a unit in the last place of 1
    assert decay(array, dt) == pytest.approx(want, rel=2e-14, abs=4e-16)
