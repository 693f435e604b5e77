"""Measure the live feed: `uv run python -m scripts.live_bench WHAT`, a checkout's own gateway, server and viewer.

`catching-up` (alone, or `-beside-a-page`), `burst`, `latency` and `memory` print a line each; docs/live.md says what
they are held against.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import connect

from benchmarks.program import Server, cpu_seconds
from tests.live_gateway import busy_market
from tests.live_gateway.control import KEY, GatewayProcess, gateway
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

DATE = "2026-02-06"
TABLE = "raw/source=databento/product_type=future_mbo/symbol=MNQ/table=market_by_order_dbn"
FILE = "glbx-mdp3-20260206.mbo.dbn"
PAGE_SECONDS = 3  # until a page shows what there is
HOUR_SECONDS, FIRST_SECONDS, PER_SECOND = 3600, 600, 20_000


class LiveServer(Server):
    """`vp serve --live` of a gateway."""

    def __init__(self, feed: GatewayProcess, lake: Path, symbol: str, *options: str) -> None:
        words = ["--live", "--symbol", symbol, "--live-from", "week", "--gateway", feed.address, *options]
        super().__init__(lake, *words, environment={"DATABENTO_API_KEY": KEY}, is_heard=False)

    @property
    def stream(self) -> str:
        """The address of its stream."""
        return f"ws://127.0.0.1:{self.port}/v1/vacuum-pressure/stream"

    def wait_for_records(self, records: int, seconds: float = 140.0) -> float:
        """Until its first session has processed so many; returns when that was, by the monotonic clock."""
        give_up = time.monotonic() + seconds
        while max((one.get("records_done", 0) for one in self.health()["sessions"]), default=0) < records:
            if time.monotonic() > give_up:
                raise TimeoutError(str(self.health()))
            time.sleep(0.05)
        return time.monotonic()


@contextlib.contextmanager
def serving(feed: GatewayProcess, lake: Path, symbol: str, *options: str) -> Iterator[LiveServer]:
    """The program, ended at the end."""
    server = LiveServer(feed, lake, symbol, *options)
    try:
        yield server
    finally:
        server.stop()


Beside = Callable[[LiveServer], contextlib.AbstractContextManager[object]]


class Watcher:
    """A viewer that takes all frames, in a thread, and notes when each came."""

    def __init__(self, address: str, event_offset: int) -> None:
        self.arrived: dict[int, float] = {}
        self.session: dict[str, Any] = {}
        self._event_at = event_offset
        self._connection = connect(address, max_size=None, compression=None)
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave."""
        self._connection.close()
        self._thread.join(10)

    def _main(self) -> None:
        schema_seen = False
        with contextlib.suppress(Exception):
            for message in self._connection:
                if isinstance(message, str):
                    told = json.loads(message)
                    if told["type"] == "runtime_config":
                        columns = told["frame"]["columns"]
                        self._event_at = next(one["offset"] for one in columns if one["name"] == "event_id")
                elif schema_seen:
                    at = self._event_at
                    self.arrived[int.from_bytes(message[at : at + 8], "little")] = time.monotonic()
                else:
                    schema_seen = True


