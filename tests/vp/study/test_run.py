"""Studies of generated sessions: what is asked for, days apart, and what cannot be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.vp.study.markets import DAYS, MINUTES, write_lake
from vp.errors import BadParameterError, EmptySessionError, NoRawFileError, VPError
from vp.model.parameters import ModelParameters
from vp.model.session import SessionSpec
from vp.programs.study import main, parameter_sets
from vp.study.request import StudyRequest
from vp.study.run import run_study
from vp.study.verdict import sentences


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lake(tmp_path_factory.mktemp("lake"))


def request(lake: Path, dt: str = DAYS[0], **more: Any) -> StudyRequest:
    sets = more.pop("sets", (("default", ModelParameters()),))
    return StudyRequest(SessionSpec("future_mbo", "MNQH6", dt, lake=str(lake)), sets, **more)


def test_days_of_a_span_are_sessions_by_themselves(lake: Path) -> None:
    one, both = run_study(request(lake)), run_study(request(lake, "2026-02-01..2026-02-05"))
    assert [source.dt for source in both.sources] == list(DAYS[:2])
    assert both.samples == 2 * one.samples
    assert one.samples == MINUTES * 60 - 60, "a minute of warmup, each day"
    assert any(note.startswith(f"{DAYS[2]} is left out: ") for note in both.notes)
    row = one.measures.one("ic", feature="score", target="60 s")
    assert row is not None
    assert row.count < one.samples - 59, "no window reaches over the end of a day"


def test_what_is_chosen_on_some_days_is_reported_on_others(lake: Path) -> None:
    sets = (("default", ModelParameters()), ("touch", ModelParameters.preset("touch")))
    study = run_study(request(lake, sets=sets, choose_days=DAYS[0], report_days=DAYS[1]))
    assert study.choice is not None
    best = max(study.choice.coefficients, key=lambda row: row.value)
    assert study.choice.best == best.parameters == study.sets[0].name
    assert {one.name for one in study.sets} == {"default", "touch"}
    assert [source.dt for source in study.sources] == [DAYS[1]]
    assert len(study.measures.of("ic", feature="score", target="5 s")) == 2


def test_a_few_minutes_are_too_short_to_tell(lake: Path) -> None:
    spec = SessionSpec("future_mbo", "MNQH6", DAYS[0], end_time="15:10 UTC", lake=str(lake))
    assert sentences(run_study(StudyRequest(spec, (("default", ModelParameters()),))))[0].startswith(
        "Too short to tell"
    )


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ({"columns": ("pressure",)}, BadParameterError, "no feature can be"),
        ({"choose_days": DAYS[0]}, BadParameterError, "belong together"),
        ({"choose_days": "2026-02-03..2026-02-04", "report_days": DAYS[1]}, BadParameterError, "overlap"),
        ({"sets": (("touch", ModelParameters()),) * 2}, BadParameterError, "twice"),
        ({"dt": DAYS[2]}, EmptySessionError, "no record"),
        ({"dt": "2026-01-01..2026-01-05"}, NoRawFileError, "2026-02-03"),
    ],
)
def test_what_cannot_be_asked_is_said(lake: Path, words: dict[str, Any], error: type[VPError], says: str) -> None:
    with pytest.raises(error) as raised:
        run_study(request(lake, **words))
    assert says in f"{raised.value.message} {raised.value.hint}"


def test_sets_are_named_with_commas_or_one_by_one() -> None:
    assert [name for name, _ in parameter_sets(())] == ["default"]
    names = [name for name, _ in parameter_sets(("default, touch", "reach:2,vacuum_fill:2"))]
    assert names == ["default", "touch", "reach:2,vacuum_fill:2"]
    assert parameter_sets(("reach:2,vacuum_fill:2",))[0][1] == ModelParameters(reach=2, vacuum_fill=2)


def test_the_program_writes_report_and_table(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mnq.html"
    words = ["--lake", str(lake), "--symbol", "MNQH6", "--dt", DAYS[0], "--columns", "vacuum_above", "--out", str(out)]
    assert main(words) == 0
    verdict = capsys.readouterr().out.strip()
    assert verdict.split(":")[0] in out.read_text()
    assert f"**{verdict[:40]}" in out.with_suffix(".md").read_text()
    table = pq.read_table(out.with_suffix(".parquet"))
    assert table.column_names[:5] == ["parameters", "statistic", "feature", "target", "group"]
    assert "vacuum_above" in table["feature"].to_pylist()
    assert table.schema.metadata[b"vp.seed"] == b"1"
    assert len(table.schema.metadata[b"vp.files"].decode().split(" ")[1]) == 64
    assert main([*words[:6], "--out", str(tmp_path / "mnq.pdf")]) == 2


def test_without_a_file_the_report_goes_to_standard_output(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lake", str(lake), "--symbol", "MNQH6", "--dt", DAYS[0]]) == 0
    assert capsys.readouterr().out.startswith(f"# What the signal was worth: MNQH6, {DAYS[0]}\n\n**")
