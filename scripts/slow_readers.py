#!/usr/bin/env python3
"""Measure what readers of the history that take next to nothing cost the server, and who comes after them.

    uv run python scripts/slow_readers.py [--readers 8 40] [--seconds 20]

Each asks for all frames that one answer may hold, every value as it was, and takes 128 KiB of it a second. Another one
asks for a hundred frames again and again meanwhile: how long the slowest of its answers took is told beside the most
memory that the server held for itself alone, and what it held before anyone asked.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.crowd import join
from benchmarks.program import Server

FRAMES = 16_384
SPEED = 2000
SIP_BYTES, SIP_SECONDS = 16 << 10, 0.125
ALLOWED_MIB, ALLOWED_SECONDS = 64.0, 2.0
HISTORY = "/v1/vacuum-pressure/history?session_id={}&exact=1&limit={}"


def main() -> int:
    """Run; 0 if the server kept what it promises."""
    options = _options()
    server = Server(options.lake or Path(tempfile.gettempdir()) / "vp-load-test")
    kept = True
    print("| readers | memory before, MiB | at most, MiB | slowest other answer, s |\n| --- | --- | --- | --- |")
    try:
        session_id = _session_of_many_frames(server)
        while any(one["session_id"] == session_id for one in server.health()["sessions"]):
            time.sleep(0.5)  # it goes on for a while without a viewer, at a speed that takes a whole core
        for count in options.readers:
            before, most, slowest = _measure(server, session_id, count, options.seconds)
            print(f"| {count} | {before:.0f} | {most:.0f} | {slowest:.2f} |", flush=True)
            kept = kept and most - before <= ALLOWED_MIB and slowest <= ALLOWED_SECONDS
    finally:
        code = server.stop()
    return int(code != 0 or not kept)


def _session_of_many_frames(server: Server) -> str:
    """A session, which nobody watches any more, of as many frames as one answer may hold."""
    with join(server.port, f"speed={SPEED}&throttle_ms=18") as viewer:
        viewer.settimeout(1.0)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                viewer.recv(1 << 20)
            playing = [one for one in server.health()["sessions"] if one["viewers"]]
            if playing and _frames_made(server, session_id := str(playing[0]["session_id"])) > FRAMES:
                return session_id
    raise RuntimeError("the session has not made that many frames")


def _frames_made(server: Server, session_id: str) -> int:
    address = f"http://127.0.0.1:{server.port}{HISTORY.format(session_id, 1)}&fields=none"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            block = answer.read()
    except urllib.error.HTTPError:  # it is loading
        return 0
    return int(json.loads(block[4 : 4 + int.from_bytes(block[:4], "little")])["first"])


def _measure(server: Server, session_id: str, count: int, seconds: float) -> tuple[float, float, float]:
    """Memory before, the most of it, MiB, and the longest that someone else waited for an answer, s."""
    _answer_seconds(server, session_id)
    before = most = server.private_mib()
    stop = threading.Event()
    readers = [threading.Thread(target=_sip, args=(server.port, session_id, stop)) for _ in range(count)]
    for reader in readers:
        reader.start()
    slowest, until = 0.0, time.monotonic() + seconds
    asking = threading.Thread(target=_sample, args=(server, stop, memory := [before]))
    asking.start()
    while time.monotonic() < until:
        slowest = max(slowest, _answer_seconds(server, session_id))
        time.sleep(0.1)
    stop.set()
    for thread in (*readers, asking):
        thread.join()
    return before, max(most, *memory), slowest


def _sample(server: Server, stop: threading.Event, memory: list[float]) -> None:
    while not stop.wait(0.02):
        memory[0] = max(memory[0], server.private_mib())


def _answer_seconds(server: Server, session_id: str) -> float:
    started = time.monotonic()
    address = f"http://127.0.0.1:{server.port}{HISTORY.format(session_id, 100)}"
    with urllib.request.urlopen(address, timeout=60) as answer:
        answer.read()
    return time.monotonic() - started


def _sip(port: int, session_id: str, stop: threading.Event) -> None:
    """Take little, and ask anew when the connection has ended."""
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as opened:
            opened.sendall(f"GET {HISTORY.format(session_id, FRAMES)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            while not stop.wait(SIP_SECONDS) and opened.recv(SIP_BYTES):
                pass


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, nargs="+", default=[8, 40], metavar="COUNT", help="one after the other")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each of these counts")
    parser.add_argument(
        "--lake", type=Path, metavar="DIRECTORY", help="where the demonstration session lies or is made"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
