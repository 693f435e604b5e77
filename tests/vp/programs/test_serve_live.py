"""`python -m vp.serve --live`: frames while the market comes are those of its recording."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from tests.live_gateway.control import KEY, GatewayProcess, gateway
from tests.places import ROOT
from tests.vp.capture.capturing import DATE, directory, frames, of_kind, write_market
from tests.vp.capture.test_ends import night_market
from tests.vp.server.clients import Seen, client, read_on
from vp.programs.serve import main as serve


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("whole")
    write_market(directory(lake) / "glbx-mdp3-20260206.mbo.dbn")
    return lake


@contextmanager
def serving(feed: GatewayProcess, lake: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program, and its port."""
    words = ["--live", "--gateway", feed.address, "--lake", str(lake), "--port", "0", "--throttle-ms", "0", *options]
    running = subprocess.Popen(
        [sys.executable, "-m", "vp.serve", *words], cwd=ROOT, env={**os.environ, "DATABENTO_API_KEY": KEY},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.search(r":(\d+)/", line)
        if found is None:
            raise AssertionError(running.communicate()[1])
        yield running, int(found[1])
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--live", "--symbol", "MNQ", "--dt", "2026-02-06"], "--live and --dt cannot both be"),
        (["--live", "--symbol", "MNQ", "--start-time", "09:30"], "--live and --start-time cannot both be"),
        (["--live"], "nothing to record"),
        (["--symbol", "MNQ", "--symbol", "ES"], "Several symbols are given"),
        (["--live", "--symbol", "MNQ", "--gateway", "here"], "gateway was 'here'"),
    ],
)
def test_what_cannot_be_live_is_said_at_once(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(["--lake", str(tmp_path), "--port", "0", *options]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_frames_seen_live_are_those_of_the_recording_through_breaks(tmp_path: Path, whole: Path) -> None:
    expected = frames(whole, "MNQM6")
    lake = tmp_path / "lake"
    with (
        gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn", from_record=100) as feed,
        serving(feed, lake, "--symbol", "MNQM6", "--symbol", "MNQH6", "--live-from", "week") as (process, port),
    ):
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream"
        seen, later, other_contract = Seen(), Seen(), Seen()
        with client(address) as viewer:
            read_on(viewer, seen, until_frames=40)
            feed.publish(250)
            read_on(viewer, seen, until_frames=110)
            feed.fault("fin", at=-1)
            feed.publish(330)
            feed.wait(lambda state: len(state["logins"]) == 2)
            feed.publish()
            read_on(viewer, seen, until_frames=1 + len(expected))
            with client(f"{address}?fields=none") as second:
                read_on(second, later, until_frames=1 + len(expected))
            with client(f"{address}?symbol=MNQH6&fields=none") as third:
                read_on(third, other_contract, until_frames=1 + len(expected))
            viewer.send(json.dumps({"type": "pause"}))
            while seen.texts[-1]["type"] != "refused":
                seen.take(viewer.recv(timeout=10))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            health = json.load(answer)
        session, _ = health["sessions"]
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert KEY not in said
    feed_state = health["feed"]
    assert (feed_state["state"], feed_state["breaks"], feed_state["gaps"]) == ("live", 1, 0)
    assert feed_state["symbols"] == ["MNQM6", "MNQH6"]
    assert (session["dt"], session["contract"], session["state"]) == (DATE, "MNQM6", "live")
    assert [gap["bridged"] for gap in of_kind(lake, "gap")] == [True]
    assert list(directory(lake).glob("*.part")) == []
    table = seen.table.replace_schema_metadata(None)
    for other in (expected, frames(lake, "MNQM6")):
        assert pa.Table.equals(table, other.replace_schema_metadata(None))
    assert "does not wait" in seen.last("refused")["message"]
    assert other_contract.table["event_id"].to_pylist() == frames(whole, "MNQH6")["event_id"].to_pylist()
    assert later.table["event_id"].to_pylist() == expected["event_id"].to_pylist()


@pytest.mark.long
def test_after_midnight_who_asks_for_nothing_in_particular_gets_the_new_session(tmp_path: Path) -> None:
    file = night_market(tmp_path / "night" / "market.dbn")
    lake = tmp_path / "lake"
    with (
        gateway(file, from_record=100) as feed,
        serving(feed, lake, "--symbol", "MNQ", "--live-from", "week") as (process, port),
    ):
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream?fields=none"
        before, after = Seen(), Seen()
        with client(address) as viewer:
            read_on(viewer, before, until_frames=50)
            feed.publish(200)
            feed.wait(lambda state: len(state["logins"]) == 2)
            feed.publish()
            read_on(viewer, before)
        with client(address) as viewer:
            read_on(viewer, after, until_frames=50)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert before.last("end")
    assert [one.last("runtime_config")["dt"] for one in (before, after)] == ["2026-02-09", "2026-02-10"]
    assert len(before.table) == len(frames(lake, "MNQH6", "2026-02-09"))
