#!/usr/bin/env python3
"""Measure many viewers of one paced session: frame lag, frames missed, the server's processor time and memory.

    uv run python scripts/load_test.py [--viewers 500] [--stalled 50] [--slow 5] [--seconds 30]

First the viewers alone; then beside `--stalled` ones that stop reading. `--slow` ones read a tenth of what comes, and
what each viewer missed is held against what it was told. The frame lag is the time from when a frame is due (its
event time, by the pace of the session) to when a viewer has it, above the least that any viewer saw. At last the
server gets SIGTERM with all of them attached, and five that stopped reading a moment ago. The viewers
run in processes of their own on the same machine and take their part of its time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.crowd import Seen, frames_held, join, missed_since, unaccounted, watch
from benchmarks.program import Server

QUERY = "speed=1&throttle_ms=18"  # the demonstration makes 40 frames a second then
SETTLE_SECONDS = 5.0
FREED_SECONDS = 15.0
GOING_AWAY = 1001
LEAST_FRAMES_PER_SECOND = 38.0


@dataclass(frozen=True)
class Phase:
    """What was measured over a stretch of time."""

    name: str
    seconds: float
    viewers: int
    frames_per_second: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    server_cpu_percent: float
    machine_busy_percent: float
    rss_before_mib: float
    rss_after_mib: float


def main() -> int:
    """Run; 0 if every viewer was told what it missed and the stalled ones were freed in time."""
    options = _options()
    lake = options.lake or Path(tempfile.gettempdir()) / "vp-load-test"
    server = Server(lake, "--max-viewers", str(options.viewers + options.slow + options.stalled))
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        try:
            result, crowd, held = _measure(server, pool, options)
        finally:
            result_code = server.stop()
    wrong = unaccounted(crowd, held)
    result["exit_code"] = result_code
    result["viewers_that_missed"] = sum(bool(seen.told) for seen in crowd)
    result["frames_missed"] = sum(sum(seen.told.values()) for seen in crowd)
    result["frames_received"] = sum(len(seen.event_ids) for seen in crowd)
    result["unaccounted"] = wrong
    result["short"] = _short(result, crowd, held)
    print(json.dumps(result, indent=2))
    print(_table(result))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    lost = sum(seen.code != GOING_AWAY for seen in crowd if not seen.slow)
    if wrong or lost or result_code or result["short"]:
        print(
            f"FAILED: exit code {result_code}, {len(wrong)} gaps untold or wrongly told, {lost} viewers lost, "
            f"{len(result['short'])} that got too little",
            file=sys.stderr,
        )
        return 1
    if result["stalled_freed_seconds"] is None:
        print(f"FAILED: stalled viewers still there after {FREED_SECONDS} s", file=sys.stderr)
        return 1
    return 0


def _measure(server: Server, pool: Any, options: argparse.Namespace) -> tuple[dict[str, Any], list[Seen], np.ndarray]:
    joining = 2.0 + (options.viewers + options.slow) / 40
    alone_from = time.time() + joining + SETTLE_SECONDS
    stalled_from = alone_from + options.seconds
    until = stalled_from + SETTLE_SECONDS + options.seconds
    parts = [
        (server.port, QUERY, part, slow, until + 60)  # the server ends before
        for part, slow in zip(
            _parts(options.viewers, options.processes), _parts(options.slow, options.processes), strict=True
        )
    ]
    working = pool.starmap_async(watch, parts)
    _sleep_until(alone_from)
    there = server.health()["viewers"]
    alone = _Meter(server)
    _sleep_until(stalled_from)
    alone.stop()
    stalled = [join(server.port, QUERY) for _ in range(options.stalled)]
    stopped = time.time()
    _sleep_until(stalled_from + SETTLE_SECONDS)
    beside = _Meter(server)
    freed = None if stalled else 0.0
    while freed is None and time.time() < stopped + FREED_SECONDS + 1:
        if server.health()["viewers"] <= there:
            freed = time.time() - stopped
        time.sleep(0.25)
    _sleep_until(until)
    beside.stop()
    stayed = server.health()["viewers"]
    session = next(session for session in server.health()["sessions"] if session["viewers"])
    stalled += [join(server.port, QUERY, narrow=True) for _ in range(min(5, options.stalled))]
    time.sleep(SETTLE_SECONDS)
    held = frames_held(server.port, session["session_id"])
    asked = time.time()
    server.stop()
    shutdown_seconds = time.time() - asked
    crowd = [seen for part in working.get(120) for seen in part]
    for one in stalled:
        one.close()
    offset = min(int((_array(s.received_ns) - _array(s.clock_ns)).min()) for s in crowd if len(s.event_ids))
    quick = [seen for seen in crowd if not seen.slow]
    phases = [_phase(name, meter, crowd, offset) for name, meter in (("alone", alone), ("beside the stalled", beside))]
    return (
        {
            "quick_viewers_that_missed_while_measured": sum(missed_since(seen, alone.started) > 0 for seen in quick),
            "frames_they_missed": sum(missed_since(seen, alone.started) for seen in quick),
            "viewers": options.viewers,
            "slow": options.slow,
            "stalled": options.stalled,
            "viewers_at_start": there,
            "viewers_at_end": stayed,
            "phases": [asdict(phase) for phase in phases],
            "stalled_freed_seconds": None if freed is None else round(freed, 1),
            "session_lag_seconds": session["lag_seconds"],
            "shutdown_seconds": round(shutdown_seconds, 2),
        },
        crowd,
        held,
    )


def _short(result: dict[str, Any], crowd: list[Seen], held: np.ndarray) -> list[str]:
    """Who got less than was promised: viewers that are not there, quick ones without the newest frame, a low rate."""
    short = []
    expected = result["viewers"] + result["slow"]
    if {result["viewers_at_start"], result["viewers_at_end"], len(crowd)} != {expected}:
        there, stayed = result["viewers_at_start"], result["viewers_at_end"]
        short.append(f"{there} viewers at the start, {stayed} at the end, not {expected}")
    for number, seen in enumerate(crowd):
        if not seen.event_ids:
            short.append(f"viewer {number} got no frame")
        elif not seen.slow and seen.event_ids[-1] < held[-1]:
            short.append(f"viewer {number} ended before the newest frame")
    rates = [(phase["frames_per_second"], phase["name"]) for phase in result["phases"]]
    return short + [f"{rate} frames a second {name}" for rate, name in rates if rate < LEAST_FRAMES_PER_SECOND]


def _table(result: dict[str, Any]) -> str:
    rows = [
        f"| {result['viewers']} viewers {phase['name']} | {phase['frames_per_second']} | {phase['lag_p50_ms']} | "
        f"{phase['lag_p99_ms']} | {phase['lag_max_ms']} | {phase['server_cpu_percent']} | "
        f"{phase['machine_busy_percent']} | "
        f"{phase['rss_before_mib']} to {phase['rss_after_mib']} |"
        for phase in result["phases"]
    ]
    head = "| | frames/s | lag p50, ms | p99, ms | most, ms | server, % of a core | machine busy, % | memory, MiB |"
    return "\n".join((head, "| --- " * 8 + "|", *rows))


class _Meter:
    """The server's processor time and memory between two moments."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.started = time.time()
        self._cpu = server.cpu_seconds()
        self._machine = _machine_seconds()
        self.rss_before = server.rss_mib()

    def stop(self) -> None:
        self.ended = time.time()
        self.cpu_percent = 100 * (self._server.cpu_seconds() - self._cpu) / (self.ended - self.started)
        busy, total = (now - before for now, before in zip(_machine_seconds(), self._machine, strict=True))
        self.machine_percent = 100 * busy / total
        self.rss_after = self._server.rss_mib()


