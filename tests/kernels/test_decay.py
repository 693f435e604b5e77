"""What time leaves of a filter, against decimal arithmetic of fifty digits."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from vp.kernels import cells as cell_kernels
from vp.kernels.contract import DECAY_BITS, DECAY_FLOATS
from vp.kernels.state import Decay, Float64s
from vp.kernels.vectors import store_four
from vp.model.decay_table import DIGITS, decay_table

Taus = tuple[float, float, float, float]
DEFAULTS: Taus = (30.0, 2.0, 5.0, 10.0)
SECOND = 10**9
DAY = 86_400 * SECOND
decay_of = cell_kernels.decay


def store(table: Decay, elapsed_ns: int, out: Float64s) -> None:
    kept, alpha = decay_of(table, elapsed_ns)
    store_four(out, 0, kept)
    store_four(out, 4, alpha)


compiled = from_python(store)
taus = st.one_of(
    st.just(DEFAULTS),
    st.just((60.0,) * 4),
    st.tuples(*(st.floats(1e-3, 1e3) for _ in range(4))),
    st.tuples(*(st.sampled_from((1e-9, 3e-9, 1e-6, 0.25, 1e5, 1e9, 1e300)) for _ in range(4))),
)
times = st.one_of(
    st.integers(1, 1000),
    st.integers(1, SECOND),
    st.integers(1, 100 * SECOND),
    st.integers(1, 30 * DAY),
    st.integers(1, 2**62),
    st.builds(lambda bits, off: max((1 << bits) + off, 1), st.integers(0, 62), st.integers(-2, 2)),
)


def kept_and_alpha(taus: Taus, elapsed_ns: int) -> tuple[list[float], list[float]]:
    out = np.full(8, np.nan)
    compiled(decay_table(taus), elapsed_ns, out)
    return out[:4].tolist(), out[4:].tolist()


def exactly(tau: float, elapsed_ns: int) -> tuple[float, float]:
    """exp(-t/tau) and 1 - exp(-t/tau), each rounded once."""
    with localcontext(DIGITS) as context:
        context.prec = 400
        y = -Decimal(elapsed_ns) / 10**9 / Decimal(tau)
        kept = y.exp()
        return float(kept), float(1 - kept)


@settings(max_examples=80, deadline=None)  # each makes a table, which takes longer than to ask it for a time or ten
@given(taus=taus, elapsed=st.lists(times, min_size=1, max_size=10))
@example(taus=DEFAULTS, elapsed=[1])
@example(taus=DEFAULTS, elapsed=[2**62])
@example(taus=DEFAULTS, elapsed=[(1 << decay_table(DEFAULTS).shift - 1) - 1])  # the longest remainder, by itself
@example(taus=(1e-9, 1e-9, 1e300, 1.0), elapsed=[2**62])
@example(taus=(1e-9, 1e-9, 1e-9, 0.25), elapsed=[72_525_147_002])
def test_it_is_the_exponential_to_a_few_units_in_the_last_place(taus: Taus, elapsed: list[int]) -> None:
    for elapsed_ns in elapsed:
        kept, alpha = kept_and_alpha(taus, elapsed_ns)
        for tau, own_kept, own_alpha in zip(taus, kept, alpha, strict=True):
            want_kept, want_alpha = exactly(tau, elapsed_ns)
            assert own_kept == pytest.approx(want_kept, rel=2e-15, abs=1e-300)
            assert own_alpha == pytest.approx(want_alpha, rel=2e-15, abs=1e-300)
            assert 0.0 <= own_kept <= 1.0
            assert 0.0 <= own_alpha <= 1.0


def test_it_never_turns_back_from_one_nanosecond_to_the_next_where_rows_meet() -> None:
    """A jump at a row's edge would be a force out of nothing."""
    table = decay_table(DEFAULTS)
    step_ns = 1 << table.shift
    for middle in (step_ns // 2, 3 * step_ns // 2, (step_ns << DECAY_BITS) - step_ns // 2):
        around = [kept_and_alpha(DEFAULTS, ns)[0] for ns in range(middle - 3, middle + 4)]
        for earlier, later in pairwise(around):
            assert all(a >= b - 2.3e-16 * a for a, b in zip(earlier, later, strict=True))
            assert all(a - b < 1e-9 for a, b in zip(earlier, later, strict=True))


@pytest.mark.parametrize("taus", [DEFAULTS, (60.0,) * 4, (0.001, 1e4, 1.0, 2.0)])
def test_every_value_of_a_table_is_rounded_correctly(taus: Taus) -> None:
    table = decay_table(taus)
    levels = table.rows.reshape(-1, 1 << DECAY_BITS, DECAY_FLOATS)
    for level, row in ((0, 0), (0, 1), (0, 300), (0, 511), (1, 1), (1, 20), (2, 1), (2, 511)):
        elapsed_ns = row << (table.shift + level * DECAY_BITS)
        want = [exactly(tau, elapsed_ns) for tau in taus]
        assert levels[level, row].tolist() == [*(kept for kept, _ in want), *(-alpha for _, alpha in want)]
    assert table.rates.tolist() == [float(Decimal("-1e-9") / Decimal(tau)) for tau in taus]


def test_tables_reach_as_far_as_there_is_time() -> None:
    for tau in (1e-9, 1e-6, 0.3, 2.0, 1e4, 1e9, 1e300):
        table = decay_table((tau, tau, tau, tau))
        levels = table.rows.size // DECAY_FLOATS >> DECAY_BITS
        assert table.shift + levels * DECAY_BITS >= 63
        half_step = (1 << table.shift) / 2 * 1e-9
        assert half_step <= max(tau / 56, 0.5e-9)
    assert decay_table(DEFAULTS) is decay_table(DEFAULTS), "made once"


def test_a_time_constant_of_which_a_nanosecond_leaves_nothing_is_none() -> None:
    kept, alpha = kept_and_alpha((1e-9, 1e-9, 1e-9, 1e-9), 1)
    assert kept == [math.exp(-1)] * 4 == [1 - a for a in alpha]
    assert kept_and_alpha((1e-9,) * 4, 1000) == ([0.0] * 4, [1.0] * 4)
