#!/usr/bin/env python3
"""Measure the page in headless Chromium: painting, columns per second, history, memory, weight.

    uv run python scripts/page_bench.py [--minutes 10] [--flat] [--lake DIRECTORY]

The server runs on the same machine and takes part of its time. It says which GL painted.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, Server
from vp.server.app import GZIP_LEVEL
from vp.server.pages import served

WEB = Path(__file__).resolve().parents[1] / "web"
LATENCY = "(stage) => vp.feed.latency.summary(stage, performance.now())"
HEAP = "() => { globalThis.gc?.(); return performance.memory.usedJSHeapSize; }"
COUNTS = "() => [vp.feed.received, vp.feed.status.frames_missed ?? 0, vp.feed.holes, vp.feed.ring.count]"
# As if the page had been opened just now: all but the newest columns are let go; then two hours are asked for.
TWO_HOURS = """async () => {
  const { feed } = vp;
  const { ring } = feed;
  while (ring.count > 50) ring.forget();
  for (const key of ring.chunks.keys()) if (key < ring.first >> 12 || key > ring.end >> 12) ring.chunks.delete(key);
  ring.epoch += 1;
  ring.touchedMs = Infinity;
  feed.exhausted = false;
  const held = ring.count;
  const started = performance.now();
  await feed.older(ring.timeMs(ring.end - 1) - 7_200_000);
  const hours = (ring.timeMs(ring.end - 1) - ring.timeMs(ring.first)) / 3_600_000;
  return [ring.count - held, hours, performance.now() - started];
}"""


def open_page(browser: Browser, address: str) -> Page:
    """A page at 1080p that shows frames."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(address)
    page.wait_for_function("() => window.vp && vp.feed.ring && vp.painted.frames > 3", timeout=60_000)
    return page


def painting(browser: Browser, address: str, seconds: float) -> None:
    """Paint time, and columns per second with none lost, while a fast session plays."""
    page = open_page(browser, address)
    page.wait_for_timeout(3000)
    received, missed, _, _ = page.evaluate(COUNTS)
    started = time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    more, missed_after, holes, _ = page.evaluate(COUNTS)
    rate = (more - received) / (time.monotonic() - started)
    paint = page.evaluate(LATENCY, "paint")
    print(f"  {page.evaluate('() => vp.picture.map.name')}")
    print(f"  paint p50 {paint['p50']:.1f} ms, p99 {paint['p99']:.1f} ms ({paint['count']} paints in 10 s)")
    print(f"  {rate:.0f} columns/s received, {missed_after - missed} missed, {holes} holes left")
    page.close()


def history(browser: Browser, address: str) -> None:
    """Two hours that the server holds, into an empty ring, once the session is over and the server idle."""
    page = open_page(browser, address)
    page.wait_for_function("() => vp.state === 'ended'", timeout=300_000, polling=500)
    for _ in range(3):
        page.wait_for_timeout(1000)
        count, hours, took_ms = page.evaluate(TWO_HOURS)
        print(f"  {count:,} columns, {hours:.2f} hours, in {took_ms / 1000:.2f} s")
    page.close()


def memory(browser: Browser, address: str, minutes: float) -> None:
    """The JavaScript heap, minute by minute."""
    page = open_page(browser, address)
    for minute in range(int(minutes) + 1):
        print(f"  minute {minute}: {page.evaluate(HEAP) / 1e6:.1f} MB, {page.evaluate(COUNTS)[3]:,} columns")
        if minute < minutes:
            page.wait_for_timeout(60_000)
    page.close()


def weight() -> int:
    """Bytes of the whole page over the wire."""
    files = [path for pattern in ("*.html", "*.css", "*.js") for path in WEB.glob(pattern)]
    return sum(len(gzip.compress(served(path), GZIP_LEVEL)) for path in files)


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", default=None, help="where raw files lie; left out: a temporary one")
    parser.add_argument("--minutes", type=float, default=10, help="how long the heap is watched")
    parser.add_argument("--flat", action="store_true", help="without WebGL")
    parser.add_argument("--skip-history", action="store_true")
    parser.add_argument("--skip-painting", action="store_true")
    values = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        server = Server(Path(values.lake or temporary), "--speed", "1")
        arguments = [*QUIET, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        bare = f"{server.address}/vacuum-pressure.html?{'flat=1' if values.flat else ''}"
        page = f"{bare}&start_time=09:30"
        try:
            for speed in () if values.skip_painting else (1, 4, 10):
                print(f"1080p, speed {speed}, throttle 25 ms:")
                painting(browser, f"{page}&speed={speed}", 10)
            if not values.skip_history:
                print("two hours of history:")
                history(browser, f"{bare}&start_time=10:20&speed=400")
            if values.minutes:
                print("JavaScript heap at speed 1:")
                memory(browser, f"{page}&speed=1", values.minutes)
        finally:
            browser.close()
            server.stop()
    print(f"page weight: {weight():,} bytes, gzipped as the server sends it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
