"""The program as a person runs it: in a process of its own, from another directory."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lakes import GOOD, WRONG, WRONG_SPEED, Wrong, flags
from tests.places import ROOT
from tests.vp.server import raw
from tests.vp.server.clients import Seen, client, read_on
from vp.programs import serve


class Program:
    """`scripts/run_vacuum_pressure.py` in a process."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "scripts" / "run_vacuum_pressure.py"), *options],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.fullmatch(r"Vacuum Pressure: http://127\.0\.0\.1:(\d+)/vacuum-pressure\.html\n", self.line)
        if found is None:
            raise AssertionError(self.process.communicate()[1])
        self.port = int(found.group(1))

    def ws(self, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.port}/v1/vacuum-pressure/stream?{query}"

    def end(self, name: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(name)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextlib.contextmanager
def program(directory: Path, *options: str) -> Iterator[Program]:
    running = Program(directory, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


def query(running: Program) -> urllib.request.Request:
    """A question of SQL."""
    return urllib.request.Request(
        f"http://127.0.0.1:{running.port}/v1/vacuum-pressure/query",
        b'{"sql": "SELECT contract FROM session"}',
        {"content-type": "application/json"},
    )


def test_without_arguments_it_serves_the_demonstration_from_anywhere(tmp_path: Path) -> None:
    with program(tmp_path, "--port", "0") as running:
        seen = Seen()
        with client(running.ws("speed=5&fields=pressure,vacuum")) as websocket:
            read_on(websocket, seen, until_frames=20)
        with pytest.raises(urllib.error.HTTPError) as caught:  # queries are off unless enabled
            urllib.request.urlopen(query(running), timeout=30)
        caught.value.close()
        config = seen.last("runtime_config")
        code, out, err = running.end(signal.SIGINT)
    assert (config["symbol"], config["source"], config["start_time"]) == ("MNQH6", "generated", "09:30")
    assert code == 0
    assert out == ""
    assert "making demonstration" in err
    assert "warming up" in err
    assert "Traceback" not in err
    assert (tmp_path / "lake" / "raw" / "source=generated").is_dir()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_ends_it_cleanly_with_viewers_of_every_kind(
    small_lake: Path, tmp_path: Path, name: signal.Signals
) -> None:
    options = [*flags({**GOOD, "start_time": ""}), "--lake", str(small_lake), "--port", "0", "--throttle-ms", "0"]
    with program(tmp_path, *options) as running:
        watching, stalled = Seen(), socket.create_connection(("127.0.0.1", running.port))
        with stalled, client(running.ws()) as websocket:
            stalled.sendall(
                b"GET /v1/vacuum-pressure/stream?speed=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            read_on(websocket, watching, until_frames=4)
            asked = time.monotonic()
            running.process.send_signal(name)
            read_on(websocket, watching)
            code, _, err = running.end(name)
            assert time.monotonic() - asked < 20  # no hang; how fast is not judged here
    assert code == 0
    assert watching.code == 1001
    assert "Traceback" not in err
    assert "error" not in err.lower()


def test_queries_are_answered_where_they_are_enabled(small_lake: Path, tmp_path: Path) -> None:
    options = [*flags(GOOD), "--lake", str(small_lake), "--port", "0", "--enable-query"]
    with program(tmp_path, *options) as running:
        with urllib.request.urlopen(query(running), timeout=30) as response:
            assert json.load(response)["rows"] == [["GOOD"]]
        code, _, err = running.end(signal.SIGTERM)
    assert (code, "Traceback" in err) == (0, False)


@pytest.mark.parametrize(("options", "most"), [((), 500), (("--max-viewers", "3"), 3)])
def test_it_takes_as_many_viewers_as_it_says_and_tells_the_next(
    small_lake: Path, tmp_path: Path, options: tuple[str, ...], most: int
) -> None:
    with (
        program(tmp_path, *flags(GOOD), "--lake", str(small_lake), "--port", "0", *options) as running,
        contextlib.ExitStack() as viewers,
    ):
        for _ in range(most):
            viewer = viewers.enter_context(raw.stream(running.port, "fields=vacuum"))
            assert viewer.read_until(raw.BINARY) is not None
        with raw.stream(running.port) as late:
            assert late.read_close() == 1013
            assert f"{most} viewers" in late.errors()[0]["message"]


def test_it_runs_as_many_sessions_as_it_is_told(small_lake: Path, tmp_path: Path) -> None:
    options = [*flags(GOOD), "--lake", str(small_lake), "--port", "0", "--max-sessions", "2"]
    with (
        program(tmp_path, *options) as running,
        raw.stream(running.port) as first,
        raw.stream(running.port, "throttle_ms=50") as second,
        raw.stream(running.port, "throttle_ms=75") as third,
    ):
        assert first.read_until(raw.BINARY) is not None
        assert second.read_until(raw.BINARY) is not None
        assert third.read_close() == 1013
        assert "2 sessions" in third.errors()[0]["message"]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_an_address_that_the_network_can_reach_is_said_loudly(
    small_lake: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    wrong = {**GOOD, "symbol": "JUNK"}  # ends before it serves
    assert serve.main([*flags(wrong), "--lake", str(small_lake), "--port", "0", "--host", host]) == 1
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("WARNING: ")]
    if host == "127.0.0.1":
        assert warned == []
    else:
        assert len(warned) == 1
        assert "0.0.0.0 can be reached from the network, and nothing asks who is there" in warned[0]


def test_a_port_in_use_is_found_before_anything_is_loaded(small_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = serve.main([*flags(GOOD), "--lake", str(small_lake), "--port", str(port)])
    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith(f"error: Port {port} of 127.0.0.1 is in use")
    assert "hint: " in said
    assert "reading" not in said


@pytest.mark.parametrize(
    "wrong", [wrong for wrong in (*WRONG, WRONG_SPEED) if not wrong.late], ids=lambda wrong: wrong.name
)
def test_what_cannot_be_served(small_lake: Path, capsys: pytest.CaptureFixture[str], wrong: Wrong) -> None:
    parameters = {**GOOD, **wrong.changes}
    code = serve.main([*flags(parameters), "--lake", str(small_lake), "--port", "0"])
    said = capsys.readouterr()
    assert code == wrong.exit_code
    assert "\nerror: " in "\n" + said.err
    assert "\nhint: " in said.err
    assert wrong.says in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_lake_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert serve.main(["--lake", str(tmp_path / "file" / "lake"), "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert "error: " in said
    assert "hint: " in said
    assert "Traceback" not in said


def test_a_program_that_cannot_start_has_the_exit_code(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "vp.serve", "--dt", "2026-02-06"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: The session is named in part")
    assert "Traceback" not in ended.stderr
