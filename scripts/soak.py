#!/usr/bin/env python3
"""Run the server for long, viewers coming and going, and see whether memory, descriptors or threads grow.

    uv run python scripts/soak.py --hours 8 [--speed 10] [--viewers 4] [--out docs/soak.json]
    uv run python scripts/soak.py --minutes 20 --history-limit-gb 0.2 --speed 40

Replays the demonstration session again and again: when it is over, a new one begins. Each viewer stays for a few
seconds to a minute; one in five leaves without a word, one in five stops reading.

What has a bound fills up before it stays: the histories on disk, those of sessions that are over (so many are begun
and left at first), the ring of memory of each. Only once all of them are full does the time begin that is asked for,
and a line is fitted to it: to private memory, without mapped files, whose pages count as the replay touches them; and
apart to what the allocator holds for the program, what it keeps though it is free, and what it has mapped. With the
usual limit of 4 GB on disk filling takes an hour and more at ten times the speed; a small one shows the same sooner.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.crowd import join
from benchmarks.program import Server
from vp.server.history.retention import KEEP_SESSIONS

SAMPLE_SECONDS = 5.0
LONGEST_STAY_SECONDS = 60.0
ORDERLY_CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
ALLOWED_MIB_PER_HOUR = 1.0
MIB = 1 << 20
FIELDS = (
    "seconds",
    "private_mib",
    "used_mib",
    "kept_free_mib",
    "mapped_mib",
    "history_disk_mib",
    "descriptors",
    "history_files",
    "threads",
)


def main() -> int:
    """Run; 0 if nothing grew."""
    options = _options()
    lake = options.lake or Path(tempfile.gettempdir()) / "vp-soak"
    server = Server(lake, "--history-limit-gb", f"{options.history_limit_gb:g}", "--max-sessions", "64")
    stop = threading.Event()
    visits = [0] * options.viewers
    guests = [
        threading.Thread(target=_come_and_go, args=(server.port, options.speed, number, stop, visits))
        for number in range(options.viewers)
    ]
    for guest in guests:
        guest.start()
    samples: list[tuple[float, ...]] = []
    try:
        filled_seconds = _fill(server, options)
        started, cpu_before = time.monotonic(), server.cpu_seconds()
        while time.monotonic() - started < options.minutes * 60 and server.process.poll() is None:
            samples.append(_sample(server, time.monotonic() - started))
            time.sleep(SAMPLE_SECONDS)
        cpu_seconds = server.cpu_seconds() - cpu_before
    finally:
        stop.set()
        for guest in guests:
            guest.join()
        exit_code = server.stop()
    result = {
        "speed": options.speed,
        "viewers": options.viewers,
        "history_limit_gb": options.history_limit_gb,
        "minutes_until_every_bound_was_full": round(filled_seconds / 60, 1),
        **_summary(np.asarray(samples)),
        "visits": sum(visits),
        "server_cpu_percent": round(100 * cpu_seconds / samples[-1][0], 1),
        "exit_code": exit_code,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")
    return int(_grew(result) or exit_code != 0)


def _fill(server: Server, options: argparse.Namespace) -> float:
    """Wait until every bound is reached; how many seconds that took.

    Sessions that differ in their throttle are begun and left, one after the other, until as many that are over are kept
    as may be.
    """
    started = time.monotonic()
    number = 0
    kept_all = False  # they are let go after their time, and come again as they come
    full_since = None
    while time.monotonic() - started < options.fill_minutes * 60:
        told = server.metrics()
        kept = int(told["vp_histories_kept"])
        disk = told["vp_history_limit_bytes"] - told["vp_history_disk_bytes"] <= 2 * MIB
        kept_all = kept_all or kept >= KEEP_SESSIONS
        if not kept_all:
            number += 1
            with contextlib.suppress(OSError), join(server.port, f"speed={options.speed:g}&throttle_ms={18 + number}"):
                time.sleep(1.0)
        full_since = (full_since or time.monotonic()) if disk and kept_all else None
        if full_since is not None and time.monotonic() - full_since > options.settle_minutes * 60:
            return time.monotonic() - started
        time.sleep(1.0)
    print("not every bound was reached: what follows may be filling", file=sys.stderr)
    return time.monotonic() - started


def _sample(server: Server, seconds: float) -> tuple[float, ...]:
    """The values of FIELDS."""
    told = server.metrics()
    used, free, mapped = (
        told.get(f'vp_allocator_bytes{{state="{state}"}}', 0.0) for state in ("used", "free", "mapped")
    )
    files, others = server.descriptors()
    return (
        seconds,
        server.private_mib(),
        used / MIB,
        free / MIB,
        mapped / MIB,
        told["vp_history_disk_bytes"] / MIB,
        others,
        files,
        server.threads(),
    )


def _grew(result: Mapping[str, float]) -> bool:
    """Whether anything grew beyond what the noise of the samples would show of it."""
    allowed = ALLOWED_MIB_PER_HOUR + result["private_mib_error_per_hour"]
    return (
        result["private_mib_per_hour"] > allowed
        or result["descriptors_end"] > result["descriptors_start"] + result["viewers"]
        or result["history_files_end"] > result["history_files_start"]
        or result["threads_end"] > result["threads_start"]
    )


def _come_and_go(port: int, speed: float, number: int, stop: threading.Event, visits: list[int]) -> None:
    """Be one viewer after another."""
    dice = random.Random(number)
    while not stop.is_set():
        try:
            opened = join(port, f"speed={speed:g}")
        except OSError:
            stop.wait(1.0)
            continue
        visits[number] += 1
        until = time.monotonic() + dice.uniform(2.0, LONGEST_STAY_SECONDS)
        kind = dice.choice(["orderly", "orderly", "orderly", "wordless", "stalls"])
        stalls_at = until - LONGEST_STAY_SECONDS / 3 if kind == "stalls" else until
        opened.settimeout(0.5)
        while time.monotonic() < until and not stop.is_set():
            if time.monotonic() >= stalls_at:
                stop.wait(0.5)
                continue
            try:
                if not opened.recv(1 << 20):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        if kind == "orderly":
            with contextlib.suppress(OSError):
                opened.sendall(ORDERLY_CLOSE)
        opened.close()


def _summary(samples: np.ndarray) -> dict[str, float]:
    """Per field its median at the start and the end, its most, and its slope with twice the slope's error."""
    hours = samples[:, 0] / 3600
    fifth = max(1, len(samples) // 5)
    found: dict[str, float] = {"minutes": round(float(samples[-1, 0]) / 60, 1)}
    for column, name in enumerate(FIELDS[1:], start=1):
        values = samples[:, column]
        (slope, _), covariance = np.polyfit(hours, values, 1, cov=True)
        found |= {
            f"{name}_start": round(float(np.median(values[:fifth])), 1),
            f"{name}_end": round(float(np.median(values[-fifth:])), 1),
            f"{name}_most": round(float(values.max()), 1),
            f"{name}_per_hour": round(float(slope), 2),
            f"{name}_error_per_hour": round(2 * float(np.sqrt(covariance[0, 0])), 2),
        }
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=60.0, help="how long, once every bound is full")
    length.add_argument("--hours", type=float, help="the same in hours")
    parser.add_argument("--history-limit-gb", type=float, default=4.0, help="of the server")
    parser.add_argument("--fill-minutes", type=float, default=180.0, help="how long to wait for every bound")
    parser.add_argument("--settle-minutes", type=float, default=1.0, help="full for so long before it counts")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--viewers", type=int, default=4, metavar="COUNT")
    parser.add_argument(
        "--lake", type=Path, metavar="DIRECTORY", help="where the demonstration session lies or is made"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    if options.hours is not None:
        options.minutes = 60 * options.hours
    return options


if __name__ == "__main__":
    sys.exit(main())
