#!/usr/bin/env python3
"""Measure the page in headless Chromium: painting, columns per second, history, memory, weight.

    uv run python scripts/page_bench.py [--minutes 10] [--flat] [--lake DIRECTORY]

The server runs on the same machine and takes part of its time. It says which GL painted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, Server

WEB = Path(__file__).resolve().parents[1] / "web"
LATENCY = "(stage) => vp.feed.latency.summary(stage, performance.now())"
HEAP = "() => { globalThis.gc?.(); return performance.memory.usedJSHeapSize; }"
COUNTS = "() => [vp.feed.received, vp.feed.status.frames_missed ?? 0, vp.feed.holes, vp.feed.ring.count]"
PLAYED = """(ms) => {
  const { ring, config } = vp.feed;
  return ring.timeMs(ring.end - 1) - Number(BigInt(config.emit_from_ns) / 1000000n) > ms;
}"""
TWO_HOURS_MS = 7_200_000


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
    """Two hours that the server holds, into an empty ring."""
    page = open_page(browser, address)
    page.wait_for_function(PLAYED, arg=TWO_HOURS_MS, timeout=300_000)
    page.close()
    page = open_page(browser, address)
    before = page.evaluate("() => vp.feed.ring.count")
    started = time.monotonic()
    page.keyboard.press("Home")
    page.wait_for_function("() => vp.feed.exhausted && !vp.feed.loading", timeout=60_000, polling=20)
    took = time.monotonic() - started
    count = page.evaluate("() => vp.feed.ring.count")
    print(f"  {count - before:,} columns ({count:,} in all) in {took:.2f} s")
    page.close()


def memory(browser: Browser, address: str, minutes: float) -> None:
    """The JavaScript heap, minute by minute."""
    page = open_page(browser, address)
    for minute in range(int(minutes) + 1):
        print(f"  minute {minute}: {page.evaluate(HEAP) / 1e6:.1f} MB, {page.evaluate(COUNTS)[3]:,} columns")
        if minute < minutes:
            page.wait_for_timeout(60_000)
    page.close()


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", default=None, help="where raw files lie; left out: a temporary one")
    parser.add_argument("--minutes", type=float, default=10, help="how long the heap is watched")
    parser.add_argument("--flat", action="store_true", help="without WebGL")
    parser.add_argument("--skip-history", action="store_true")
    values = parser.parse_args()
    flat = "&flat=1" if values.flat else ""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        server = Server(Path(values.lake or temporary), "--speed", "1")
        arguments = [*QUIET, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = f"{server.address}/vacuum-pressure.html?start_time=09:30{flat}"
        try:
            for speed in (1, 4, 10):
                print(f"1080p, speed {speed}, throttle 25 ms:")
                painting(browser, f"{page}&speed={speed}", 10)
            if not values.skip_history:
                print("two hours of history:")
                history(browser, f"{page}&speed=200")
            if values.minutes:
                print("JavaScript heap at speed 1:")
                memory(browser, f"{page}&speed=1", values.minutes)
        finally:
            browser.close()
            server.stop()
    files = [path for pattern in ("*.html", "*.css", "*.js") for path in WEB.glob(pattern)]
    print(f"page weight: {sum(len(zlib.compress(path.read_bytes(), 9)) for path in files):,} bytes compressed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
