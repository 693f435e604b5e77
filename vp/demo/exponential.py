"""The exponential and the logarithm of the demonstration: the same bits on every machine.

Made of additions and multiplications alone, each rounded as IEEE 754 says; the last digits of a C library's differ from
processor to processor, and one of them could turn an order of the demonstration into another.
"""

from __future__ import annotations

import math
from typing import Final

from vp.demo.compiled import routine

LN2_HIGH: Final = 6.93147180369123816490e-01  # ln 2, but for its low digits: small multiples of it are exact
LN2_LOW: Final = 1.90821492927058770002e-10  # the rest of it
SQRT_HALF: Final = 0.7071067811865476


@routine
def exponential(x: float) -> float:
    """exp(x) for x from 0 to 40, within 1.5 units of the last place."""
    halvings = int(x / LN2_HIGH + 0.5)
    r = (x - halvings * LN2_HIGH) - halvings * LN2_LOW
    series = 0.0
    for n in range(14, 0, -1):  # r/1 (1 + r/2 (1 + r/3 ...)), where |r| <= 0.35 and r^15/15! is nothing
        series = r / n * (1.0 + series)
    return (1.0 + series) * float(1 << halvings)


@routine
def logarithm(x: float) -> float:
    """The natural logarithm of a normal x > 0, within one unit of the last place."""
    mantissa, exponent = math.frexp(x)  # exact
    if mantissa < SQRT_HALF:
        mantissa *= 2.0
        exponent -= 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    series = 0.0
    for n in range(23, 1, -2):  # log(1 + f) = 2 (s + s^3/3 + s^5/5 + ...)
        series = z * (1.0 / n + series)
    half = 0.5 * f * f
    return exponent * LN2_HIGH - ((half - (s * (half + 2.0 * series) + exponent * LN2_LOW)) - f)
