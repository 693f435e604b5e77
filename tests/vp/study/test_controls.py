"""Shifts in time by Fourier's transform against shifting by hand, and what controls must show."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vp.study.made_sessions import samples
from vp.study.controls import nulls, shifted, spectra
from vp.study.foresight import Resampling
from vp.study.measure import Measures
from vp.study.study import measure


def test_shifted_correlations_are_those_of_rolled_arrays() -> None:
    rng = np.random.default_rng(2)
    n, least = 150, 20
    x, y = rng.standard_normal(n), rng.standard_normal(n)
    known_x, known_y = rng.random(n) > 0.1, rng.random(n) > 0.2
    by_hand = []
    for shift in range(least, n - least + 1):
        moved, known = np.roll(x, shift), np.roll(known_x, shift) & known_y
        by_hand.append(np.corrcoef(moved[known], y[known])[0, 1])
    assert shifted(spectra(x, known_x), spectra(y, known_y), n, least) == pytest.approx(np.array(by_hand))


def test_a_score_that_foretells_is_rare_among_its_shifts_and_noise_is_not() -> None:
    strong, weak = (
        Measures(list(nulls("default", made, {("score", "5 s"): ic}, Resampling(made, 1))))
        for made, ic in ((samples(2_000, 0.2), 0.2), (samples(2_000, 0.0), 0.01))
    )
    luck = [one.one("shift_p", feature="score", target="5 s") for one in (strong, weak)]
    assert luck[0] is not None
    assert luck[1] is not None
    assert luck[0].value < 0.01 < luck[1].value


def test_a_planted_signal_is_found_and_a_turned_score_is_the_score_turned() -> None:
    found = Measures(measure("default", samples(2_000, 0.2), 1))
    planted, flipped, score = (
        found.one(name, **words)
        for name, words in (
            ("planted_ic", {}),
            ("sign_flipped_ic", {}),
            ("ic", {"feature": "score", "target": "5 s"}),
        )
    )
    assert planted is not None
    assert flipped is not None
    assert score is not None
    assert planted.low > 0
    assert flipped.value == pytest.approx(-score.value)
    assert (flipped.low, flipped.high) == pytest.approx((-score.high, -score.low), abs=1e-5)
