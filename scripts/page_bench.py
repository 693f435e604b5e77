#!/usr/bin/env python3
"""Measure the page in headless Chromium: painting, columns per second, history, memory, weight.

    uv run python scripts/page_bench.py [--minutes 10] [--flat] [--lake DIRECTORY]
    uv run python scripts/page_bench.py --views balance,pair,depth

The server runs on the same machine and takes part of its time. It says which GL painted.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.browser.probe import open_page
from tests.browser.programs import CHROMIUM, QUIET, Server
from vp.server.app import GZIP_LEVEL
from vp.server.routes.page_files import served

WEB = Path(__file__).resolve().parents[1] / "web"
LATENCY = "(stage) => vp.latency(stage)"
COUNTS = "() => { const { received, missed, holes, columns } = vp.state(); return [received, missed, holes, columns]; }"
# As if the page had been opened just now: all but the newest columns are let go; then two hours are asked for.
TWO_HOURS = """async () => {
  vp.keepNewest(50);
  const { columns: held, newestMs } = vp.state();
  const started = performance.now();
  await vp.older(newestMs - 7_200_000);
  const hours = (newestMs - vp.column(-Infinity).timeMs) / 3_600_000;
  return [vp.state().columns - held, hours, performance.now() - started];
}"""

# A ring that holds all it ever will: older columns of nothing are put before those that came.
FILL_UP = """async () => {
  const { CAPACITY, CHUNK } = await import("./ring.js");
  for (let { columns, fields } = vp.state(); columns < CAPACITY; columns = vp.state().columns) {
    const frames = Math.min(CHUNK, CAPACITY - columns);
    const { timeMs, ...oldest } = vp.column(-Infinity);
    const back = (from) => Float64Array.from({ length: frames }, (_, i) => from + i - frames);
    const scalars = Object.fromEntries(Object.keys(oldest).map((name) => [name, new Float64Array(frames)]));
    scalars.event_id = back(oldest.event_id);
    vp.insert({
      frames, timeMs: back(timeMs), nanos: new Uint32Array(frames), scalars,
      grids: Object.fromEntries(fields.map((name) => [name, new Uint16Array(frames * vp.config().frame.rows)])),
    });
  }
}"""
RING_BYTES = "() => [vp.state().columns, vp.bytes()]"


def watch(browser: Browser, address: str) -> Page:
    """A page at 1080p that shows frames."""
    page = open_page(browser, viewport={"width": 1920, "height": 1080})
    page.goto(address)
    page.wait_for_function("() => window.vp && vp.state().paints > 3", timeout=60_000)
    return page


def painting(browser: Browser, address: str, seconds: float) -> None:
    """Paint time, and columns per second with none lost, while a fast session plays."""
    page = watch(browser, address)
    page.wait_for_timeout(3000)
    received, missed, _, _ = page.evaluate(COUNTS)
    started = time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    more, missed_after, holes, _ = page.evaluate(COUNTS)
    rate = (more - received) / (time.monotonic() - started)
    paint = page.evaluate(LATENCY, "paint")
    print(f"  {page.evaluate('() => vp.state().painter')}")
    print(f"  paint p50 {paint['p50']:.1f} ms, p99 {paint['p99']:.1f} ms ({paint['count']} paints in 10 s)")
    print(f"  {rate:.0f} columns/s received, {missed_after - missed} missed, {holes} holes left")
    page.close()


# Two hours of the demonstration, in five minutes: the history of what is played faster grows faster than it may
# (GROWTH_BYTES_PER_SECOND of vp/server/history/frame_store.py), and its oldest frames go.
TWO_HOURS_PLAYED = "start_time=10:27&speed=25"

# One session, seen by turns: what is painted first would else have the quieter machine.
SHOW = """(name) => {
  const list = document.getElementById("mode");
  list.value = name;
  list.dispatchEvent(new Event("change"));
}"""
MOVES = """async ([count, fraction]) => {
  const took = [];
  for (let i = 0; i < count; i += 1) {
    const { endMs, spanMs } = vp.view();
    const painted = vp.state().paints;
    const changes = fraction ? { endMs: endMs - spanMs * fraction } : { spanMs: spanMs * (i % 2 ? 2 : 0.5) };
    vp.view({ ...changes, following: false });
    while (vp.state().paints === painted) await new Promise((done) => requestAnimationFrame(done));
    took.push(vp.state().paintMs);
  }
  return took;
}"""


def views(browser: Browser, address: str, names: list[str]) -> None:
    """Paint times of several views of one session in the same minute, live, moved and zoomed."""
    page = watch(browser, address)
    page.wait_for_timeout(3000)
    print(f"  {page.evaluate('() => vp.state().painter')}")
    for name in names * 2:
        page.evaluate(SHOW, name)
        page.wait_for_timeout(11_000)
        paint = page.evaluate(LATENCY, "paint")
        print(f"  {name}: paint p50 {paint['p50']:.1f} ms, p99 {paint['p99']:.1f} ms ({paint['count']} paints in 10 s)")
    page.close()


def watch_to_the_end(browser: Browser, address: str) -> Page:
    """A page at 1080p of a session that is over; small until then, so that painting leaves the server its time."""
    page = watch(browser, address)
    page.set_viewport_size({"width": 320, "height": 240})
    page.wait_for_function("() => vp.state().connection === 'ended'", timeout=600_000, polling=500)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_function("() => vp.state().idle")
    return page


def moves(browser: Browser, address: str, names: list[str]) -> None:
    """What a pan and a zoom cost with two hours on screen."""
    page = watch_to_the_end(browser, address)
    page.evaluate(TWO_HOURS)
    page.evaluate("() => vp.view({ endMs: vp.state().newestMs, spanMs: 7_200_000, following: false, fitting: false })")
    for name in names * 2:
        page.evaluate(SHOW, name)
        page.wait_for_timeout(1500)
        for what, fraction in (("pan", 0.01), ("zoom", 0)):
            took = sorted(page.evaluate(MOVES, [20, fraction]))
            print(f"  {name}: {what} p50 {took[10]:.0f} ms, longest {took[-1]:.0f} ms")
        page.evaluate("() => vp.view({ endMs: vp.state().newestMs, spanMs: 7_200_000 })")
    page.close()


def history(browser: Browser, address: str) -> None:
    """Two hours that the server holds, into an empty ring, once the session is over and the server idle."""
    page = watch_to_the_end(browser, address)
    devtools = page.context.new_cdp_session(page)
    for _ in range(3):
        page.wait_for_timeout(1000)
        count, hours, took_ms = page.evaluate(TWO_HOURS)
        print(f"  {count:,} columns, {hours:.2f} hours, in {took_ms / 1000:.2f} s; {live_memory(devtools)}")
    page.close()


def live_memory(devtools: CDPSession) -> str:
    """What a page holds after a forced collection: the program's own objects, and its typed arrays."""
    devtools.send("HeapProfiler.collectGarbage")
    used = devtools.send("Runtime.getHeapUsage")
    objects = used["usedSize"] + used["embedderHeapUsedSize"]
    return f"objects {objects / 1e6:.1f} MB, typed arrays {used['backingStorageSize'] / 1e6:.1f} MB"


