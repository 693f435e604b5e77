"""The verdict says what the figures say, "too short to tell" included."""

from __future__ import annotations

import dataclasses
import re
from functools import cache

import pytest

from tests.vp.study.made_sessions import samples
from vp.study.measure import Measures
from vp.study.rendering import html, markdown
from vp.study.report import report
from vp.study.samples import Samples
from vp.study.study import ParameterSet, Source, Study, choose, measure
from vp.study.verdict import sentences

SOURCE = Source("MNQH6", "2026-02-06", (("mnq.dbn", "0" * 64),))


def study_of(made: Samples) -> Study:
    return Study(
        (ParameterSet("default", "0" * 12, {}),),
        (SOURCE,),
        Measures(measure("default", made, 1)),
        len(made),
        made.period_seconds,
        float(made.half_spread_ticks.mean()),
        0.0,
        1,
        "0.0.0",
    )


@cache
def made_study(strength: float, *, seed: int = 1, state_move: float = 0.0) -> Study:
    """The study of fifty minutes, which takes seconds to make."""
    return study_of(samples(3_000, strength, seed, state_move=state_move))


def test_a_quarter_of_an_hour_is_too_short_to_tell() -> None:
    first, *more = sentences(study_of(samples(600, 0.5)))
    assert first.startswith("Too short to tell: 600 samples are 20 blocks of 30 seconds")
    assert not more


def test_nothing_is_too_short_to_tell() -> None:
    assert sentences(study_of(samples(10, 0.5)))[0].startswith("Too short to tell")


def test_what_foretells_is_said_to_and_held_against_its_rival() -> None:
    first, adds, *_ = sentences(made_study(0.3))
    assert first.startswith("Over 5 s the score foretold the mid here, more than queue imbalance: ")
    assert "it adds something (partial" in adds


def test_what_points_the_wrong_way_is_said_to() -> None:
    first, adds, *_ = sentences(made_study(-0.3))
    assert "the score pointed the wrong way here" in first
    assert "it adds nothing, it points the other way" in adds


def test_an_interval_without_0_is_not_enough_where_shifts_in_time_show_as_much() -> None:
    study = made_study(0.3)
    rows = [
        dataclasses.replace(row, value=0.2) if (row.statistic, row.feature) == ("shift_p", "score") else row
        for row in study.measures.rows
    ]
    first = sentences(dataclasses.replace(study, measures=Measures(rows)))[0]
    assert "cannot be told from chance" in first
    assert "shifted in time shows as much in 20% of all shifts" in first


def test_noise_cannot_be_told_from_chance() -> None:
    first, adds, *_ = sentences(made_study(0.0, seed=4))
    assert first.startswith("Over 5 s the score cannot be told from chance here")
    assert "adds nothing that can be told from chance" in adds


@pytest.mark.parametrize(
    ("half_spread", "fees", "words"),
    [(0.5, 0.0, "more than the 0.50 ticks"), (50.0, 0.0, "not more than the 50.00"), (0.5, 40.0, "40.00 of fees")],
)
def test_a_move_stands_beside_its_cost(half_spread: float, fees: float, words: str) -> None:
    study = made_study(0.3, state_move=4.0)
    cost = sentences(dataclasses.replace(study, half_spread_ticks=half_spread, fees_ticks=fees))[2]
    assert words in cost
    assert ("not more than" in cost) == (half_spread + fees > 10)


def test_the_move_after_down_counts_downward() -> None:
    made = samples(3_000, 0.0, state_move=4.0)
    down_alone = dataclasses.replace(made, features=made.features | {"state": made.features["state"].clip(max=0)})
    assert sentences(study_of(down_alone))[2].startswith("After DOWN the mid moved -")


def test_the_best_set_is_chosen_on_the_days_for_choosing() -> None:
    choice = choose({"default": samples(2_000, 0.0), "touch": samples(2_000, 0.2)}, "2026-02-02", 1)
    assert choice.best == "touch"
    assert [row.parameters for row in choice.coefficients] == ["default", "touch"]


def test_every_table_and_plot_of_moves_says_what_a_trade_costs() -> None:
    parts = list(report(dataclasses.replace(made_study(0.3), half_spread_ticks=0.7, fees_ticks=0.3)))
    page = html(parts)
    cost = "half the spread 0.70, fees 0.30 ticks"
    assert page.count(cost) == 1 + 2 * 2, "once in words, and in two plots, each with its label for readers"
    assert cost in markdown(parts)


def test_a_page_is_readable_on_dark_paper_and_needs_nothing_besides() -> None:
    page = html(report(made_study(0.3)))
    style, body = page.split("</style>")
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    used = set(re.findall(r"var\((--\w+)\)", page))
    assert len(used) > 8
    for name in used:
        assert f"{name}:" in light
        assert f"{name}:" in dark, "each colour has its own on dark paper"
    assert not re.search(r"#[0-9a-f]{3,6}\b", body), "no colour but these"
    assert not re.search(r"(src|href)=|url\(|@import", page)


def test_what_is_not_told_from_chance_adds_nothing() -> None:
    study = made_study(0.3)
    partial = study.measures.one("partial_ic", target="5 s")
    assert partial is not None
    assert partial.low > 0
    rows = [
        dataclasses.replace(row, value=0.2) if (row.statistic, row.feature) == ("shift_p", "score") else row
        for row in study.measures.rows
    ]
    assert "it adds nothing that can be told" in sentences(dataclasses.replace(study, measures=Measures(rows)))[1]
