"""Measure a backfill: `uv run python -m scripts.backfill_bench DIRECTORY`, sixteen days by one process and by two.

The days are the demonstration's session, moved by a day each. Printed are times, the ratio of each pair, and whether
all wrote the same bytes. `--ray` holds Ray with two processors against two processes; of both is taken off what two
days alone take, their start with them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from tests.dbn_files import header
from vp.backfill.job import Job
from vp.backfill.local_engine import LocalEngine
from vp.backfill.machine import available_bytes
from vp.backfill.plan import Request, plan
from vp.backfill.ray_engine import RayEngine
from vp.demo.session import DEMO, ROOT, ensure_demo
from vp.files import sha256_of
from vp.model.compilation import ensure_compiled
from vp.model.session import SessionSpec

DAY_NS = 86_400_000_000_000
MBO_BYTES = 56
TS_EVENT_AT, TS_RECV_AT = 8, 40
RAW = f"raw/source=databento/product_type=future_mbo/symbol={ROOT}/table=market_by_order_dbn"


def lay_days(lake: Path, days: int, seconds: int) -> None:
    """Lay the demonstration's first `seconds` after its start into a lake, as so many days."""
    demo = ensure_demo(lake.with_name("demonstration")).read_bytes()
    front = 8 + int.from_bytes(demo[4:8], "little")  # DBN: magic, version, length of the metadata
    records = np.frombuffer(demo, np.uint8, offset=front).reshape(-1, MBO_BYTES)
    times_ns = records[:, TS_RECV_AT : TS_RECV_AT + 8].copy().view(np.uint64).reshape(-1)
    first = int(times_ns[len(times_ns) // 8])
    kept = records[times_ns < first + seconds * 1_000_000_000]
    (lake / RAW).mkdir(parents=True, exist_ok=True)
    for number in range(days):
        date = dt.date.fromisoformat(DEMO.dt) + dt.timedelta(days=number)
        moved = kept.copy()
        for at in (TS_EVENT_AT, TS_RECV_AT):
            stamps = kept[:, at : at + 8].copy().view(np.uint64) + np.uint64(number * DAY_NS)
            moved[:, at : at + 8] = stamps.view(np.uint8).reshape(-1, 8)
        head = header(symbols={DEMO.symbol: int.from_bytes(demo[front + 4 : front + 8], "little")}, date=date)
        (lake / RAW / f"glbx-mdp3-{date:%Y%m%d}.mbo.dbn").write_bytes(head + moved.tobytes())


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--days", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=1_800, help="of event time a day")
    parser.add_argument("--pairs", type=int, default=3, help="of a run by one process and one by two")
    parser.add_argument("--ray", action="store_true", help="measure Ray against two processes, without what starts it")
    options = parser.parse_args()
    lake = options.directory / "lake"
    if not lake.exists():
        lay_days(lake, options.days, options.seconds)
    ensure_compiled(lambda _share: None)
    out = options.directory / "frames"  # one place for all runs: none writes to memory that another has warmed
    shutil.rmtree(out, ignore_errors=True)  # what is there is not planned
    out.mkdir()
    jobs = plan(Request(SessionSpec("future_mbo", "", "", lake=str(lake)), (), None, None, None, out)).jobs
    less = ("Ray", RayEngine(None, 2)) if options.ray else ("one process", LocalEngine(1, available_bytes()))
    compared: Sequence[tuple[str, LocalEngine | RayEngine]] = [
        less,
        ("two processes", LocalEngine(2, available_bytes())),
    ]
    seconds: dict[str, list[float]] = {name: [] for name, _ in compared}
    digests: set[tuple[str, ...]] = set()
    for name, engine in compared * options.pairs:
        taken = _timed(name, engine, jobs, out)
        digests.add(tuple(sha256_of(path) for path in sorted(out.iterdir())))
        if options.ray:
            taken -= _timed(f"{name}, of which to start and for two days", engine, jobs[:2], out)
        seconds[name].append(taken)
    (first, befores), (second, afters) = seconds.items()
    ratios = sorted(before / after for before, after in zip(befores, afters, strict=True))
    told = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f} of {len(ratios)} pairs)"
    print(f"{second} against {first}: {told}, {'the same bytes' if len(digests) == 1 else 'OTHER BYTES'}")
    return 0 if len(digests) == 1 else 1


def _timed(name: str, engine: LocalEngine | RayEngine, jobs: Sequence[Job], out: Path) -> float:
    """How long an engine takes for jobs."""
    for path in out.iterdir():
        path.unlink()
    os.sync()  # what was laid or written before is not for this run to wait for
    started = time.monotonic()
    outcomes = [outcome for _, outcome in engine.run(jobs)]
    seconds = time.monotonic() - started
    frames = sum(outcome.result.rows for outcome in outcomes if outcome.result is not None)
    failed = sum(outcome.result is None for outcome in outcomes)
    peak = max(outcome.peak_bytes for outcome in outcomes) / 1e6
    print(
        f"{name}: {len(jobs)} days, {frames:,} frames, {seconds:.1f} s, peak {peak:.0f} MB, {failed} failed", flush=True
    )
    return seconds


if __name__ == "__main__":
    sys.exit(main())
