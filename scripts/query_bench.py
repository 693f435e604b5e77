#!/usr/bin/env python3
"""Time and peak memory of every named query over one session, each in a process of its own, as a person runs it.

    uv run python scripts/query_bench.py --lake lake --symbol MNQH6 --dt 2026-02-06 --start-time 09:30

Queries about frames are left out where the lake holds no recording of the session. Run it twice: the second time
the file is in the system's memory, and the book in the cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vp.query import catalogue

VALUES = {"queue_at_price": ["--set", "at_price=21500"]}


def measure(words: list[str]) -> tuple[float, float, int]:
    """Seconds, peak memory in MB and exit code of a process; its answer goes nowhere."""
    begun = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own program
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begun, usage.ru_maxrss / 1024, process.returncode


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("lake", "symbol", "dt", "start-time"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--format", default="table", help="as of vp.query; arrow writes every row (default table)")
    parser.add_argument("queries", nargs="*", metavar="NAME", help="left out: all")
    given = parser.parse_args()
    session = ["--lake", given.lake, "--symbol", given.symbol, "--dt", given.dt, "--start-time", given.start_time]
    print(f"{'query':20} {'seconds':>8} {'MB':>6}")
    for name in given.queries or catalogue.load():
        words = [sys.executable, "-m", "vp.query", name, *session, *VALUES.get(name, []), "--format", given.format]
        seconds, peak_mb, code = measure(words)
        print(f"{name:20} {seconds:8.2f} {peak_mb:6.0f}{'' if code == 0 else f'  exit code {code}'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
