#!/usr/bin/env python3
"""Measure what many hostile strangers at once cost the server, and whoever else is served by it.

    uv run python scripts/strangers.py [--seconds 15] [--attacks queries pollers ...]

The demonstration is served, with queries. Another user watches it, and asks for /health and for a hundred frames of
the history again and again. Told are the memory that the server holds for itself alone before, at most and 12 s after,
the slowest of the other user's answers and the longest time in which it got no frame; and what the strangers got.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import multiprocessing
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.crowd import join
from benchmarks.program import Server

API = "/v1/vacuum-pressure"
HISTORY = f"{API}/history?session_id={{}}&exact=1&limit=100"
HOST = "Host: 127.0.0.1\r\n"
QUIET_SECONDS = 12.0
ALLOWED_SECONDS = 2.0
SQL = [
    "SELECT 1",
    "SELECT count(*) FROM events",
    "SELECT * FROM events ORDER BY price, ts_event",
    "SELECT count(*) FROM range(100000000000) a, range(100000000000) b",
    "SELECT length(repeat('x', 2000000000))",
    "SELECT nonsense FROM nowhere",
    "SELECT list(price) FROM events",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "SELECT string_agg(repeat('y', 100000)) FROM range(100000)",
    "SELECT repeat('z', 3000) FROM range(10000)",
]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
Outcomes = Counter[str]
Stranger = Callable[[int, int, float], Awaitable[str]]


def get(path: str, *headers: str) -> bytes:
    """The head of a request."""
    return f"GET {path} HTTP/1.1\r\n{HOST}{''.join(headers)}\r\n".encode()


def upgrade(query: str) -> bytes:
    """The head of a request for a stream."""
    return f"GET {API}/stream?{query} HTTP/1.1\r\n{HOST}{UPGRADE}".encode()


async def status_of(reader: asyncio.StreamReader) -> str:
    """The status of an answer, or what came in its place."""
    line = await reader.readline()
    return line.split()[1].decode() if line else "ended"


async def asked(port: int, request: bytes) -> str:
    """The status of the answer to a request, which is read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = await status_of(reader)
    while await reader.read(1 << 18):
        pass
    writer.close()
    return status


async def trickle(port: int, head: bytes, piece: bytes, until: float) -> str:
    """Send the beginning of a request, and a piece more each quarter of a second, without end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    while time.monotonic() < until and not reader.at_eof():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.25)
    writer.close()
    return "ended" if reader.at_eof() else "open"


async def query(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """Send SQL, one after the other of the list, and read the answer."""
    body = json.dumps({"sql": SQL[number % len(SQL)]}).encode()
    head = f"POST {API}/query HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nConnection: close\r\n"
    return await asked(port, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def poll(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """Ask for what programs look at again and again."""
    paths = ("/health", f"{API}/sessions", "/metrics", f"{API}/history?session_id={first_session(port)}")
    path = paths[number % len(paths)]
    status = await asked(port, get(path, "Connection: close\r\n"))
    return f"{path.partition('?')[0]} {status}"


async def slow_headers(port: int, number: int, until: float) -> str:
    """A header each quarter of a second, without end."""
    return await trickle(port, get("/health")[:-2], f"X-{number}: {'a' * 100}\r\n".encode(), until)


async def slow_body(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """A body of 60 KB, a few bytes at a time."""
    head = f"POST {API}/query HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    return await trickle(port, head.encode() + b'{"sql": "', b"x" * 16, until)


async def half_open(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """A websocket that is asked for, and whose frames nobody reads."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(upgrade(""))
    status = await status_of(reader)
    while time.monotonic() < until and not writer.transport.is_closing():
        await asyncio.sleep(0.25)
    writer.transport.abort()
    return status


async def storm(port: int, number: int, until: float) -> str:
    """A websocket that is asked for and dropped, at once or a moment later."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(upgrade("" if number % 2 else "speed=0"))
    with contextlib.suppress(OSError):
        await writer.drain()
        await asyncio.sleep(0.0 if number % 3 else min(0.05, until))
    writer.transport.abort()
    return "dropped"


async def start_times(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """A session that begins at a time that nobody else asked for; read for two seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    when = 9 * 3600 + 1800 + (number * 7919) % 20000
    writer.write(upgrade(f"start_time={when // 3600:02}:{when // 60 % 60:02}:{when % 60:02}&alone=yes"))
    status = await status_of(reader)
    stop = time.monotonic() + 2
    while time.monotonic() < stop:
        with contextlib.suppress(TimeoutError):
            piece = await asyncio.wait_for(reader.read(1 << 16), 0.5)
            if not piece:
                break
            if b"server_full" in piece:
                status = "server_full"
    writer.transport.abort()
    return status


async def flood(port: int, number: int, until: float) -> str:  # noqa: ARG001
    """A connection that says nothing, held until it is ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reader.read(1), max(0.0, until - time.monotonic()))
    ended = reader.at_eof()
    writer.transport.abort()
    return "ended" if ended else "open"


@functools.cache
def first_session(port: int) -> str:
    """The id of the session that is played."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        return next(str(one["session_id"]) for one in json.load(answer)["sessions"] if one["viewers"])


