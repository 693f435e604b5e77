"""A service that hangs: it is told and given up after the timeout, and SIGTERM ends the program within five seconds."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import KEY, ONE, QUICK, entries, environment, run, said_by, start
from vp.download.stopping import ANSWER_SECONDS, LONGEST_SECONDS, Stopped, Stopping
from vp.download.vendor import QUIET_SECONDS, Vendor

PROMISED_SECONDS = 5.0


def test_the_promises() -> None:
    assert ANSWER_SECONDS < LONGEST_SECONDS < PROMISED_SECONDS
    assert QUIET_SECONDS == 30
    vendor = Vendor(KEY, "http://127.0.0.1:9", Stopping(), quiet_seconds=7.0)
    assert {part.TIMEOUT for part in (vendor.batch, vendor.metadata, vendor.symbology, vendor.timeseries)} == {7.0}
    assert Vendor(KEY, vendor.url, Stopping()).batch.TIMEOUT == QUIET_SECONDS


@pytest.mark.parametrize("path", ["submit_job", "get_dataset_condition", "download/", "list_jobs"])
def test_sigterm_ends_a_call_that_hangs(server: Server, tmp_path: Path, path: str) -> None:
    """That an order hangs loses nothing: the next run finds out whether it arrived."""
    lake = tmp_path / "lake"
    server.faults = [Fault(path, "hang")]
    process = start(environment(server), tmp_path, "futures", "daemon", *ONE, "--lake", str(lake), *QUICK)
    assert server.holding.wait(60)
    process.terminate()
    process.join(60)  # not a measurement: without the mechanism it would hang for QUIET_SECONDS and then go on
    assert process.exitcode == 143
    said = said_by(tmp_path)
    assert "stopped by SIGTERM" in said
    assert "looking for it" not in said
    server.release.set()
    again = ["daemon", *ONE]
    if path == "submit_job":
        assert [entry["state"] for entry in entries(lake)] == ["submitting"]
        code, said = run(server, lake, "futures", *again)  # an account without any job cannot prove it
        assert (code, "Look in Databento's portal" in said) == (1, True), said
        again.append("--resubmit-lost")
    code, said = run(server, lake, "futures", *again)
    assert code == 0, said
    assert len(server.service.jobs) == 1


def test_a_call_that_hangs_is_given_up_and_told(server: Server, tmp_path: Path) -> None:
    server.faults = [Fault("get_dataset_condition", "hang"), Fault("download/", "hold")]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE, "--timeout-seconds", "0.5")
    assert code == 0, said
    assert "the condition of GLBX.MDP3: " in said
    assert said.count("Read timed out") == 2
    assert "going on in" in said
    assert server.ranges  # what had come was not fetched again


def test_an_order_that_hangs_is_looked_for(server: Server, tmp_path: Path) -> None:
    server.faults = [Fault("submit_job", "hold")]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE, "--timeout-seconds", "0.5")
    assert code == 0, said
    assert "looking for it among Databento's jobs" in said
    assert len(server.service.jobs) == 1


def test_a_signal_during_an_order_waits_for_its_answer_but_not_for_long() -> None:
    stopping = Stopping()
    begun = time.monotonic()
    with stopping.listening(), pytest.raises(Stopped), stopping.shielded():
        signal.raise_signal(signal.SIGTERM)
        time.sleep(60)
    assert time.monotonic() - begun < 60


def test_a_second_signal_does_not_wait() -> None:
    stopping = Stopping()
    reached = False
    with stopping.listening(), pytest.raises(Stopped) as stopped, stopping.shielded():
        signal.raise_signal(signal.SIGTERM)
        reached = True
        signal.raise_signal(signal.SIGINT)
        time.sleep(60)
    assert reached
    assert stopped.value.exit_code == 130


@pytest.mark.long
def test_a_program_that_no_signal_interrupts_is_ended(tmp_path: Path) -> None:
    """As one does that hangs in the system: here, with the signal's handler taken away."""
    import subprocess
    import sys

    text = (
        "import signal, socket, time\n"
        "from vp.download.stopping import Stopping\n"
        "with Stopping().listening():\n"
        "    signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait(30) == 143


def test_a_port_that_takes_no_connection_is_told(server: Server, tmp_path: Path) -> None:
    """Nobody listens, so that nothing was sent, and nothing can have been bought."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.service.address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        code, said = run(server, tmp_path / "lake", "futures", "submit", *ONE)
    assert code == 1
    assert "did not give the condition of GLBX.MDP3 in 6 tries" in said
    assert entries(tmp_path / "lake") == []
