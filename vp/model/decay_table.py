"""The table of exponentials that the kernels read (kernels.cells), every value of it rounded correctly.

Made with `decimal`, whose digits are the same on every machine; those of a C library's `exp` are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from functools import lru_cache
from math import prod

import numpy as np

from vp.kernels.contract import DECAY_BITS, DECAY_FLOATS
from vp.kernels.memory import words_on_lines
from vp.kernels.state import Decay

TIME_BITS = 63
LARGEST_REMAINDER = 1 / 56  # of the shortest time constant: what seven terms of the series are enough for
LONGEST_SHIFT = TIME_BITS - DECAY_BITS
DIGITS = Context(prec=50, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
NS = Decimal(10) ** -9


@lru_cache(maxsize=16)
def decay_table(taus_seconds: tuple[float, float, float, float]) -> Decay:
    """The exponentials of four time constants, each of at least a nanosecond. Shared: nobody writes to it."""
    shift = _shift(min(taus_seconds))
    levels = -(-(TIME_BITS - shift) // DECAY_BITS)
    shape = (levels, 1 << DECAY_BITS, 2, len(taus_seconds))
    rows = words_on_lines(prod(shape)).view(np.float64).reshape(shape)
    for lane, tau in enumerate(taus_seconds):
        for level in range(levels):
            step_ns = 1 << (shift + level * DECAY_BITS)
            rows[level, :, 1, lane] = -1.0
            for row, values in zip(rows[level], _powers(step_ns, tau), strict=False):
                row[:, lane] = values
    assert rows[0, 0].size == DECAY_FLOATS
    with localcontext(DIGITS):
        rates = np.array([float(-NS / Decimal(tau)) for tau in taus_seconds])
    return Decay(rows.reshape(-1), rates, shift)


def _shift(shortest_tau_seconds: float) -> int:
    """How many bits of a time are below a step, for half a step to be no more than LARGEST_REMAINDER."""
    most_ns = int(min(2 * LARGEST_REMAINDER * shortest_tau_seconds * 1e9, 2.0**LONGEST_SHIFT))
    return max(most_ns.bit_length() - 1, 0)


def _powers(step_ns: int, tau_seconds: float) -> Iterator[tuple[float, float]]:
    """exp(-t/tau) and exp(-t/tau) - 1 for t = 0, step, 2 step, ... while the first is not zero."""
    with localcontext(DIGITS):
        y = -step_ns * NS / Decimal(tau_seconds)
        factor, factor_less_one = y.exp(), _expm1(y)
        kept, less_one = Decimal(1), Decimal(0)
        for _ in range(1 << DECAY_BITS):
            pair = float(kept), float(less_one)
            if pair[0] == 0.0:
                return
            yield pair
            # Neither loses digits: what is added has one sign.
            less_one += kept * factor_less_one
            kept *= factor


def _expm1(y: Decimal) -> Decimal:
    """exp(y) - 1 for y < 0, all digits of it also where y is next to nothing."""
    if y < Decimal("-0.1"):
        return y.exp() - 1
    total, term = Decimal(0), Decimal(1)
    for n in range(1, 40):
        term *= y / n
        total += term
    return total
