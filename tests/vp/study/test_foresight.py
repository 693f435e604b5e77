"""Figures against the same by plain numpy, on samples of which it is known what they foretell."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vp.study.made_sessions import samples
from vp.study.measure import Measure, Measures
from vp.study.samples import Samples
from vp.study.study import measure

COUNT = 3_000


@pytest.fixture(scope="module")
def made() -> Samples:
    return samples(COUNT, 0.25, state_move=0.5)


@pytest.fixture(scope="module")
def found(made: Samples) -> Measures:
    return Measures(measure("default", made, 1))


def the(found: Measures, statistic: str, **words: str) -> Measure:
    row = found.one(statistic, **words)
    assert row is not None, (statistic, words)
    assert not np.isfinite(row.low) or row.low <= row.value <= row.high
    return row


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    one, other = (np.argsort(np.argsort(v)) for v in (x, y))  # no value is there twice
    return float(np.corrcoef(one, other)[0, 1])


def test_coefficients(made: Samples, found: Measures) -> None:
    score, rival, move = made.features["score"], made.features["queue imbalance"], made.targets["5 s"]
    row = the(found, "ic", feature="score", target="5 s")
    assert row.value == pytest.approx(spearman(score, move))
    assert row.low > 0
    assert row.count == COUNT
    assert the(found, "ic", feature="queue imbalance", target="5 s").value == pytest.approx(spearman(rival, move))
    above = the(found, "ic_above_rival", target="5 s")
    assert above.value == pytest.approx(spearman(score, move) - spearman(rival, move))
    assert above.low > 0


def test_what_others_know_already_is_no_addition(made: Samples) -> None:
    noise = np.random.default_rng(8).standard_normal(COUNT)
    same = made.features | {"queue imbalance": made.features["score"], "score": made.features["score"] + 0.3 * noise}
    found = Measures(measure("default", Samples(**{**vars(made), "features": same}), 1))
    partial = the(found, "partial_ic", target="5 s")
    assert partial.low < 0 < partial.high
    assert the(found, "ic", feature="score", target="5 s").low > 0
    gained = the(found, "oos_ic_gained", target="5 s")
    assert abs(gained.value) < 0.02


def test_out_of_sample_the_score_gains_what_it_foretells(made: Samples, found: Measures) -> None:
    later = slice(COUNT // 2 + 60, None)
    both = the(found, "oos_ic", feature="baselines and score", target="5 s")
    assert both.value == pytest.approx(spearman(made.features["score"][later], made.targets["5 s"][later]), abs=0.05)
    assert the(found, "oos_ic", feature="baselines", target="5 s").value < 0.1
    assert the(found, "oos_ic_gained", target="5 s").low > 0


@pytest.mark.parametrize(("state", "value"), [("UP", 1), ("CHOP", 0), ("DOWN", -1)])
def test_after_states(made: Samples, found: Measures, state: str, value: int) -> None:
    inside, move = made.features["state"] == value, made.targets["5 s"]
    way = -1 if value < 0 else 1
    words = {"target": "5 s", "group": state}
    assert the(found, "share_of_time", **words).value == pytest.approx(inside.mean())
    assert the(found, "mean_move", **words).value == pytest.approx(move[inside].mean())
    assert the(found, "mean_move_beside_mean", **words).value == pytest.approx(move[inside].mean() - move.mean())
    assert the(found, "hit_rate", **words).value == pytest.approx((way * move[inside] > 0).mean())
    assert the(found, "base_rate", **words).value == pytest.approx((way * move > 0).mean())
    beside = the(found, "hit_rate_beside_base", **words)
    assert (beside.low > 0) == (value != 0)
    assert beside.count == inside.sum()


def test_deciles_rise_with_the_score(made: Samples, found: Measures) -> None:
    rows = found.of("decile_mean_move")
    assert [row.count for row in rows] == [COUNT // 10] * 10
    order = np.argsort(made.features["score"])
    assert rows[9].value == pytest.approx(made.targets["5 s"][order[-COUNT // 10 :]].mean())
    assert rows[0].high < 0 < rows[9].low
    ups = found.of("decile_share_up")
    assert ups[0].high < 0.5 < ups[9].low


def test_calibration_sets_what_was_beside_what_came(made: Samples, found: Measures) -> None:
    first, later = found.of("foretold_share_up"), found.of("later_share_up")
    half = COUNT // 2
    limit = np.quantile(made.features["score"][:half], 0.8)
    top = made.features["score"] >= limit
    assert first[4].value == pytest.approx((made.targets["next move"][:half][top[:half]] > 0).mean())
    assert later[4].value == pytest.approx((made.targets["next move"][half:][top[half:]] > 0).mean())


def test_the_same_interval_is_told_apart_from_foresight(made: Samples, found: Measures) -> None:
    row = the(found, "same_interval_r2")
    x, y = made.interval["order flow"][::10], made.interval["move"][::10]
    assert row.value == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def test_each_tenth_of_the_samples_has_its_own(made: Samples, found: Measures) -> None:
    rows = found.of("ic_of_part", feature="score")
    assert [row.count for row in rows] == [COUNT // 10] * 10
    part = slice(0, COUNT // 10)
    assert rows[0].value == pytest.approx(spearman(made.features["score"][part], made.targets["5 s"][part]))