def memory(browser: Browser, address: str, minutes: float, full: bool) -> None:
    """Live memory, minute by minute, after a forced collection: the program's own objects, and its typed arrays."""
    page = watch(browser, address)
    if full:
        page.evaluate(FILL_UP)
    devtools = page.context.new_cdp_session(page)
    for minute in range(int(minutes) + 1):
        held = live_memory(devtools)
        columns, ring = page.evaluate(RING_BYTES)
        print(f"  minute {minute}: {held}, {ring / 1e6:.1f} MB of it the ring ({columns:,} columns)", flush=True)
        if minute < minutes:
            page.wait_for_timeout(60_000)
    page.close()


def weight() -> int:
    """Bytes of the whole page over the wire: what it names, and no more, as its modules come as one script."""
    page = WEB / "vacuum-pressure.html"
    named = re.findall(r'(?:src|href)="([\w-]+\.(?:js|css))"', page.read_text())
    return sum(len(gzip.compress(served(path), GZIP_LEVEL)) for path in (page, *(WEB / name for name in named)))


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", default=None, help="where raw files lie; left out: a temporary one")
    parser.add_argument("--minutes", type=float, default=10, help="how long memory is watched, twice")
    parser.add_argument("--flat", action="store_true", help="without WebGL")
    parser.add_argument("--views", default="", help="compare the painting of these views, and nothing else")
    parser.add_argument("--moves", action="store_true", help="with --views: two hours on screen, moved and zoomed")
    parser.add_argument("--skip-history", action="store_true")
    parser.add_argument("--skip-painting", action="store_true")
    values = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        server = Server(Path(values.lake or temporary), "--speed", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        bare = f"{server.address}/vacuum-pressure.html?{'flat=1' if values.flat else ''}"
        page = f"{bare}&start_time=09:30"
        try:
            if values.views:
                names = values.views.split(",")
                if values.moves:
                    moves(browser, f"{bare}&{TWO_HOURS_PLAYED}", names)
                else:
                    views(browser, f"{page}&speed=1", names)
                return 0
            for speed in () if values.skip_painting else (1, 4, 10):
                print(f"1080p, speed {speed}, throttle 25 ms:")
                painting(browser, f"{page}&speed={speed}", 10)
            if not values.skip_history:
                print("two hours of history:")
                history(browser, f"{bare}&{TWO_HOURS_PLAYED}")
            for full in (False, True) if values.minutes else ():
                print(f"live memory at speed 1, {'the ring full from the start' if full else 'as opened'}:")
                memory(browser, f"{page}&speed=1", values.minutes, full)
        finally:
            browser.close()
            server.stop()
    print(f"page weight: {weight():,} bytes, gzipped as the server sends it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