def _machine_seconds() -> tuple[float, float]:
    """Processor time of the whole machine so far, viewers included: used, and in all."""
    fields = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return float(sum(fields) - fields[3] - fields[4]), float(sum(fields))


def _phase(name: str, meter: _Meter, crowd: list[Seen], offset_ns: int) -> Phase:
    lags = []
    for seen in crowd:
        if not seen.slow:
            received = _array(seen.received_ns)
            inside = (received >= meter.started * 1e9) & (received < meter.ended * 1e9)
            lags.append((received - _array(seen.clock_ns))[inside] - offset_ns)
    lag_ms = np.concatenate(lags) / 1e6
    seconds = meter.ended - meter.started
    p50, p99, most = (round(float(value), 2) for value in np.percentile(lag_ms, [50, 99, 100]))
    return Phase(
        name=name,
        seconds=round(seconds, 1),
        viewers=len(lags),
        frames_per_second=round(len(lag_ms) / len(lags) / seconds, 2),
        lag_p50_ms=p50,
        lag_p99_ms=p99,
        lag_max_ms=most,
        server_cpu_percent=round(meter.cpu_percent, 1),
        machine_busy_percent=round(meter.machine_percent, 1),
        rss_before_mib=round(meter.rss_before, 1),
        rss_after_mib=round(meter.rss_after, 1),
    )


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, np.int64)


def _parts(total: int, count: int) -> list[int]:
    return [total // count + (number < total % count) for number in range(count)]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=500, metavar="COUNT")
    parser.add_argument("--stalled", type=int, default=50, metavar="COUNT")
    parser.add_argument("--slow", type=int, default=5, metavar="COUNT")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each of the two phases")
    parser.add_argument("--processes", type=int, default=2, metavar="COUNT", help="that play the viewers")
    parser.add_argument(
        "--lake", type=Path, metavar="DIRECTORY", help="where the demonstration session lies or is made"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there too, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
