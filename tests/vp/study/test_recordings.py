"""Studies of recordings: the same as of the sessions that they were made of, and what no recording can give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.vp.study.markets import DAYS, write_lake
from vp.errors import BadParameterError, NoRecordingError, VPError
from vp.model.recording_file import open_recording
from vp.model.session import SessionSpec
from vp.programs.record import main as record
from vp.programs.study import main
from vp.study.recorded_session import sample_recording
from vp.study.request import RecordingFiles, StudyRequest
from vp.study.run import run_study
from vp.study.sampled_session import SampledSession, sample_session
from vp.study.samples import Samples, take_samples

S = 1_000_000_000
MINUTE = 60


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def recorded(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recordings of the first day with every event end, of the second too, and of the first ten frames a second."""
    directory = tmp_path_factory.mktemp("recordings")
    asked = {
        "first.parquet": (DAYS[0], "0", "default"),
        "second.arrow": (DAYS[1], "0", "default"),
        "touch.parquet": (DAYS[0], "0", "touch"),
        "coarse.parquet": (DAYS[0], "700", "default"),
    }
    for name, (dt, throttle, parameters) in asked.items():
        words = ["--lake", str(lake), "--symbol", "MNQH6", "--dt", dt, "--throttle-ms", throttle, "--fields", "none"]
        assert record([*words, "--parameters", parameters, "--out", str(directory / name)]) == 0
    return {name: directory / name for name in asked}


def session_of(lake: Path, dt: str = DAYS[0]) -> SampledSession:
    return sample_session(SessionSpec("future_mbo", "MNQH6", dt, lake=str(lake)))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def differing(one: Samples, other: Samples) -> list[str]:
    """Names of what two sets of samples do not share, or share with other values."""
    found = [name for name in one.targets if not same(one.targets[name], other.targets[name])]
    found += sorted(one.features.keys() ^ other.features.keys())
    shared = sorted(one.features.keys() & other.features.keys())
    return found + [name for name in shared if not same(one.features[name], other.features[name])]


@pytest.mark.parametrize(("name", "dt"), [("first.parquet", DAYS[0]), ("second.arrow", DAYS[1])])
def test_samples_of_a_whole_recording_are_those_of_its_session(
    lake: Path, recorded: dict[str, Path], name: str, dt: str
) -> None:
    read = sample_recording(open_recording(recorded[name]), ("vacuum_above", "buy_volume"))
    assert read.gap_ns == 0
    columns = ("vacuum_above", "buy_volume")
    here, there = take_samples(read.session, 1, columns), take_samples(session_of(lake, dt), 1, columns)
    assert same(here.times_ns, there.times_ns)
    assert len(here) > 15 * MINUTE
    no_book = ["order flow of ten levels 10 s", "order flow of ten levels 2 s"]
    by_frame = ["state", "strength"]  # the running mean and the thresholds see each frame, and a session has fewer
    assert differing(here, there) == no_book + by_frame
    assert same(here.half_spread_ticks, there.half_spread_ticks)
    assert same(here.interval["order flow"], there.interval["order flow"])
    moved = here.targets["5 s"][np.isfinite(here.targets["5 s"])]
    assert moved.min() < 0 < moved.max()


def test_pieces_of_a_recording_make_what_the_whole_makes(recorded: dict[str, Path], tmp_path: Path) -> None:
    table = parquet.read_table(recorded["first.parquet"])
    small = tmp_path / "pieces.parquet"
    parquet.write_table(table, small, row_group_size=7)
    whole, pieces = (sample_recording(open_recording(path)) for path in (recorded["first.parquet"], small))
    assert whole.gap_ns == pieces.gap_ns
    assert same(whole.session.changes, pieces.session.changes)
    assert same(whole.session.flow, pieces.session.flow)
    assert all(same(values, pieces.session.columns[name]) for name, values in whole.session.columns.items())


def test_frames_apart_tell_no_numbers_of_event_ends_and_never_of_what_comes_later(
    lake: Path, recorded: dict[str, Path]
) -> None:
    read = sample_recording(open_recording(recorded["coarse.parquet"]))
    assert read.gap_ns >= 700_000_000
    samples = take_samples(read.session)
    assert not np.isfinite(samples.targets["100 events"]).any()
    frames = parquet.read_table(recorded["coarse.parquet"])
    times = frames["ts_ns"].cast(pa.int64()).to_numpy()
    mids = frames["mid_price"].to_numpy()
    for at in range(0, len(samples) - 10, 97):
        before = np.searchsorted(times, samples.times_ns[at], "right") - 1
        later = np.searchsorted(times, samples.times_ns[at] + 5 * S, "right") - 1
        assert samples.targets["5 s"][at] == pytest.approx((mids[later] - mids[before]) / 0.25)
        assert samples.features["score"][at] == frames["score"][int(before)].as_py()