ATTACKS: dict[str, tuple[Stranger, int]] = {
    "queries": (query, 50),
    "pollers": (poll, 200),
    "slow-headers": (slow_headers, 1000),
    "slow-bodies": (slow_body, 1000),
    "half-open": (half_open, 400),
    "storm": (storm, 200),
    "start-times": (start_times, 40),
    "silent": (flood, 1500),
}


def attack(name: str, port: int, seconds: float, told: multiprocessing.SimpleQueue[Outcomes]) -> None:
    """Be as many strangers, each again and again; in a process of its own."""
    stranger, count = ATTACKS[name]
    until = time.monotonic() + seconds
    outcomes: Outcomes = Counter()

    async def one(number: int) -> None:
        while time.monotonic() < until:
            try:
                outcomes[await stranger(port, number, until)] += 1
            except OSError as error:
                outcomes[type(error).__name__] += 1
                await asyncio.sleep(0.05)
            number += count

    async def all_of_them() -> None:
        if name == "pollers":
            first_session(port)
        tasks = [asyncio.create_task(one(number)) for number in range(count)]
        await asyncio.wait(tasks, timeout=seconds + 10)
        outcomes["never answered"] = sum(not task.done() for task in tasks)
        for task in tasks:
            task.cancel()

    asyncio.run(all_of_them())
    told.put(+outcomes)


class OtherUser:
    """Watches the session, and asks for small answers again and again."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self.slowest: dict[str, float] = {}
        self.most_mib = 0.0
        self.failures: Outcomes = Counter()
        self._viewer = join(server.port, "")
        while not (
            watched := [one for one in server.health()["sessions"] if one["viewers"] and one["state"] == "live"]
        ):
            with contextlib.suppress(TimeoutError):
                self._viewer.settimeout(0.1)
                self._viewer.recv(1 << 20)
        self.session_id = str(watched[0]["session_id"])
        self._threads = [threading.Thread(target=one) for one in (self._watch, self._ask, self._sample)]
        for one in self._threads:
            one.start()

    def end(self) -> None:
        """Stop; what was seen stays."""
        self._stop.set()
        for one in self._threads:
            one.join()

    def _note(self, what: str, seconds: float) -> None:
        self.slowest[what] = max(self.slowest.get(what, 0.0), seconds)

    def _watch(self) -> None:
        with self._viewer as viewer:
            viewer.settimeout(0.25)
            last = time.monotonic()
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    if not viewer.recv(1 << 20):
                        self.failures["stream ended"] += 1
                        return
                    self._note("frames", time.monotonic() - last)
                    last = time.monotonic()
            self._note("frames", time.monotonic() - last)

    def _ask(self) -> None:
        while not self._stop.wait(0.05):
            for what, path in (("health", "/health"), ("history", HISTORY.format(self.session_id)), ("page", "/")):
                started = time.monotonic()
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{self._server.port}{path}", timeout=30) as answer:
                        answer.read()
                except OSError as error:
                    self.failures[f"{what}: {error}"] += 1
                self._note(what, time.monotonic() - started)

    def _sample(self) -> None:
        while not self._stop.wait(0.02):
            self.most_mib = max(self.most_mib, self._server.private_mib())


def main() -> int:
    """Run; 0 if the other user was served in time, whatever the strangers did."""
    options = _options()
    kept = True
    for allowed in options.descriptors:
        server = Server(options.lake, "--enable-query", allowed_descriptors=allowed or None)
        try:
            while not server.health()["ready"]:
                time.sleep(0.2)
            for name in options.attacks:
                kept = _measured(server, name, options.seconds) and kept
        finally:
            code = server.stop()
        print(f"descriptors {allowed or 'as here'}: exit code {code}", flush=True)
        kept = kept and code == 0
    return int(not kept)


def _measured(server: Server, name: str, seconds: float) -> bool:
    other = OtherUser(server)
    time.sleep(2)
    before, descriptors = server.private_mib(), sum(server.descriptors())
    other.slowest.clear()
    told: multiprocessing.SimpleQueue[Outcomes] = multiprocessing.get_context("spawn").SimpleQueue()
    process = multiprocessing.get_context("spawn").Process(target=attack, args=(name, server.port, seconds, told))
    process.start()
    outcomes = told.get()
    process.join()
    slow = ", ".join(f"{what} {taken:.2f}" for what, taken in sorted(other.slowest.items()))
    kept = not other.failures and max(other.slowest.values()) <= ALLOWED_SECONDS
    time.sleep(QUIET_SECONDS)
    print(
        f"{name}: private {before:.0f}, at most {other.most_mib:.0f}, afterwards {server.private_mib():.0f} MiB; "
        f"descriptors {descriptors}, then {sum(server.descriptors())}; slowest, s: {slow}; "
        f"other's failures {dict(other.failures)}; strangers {dict(outcomes)}",
        flush=True,
    )
    other.end()
    return kept


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    parser.add_argument("--descriptors", type=int, nargs="+", default=[0], help="that the server may have; 0: as here")
    parser.add_argument("--lake", type=Path, default=Path(tempfile.gettempdir()) / "vp-load-test")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
