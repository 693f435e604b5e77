"""The demonstration's exponential and logarithm against exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from tests.kernels.entry import from_python
from vp.demo import exponential as functions

exponential = from_python(functions.exponential)
logarithm = from_python(functions.logarithm)


def units_off(found: float, exact: Decimal) -> float:
    """How far from the exact value, in units of the last place."""
    return float(abs(Decimal(found) - exact) / Decimal(math.ulp(float(exact))))


@pytest.mark.parametrize("seed", range(3))
def test_exponential_is_right_to_its_last_place(seed: int) -> None:
    values = np.random.default_rng(seed).uniform(0, 2.4, 1000).tolist()
    with localcontext(prec=40):
        assert max(units_off(exponential(x), Decimal(x).exp()) for x in [*values, 1e-300, 0.34657, 0.34658]) < 1.5
    assert exponential(0.0) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_logarithm_is_right_to_its_last_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.integers(1, 2**53, 1000) * 2.0**-53).tolist()
    near = [1 - 2.0**-k for k in range(1, 54)] + [2.0**-k for k in range(1, 54)]
    with localcontext(prec=40):
        assert max(units_off(logarithm(x), Decimal(x).ln()) for x in [*values, *near, math.sqrt(0.5)]) < 1
    assert logarithm(1.0) == 0.0
