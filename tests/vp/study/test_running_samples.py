"""Samples taken out of frames as they come, against those of the study, and where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.dbn_files import header, mbo
from tests.vp.study.made_sessions import NS, START_NS, TICK, session
from tests.vp.study.markets import DAYS, FIRST_DAY_NS, RAW, swaying_market
from vp.model.frames import column_values
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.study import running_samples
from vp.study.running_samples import COLUMNS, RunningSamples
from vp.study.sampled_session import sample_session
from vp.study.samples import MAIN_TARGET, Samples, take_samples

Frames = dict[str, np.ndarray]


def frames(mids: Sequence[float], seconds: Sequence[float] | None = None, **more: Sequence[float]) -> Frames:
    """A frame at each of the seconds, or at every one, with these mids in ticks."""
    made = session(list(mids)).columns
    columns = {name: made[name].copy() for name in COLUMNS} | {name: np.array(values) for name, values in more.items()}
    if seconds is not None:
        columns["ts_ns"] = START_NS + np.array([round(second * NS) for second in seconds])
    return columns | {"book_valid": np.array(more.get("book_valid", [1] * len(mids)))}


def taken(columns: Frames, *, at_once: int = 10**6, warm: bool = True, from_ns: int = START_NS) -> Samples:
    running = RunningSamples(TICK, from_ns, is_warm=warm)
    for first in range(0, len(columns["ts_ns"]), at_once):
        running.take({name: values[first : first + at_once] for name, values in columns.items()})
    return running.samples()


def seconds_of(samples: Samples) -> list[int]:
    return [int(second) for second in (samples.times_ns - START_NS) // NS]


def assert_alike(running: Samples, study: Samples) -> None:
    """Those taken as frames came are the study's, but for the last, behind which no frame has come yet."""
    count = len(running)
    assert len(study) - count in {0, 1}
    assert running.times_ns.tolist() == study.times_ns[:count].tolist()
    for name in ("score", "queue imbalance"):
        assert np.array_equal(running.features[name], study.features[name][:count]), name
    known = np.isfinite(running.targets[MAIN_TARGET])
    assert known.sum() >= np.isfinite(study.targets[MAIN_TARGET]).sum() - 1
    assert np.array_equal(running.targets[MAIN_TARGET][known], study.targets[MAIN_TARGET][:count][known])
    assert np.allclose(running.half_spread_ticks, study.half_spread_ticks[:count])


def test_samples_of_frames_are_those_of_the_study(tmp_path: Path) -> None:
    """Of a session that the engine ran, with a frame for every event end."""
    (tmp_path / RAW).mkdir(parents=True)
    records = swaying_market(FIRST_DAY_NS + 15 * 3_600 * NS, 300)
    data = header(symbols={"MNQH6": 7}) + b"".join(mbo(record, 7) for record in records)
    (tmp_path / RAW / f"glbx-mdp3-{DAYS[0].replace('-', '')}.mbo.dbn").write_bytes(data)
    spec = SessionSpec("future_mbo", "MNQH6", DAYS[0], throttle_ms=0.0, lake=str(tmp_path))
    shown = prepare(spec)
    running = RunningSamples(shown.info.tick_int, shown.info.emit_from_ns, is_warm=False)
    places = {column.name: column for column in shown.layout.columns}
    while not shown.finished:
        buffer = shown.advance(None, 7).buffer
        running.take({name: column_values(buffer, places[name]) for name in COLUMNS})
    study = take_samples(sample_session(spec))
    samples = running.samples()
    assert_alike(samples, study)
    assert len(samples) >= 239
    assert len(np.unique(samples.features["score"])) > 10
    # strength is beside the mean over frames, and the study has one a second: a few states are others
    assert (samples.features["state"] == study.features["state"][: len(samples)]).mean() > 0.8
    assert {-1.0, 1.0} <= set(samples.targets[MAIN_TARGET])


@pytest.mark.parametrize("at_once", [1, 7, 10**6])
def test_how_many_frames_come_at_once_changes_nothing(at_once: int) -> None:
    mids = np.cumsum(np.random.default_rng(4).integers(-1, 2, 200)).astype(float).tolist()
    columns = frames(mids, bid_size=list(range(1, 201)), state=[1, 0, -1, 0] * 50)
    study = take_samples(session(mids, bid_size=list(range(1, 201)), state=[1, 0, -1, 0] * 50))
    samples = taken(columns, at_once=at_once)
    assert_alike(samples, study)
    assert np.array_equal(samples.features["state"], study.features["state"][: len(samples)])


def test_a_moment_has_the_last_frame_up_to_it() -> None:
    samples = taken(frames([100, 101, 102, 103], [0.2, 0.9, 2.0, 2.5], score=[0.1, 0.2, 0.3, 0.4]))
    assert seconds_of(samples) == [1, 2]
    assert samples.features["score"].tolist() == pytest.approx([0.2, 0.3])


def test_context_tells_where_a_segment_began_and_is_no_sample_itself() -> None:
    columns = frames([100.0] * 100, [-40.0 + second for second in range(100)])
    assert seconds_of(taken(columns, warm=False))[0] == 20
    assert seconds_of(taken(columns))[0] == 0


def test_no_window_reaches_over_an_invalid_book_or_a_pause() -> None:
    valid = [1] * 90 + [0] * 2 + [1] * 78
    broken = taken(frames([100.0] * 90 + [107.0] * 80, book_valid=valid))
    assert seconds_of(broken) == [*range(90), *range(152, 169)], "a segment begins with a minute of warmup"
    paused = taken(frames([100.0] * 90 + [107.0] * 80, [*range(90), *range(1000, 1080)]))
    assert seconds_of(paused) == [*range(89), *range(1060, 1079)], "nothing is known of a pause"
    for samples in (broken, paused):
        move = samples.targets[MAIN_TARGET]
        assert not np.any(move[np.isfinite(move)]), "the jump is of no window"
        assert np.isfinite(move).sum() > 80
    quiet = taken(frames([100.0] * 3, [0, 1, 300]))
    assert len(quiet) == 300, "a quiet market is sampled all the same"


def test_a_stub_on_one_side_is_no_price() -> None:
    """For three seconds the ask is a thousand ticks away: no sample lies there, and no window reaches over it."""
    columns = frames([100.0 + second for second in range(60)])
    columns["ask_price"][20:23] += 2000 * TICK
    samples = taken(columns)
    assert seconds_of(samples) == [*range(20), *range(23, 59)]
    move = samples.targets[MAIN_TARGET]
    assert np.flatnonzero(np.isnan(move)).tolist() == [*range(15, 20), *range(51, 56)]
    assert set(move[np.isfinite(move)]) == {5.0}
    assert samples.half_spread_ticks.max() < 10


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_samples, "MOST_SAMPLES", 64)
    for at_once in (1, 30, 1000):
        samples = taken(frames([100.0 + second for second in range(400)]), at_once=at_once)
        assert 32 <= len(samples) <= 64
        assert seconds_of(samples) == list(range(399 - len(samples), 399))
        assert set(samples.targets[MAIN_TARGET][:-5]) == {5.0}
