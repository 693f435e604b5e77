"""Each fault of the service, of the network and of the disk ends as the downloader promises."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import DAYS, FUTURES, ONE, QUICK, entries, environment, raw_files, run, start
from vp.lake.lake import Lake
from vp.lake.layout import place_of

PLACE = place_of("future_mbo", "mbo")
NAME = "glbx-mdp3-20260203.mbo.dbn.zst"


def whole(lake: Path) -> bool:
    """Whether the one file that ONE asks for is there, and nothing half done."""
    (raw,) = Lake(lake).files(PLACE, "MNQ")
    return [Path(path).name for path in raw_files(lake)] == [NAME.removesuffix(".zst") + ".json", raw.path.name]


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([Fault("download/", "corrupt", 2)], "thrown away"),
        ([Fault("download/", "short", 2)], "going on in"),
        ([Fault("download/", "short"), Fault("download/", "plain")], "going on in"),
        ([Fault("download/", "drop", 2), Fault("download/", "status", 1, 429, "0")], "HTTP 429"),
        (
            [
                Fault("condition", "status", 1, 429, "0"), Fault("resolve", "status", 2, 500),
                Fault("get_cost", "drop"), Fault("submit", "status", 1, 429, "0.05"), Fault("list_files", "status"),
                Fault("list_jobs", "status", 1, 503), Fault("get_job_details", "drop"),
            ],
            "HTTP 500",
        ),
        ([Fault("submit", "lost")], "answer to the job"),
        ([Fault("download/", "junk", 2, body="<html>")], "6 bytes of text/html came in the place of"),
        ([Fault("download/", "piece", 100)], "going on in"),
        ([Fault("list_files", "junk", 1, body="[]"), Fault("list_files", "support", 2)], "lists no data file yet"),
    ],
    ids=["corrupt", "short", "no-ranges", "download", "every-call", "submit-lost", "page", "pieces", "no-files"],
)  # fmt: skip
def test_passing_faults_are_overcome(server: Server, tmp_path: Path, faults: list[Fault], says: str) -> None:
    server.faults = faults
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    assert code == 0, said
    assert says in said
    assert all(fault.times == 0 or fault.kind == "piece" for fault in faults)
    assert len(server.service.jobs) == 1
    assert whole(tmp_path / "lake")
    if [fault.kind for fault in faults] == ["short"]:
        assert server.ranges  # what had come was not fetched again


def test_lasting_corruption_leaves_nothing_in_the_lake(server: Server, tmp_path: Path) -> None:
    server.faults = [Fault("download/", "corrupt", 3)]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    assert code == 1
    assert "came 3 times with a wrong sha256" in said
    assert raw_files(tmp_path / "lake") == {}
    assert run(server, tmp_path / "lake", "futures", "daemon", *ONE)[0] == 0  # and costs nothing
    assert len(server.service.jobs) == 1
    assert whole(tmp_path / "lake")


def test_an_expired_job_is_said_and_ordered_anew_only_when_told(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["state"] = "expired"
    for command_name in ("poll", "daemon"):
        code, said = run(server, lake, "futures", command_name, *(ONE if command_name == "daemon" else []))
        assert code == 1
        assert f"The job {server.service.jobs[0].details['id']} expired before its file was fetched." in said
    assert len(server.service.jobs) == 1
    code, said = run(server, lake, "futures", "daemon", *ONE, "--resubmit-expired")
    assert code == 0, said
    assert len(server.service.jobs) == 2
    assert whole(lake)


def test_a_refused_key_is_said_without_telling_it(server: Server, tmp_path: Path) -> None:
    wrong = "db-WrongKeyThatNobodyMaySee"  # the server's answer repeats it
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE, "--log-file", "a.log", key=wrong)
    assert code == 1
    assert "Databento refused the key of DATABENTO_API_KEY" in said
    assert wrong not in (tmp_path / "a.log").read_text()
    assert server.service.calls.total() == 1


def test_nothing_is_ordered_above_the_limit_or_in_a_dry_run(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    asked = [*DAYS, *FUTURES]
    code, said = run(server, lake, "futures", "daemon", *asked, "--dry-run")
    assert code == 0, said
    assert "6.36 USD  for 24 jobs would be ordered" in said  # 12 x 0.50, 6 x 0.05, 6 definitions of 0.01
    assert "72,000,000 bytes uncompressed at most" in said  # 24 x 3 MB
    assert re.search(r"the lake's disk has [0-9,]+ bytes free", said)
    assert (server.service.jobs, server.service.calls["timeseries.get_range"]) == ([], 0)
    code, said = run(server, lake, "futures", "submit", *asked, "--max-cost", "2.99")
    assert code == 2
    assert "6 jobs would cost 3.00 USD, together more than --max-cost 2.99 USD" in said
    assert (server.service.jobs, server.service.calls["timeseries.get_range"]) == ([], 0)
    code, said = run(server, lake, "futures", "submit", *asked, "--max-cost", "6.35")
    assert code == 2
    assert "18 jobs would cost 6.30 USD and 0.06 USD were spent before" in said
    assert server.service.jobs == []
    assert run(server, lake, "futures", "submit", *asked, "--max-cost", "6.37")[0] == 0
    assert len(server.service.jobs) == 18
    assert server.service.calls["timeseries.get_range"] == 6  # definitions are not bought twice


def test_a_lost_order_counts_against_the_limit_and_is_ordered_anew_only_when_told(
    server: Server, tmp_path: Path
) -> None:
    """The account has no other job by which the list could prove to be whole."""
    lake = tmp_path / "lake"
    server.faults = [Fault("submit", "status", 1, 500)]
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert (code, "1 lost" in said) == (1, True), said
    for asked in (ONE, [*ONE[:4], "--symbols", "ES", "--include-futures"]):  # of anything else neither
        code, said = run(server, lake, "futures", "daemon", *asked)
        assert code == 1
        assert "Look in Databento's portal for a batch job of GLBX.MDP3 mbo MNQH6 from 2026-02-03" in said
        assert "0.50 USD were spent on these files at most, 0.50 of it for orders whose answer was lost" in said
    assert server.service.jobs == []
    code, said = run(server, lake, "futures", "daemon", *ONE, "--resubmit-lost", "--max-cost", "0.99")
    assert (code, "0.50 USD were spent before, together more than --max-cost 0.99" in said) == (2, True), said
    code, said = run(server, lake, "futures", "daemon", *ONE, "--resubmit-lost", "--max-cost", "1")
    assert code == 0, said
    assert "1.00 USD were spent on these files at most" in said
    assert len(server.service.jobs) == 1


def test_a_raw_file_that_exists_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    directory = Lake(lake).directory(PLACE, "MNQ")
    directory.mkdir(parents=True)
    (directory / NAME).write_bytes(b"mine")
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 1
    assert "is there already and differs" in said
    assert raw_files(lake) == {str((directory / NAME).relative_to(lake / "raw")): b"mine"}


def test_what_the_lake_holds_is_not_ordered(server: Server, tmp_path: Path) -> None:
    directory = Lake(tmp_path / "lake").directory(PLACE, "MNQ")
    directory.mkdir(parents=True)
    (directory / NAME.removesuffix(".zst")).write_bytes(b"mine")
    assert run(server, tmp_path / "lake", "futures", "daemon", *ONE)[0] == 0
    assert server.service.jobs == []


def test_a_refused_job_does_not_stop_the_others(server: Server, tmp_path: Path) -> None:
    days = ["--start", "2026-02-06", "--end", "2026-02-08", "--symbols", "NOSUCH,QQQ", "--equity-schemas", "mbo"]
    server.service.conditions["2026-02-08"] = "missing"  # a Sunday
    code, said = run(server, tmp_path / "lake", "equities", "daemon", *days)
    assert code == 1
    assert "None of the symbols could be resolved" in said
    assert [job[1:] for job in server.service.submitted()] == [("QQQ", "2026-02-06T00:00:00.000000000Z")]
    assert [entry["state"] for entry in entries(tmp_path / "lake")] == ["laid"]


def test_sigterm_stops_cleanly_and_a_second_downloader_is_kept_off(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (tmp_path / "first").mkdir()
    asked = [*ONE, "--lake", str(lake), *QUICK, "--poll-interval", "600"]
    process = start(environment(server), tmp_path / "first", "futures", "daemon", *asked)
    while not server.service.jobs:
        assert process.is_alive()
        time.sleep(0.01)
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 1
    assert "Another download of futures is at work" in said
    process.terminate()
    process.join()
    assert process.exitcode == 143
    said = (tmp_path / "first/said").read_text()
    assert "stopped by SIGTERM; the same command goes on where it was" in said
    assert "Traceback" not in said
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    assert len(server.service.jobs) == 1
    assert whole(lake)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"DATABENTO_API_KEY": ""}, 1, "DATABENTO_API_KEY is not set"),
        ({"DATABENTO_API_KEY": "two words"}, 1, "DATABENTO_API_KEY is no key"),
        ({"VP_DATABENTO_URL": "http://example.org"}, 2, "expected https://host"),
    ],
)
def test_bad_environment(server: Server, tmp_path: Path, changes: dict[str, str], code: int, says: str) -> None:
    asked = ["daemon", *ONE, "--lake", str(tmp_path / "lake")]
    process = start(environment(server) | changes, tmp_path, "futures", *asked)
    process.join()
    said = (tmp_path / "said").read_text()
    assert (process.exitcode, says in said) == (code, True), said
    assert "two words" not in said
    assert server.service.calls.total() == 0
