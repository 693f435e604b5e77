"""Files of at most a megabyte in the lake of a server: what it and its processes need for them above what they have.

One after the other they take the place of a day's file; each is played, listed, looked at as a whole and asked about.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile_files import HOSTILE, usual
from tests.lakes import RAW
from tests.places import ROOT
from tests.vp.server.clients import read_to_end

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]

MORE_MIB = 300
API = "/v1/vacuum-pressure"
SESSION = "product_type=future_mbo&symbol=MNQH6&dt=2026-02-06"
SQL = "SELECT count(*), max(price), count(DISTINCT order_id) FROM events"
DIRECTORY = RAW.format("future_mbo", "MNQ")
NAME = "glbx-mdp3-20260206.mbo.dbn"


class Served:
    """A server in a process, and what it and those that it begins take of memory."""

    def __init__(self, lake: Path) -> None:
        self.lake = lake
        self.directory = lake / DIRECTORY
        self.directory.mkdir(parents=True)
        self.lay(usual())
        command = [sys.executable, "-m", "vp.serve", "--port", "0", "--lake", str(lake), "--enable-query"]
        asked = ("--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06")
        self.errors = lake / "errors.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, *asked], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/", self.process.stdout.readline())
        assert found is not None
        self.host = f"127.0.0.1:{found[1]}"

    def lay(self, data: bytes) -> None:
        for path in self.directory.iterdir():
            path.unlink()
        (self.directory / (NAME + ".zst" * (not data.startswith(b"DBN")))).write_bytes(data)

    def ask(self, path: str, body: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of an answer over HTTP."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.host}{path}", data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=100) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    def use(self) -> list[tuple[int, bytes]]:
        """Play the day's file, and ask for all else that is made of it."""
        read_to_end(f"ws://{self.host}{API}/stream?{SESSION}&speed=0&fields=none")
        seen = read_to_end(f"ws://{self.host}{API}/stream?{SESSION}&speed=100000")
        named = [text["session_id"] for text in seen.texts if text["type"] == "runtime_config"]
        answers = [
            self.ask(f"{API}/sessions"),
            self.ask(f"{API}/overview?{SESSION}"),
            self.ask(f"{API}/query", {"sql": SQL, "symbol": "MNQH6", "dt": "2026-02-06", "product_type": "future_mbo"}),
        ]
        return answers + [self.ask(f"{API}/history?session_id={one}&exact=1&limit=16384") for one in named]

    def memory_mib(self, field: str) -> tuple[float, float]:
        """VmRSS or VmHWM of the server, and the most of the processes that answer queries."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = []
        for one in (str(pid), *children):
            with contextlib.suppress(FileNotFoundError, IndexError):  # it has ended
                status = Path(f"/proc/{one}/status").read_text()
                found.append(int(status.partition(f"{field}:")[2].split()[0]) / 1024)
                Path(f"/proc/{one}/clear_refs").write_text("5")  # VmHWM begins anew
        return found[0], max(found[1:], default=0.0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, tuple[float, float]]]:
    """A server that has played and answered, and what its processes took then."""
    running = Served(tmp_path_factory.mktemp("lake"))
    try:
        statuses = [status for status, _ in running.use()]
        assert statuses == [200] * 4
        yield running, running.memory_mib("VmRSS")
    finally:
        running.process.terminate()
        running.process.communicate(timeout=30)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_of_a_megabyte_takes_much_memory_of_the_server(
    served: tuple[Served, tuple[float, float]], name: str, record_property: Callable[[str, object], None]
) -> None:
    running, least = served
    running.lay(HOSTILE[name]())
    running.memory_mib("VmHWM")
    answers = running.use()
    more = [most - usual for most, usual in zip(running.memory_mib("VmHWM"), least, strict=True)]
    said = f"{name}: the server {more[0]:.0f}, a query {more[1]:.0f} MiB more; {[status for status, _ in answers]}"
    record_property("more_mib", said)
    print(said)  # noqa: T201 - with -s
    assert max(more) < MORE_MIB
    assert all(b"unexpected" not in body for _, body in answers), answers
    assert "unexpected" not in running.errors.read_text()
    assert "\x1b" not in running.errors.read_text()
    running.lay(usual())
    assert [status for status, _ in running.use()] == [200] * 4, "others are served as before"
