"""What scripts/study_search says of a set of parameters, against correlations taken by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.study_search import FOUND_HERE, Fold, Session, Tried, drawn_sets, report
from tests.vp.study.markets import DAYS, write_lake
from vp.model.parameters import PRESETS
from vp.model.session import SessionSpec
from vp.study.ranks import ranks
from vp.study.samples import MAIN_TARGET

SETS = drawn_sets(1, 1)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tried]:
    lake = str(write_lake(tmp_path_factory.mktemp("lake")))
    specs = (SessionSpec("future_mbo", "MNQH6", day, lake=lake) for day in DAYS[:2])
    return {spec.dt: Tried(Session(spec.dt, spec), SETS) for spec in specs}


def by_hand(one: Tried, feature: np.ndarray) -> float:
    move = one.samples.targets[MAIN_TARGET]
    known = np.isfinite(move)
    return float(np.corrcoef(ranks(feature[known]), ranks(move[known]))[0, 1])


def test_sets_are_drawn_once_each_beside_the_presets() -> None:
    assert [*drawn_sets(20, 3)][: len(PRESETS)] == [*PRESETS]
    assert len({one.digest for one in drawn_sets(20, 3).values()}) == 20 + len(PRESETS)
    assert [*drawn_sets(20, 3)] == [*drawn_sets(20, 3)] != [*drawn_sets(20, 4)]


def test_coefficients_and_gains_are_those_taken_by_hand(tried: dict[str, Tried]) -> None:
    one = tried[DAYS[0]]
    drawn = [*SETS][-1]
    ics = {name: by_hand(one, one.scores[name]) for name in SETS}
    assert len({round(ic, 6) for ic in ics.values()}) > 1
    for name, ic in ics.items():
        assert one.coefficient(name) == pytest.approx(ic, abs=1e-12)
        low, high = one.interval(name)
        assert low < ic < high
    gained, low, high = one.gain(drawn, one.scores["default"])
    assert gained == pytest.approx(ics[drawn] - ics["default"], abs=1e-12)
    assert low <= gained <= high
    assert one.gain("default", one.scores["default"]) == (0.0, 0.0, 0.0)


def test_the_best_of_the_days_for_choosing_is_reported_on_the_others(tried: dict[str, Tried]) -> None:
    lines = list(report(tried, [Fold((DAYS[0],), (DAYS[1],))], [*SETS]))
    best = max((name for name in SETS if name != FOUND_HERE), key=tried[DAYS[0]].coefficient)
    assert lines[0].startswith(f"Chosen on {DAYS[0]}: `{best}` ")
    row = next(line for line in lines if line.startswith(f"| {DAYS[1]} |"))
    assert row.startswith(f"| {DAYS[1]} | {tried[DAYS[1]].coefficient(best):.3f} [")
    assert len([line for line in lines if line.startswith(tuple(f"| {name} |" for name in SETS))]) == len(SETS)