def study(*paths: Path, **more: Any) -> Any:
    return run_study(StudyRequest(RecordingFiles(paths), **more))


def test_recordings_are_sessions_by_themselves_in_order_of_time(recorded: dict[str, Path]) -> None:
    paths = [recorded["second.arrow"], recorded["first.parquet"]]
    found = study(*paths)
    assert [source.dt for source in found.sources] == list(DAYS[:2])
    assert [source.files[0][0] for source in found.sources] == ["first.parquet", "second.arrow"]
    assert [one.name for one in found.sets] == ["default"]
    assert found.samples == sum(len(take_samples(sample_recording(open_recording(path)).session)) for path in paths)


def test_recordings_of_two_sets_are_chosen_among_and_held_side_by_side(recorded: dict[str, Path]) -> None:
    found = study(recorded["first.parquet"], recorded["touch.parquet"])
    assert [one.name for one in found.sets] == ["default", "touch"]
    assert [note for note in found.notes if "better than it is" in note]
    scores = found.measures.of("ic", feature="score", target="5 s")
    assert scores[0].value != scores[1].value


@pytest.mark.parametrize(
    ("names", "more", "error", "says"),
    [
        (["first.parquet", "first.parquet"], {}, BadParameterError, "of the same time"),
        (["first.parquet", "coarse.parquet"], {}, BadParameterError, "counted twice"),
        (["second.arrow", "touch.parquet"], {}, BadParameterError, "not of the same sessions"),
        (["first.parquet"], {"choose_days": "2026-01-01", "report_days": DAYS[0]}, NoRecordingError, "2026-01-01"),
        (["none.parquet"], {}, NoRecordingError, "no file"),
    ],
)
def test_what_cannot_be_measured_together_is_refused(
    recorded: dict[str, Path], names: list[str], more: dict[str, Any], error: type[VPError], says: str
) -> None:
    with pytest.raises(error, match=says):
        study(*[recorded.get(name, Path(name)) for name in names], **more)


def changed(path: Path, out: Path, change: Any) -> Path:
    parquet.write_table(change(parquet.read_table(path)), out)
    return out


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, name, values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table.drop_columns(["ofi"]), "no column ofi"),
        (lambda table: table.take(list(range(len(table)))[::-1]), "back in time"),
        (lambda table: table.slice(0, 0), "no frame"),
        (
            lambda table: table.replace_schema_metadata(
                table.schema.metadata | {b"vp.parameters": b"tau_of_tomorrow=3.0"}
            ),
            "tau_of_tomorrow",
        ),
        (lambda table: table.replace_schema_metadata({}), "is no recording"),
        (lambda table: with_column(table, "ts_ns", pa.array([str(i) for i in range(len(table))])), "ts_ns .* string"),
        (lambda table: with_column(table, "ofi", pa.array([[1]] * len(table))), "ofi .* list<"),
        (
            lambda table: with_column(table.slice(0, 2), "ts_ns", pa.array([0, 32 * 86_400 * S], pa.int64())),
            "span 32 days, expected at most 31",
        ),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_told(
    recorded: dict[str, Path], tmp_path: Path, change: Any, says: str
) -> None:
    with pytest.raises(VPError, match=says):
        study(changed(recorded["first.parquet"], tmp_path / "changed.parquet", change))


def test_damage_within_a_recording_is_told(recorded: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(recorded["first.parquet"].read_bytes())
    group = parquet.read_metadata(recorded["first.parquet"]).row_group(0)
    scores = next(group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == "score")
    middle = scores.data_page_offset + scores.total_compressed_size // 2
    data[middle : middle + 64] = bytes(64)
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(data)
    with pytest.raises(NoRecordingError, match=r"damaged\.parquet cannot be read"):
        study(damaged)


def test_the_program_says_what_the_recording_lacks(
    recorded: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--recording", str(recorded["coarse.parquet"]), "--lake", str(tmp_path), "--fees", "0.5"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"# What the signal was worth: MNQH6, {DAYS[0]}\n\n**")
    assert "lie 1,000 ms apart at least" in said
    assert "fees are 1.000 ticks" in said
    assert main([*words, "--dt", DAYS[0]]) == 2
    assert "studied as it was made" in capsys.readouterr().err
