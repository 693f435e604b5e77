"""A small version of the table of scripts/study_power: what is planted is found, and what is not there is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.study_power import look, planted, unrelated
from tests.vp.study.made_sessions import samples


def test_a_market_is_judged_by_its_score_and_one_target_alone() -> None:
    told, not_told = look(samples(2_000, 0.2), 1), look(samples(2_000, 0.0), 1)
    assert told.found
    assert told.upward
    assert not look(samples(2_000, -0.2), 1).upward
    assert not not_told.found


@pytest.mark.long
def test_a_strong_truth_is_found_with_its_sign_and_a_stronger_one_shows_more(tmp_path: Path) -> None:
    strong, weak = (list(planted(strength, 4, tmp_path)) for strength in (0.8, 0.2))
    assert all(run.found and run.upward for run in strong)
    assert np.mean([run.coefficient for run in strong]) > np.mean([run.coefficient for run in weak]) + 0.1
    turned = list(planted(-0.8, 2, tmp_path))
    assert all(run.found and not run.upward for run in turned)


@pytest.mark.long
def test_what_is_not_there_is_seldom_found(tmp_path: Path) -> None:
    found = [run.found for run in unrelated(20, tmp_path)]
    assert sum(found) <= 4  # more than that come once in a thousand times where one in twenty is a false alarm
