"""Four floats at once are rounded as each by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from vp.kernels import vectors
from vp.kernels.contract import CHAINS

Float64s = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]
floats = st.floats(allow_nan=False)
fours = st.lists(floats, min_size=vectors.LANES, max_size=vectors.LANES)


def combine(left: Float64s, right: Float64s, factor: float, out: Float64s) -> None:
    a = vectors.load_four(left, 1)
    b = vectors.make_four(right[0], right[1], right[2], right[3])
    vectors.store_four(out, 1, a + factor * b)
    vectors.store_four(out, 5, factor * a - b)
    vectors.store_four(out, 9, factor + a * b)
    vectors.store_four(out, 13, vectors.positive(a))
    vectors.store_four(out, 17, vectors.at_most(a, factor))


compiled = from_python(combine)


@settings(deadline=None)
@given(left=fours, right=fours, factor=floats)
def test_each_lane_is_a_float64(left: list[float], right: list[float], factor: float) -> None:
    a, b = np.array([0.0, *left]), np.array(right)
    out = np.full(22, -77.0)
    with np.errstate(all="ignore"):
        compiled(a, b, factor, out)
        sums = (a[1:] + factor * b, factor * a[1:] - b, factor + a[1:] * b)
        bounded = (np.where(a[1:] > 0, a[1:], 0.0), np.where(a[1:] < factor, a[1:], factor))
    want = np.array([-77.0, *np.concatenate(sums + bounded), -77.0])
    # the sign of a NaN, which no chain has, is the processor's choice
    same = (out.view(np.int64) == want.view(np.int64)) | (np.isnan(out) & np.isnan(want))
    assert same.all()
    assert np.array_equal(a[1:], left), "a loaded value is a copy"


def turn(rows: Float64s, columns: Float64s, singles: Float32s, lanes: Float64s) -> None:
    first, second = vectors.load_four(rows, 0), vectors.load_four(rows, 4)
    turned = vectors.transpose(first, second, vectors.load_four(rows, 8), vectors.load_four(rows, 12))
    for column in range(4):
        vectors.store_four(columns, 4 * column, turned[column])
        lanes[column] = vectors.lane_of(second, column)
    vectors.store_singles(singles, 7, second)


def test_rows_become_columns_and_lanes_and_singles_keep_their_order() -> None:
    rows, columns, lanes = np.arange(16.0) + 1 / 3, np.zeros(16), np.zeros(4)
    singles = np.full((3, 5), -77.0, np.float32)  # the second row's third value on, counted flat
    from_python(turn)(rows, columns, singles, lanes)
    assert columns.reshape(4, 4).tolist() == rows.reshape(4, 4).T.tolist()
    assert lanes.tolist() == rows[4:8].tolist()
    wanted = np.full(15, -77.0, np.float32)
    wanted[7:11] = rows[4:8]
    assert singles.reshape(-1).tolist() == wanted.tolist()


def test_there_is_a_lane_for_each_chain() -> None:
    assert vectors.LANES == CHAINS
