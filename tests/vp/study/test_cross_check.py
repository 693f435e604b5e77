"""Intervals of another's bootstrap beside VP's own."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from tests.vp.study.made_sessions import samples
from vp.errors import IncompleteInstallationError
from vp.study.cross_check import cross_checked, judge_cross_check
from vp.study.foresight import Resampling, information_coefficients
from vp.study.measure import Measures
from vp.study.samples import Samples


def beside(made: Samples) -> tuple[Measures, Measures]:
    own = Measures(list(information_coefficients("default", made, Resampling(made, 1))))
    return own, Measures(list(cross_checked("default", made, 1)))


@pytest.mark.parametrize("strength", [0.3, -0.2, 0.0])
def test_another_bootstrap_agrees(strength: float) -> None:
    own, other = beside(samples(2_000, strength))
    for feature in ("score", "queue imbalance"):
        here = own.one("ic", feature=feature, target="5 s")
        there = other.one("cross_checked_ic", feature=feature)
        assert here is not None
        assert there is not None
        assert there.value == pytest.approx(here.value)
        assert there.count == here.count
        assert (there.low, there.high) == pytest.approx((here.low, here.high), abs=0.02)
    assert other.rows == list(cross_checked("default", samples(2_000, strength), 1)), "the same seed gives the same"


def test_blocks_are_as_long_as_what_is_remembered() -> None:
    short = samples(2_000, 0.0)
    slow = np.convolve(np.random.default_rng(1).standard_normal(2_099), np.ones(100), "valid")
    long = dataclasses.replace(
        short, features=short.features | {"score": slow}, targets=short.targets | {"5 s": np.roll(slow, 300)}
    )
    lengths = [beside(made)[1].one("cross_check_block_seconds", feature="score") for made in (short, long)]
    assert lengths[0] is not None
    assert lengths[1] is not None
    assert lengths[0].value < 30 < lengths[1].value


def test_a_score_that_is_the_same_everywhere_has_none() -> None:
    made = samples(500, 0.3)
    flat = dataclasses.replace(made, features=made.features | {"score": np.zeros(500)})
    assert beside(flat)[1].one("cross_checked_ic", feature="score") is None


def test_without_the_package_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_cross_check()
    monkeypatch.setitem(sys.modules, "arch", None)
    monkeypatch.delitem(sys.modules, "arch.bootstrap", raising=False)
    with pytest.raises(IncompleteInstallationError, match="arch, which is not installed") as raised:
        judge_cross_check()
    assert "vacuum-pressure[study]" in (raised.value.hint or "")
