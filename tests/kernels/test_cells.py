"""One bucket's masses and chains against the oracle's, which takes the formulas one at a time."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import to_oracle_parameters
from tests.kernels.entry import from_python
from tests.oracle_book import Touch
from tests.oracle_cells import CHAINS, MASSES, Cell, OracleParameters, pressure, vacuum
from vp.kernels import cells as cell_kernels
from vp.kernels import grid as grid_kernels
from vp.kernels.contract import (
    CELL_WORDS,
    G_BOUGHT,
    G_MASS,
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
from vp.model.frames import new_grid
from vp.model.model_state import new_model
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
FLOATS = GRID_COLUMNS[:G_BOUGHT]
forget = from_python(cell_kernels.forget)
read_cell = from_python(cell_kernels.read_cell)
touch = from_python(cell_kernels.touch)
weigh_forces = from_python(grid_kernels.weigh_forces)


class KernelCell:
    """A cell in a ring of its own."""

    def __init__(self, parameters: ModelParameters, bucket: int = BUCKET) -> None:
        self.bucket = bucket
        self.floats = np.full(RING * CELL_WORDS, np.nan)
        self.ints = self.floats.view(np.int64)
        self.cells = Cells(self.floats, self.ints)
        self.at = (bucket & RING_MASK) * CELL_WORDS
        self.model = new_model(parameters)
        forget(self.cells, bucket)

    def touch(self, clock_ns: int, event_id: int, depth: int, add: int, pull: int, fill: int) -> None:
        self.ints[self.at + I_DEPTH] = depth
        touch(self.cells, self.model.decay, self.bucket, clock_ns, event_id, add, pull, fill)

    def read(self, clock_ns: int) -> dict[str, float]:
        """Masses, depth and chains at a clock, and the forces that they make."""
        rows = np.full(3 * cell_kernels.ROW_FLOATS, np.nan)
        read_cell(self.cells, self.model.decay, self.bucket, clock_ns, rows, cell_kernels.ROW_FLOATS)
        _, row, _ = rows.reshape(3, -1)
        assert np.isnan(rows).sum() == 2 * cell_kernels.ROW_FLOATS, "other rows are left alone"
        grid = new_grid(1)
        columns = grid[: -4 * cell_kernels.ROW_FLOATS].reshape(GRID_FLOATS, -1)
        columns[G_MASS : G_MASS + len(row), 0] = row
        weigh_forces(self.model.parameters, grid)
        return dict(zip(FLOATS, columns[:, 0].tolist(), strict=False))


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


@pytest.mark.parametrize("parameters", [DEFAULTS, OTHERS], ids=["defaults", "others"])
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


silences = st.one_of(
    st.integers(1, 100),
    st.integers(1, 10**9),
    st.integers(10**9, 4 * 10**11),
    st.integers(10**11, 10 * 86_400 * 10**9),
    st.sampled_from([(1 << bits) + off for bits in (25, 26, 34, 35, 36, 44, 53) for off in (-1, 0, 1)]),
)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.tuples(silences, *(st.integers(0, 2**32) for _ in range(3))), min_size=1, max_size=12),
    wait_ns=silences,
    parameters=st.sampled_from((DEFAULTS, OTHERS, ModelParameters.preset("touch"))),
)
def test_no_silence_makes_a_mass_a_flow_or_a_force_negative(
    steps: list[tuple[int, int, int, int]], wait_ns: int, parameters: ModelParameters
) -> None:
    """To the last bit: not by a unit in the last place of 1 after minutes either."""
    cell = KernelCell(parameters)
    clock_ns = START_NS
    cell.touch(clock_ns, 1, 0, 3, 2, 1)
    for event_id, (silence_ns, add, pull, fill) in enumerate(steps, 2):
        clock_ns += silence_ns
        cell.touch(clock_ns, event_id, 0, add, pull, fill)
        for read_ns in (clock_ns, clock_ns + wait_ns):
            row = cell.read(read_ns)
            never_negative = [
                "pressure",
                "vacuum",
                *(f"{name}_mass" for name in MASSES),
                *(f"v_{name}" for name in MASSES),
            ]
            assert {name: row[name] for name in never_negative if not row[name] >= 0.0} == {}


def test_a_forgotten_cell_is_new() -> None:
    cell = KernelCell(DEFAULTS)
    assert cell.read(START_NS) == dict.fromkeys(FLOATS, 0.0)
    cell.touch(START_NS, 1, 10, 10, 2, 3)
    cell.touch(START_NS + 10**9, 2, 30, 20, 2, 3)
    forget(cell.cells, BUCKET)
    assert cell.read(START_NS + 2 * 10**9) == dict.fromkeys(FLOATS, 0.0)
    assert np.flatnonzero(cell.ints[cell.at : cell.at + CELL_WORDS]).tolist() == [I_TOUCHED_NS]
    assert cell.ints[cell.at + I_TOUCHED_NS] == NO_TIME
    assert np.isnan(cell.floats).sum() == (RING - 1) * CELL_WORDS, "its neighbours are left alone"
