"""Full disks, places that cannot be written, answers of an unknown form, and arguments of every wrong kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databento_server import market
from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import DAYS, FUTURES, ONE, entries, raw_files, run
from vp.lake.lake import Lake
from vp.lake.layout import place_of
from vp.programs.download import main

PLACE = place_of("future_mbo", "mbo")


def test_a_full_disk_is_said_and_gone_on_from(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    code, said = run(server, lake, "futures", "daemon", *ONE, file_bytes=20_000)
    assert code == 1
    assert "cannot be written: File too large. Free some space" in said
    assert [path.rpartition(".")[2] for path in raw_files(lake)] == ["part"]
    code, said = run(server, lake, "futures", "daemon", *ONE, "--decompress", file_bytes=250_000)
    assert code == 1
    assert ".dbn cannot be written: File too large." in said
    assert sorted(path.rpartition(".")[2] for path in raw_files(lake)) == ["json", "zst"]
    code, said = run(server, lake, "futures", "daemon", *ONE, "--decompress")
    assert code == 0, said
    assert sorted(path.rpartition(".")[2] for path in raw_files(lake)) == ["dbn", "json", "zst"]
    assert len(server.service.jobs) == 1


def test_places_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = run(server, tmp_path / "file", "futures", "submit", *ONE)
    assert (code, "cannot be written" in said) == (1, True), said
    assert server.service.jobs == []
    lake = tmp_path / "lake"
    definitions = Lake(lake).directory(place_of("future_option_mbo", "definition"), "MNQ")
    definitions.parent.mkdir(parents=True)
    definitions.write_text("")
    code, said = run(server, lake, "futures", "daemon", *ONE, "--options-schemas", "mbo")
    assert code == 1
    assert "Expected a directory" in said
    definitions.unlink()
    definitions.symlink_to("/proc/nowhere")
    code, said = run(server, lake, "futures", "daemon", *ONE, "--options-schemas", "mbo", "--log-file", "/dev/full")
    assert code == 1
    assert "the log file /dev/full cannot be written any more" in said
    assert "cannot be written: " in said
    assert server.service.calls["timeseries.get_range"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("get_dataset_condition", '{"detail": 1}'), ("symbology", "null"), ("get_cost", "[1]"),
        ("submit_job", "[1]"), ("list_jobs", "null"), ("list_jobs", '[{"id": "J", "status": "done"}]'),
        ("get_job_details", '{"id": "J"}'), ("get_job_details", "[]"), ("list_files", '{"detail": 1}'),
        ("list_files", '[{"name": "x"}]'), ("list_files", "<html>"), ("list_jobs", "<html>"), ("get_cost", "<html>"),
        ("resolve", "<html>"), ("get_dataset_condition", "<html>"), ("get_job_details", "<html>"),
    ],
)  # fmt: skip
def test_answers_of_an_unknown_form(server: Server, tmp_path: Path, path: str, body: str) -> None:
    server.faults = [Fault(path, "junk", 1, body=body)]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    # A lost answer to an order is looked up, and a page in the place of an answer asked for again.
    overcome = path == "submit_job" or body == "<html>"
    assert code == (0 if overcome else 1), said
    assert overcome or "cannot be understood" in said or "expected USD" in said
    assert server.faults[0].times == 0
    assert run(server, tmp_path / "lake", "futures", "daemon", *ONE)[0] == 0
    assert len(server.service.jobs) == 1


def test_faults_in_a_row_end_submit_and_daemon_goes_on(server: Server, tmp_path: Path) -> None:
    server.faults = [Fault("get_cost", "status", 6, 500)]
    code, said = run(server, tmp_path / "lake", "futures", "submit", *ONE)
    assert code == 1
    assert "did not give the cost of MNQ future_mbo mbo of 2026-02-03 in 6 tries" in said
    server.faults = [Fault("get_cost", "status", 8, 500), Fault("download/", "reset", 2)]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    assert code == 0, said
    assert len(server.service.jobs) == 1
    assert server.ranges


def test_a_limit_that_is_reached_later_leaves_no_job_behind(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    asked = [*DAYS, "--symbols", "mnq", "--include-futures", "--max-cost", "0.9"]
    code, said = run(server, lake, "futures", "daemon", *asked)
    assert code == 2
    assert "0.50 USD were spent before, together more than --max-cost 0.90 USD" in said
    assert [entry["state"] for entry in entries(lake)] == ["laid"]


def test_poll_takes_symbols_and_dates_as_submit_does(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    for chosen in (["--symbols", "es"], ["--end", "2026-02-02"], ["--start", "2026-02-04"]):
        code, said = run(server, lake, "futures", "poll", *chosen)
        assert (code, "0 in the lake, 0 without data, 0 outstanding" in said) == (0, True)
    for _ in range(3):
        code, said = run(server, lake, "futures", "poll", "--symbols", "mnq", "--start", "2026-02-03")
    assert "1 in the lake" in said


def test_where_there_are_no_options_nothing_is_bought(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "options_of", lambda _parent, _date: [])
    lake = tmp_path / "lake"
    asked = ["--start", "2026-02-06", "--end", "2026-02-06", "--symbols", "MNQ", "--options-schemas", "mbo,statistics"]
    code, said = run(server, lake, "futures", "daemon", *asked)
    assert code == 1
    assert "No options expire on the date or later on MNQH6" in said
    assert (server.service.jobs, server.service.calls["timeseries.get_range"]) == ([], 0)


def test_a_root_without_contracts_is_said(server: Server, tmp_path: Path) -> None:
    asked = [*ONE[:4], "--symbols", "GC,MNQ", "--include-futures"]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *asked)
    assert code == 1
    assert "Databento names no front month of GC on that date" in said
    assert [entry["symbol"] for entry in entries(tmp_path / "lake")] == ["MNQ"]


WHAT = ["--start", "2026-02-03", "--end", "2026-02-03", "--symbols", "MNQ", "--include-futures"]


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        ("futures", [], "The following arguments are required: command"),
        ("futures", ["steal"], "invalid choice: 'steal'"),
        ("futures", ["submit"], "--start is missing"),
        ("futures", ["submit", *WHAT[:4], "--include-futures"], "--symbols is missing"),
        ("futures", ["submit", *WHAT[:4], "--symbols", ","], "--symbols names nothing"),
        ("futures", ["submit", *WHAT[:-1]], "No data are named"),
        (
            "futures",
            ["submit", *WHAT[:-1], "--options-schemas", "cmbp-1"],
            "names 'cmbp-1', expected mbo or statistics",
        ),
        ("equities", ["submit", *WHAT[:-1], "--equity-schemas", "trades"], "names 'trades', expected mbo"),
        ("futures", ["submit", *WHAT, "--start", "2026-02-04"], "--end 2026-02-03 is before --start 2026-02-04"),
        ("futures", ["poll", "--start", "2026-02-04", "--end", "2026-02-03"], "--end 2026-02-03 is before"),
        ("futures", ["submit", *WHAT, "--start", "2026-02-30"], "2026-02-30"),
        ("futures", ["submit", *WHAT, "--start", "yesterday"], "yesterday"),
        ("futures", ["submit", *WHAT, "--end", "9999-12-31"], "expected a year from 1970 to 2261"),
        ("futures", ["submit", *WHAT, "--end", "2260-01-01"], "--end was 2260-01-01, expected a date from 2000-01-01"),
        (
            "futures",
            ["submit", *WHAT, "--start", "1999-12-31"],
            "--start was 1999-12-31, expected a date from 2000-01-01",
        ),
        ("futures", ["submit", *WHAT, "--symbols", "ZN"], "ZN"),
        ("futures", ["submit", *WHAT, "--symbols", "../../etc"], "../../etc"),
        ("equities", ["submit", *WHAT[:-1], "--equity-schemas", "mbo", "--symbols", "../x"], "../x"),
        ("equities", ["submit", *WHAT], "--include-futures"),
        ("futures", ["submit", *WHAT, "--max-cost", "nan"], "'nan' is no number from 0 to 1000000"),
        ("futures", ["submit", *WHAT, "--max-cost", "-1"], "'-1' is no number"),
        ("futures", ["daemon", *WHAT, "--poll-interval", "1e300"], "'1e300' is no number from 0 to 86400"),
        ("futures", ["daemon", *WHAT, "--settle-seconds", "soon"], "'soon' is no number"),
        ("futures", ["daemon", *WHAT, "--timeout-seconds", "0"], "0 is too short"),
        ("futures", ["daemon", *WHAT, "--max-orders", "1.5"], "'1.5' is no whole number"),
        ("futures", ["daemon", *WHAT, "--max-cos", "5"], "--max-cos"),
        ("futures", ["daemon", *FUTURES, *WHAT[:2], "--end", "2026-02-03\x00"], "2026-02-03"),
    ],
)
def test_wrong_arguments_are_sentences(
    program: str, arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("DATABENTO_API_KEY", raising=False)
    lake = tmp_path / "lake"
    assert main(program, [*arguments, *(["--lake", str(lake)] if arguments else [])]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert "unexpected" not in said
    assert not lake.exists()
