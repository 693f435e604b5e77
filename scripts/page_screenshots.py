#!/usr/bin/env python3
"""Take the pictures under docs/: the demonstration before a move, dark and light, on a phone; and real sessions.

    uv run python scripts/page_screenshots.py [--lake DIRECTORY]
    uv run python scripts/page_screenshots.py --side-by-side DIRECTORY [--size 1366x768 390x844] [--theme dark light]

The real ones are ESH4 of 2023-12-25 and ARL of 2025-07-17, left out where the lake does not hold them. Needs Chromium.
Side by side are the balance, the exact cells, and depth: of the demonstration 20 s before its first move up and its
first move down, of the real sessions, and of CLX5 of 2025-09-24. Each is played once, for pictures of every size and
theme.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.probe import open_page
from tests.browser.programs import CHROMIUM, QUIET, Server
from vp.demo.script import OPEN_SECOND, write_script
from vp.demo.session import FIRST_TIME, SEED
from vp.lake.lake import Lake
from vp.market.wall_times import NEW_YORK

DOCS = Path(__file__).resolve().parents[1] / "docs"
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
AFTER_MOVE_SECONDS = 12
BEFORE_MOVE_SECONDS = 20
# The page holds a frame of after the moment, which the clock may show before: it runs on where nothing comes.
REACHED = "(untilMs) => window.vp && vp.state().newestMs > untilMs"
# A browser that was busy has played on: go back to the moment itself, spot in the middle.
LOOK = """(endMs) => {
  const most = innerWidth < 500 ? 45_000 : 180_000;
  const spanMs = Math.min(most, endMs - vp.column(-Infinity).timeMs);
  vp.view({ endMs, spanMs, centre: vp.column(endMs).spot_price, following: false });
}"""
# Nothing of the picture is on its way any more, however slowly it is painted, and the signs say so.
SETTLED = """([endMs, view]) => {
  const { columns, newestMs, mode, holes, loading, idle } = vp.state();
  const good = ["connection", "engine", "tab"].every((id) => document.getElementById(id).dataset.sign === "good");
  const there = columns > 0 && newestMs > endMs && holes === 0 && !loading && vp.view().endMs === endMs;
  return there && idle && good && (!view || mode === view) && !document.getElementById("behind").hidden;
}"""
# All of the frame under the pointer has come: what is rounded is marked, apart from its value, which may be ≈0 itself.
READ = "() => ((text) => text && !text.includes('≈ '))(document.getElementById('readout').textContent)"
CLOCK = "() => document.getElementById('clock').textContent"


def of_day(date: str, time: str) -> dt.datetime:
    """A moment by the clocks of New York."""
    return dt.datetime.fromisoformat(f"{date} {time}").replace(tzinfo=NEW_YORK)


DEMONSTRATION_BEGIN = dt.datetime(2026, 2, 6, FIRST_TIME.hour, FIRST_TIME.minute, tzinfo=NEW_YORK)


def before_a_move() -> tuple[str, dt.datetime]:
    """When to start, HH:MM:SS in New York, and when to look: a true and strong episode that points up."""
    episodes = [
        e for e in write_script(SEED).episodes if e.ticks > 0 and e.direction > 0 and e.lead_second > OPEN_SECOND
    ]
    best = max(episodes[:40], key=lambda e: e.strength * min(e.ticks, 40))
    start, look = (
        DEMONSTRATION_BEGIN + dt.timedelta(seconds=second)
        for second in (best.lead_second - 60, best.move_second + AFTER_MOVE_SECONDS)
    )
    return f"{start:%H:%M:%S}", look


def play_until(page: Page, moment: dt.datetime) -> None:
    """Wait until the session has come to a moment, pause, and go back to it."""
    page.wait_for_function(REACHED, arg=moment.timestamp() * 1000, timeout=300_000, polling=200)
    page.keyboard.press(" ")
    look_at(page, moment)


def look_at(page: Page, moment: dt.datetime) -> None:
    """Let the picture, which is paused, end at a moment."""
    page.evaluate(LOOK, moment.timestamp() * 1000)


def settle(page: Page, moment: dt.datetime, view: str = "") -> None:
    """Wait until a picture that ends at a moment is painted whole, of a view if one is named."""
    page.wait_for_function(SETTLED, arg=[moment.timestamp() * 1000, view], timeout=120_000, polling=200)


def shoot(
    browser: Browser,
    address: str,
    until: dt.datetime,
    name: str,
    *,
    theme: str,
    viewport: dict[str, int],
    pointer: tuple[int, int] = (640, 96),  # its read-out leaves the course of the price free
) -> None:
    """Open the page, let it play to `until`, pause, and take the picture."""
    page = open_page(browser, viewport=viewport, color_scheme=theme, device_scale_factor=1)
    page.goto(address)
    play_until(page, until)
    settle(page, until)
    if viewport is DESKTOP:
        page.mouse.move(*pointer)
        page.wait_for_function(READ)
    page.screenshot(path=DOCS / name)
    print(f"docs/{name}: {page.evaluate(CLOCK)} ET")
    page.close()


VIEWS = ("balance", "pair", "depth")
# On a small screen some choices stand in a menu, which may be closed.
CHOOSE = """([id, value]) => {
  const list = document.getElementById(id);
  list.value = value;
  list.dispatchEvent(new Event("change"));
}"""
BESIDE = """(pictures) => {
  document.body.style.margin = 0;
  document.body.style.whiteSpace = "nowrap";
  const images = pictures.map((data) => Object.assign(new Image(), { src: `data:image/png;base64,${data}` }));
  document.body.replaceChildren(...images);
  return Promise.all(images.map((image) => image.decode()));
}"""


def moments() -> dict[str, tuple[str, dt.datetime]]:
    """What is looked at side by side: the query, and when."""
    found = {}
    for name, direction in (("up", 1), ("down", -1)):
        moves = [e for e in write_script(SEED).episodes if e.direction == direction and e.lead_second > OPEN_SECOND]
        look = DEMONSTRATION_BEGIN + dt.timedelta(seconds=moves[0].move_second - BEFORE_MOVE_SECONDS)
        query = f"start_time={look - dt.timedelta(seconds=100):%H:%M:%S}&speed=5"
        found[f"demonstration-{name}"] = (query, look)
    for name, asked, date, start, look_time in (
        ("esh4", "product_type=future_mbo&speed=20&symbol=ESH4", "2023-12-25", "18:09", "18:12:00"),
        ("clx5", "product_type=future_mbo&speed=20&symbol=CLX5", "2025-09-24", "15:43:30", "15:46:30"),
        ("arl", "product_type=equity_mbo&speed=50&symbol=ARL", "2025-07-17", "15:43", "15:46:10"),
    ):
        found[name] = (f"{asked}&dt={date}&start_time={start}", of_day(date, look_time))
    return found


def shoot_side_by_side(
    browser: Browser, page_address: str, lake: Path, to: Path, *, sizes: list[ViewportSize], themes: list[str]
) -> None:
    """Pictures of each moment, in each size and theme one, of each view from left to right."""
    to.mkdir(parents=True, exist_ok=True)
    held = {(entry.symbol, str(entry.date)) for entry in Lake(lake).sessions()}
    needed = {"esh4": ("ES", "2023-12-25"), "clx5": ("CL", "2025-09-24"), "arl": ("ARL", "2025-07-17")}
    for name, (query, until) in moments().items():
        if name in needed and needed[name] not in held:
            print(f"{name}: the lake does not hold it")
            continue
        page = open_page(browser, viewport=DESKTOP, color_scheme=themes[0], device_scale_factor=1)
        page.goto(f"{page_address}?{query}")
        play_until(page, until)  # before it is painted in a large size, which may take longer than it plays
        for size in sizes:
            page.set_viewport_size(size)
            look_at(page, until)
            for theme in themes:
                page.evaluate(CHOOSE, ["theme", theme])
                pictures = []
                for view in VIEWS:
                    page.evaluate(CHOOSE, ["mode", view])
                    settle(page, until, view)
                    pictures.append(base64.b64encode(page.screenshot()).decode())
                file = to / f"{name}-{size['width']}x{size['height']}-{theme}.png"
                save_beside(browser, pictures, size, file)
                print(f"{file}: {until:%H:%M:%S} ET")
        page.close()


def save_beside(browser: Browser, pictures: list[str], size: ViewportSize, file: Path) -> None:
    """Save pictures of one size from left to right as one."""
    wide: ViewportSize = {"width": size["width"] * len(pictures), "height": size["height"]}
    beside = browser.new_page(viewport=wide, device_scale_factor=1)
    beside.evaluate(BESIDE, pictures)
    beside.screenshot(path=file)
    beside.close()


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", default=None, help="where raw files lie; left out: VP_LAKE, else a temporary one")
    parser.add_argument("--side-by-side", default=None, metavar="DIRECTORY", help="where pictures of the views go")
    parser.add_argument(
        "--size", nargs="+", default=["1366x768"], metavar="WIDTHxHEIGHT", help="of a page, with --side-by-side"
    )
    parser.add_argument("--theme", nargs="+", choices=("dark", "light"), default=["dark"], help="with --side-by-side")
    values = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        lake = Path(values.lake or temporary)
        server = Server(lake, "--speed", "10")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            page = f"{server.address}/vacuum-pressure.html"
            if values.side_by_side:
                sizes: list[ViewportSize] = []
                for size in values.size:
                    width, height = map(int, size.split("x"))
                    sizes.append({"width": width, "height": height})
                shoot_side_by_side(browser, page, lake, Path(values.side_by_side), sizes=sizes, themes=values.theme)
                return 0
            start, look = before_a_move()
            demo = f"{page}?speed=4&start_time={start}"
            shoot(browser, demo, look, "page.png", theme="dark", viewport=DESKTOP)
            shoot(browser, f"{demo}&throttle_ms=26", look, "page-light.png", theme="light", viewport=DESKTOP)
            shoot(browser, f"{demo}&throttle_ms=27", look, "page-phone.png", theme="dark", viewport=PHONE)
            held = [(entry.symbol, str(entry.date)) for entry in Lake(lake).sessions()]
            if ("ES", "2023-12-25") in held:
                query = "product_type=future_mbo&symbol=ESH4&dt=2023-12-25&speed=50&start_time=18:00"
                esh4 = f"{page}?{query}"
                shoot(
                    browser,
                    esh4,
                    of_day("2023-12-25", "18:12"),
                    "page-esh4.png",
                    theme="dark",
                    viewport=DESKTOP,
                    pointer=(760, 250),
                )
            if ("ARL", "2025-07-17") in held:
                query = "product_type=equity_mbo&symbol=ARL&dt=2025-07-17&speed=50&start_time=15:40"
                arl = f"{page}?{query}"
                shoot(
                    browser,
                    arl,
                    of_day("2025-07-17", "15:47:30"),
                    "page-arl.png",
                    theme="dark",
                    viewport=DESKTOP,
                    pointer=(760, 250),
                )
        finally:
            browser.close()
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
