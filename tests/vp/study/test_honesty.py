"""What one who doubts a study would try: the future, pauses, endless windows, hardly any samples, other machines."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.dbn_files import header, mbo
from tests.places import ROOT
from tests.vp.study.made_sessions import NS, START_NS, samples, session
from tests.vp.study.markets import DAYS, FIRST_DAY_NS, RAW, SECOND, TICK, swaying_market, write_lake
from vp.kernels.contract import CHANGE_AFTER_PAUSE, CHANGE_CLOCK, CHANGE_SPREAD, CHANGE_TWICE_MID, CHANGE_VALID
from vp.model.session import SessionSpec
from vp.study.blocks import LEAST_BLOCKS, Blocks
from vp.study.foresight import block_seconds
from vp.study.measure import Measures
from vp.study.sampled_session import SampledSession, sample_session
from vp.study.samples import TARGETS, Samples, take_samples
from vp.study.study import ParameterSet, Source, Study, choose, measure, together
from vp.study.verdict import sentences, told_from_chance

MINUTES = 20
UNTIL = 602  # seconds, up to where two markets are one: at that very moment the quotes move


def lake_with(root: Path, seconds_of_sway: int) -> SessionSpec:
    """A day that sways for so long, and then goes on elsewhere, with larger orders."""
    (root / RAW).mkdir(parents=True)
    start = FIRST_DAY_NS + 15 * 3_600 * SECOND
    records = swaying_market(start, MINUTES * 60)
    limit = start + seconds_of_sway * SECOND
    changed = [one if one.ts_event < limit else one._replace(price=one.price + 40 * TICK, size=9) for one in records]
    data = header(symbols={"MNQH6": 7}) + b"".join(mbo(record, 7) for record in changed)
    (root / RAW / f"glbx-mdp3-{DAYS[0].replace('-', '')}.mbo.dbn").write_bytes(data)
    return SessionSpec("future_mbo", "MNQH6", DAYS[0], lake=str(root))


def test_no_feature_knows_what_comes_later(tmp_path: Path) -> None:
    columns = ("vacuum_above", "buy_volume")
    one, other = (
        take_samples(sample_session(lake_with(tmp_path / name, sways)), 1, columns)
        for name, sways in (("one", UNTIL), ("other", MINUTES * 60))
    )
    start = FIRST_DAY_NS + 15 * 3_600 * SECOND
    here, there = (each.times_ns < start + UNTIL * NS for each in (one, other))
    assert here.sum() == there.sum() > 8 * 60
    for name, values in one.features.items():
        assert np.array_equal(values[here], other.features[name][there], equal_nan=True), name
    for target, seconds in (("5 s", 5), ("60 s", 60)):
        ended = one.times_ns[here] + seconds * NS < start + UNTIL * NS
        same = one.targets[target][here] == other.targets[target][there]
        assert same[ended].all()
    assert not np.array_equal(one.targets["5 s"][~here], other.targets["5 s"][~there], equal_nan=True)


def paused(awake: int, silent: int) -> SampledSession:
    """So many seconds with a frame each, a pause, and as many again."""
    after = awake + silent
    changes: list[tuple[float, int, float, int]] = [
        (0, 1, 100.0, CHANGE_VALID),
        (after, awake + 1, 100.0, CHANGE_VALID | CHANGE_AFTER_PAUSE),
    ]
    made = session([100.0] * (2 * awake), changes)
    at = np.concatenate([np.arange(awake), after + np.arange(awake)])
    times = START_NS + at * NS
    return dataclasses.replace(made, columns=made.columns | {"ts_ns": times}, last_ns=int(times[-1]))


def test_a_pause_of_hours_has_no_samples() -> None:
    taken = take_samples(paused(200, 7_200))
    seconds = (taken.times_ns - START_NS) // NS
    assert seconds[seconds < 7_000].max() == 199 + 300, "five minutes after the last event nothing is known any more"
    assert np.isnan(taken.targets["60 s"][seconds == 450]).all(), "nor is what a window ends with"
    assert np.isfinite(taken.targets["10 s"][seconds == 450]).all()


def test_windows_that_end_with_events_have_blocks_as_long_as_they_last() -> None:
    quick = take_samples(session([100.0 + i % 2 for i in range(400)]))
    assert quick.window_seconds["10 events"] == pytest.approx(10)
    assert quick.window_seconds["next move"] == pytest.approx(1)
    assert "1000 events" not in quick.window_seconds, "none has ended"
    slow = together([quick, dataclasses.replace(quick, window_seconds={"10 events": 100.0})])
    assert slow.window_seconds["10 events"] == 100
    assert [block_seconds("10 events", lasted) for lasted in (10.0, 100.2)] == [30, 201]
    assert block_seconds("60 s", 0.0) == 120
    rows = Measures(measure("default", stretched(samples(3_000, 0.3), 1_000.0), 1))
    found = rows.one("ic", feature="score", target="100 events")
    assert found is not None
    assert np.isfinite(found.value)
    assert np.isnan(found.low), "two blocks tell no interval"


def stretched(made: Samples, seconds: float) -> Samples:
    return dataclasses.replace(made, window_seconds={"100 events": seconds})


def test_few_blocks_tell_no_interval_where_they_would_tell_one_of_no_width() -> None:
    series = np.random.default_rng(1).standard_normal((1, 300))
    for count, told in ((LEAST_BLOCKS * 30 - 1, False), (LEAST_BLOCKS * 30, True)):
        value, low, high = Blocks(count, 30, 1).interval(series[:, :count], lambda x: x)
        assert np.isfinite(value)
        assert np.isfinite([low, high]).all() == told
        assert not told or low < high


def study_of(made: Samples) -> Study:
    return Study(
        (ParameterSet("default", "0" * 12, {}),),
        (Source("MNQH6", "2026-02-06", ()),),
        Measures(measure("default", made, 1)),
        len(made),
        1,
        0.5,
        0.0,
        1,
        "0.0.0",
    )


@pytest.mark.parametrize("count", [0, 1, 2, 29, 31, 61, 121, 299, 301])
def test_hardly_any_samples_are_too_short_to_tell_however_well_they_fit(count: int) -> None:
    made = samples(1_000, 0.9)
    few = dataclasses.replace(
        made,
        times_ns=made.times_ns[:count],
        features={name: values[:count] for name, values in made.features.items()},
        targets={name: values[:count] for name, values in made.targets.items()},
        half_spread_ticks=made.half_spread_ticks[:count],
        interval={name: values[:count] for name, values in made.interval.items()},
    )
    study = study_of(few)
    assert sentences(study)[0].startswith("Too short to tell")
    if count < LEAST_BLOCKS * 30:
        assert not told_from_chance(study, "default")
    assert not [row for row in study.measures.rows if row.low == row.high and row.statistic.startswith("ic")]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_feature_that_says_nothing_is_told_from_nothing(value: float) -> None:
    made = samples(1_200, 0.3)
    study = study_of(dataclasses.replace(made, features=made.features | {"score": np.full(1_200, value)}))
    assert not told_from_chance(study, "default")
    first = sentences(study)[0]
    assert "cannot be told from chance" in first or first.startswith("Too short to tell")
    assert "nan" not in " ".join(sentences(study))


def test_a_quote_that_nobody_means_makes_no_mid() -> None:
    made = session([100.0] * 400)
    rows = [made.changes[0].tolist() for _ in range(3)]
    for row, second, mid, spread in zip(rows, (0, 200, 201), (100, 100_000, 100), (1, 199_800, 1), strict=True):
        row[CHANGE_CLOCK] += second * NS
        row[CHANGE_TWICE_MID] = 2 * mid * TICK
        row[CHANGE_SPREAD] = spread * TICK
    taken = take_samples(dataclasses.replace(made, changes=np.array(rows)))
    seconds = (taken.times_ns - START_NS) // NS
    assert not np.nan_to_num(taken.targets["1 s"]).any(), "a stub is no move"
    assert not ((seconds >= 200) & (seconds < 201 + 60)).any(), "it ends a segment, as an invalid book does"
    assert np.isnan(taken.targets["10 s"][seconds == 195]).all()
    wide = np.array(rows)
    wide[1, [CHANGE_TWICE_MID, CHANGE_SPREAD]] = 2 * 120 * TICK, 41 * TICK
    taken = take_samples(dataclasses.replace(made, changes=wide))
    assert taken.targets["1 s"][199] == 20, "a wide quote is one"


def test_a_score_that_says_nothing_is_never_the_best() -> None:
    made = samples(1_200, -0.1)
    flat = dataclasses.replace(made, features=made.features | {"score": np.zeros(1_200)})
    assert choose({"flat": flat, "made": made}, DAYS[0], 1).best == "made"


def test_what_is_null_is_no_number() -> None:
    taken = take_samples(session([100.0] * 80, last_price=[0.0] * 40 + [25e9] * 40), 1, ("last_price",))
    assert np.isnan(taken.features["last_price"][39])
    assert taken.features["last_price"][40] == 25e9


def test_days_with_other_ticks_are_measured_each_in_its_own() -> None:
    coarse = session([100.0] * 70 + [104.0] * 70)
    fine = dataclasses.replace(coarse, tick_int=coarse.tick_int // 2)
    both = together([take_samples(coarse), take_samples(fine)])
    assert both.targets["5 s"][[66, 140 + 66]].tolist() == [4, 8]
    assert both.half_spread_ticks[[66, 140 + 66]].tolist() == [0.5, 1.0]
    assert set(both.targets) == set(TARGETS)


def test_no_window_reaches_into_another_day() -> None:
    one, other = session([100.0] * 90), session([200.0] * 90)
    both = together([take_samples(one), take_samples(other)])
    moves = np.concatenate([both.targets[name][np.isfinite(both.targets[name])] for name in TARGETS])
    assert not moves.any()
    assert not np.nan_to_num(both.features["mid change 10 s"]).any()


@pytest.mark.long
def test_other_threads_zones_and_processors_write_the_same_bytes(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake")
    written = set()
    surroundings: tuple[dict[str, str], ...] = (
        {"OPENBLAS_NUM_THREADS": "1", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
        {"OPENBLAS_NUM_THREADS": "2", "TZ": "America/New_York", "PYTHONHASHSEED": "2"},
        {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"},
    )
    for number, environment in enumerate(surroundings):
        out = tmp_path / f"{number}.html"
        words = ["--lake", str(lake), "--symbol", "MNQH6", "--dt", f"{DAYS[0]}..{DAYS[1]}", "--out", str(out)]
        command = [sys.executable, "-m", "vp.study", *words, "--parameters", "default,touch"]
        subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
        written.add(tuple(out.with_suffix(ending).read_bytes() for ending in (".html", ".md", ".parquet")))
    assert len(written) == 1
