"""Measure a relay with many viewers: `uv run python -m scripts.relay_bench [--viewers 500] [--seconds 30]`.

First the origin has one viewer and a relay with many, then that viewer alone, then a second one beside it. Printed are
what each costs the origin's processor, and how much later a frame is with viewers of the relay than with the origin's
own: with one that reads in a process of its own, and with all. Everything shares one machine; the crowd, which stands
for others, gives way there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.crowd import Seen, missed_since, watch
from benchmarks.program import Server

QUERY = "speed=1&throttle_ms=18"  # the demonstration makes 40 frames a second then
SETTLE_SECONDS = 5.0
GIVES_WAY = 10


def main() -> int:
    """Measure and print; 1 where a viewer of the relay missed a frame or lost its connection."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=500, metavar="COUNT", help="of the relay")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each stretch")
    parser.add_argument("--query", default=QUERY, help="of every viewer")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        multiprocessing.get_context("spawn").Pool(3) as pool,
        multiprocessing.get_context("spawn").Pool(2, os.nice, (GIVES_WAY,)) as crowd_pool,
    ):
        origin = Server(Path(tempfile.gettempdir()) / "vp-load-test")
        relay = Server(
            Path(directory),
            *("--upstream", f"ws://127.0.0.1:{origin.port}", "--max-viewers", str(options.viewers + 1)),
        )
        try:
            return _measure(origin, relay, pool, crowd_pool, options)
        finally:
            relay.stop()
            origin.stop()


def _measure(origin: Server, relay: Server, pool: Any, crowd_pool: Any, options: argparse.Namespace) -> int:
    joining = 2.0 + options.viewers / 40
    stretch = SETTLE_SECONDS + options.seconds
    relayed_until = time.time() + joining + stretch
    until = relayed_until + 2 * stretch

    def viewers(port: int, count: int, ends: float, of: Any = pool) -> Any:
        return of.apply_async(watch, (port, options.query, count, 0, ends))

    at_origin = viewers(origin.port, 1, until)
    alone = viewers(relay.port, 1, relayed_until)  # the crowd first: who joins gets what was, and it is short yet
    parts = (options.viewers // 2, (options.viewers - 1) // 2)
    others = [viewers(relay.port, part, relayed_until, crowd_pool) for part in parts]
    measured_from = time.time() + joining + SETTLE_SECONDS
    with_relay, of_relay = _costs(joining + SETTLE_SECONDS, options.seconds - 1.0, origin, relay)
    there = relay.health()["viewers"]
    one, crowd = alone.get(60), [seen for part in others for seen in part.get(60)]
    relay.stop()
    costs = _costs(SETTLE_SECONDS, options.seconds - 1.0, origin)
    viewers(origin.port, 1, until)
    costs += _costs(SETTLE_SECONDS, options.seconds - 2.0, origin)
    own = at_origin.get(60)[0]
    print(f"viewers of the relay: {there}; the relay took {of_relay:.1%} of a processor")
    print(
        f"the origin with one viewer {costs[0]:.1%}, with two {costs[1]:.1%}, with one and the relay {with_relay:.1%}"
    )
    for name, group in (("one", one), ("all", [*one, *crowd])):
        late_ms = np.concatenate([_late_ms(own, seen, measured_from) for seen in group])
        p50, p99, most = np.percentile(late_ms, [50, 99, 100])
        print(f"later than at the origin, {name}: {p50:.2f} ms, p99 {p99:.2f} ms, at the most {most:.2f} ms")
    missed = sum(missed_since(seen, measured_from) for seen in (*one, *crowd))
    lost = sum(seen.code != 0 for seen in (*one, *crowd))
    print(f"frames missed meanwhile: {missed}, connections lost: {lost}")
    return 1 if missed or lost else 0


def _costs(settle_seconds: float, seconds: float, *servers: Server) -> list[float]:
    """Share of a processor that each server takes, from so many seconds on."""
    time.sleep(settle_seconds)
    before, started = [server.cpu_seconds() for server in servers], time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - started
    return [(server.cpu_seconds() - was) / passed for server, was in zip(servers, before, strict=True)]


def _late_ms(own: Seen, other: Seen, since: float) -> np.ndarray:
    """How much later `other` had each frame that `own` had from a wall time on."""
    at = dict(zip(own.event_ids, own.received_ns, strict=True))
    late = [
        received - at[event]
        for event, received in zip(other.event_ids, other.received_ns, strict=True)
        if at.get(event, 0) >= since * 1e9
    ]
    return np.asarray(late, np.int64) / 1e6


if __name__ == "__main__":
    sys.exit(main())
