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
floats = st.floats(allow_nan=False)
fours = st.lists(floats, min_size=vectors.LANES, max_size=vectors.LANES)


def combine(left: Float64s, right: Float64s, factor: float, out: Float64s) -> None:
    a = vectors.load_four(left, 1)
    b = vectors.make_four(right[0], right[1], right[2], right[3])
    vectors.store_four(out, 1, a + factor * b)
    vectors.store_four(out, 5, factor * a - b)


compiled = from_python(combine)


@settings(deadline=None)
@given(left=fours, right=fours, factor=floats)
def test_each_lane_is_a_float64(left: list[float], right: list[float], factor: float) -> None:
    a, b = np.array([0.0, *left]), np.array(right)
    out = np.full(10, -77.0)
    with np.errstate(all="ignore"):
        compiled(a, b, factor, out)
        want = np.array([-77.0, *(a[1:] + factor * b), *(factor * a[1:] - b), -77.0])
    # the sign of a NaN, which no chain has, is the processor's choice
    same = (out.view(np.int64) == want.view(np.int64)) | (np.isnan(out) & np.isnan(want))
    assert same.all()
    assert np.array_equal(a[1:], left), "a loaded value is a copy"


def test_there_is_a_lane_for_each_chain() -> None:
    assert vectors.LANES == CHAINS
