"""What time leaves of four exponential filters, by table: the same bits on every machine, and never below zero.

A time in ns is cut into digits of DECAY_BITS bits, and a remainder of half a row's step at the most. A table has a
level for each digit, and a level a row for each value: exp(-t/tau) of the four time constants, then exp(-t/tau) - 1.
What is left of longer times is the product over their digits; the remainder's factor is a polynomial.
"""

from __future__ import annotations

from .contract import DECAY_BITS, DECAY_FLOATS, DECAY_MASK
from .jit import step
from .state import Decay, FourFloats
from .vectors import LANES, at_most, load_four


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
