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
from tests.vp.server.clients import Seen, client, read_on


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


def test_frames_seen_live_are_those_of_the_recording_through_breaks(tmp_path: Path, whole: Path) -> None:
    expected = frames(whole, "MNQM6")
    lake = tmp_path / "lake"
    with (
        gateway(directory(whole) / "glbx-mdp3-20260206.mbo.dbn", from_record=100) as feed,
        serving(feed, lake, "--symbol", "MNQM6", "--live-from", "week") as (process, port),
    ):
        address = f"ws://127.0.0.1:{port}/v1/vacuum-pressure/stream"
        seen, later = Seen(), Seen()
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
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            (session,) = json.load(answer)["sessions"]
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert KEY not in said
    assert (session["dt"], session["contract"], session["state"]) == (DATE, "MNQM6", "live")
    assert [gap["bridged"] for gap in of_kind(lake, "gap")] == [True]
    assert list(directory(lake).glob("*.part")) == []
    table = seen.table.replace_schema_metadata(None)
    for other in (expected, frames(lake, "MNQM6")):
        assert pa.Table.equals(table, other.replace_schema_metadata(None))
    assert later.table["event_id"].to_pylist() == expected["event_id"].to_pylist()
