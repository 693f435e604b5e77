"""From the start of the process to the first frame on a websocket, and what memory that takes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import websockets

from benchmarks.workload import DATE, START_TIME, SYMBOL, raw_file
from vp.lake.cache_budget import BOOKS, DECOMPRESSED

STREAM = "/v1/vacuum-pressure/stream"
SESSION = ("--product-type", "future_mbo", "--symbol", SYMBOL, "--dt", DATE, "--start-time", START_TIME)
FRAME_BYTES = 10_000  # more than a schema message, less than a frame of all fields
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Start:
    """One start: seconds to the first frame, and the most private memory the process had."""

    seconds: float
    private_bytes: int


class Server:
    """`python -m vp.serve` over one lake, for as long as the context lasts."""

    def __init__(self, lake: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vp.serve", "--lake", str(lake), *SESSION, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.private_bytes = 0
        self._watch = threading.Thread(target=self._measure, daemon=True)
        self._watch.start()
        assert self.process.stdout is not None
        found = re.search(r"http://([^/]+)/", self.process.stdout.readline())
        if found is None:
            raise RuntimeError(f"the server over {lake} ended before it said its address")
        self.address = found.group(1)

    def url(self, query: str = "") -> str:
        """Address of the stream."""
        return f"ws://{self.address}{STREAM}{query}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()  # what was begun in the background heeds no SIGINT
        self.process.wait(20)
        self._watch.join()

    def _measure(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        while self.process.poll() is None:
            try:
                found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
            except OSError:
                return
            if found:
                self.private_bytes = max(self.private_bytes, 1024 * int(found.group(1)))
            time.sleep(POLL_SECONDS)


def start(lake: Path, *, cold: bool, environment: dict[str, str] | None = None) -> Start:
    """Start the server and wait for a frame; `cold` without the lake's caches, which a warm start must find."""
    cache = lake / "cache"
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    with Server(lake, environment=environment) as server:
        seconds = asyncio.run(_first_frame_at(server.url())) - server.started
        if cold:
            _wait_for_caches(lake)
        return Start(seconds, server.private_bytes)


def first_ever(lake: Path) -> tuple[float, float]:
    """Seconds to the first frame with kernels to compile, and then without."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {"NUMBA_CACHE_DIR": directory}
        return tuple(start(lake, cold=True, environment=environment).seconds for _ in range(2))  # type: ignore[return-value]


def help_seconds() -> float:
    """Seconds that `--help` takes."""
    return _seconds([sys.executable, "-m", "vp.serve", "--help"])


def zstd_seconds(lake: Path) -> float:
    """Seconds that `zstd -dc` takes for the lake's raw file."""
    return _seconds(["zstd", "-dc", str(raw_file(lake))])


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


async def _first_frame_at(url: str) -> float:
    """When it was there, of `time.perf_counter`."""
    async with websockets.connect(url, max_size=None, max_queue=None) as socket:  # a full queue would delay the close
        async for message in socket:
            if isinstance(message, bytes) and len(message) > FRAME_BYTES:
                return time.perf_counter()
    raise RuntimeError("the server closed the stream before there was a frame")


def _wait_for_caches(lake: Path) -> None:
    wanted = [lake / "cache" / BOOKS.directory]
    if raw_file(lake).suffix == ".zst":
        wanted.append(lake / "cache" / DECOMPRESSED.directory)
    while not all(list(directory.glob("*[!0-9]")) for directory in wanted):
        time.sleep(POLL_SECONDS)