@contextlib.contextmanager
def page(server: LiveServer) -> Iterator[None]:
    """One page of a server in a browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - with a page alone

    from tests.browser.programs import CHROMIUM, QUIET  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            opened = browser.new_page()
            with opened.expect_websocket() as found:
                opened.goto(f"http://127.0.0.1:{server.port}/vacuum-pressure.html")
            found.value.wait_for_event("framereceived")
            opened.wait_for_timeout(PAGE_SECONDS * 1000)
            yield
        finally:
            browser.close()


def catching_up(directory: Path, records: int, beside: Beside = contextlib.nullcontext) -> str:
    """Recording and engine of one symbol from a replay, beside decode and engine from a file, and what `beside` opens.

    From the file frames are made, and none is kept. Live, the bytes come over a socket, with the time of sending
    behind each record, are written to the disk, hashed, looked through and read again; frames are kept as those of any
    session.
    """
    file = directory / "whole" / TABLE / FILE
    busy_market.write(file, {"MNQH6": 1}, [busy_market.even_times(records / 5000, 5000)])
    spec = SessionSpec(product_type="future_mbo", symbol="MNQH6", dt=DATE, lake=str(directory / "whole"))
    rates = []
    million = records / 1e6
    for _ in range(2):  # the first loads the kernels
        with contextlib.closing(prepare(spec)) as session:
            began, began_cpu = time.monotonic(), time.process_time()
            while not session.finished:
                session.advance(None, 64)
            rates.append(records / (time.monotonic() - began))
            file_cpu = time.process_time() - began_cpu
    with (
        gateway(file, from_record=1000) as feed,
        serving(feed, directory / "lake", "MNQH6") as server,
        contextlib.ExitStack() as watched,
    ):
        server.wait_for_records(1000)
        watched.enter_context(beside(server))
        pids = feed.process.pid, server.process.pid
        before = [cpu_seconds(pid) for pid in pids]
        began = time.monotonic()
        feed.publish()
        took = server.wait_for_records(records) - began
        of_gateway, of_server = (cpu_seconds(pid) - at for pid, at in zip(pids, before, strict=True))
    live = records / took
    return (
        f"catching up: {live / 1e6:.2f} M records/s of {records:,}; decode and engine from a file "
        f"{rates[-1] / 1e6:.2f}; {live / rates[-1]:.2f} of it. Processor time of a million records: gateway "
        f"{of_gateway / million:.3f} s, server {of_server / million:.3f} s, from the file {file_cpu / million:.3f} s"
    )


def burst(directory: Path, seconds: int) -> str:
    """500,000 records of the watched symbol in a second on top of 40 symbols at 2,000 records/s each."""
    symbols = busy_market.contracts(40)
    name = next(iter(symbols))
    steady = [busy_market.even_times(seconds, 2000, offset_ns=100 * i) for i in range(40)]
    extra = busy_market.even_times(1, 500_000, offset_ns=(seconds // 2) * 10**9)
    steady[0] = np.sort(np.concatenate([steady[0], extra]))
    file = directory / "feed.dbn"
    all_records = busy_market.write(file, symbols, steady)
    offsets = (all_records["ts_recv"].astype(np.int64) - busy_market.START_NS) / 1e9
    with gateway(file) as feed, serving(feed_of(feed), directory / "lake", name, "--symbol", "MNQ") as server:
        watcher = Watcher(server.stream, 0)
        before = peak = 0.0
        began = time.monotonic()
        burst_ends = seconds // 2 + 1
        while (now := time.monotonic() - began) < seconds:
            feed.publish(int(np.searchsorted(offsets, now)))
            if now < seconds // 2:
                before = server.private_mib()
            peak = max(peak, server.private_mib())
            time.sleep(0.01)
        feed.publish()
        own = int((all_records["instrument_id"] == symbols[name]).sum())
        server.wait_for_records(own)
        time.sleep(3)
        after, health = server.private_mib(), server.health()
        watcher.close()
        in_burst = np.flatnonzero(all_records["instrument_id"] == symbols[name])
        last_in_burst = int(np.searchsorted(offsets[in_burst], burst_ends))
        behind = [(event, at) for event, at in watcher.arrived.items() if event >= last_in_burst]
        late = min(behind)[1] - began - burst_ends if behind else float("nan")
    done = health["sessions"][0]
    return (
        f"burst: {done['records_done']:,} of {own:,} records, unaccounted {done['records']['unaccounted']}, feed "
        f"{health['feed']['records']:,} of {len(all_records):,} and what names them; first frame behind the burst "
        f"{late:.3f} s after its end; private memory {before:.0f} MiB before, {peak:.0f} highest, "
        f"{after:.0f} after; breaks {health['feed']['breaks']}"
    )


def feed_of(feed: GatewayProcess) -> GatewayProcess:
    """The gateway, once it has something to begin with."""
    feed.publish(100)
    return feed


def latency(directory: Path, seconds: int, throttle_ms: int = 25) -> str:
    """Arrival of a record's bytes to its frame on the socket, at 2,000 records/s."""
    file = directory / "feed.dbn"
    times = busy_market.even_times(seconds, 2000)
    busy_market.write(file, {"MNQH6": 1}, [times])
    with (
        gateway(file) as feed,
        serving(feed_of(feed), directory / "lake", "MNQH6", "--throttle-ms", str(throttle_ms)) as server,
    ):
        watcher = Watcher(server.stream, 0)
        began, published, sent = time.monotonic(), 100, []
        while published < len(times):
            published = min(len(times), max(published, int((time.monotonic() - began) * 2000)))
            sent.append((published, time.monotonic()))
            feed.publish(published)
            time.sleep(0.002)
        server.wait_for_records(len(times))
        time.sleep(0.5)
        health = server.health()
        watcher.close()
    outside = _delays(sent[len(sent) // 4 :], watcher.arrived)
    stages = health["sessions"][0]["latency"]
    p50, p99 = np.percentile(outside, [50, 99]) * 1000
    inside = "; ".join(f"{name} p50 {of['p50_ms']} p99 {of['p99_ms']} ms" for name, of in stages.items() if of)
    return (
        f"latency: {inside}; from the order to the gateway to the frame at the viewer, {len(outside):,} frames, "
        f"p50 {p50:.2f} p99 {p99:.2f} ms"
    )


def _delays(sent: list[tuple[int, float]], arrived: dict[int, float]) -> list[float]:
    """Of each frame, seconds since its record was ordered, which was with the first order that reached so far."""
    until = np.array([records for records, _ in sent])
    first = [(event, at) for event, at in sorted(arrived.items()) if until[0] < event <= until[-1]]
    return [at - sent[int(np.searchsorted(until, event))][1] for event, at in first]


def memory(directory: Path, hour_seconds: int) -> str:
    """Private memory after an hour's feed at 20,000 records/s, against after ten minutes; as fast as it goes."""
    file = directory / "feed.dbn"
    symbols = busy_market.contracts(4)
    busy_market.write(
        file, symbols, [busy_market.even_times(hour_seconds, PER_SECOND / 4, offset_ns=50 * i) for i in range(4)]
    )
    total = hour_seconds * PER_SECOND
    own = total // 4
    with gateway(file) as feed, serving(feed_of(feed), directory / "lake", next(iter(symbols))) as server:
        feed.publish(total // 6)
        server.wait_for_records(own // 6 - 1)
        time.sleep(2)
        first = server.private_mib()
        feed.publish()
        server.wait_for_records(own - 1)
        time.sleep(2)
        last = server.private_mib()
    return (
        f"memory: {first:.1f} MiB after {hour_seconds // 6} s of feed, {last:.1f} after {hour_seconds} s "
        f"({last / first - 1:+.1%}), {total:,} records"
    )


def main() -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.live_bench", description=__doc__)
    measures: dict[str, tuple[Callable[[Path, int], str], int]] = {
        "catching-up": (catching_up, 12_000_000),
        "catching-up-beside-a-page": (functools.partial(catching_up, beside=page), 12_000_000),
        "burst": (burst, 20),
        "latency": (latency, 20),
        "memory": (memory, HOUR_SECONDS),
    }
    parser.add_argument("what", choices=measures)
    parser.add_argument("--size", type=int, help="Records of catching-up, seconds of the others.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vp-live-bench-") as directory:
        measure, size = measures[given.what]
        print(measure(Path(directory), given.size or size), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
