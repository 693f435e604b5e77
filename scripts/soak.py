#!/usr/bin/env python3
"""Run the server for long, viewers coming and going, and see whether memory, descriptors or threads grow.

    uv run python scripts/soak.py [--minutes 480] [--speed 10] [--viewers 4] [--out docs/soak.json]

Replays the demonstration session again and again: when it is over, a new one begins. Each viewer stays for a few
seconds to a minute; one in five leaves without a word, one in five stops reading. The slope of the memory (without
mapped files, whose pages count as the replay touches them) is fitted to the samples after `--settle` minutes, in
which caches and the history (16 MiB of frames in memory) fill up.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.crowd import join
from benchmarks.program import Server

SAMPLE_SECONDS = 5.0
LONGEST_STAY_SECONDS = 60.0
ORDERLY_CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"


def main() -> int:
    """Run; 0 if nothing grew."""
    options = _options()
    lake = options.lake or Path(tempfile.gettempdir()) / "vp-soak"
    server = Server(lake)
    stop = threading.Event()
    visits = [0] * options.viewers
    guests = [
        threading.Thread(target=_come_and_go, args=(server.port, options.speed, number, stop, visits))
        for number in range(options.viewers)
    ]
    for guest in guests:
        guest.start()
    samples: list[tuple[float, float, int, int, int, float]] = []
    started = time.monotonic()
    cpu_before = server.cpu_seconds()
    try:
        while time.monotonic() - started < options.minutes * 60 and server.process.poll() is None:
            seconds = time.monotonic() - started
            samples.append((seconds, server.rss_mib(), *server.descriptors(), server.threads(), server.private_mib()))
            time.sleep(SAMPLE_SECONDS)
        cpu_seconds = server.cpu_seconds() - cpu_before
    finally:
        stop.set()
        for guest in guests:
            guest.join()
        exit_code = server.stop()
    result = _summary(np.asarray(samples), options)
    result |= {"visits": sum(visits), "server_cpu_percent": round(100 * cpu_seconds / samples[-1][0], 1)}
    result["exit_code"] = exit_code
    text = json.dumps(result, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")
    # The slope of a short run says nothing finer than the noise of the samples.
    allowed = 1.0 + result["private_slope_error_mib_per_hour"]
    grew = (
        result["private_slope_mib_per_hour"] > allowed
        or result["descriptors_end"] > result["descriptors_start"] + options.viewers
    )
    return int(grew or exit_code != 0)


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


def _summary(samples: np.ndarray, options: argparse.Namespace) -> dict[str, float]:
    """Slopes by least squares over what came after the settling; descriptors and threads as medians of the ends."""
    kept = samples[samples[:, 0] >= min(options.settle * 60, samples[-1, 0] / 2)]
    hours = kept[:, 0] / 3600
    (slope, _), covariance = np.polyfit(hours, kept[:, 5], 1, cov=True)
    fifth = max(1, len(kept) // 5)
    ends = {
        f"{name}_{end}": float(np.median(part[:, column]))
        for name, column in (
            ("rss_mib", 1),
            ("history_files", 2),
            ("descriptors", 3),
            ("threads", 4),
            ("private_mib", 5),
        )
        for end, part in (("start", kept[:fifth]), ("end", kept[-fifth:]))
    }
    return {
        "minutes": round(samples[-1, 0] / 60, 1),
        "speed": options.speed,
        "viewers": options.viewers,
        "private_slope_mib_per_hour": round(float(slope), 2),
        "private_slope_error_mib_per_hour": round(2 * float(np.sqrt(covariance[0, 0])), 2),
        "rss_mib_most": round(float(samples[:, 1].max()), 1),
        **{name: round(value, 1) for name, value in ends.items()},
        "descriptors_most": float(samples[:, 3].max()),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=480.0)
    parser.add_argument("--settle", type=float, default=5.0, metavar="MINUTES", help="left out of the slope")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--viewers", type=int, default=4, metavar="COUNT")
    parser.add_argument(
        "--lake", type=Path, metavar="DIRECTORY", help="where the demonstration session lies or is made"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
