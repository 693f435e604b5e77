"""Killed or stopped at the worst moments: between a request and its answer, and in the middle of a file."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import DAYS, ONE, QUICK, entries, environment, raw_files, run, said_by, start

NAME = "glbx-mdp3-20260203.mbo.dbn"


def names(lake: Path) -> list[str]:
    return [Path(path).name for path in raw_files(lake)]


@pytest.mark.parametrize("command", ["daemon", "poll"])
def test_killed_between_the_order_and_its_answer(server: Server, tmp_path: Path, command: str) -> None:
    """Either command finds the job again by Databento's list."""
    lake = tmp_path / "lake"
    server.faults = [Fault("submit", "hold")]
    process = start(environment(server), tmp_path, "futures", "submit", *ONE, "--lake", str(lake), *QUICK)
    assert server.holding.wait(60)
    process.kill()
    process.join()
    server.release.set()
    (entry,) = entries(lake)
    assert (entry["state"], entry["job_id"], len(server.service.jobs)) == ("submitting", None, 1)
    code, said = run(server, lake, "futures", command, *(ONE if command == "daemon" else []))
    assert code == 0, said
    (entry,) = entries(lake)
    assert entry["job_id"] == server.service.jobs[0].details["id"]
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    assert len(server.service.jobs) == 1


def test_sigterm_waits_for_the_answer_to_an_order(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.faults = [Fault("submit", "hold")]
    process = start(environment(server), tmp_path, "futures", "daemon", *ONE, "--lake", str(lake), *QUICK)
    assert server.holding.wait(60)
    process.terminate()
    time.sleep(0.2)
    assert process.is_alive()
    server.release.set()
    process.join(60)
    assert process.exitcode == 143
    assert "stopped by SIGTERM" in said_by(tmp_path)
    (entry,) = entries(lake)
    assert (entry["state"], entry["job_id"]) == ("submitted", server.service.jobs[0].details["id"])


def test_sigterm_in_the_middle_of_a_file(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.faults = [Fault("download/", "hold")]
    process = start(environment(server), tmp_path, "futures", "daemon", *ONE, "--lake", str(lake), *QUICK)
    assert server.holding.wait(60)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in (lake / "raw").rglob("*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    process.join(60)
    assert process.exitcode == 143
    assert "stopped by SIGTERM" in said_by(tmp_path)
    (part,) = names(lake)
    assert part.endswith(".part")
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 0, said
    assert len(server.ranges) == 1  # it went on where it was
    assert names(lake) == [f"{NAME}.json", f"{NAME}.zst"]
    assert len(server.service.jobs) == 1


def test_a_day_that_is_pending_is_waited_for(server: Server, tmp_path: Path) -> None:
    server.service.conditions["2026-02-03"] = "pending"
    lake = tmp_path / "lake"
    process = start(environment(server), tmp_path, "futures", "daemon", *ONE, "--lake", str(lake), *QUICK)
    while server.service.calls["metadata.get_dataset_condition"] < 3:
        assert process.is_alive()
        time.sleep(0.01)
    assert server.service.jobs == []
    server.service.conditions["2026-02-03"] = "degraded"
    process.join(60)
    assert process.exitcode == 0, said_by(tmp_path)
    assert "waiting: 1 of dates that Databento does not have yet; next look in 0 s" in said_by(tmp_path)
    assert [entry["condition"] for entry in entries(lake)] == ["degraded"]


def test_a_day_that_is_not_over_is_not_ordered(server: Server, tmp_path: Path) -> None:
    today = str(dt.datetime.now(dt.UTC).date())
    server.service.conditions[today] = "available"
    asked = ["--start", today, "--end", today, "--symbols", "MNQ", "--include-futures"]
    code, said = run(server, tmp_path / "lake", "futures", "submit", *asked)
    assert code == 0, said
    assert "1 not there yet" in said
    assert server.service.jobs == []


def test_a_price_that_rises_between_asking_and_ordering(server: Server, tmp_path: Path) -> None:
    asked = [*DAYS, "--symbols", "MNQ", "--include-futures", "--max-cost", "1.5"]
    server.service.prices = [0.5, 0.5, 0.5, 0.5, 0.8]  # three are asked, one ordered, then it rises
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *asked)
    assert code == 2
    assert "the price rose from 0.50 to 0.80 USD" in said
    assert "1 jobs after it would cost 1.30 USD and 0.50 USD were spent before, together more than" in said
    assert len(server.service.jobs) == 1
    assert [entry["state"] for entry in entries(tmp_path / "lake")] == ["laid"]  # what was bought is fetched
