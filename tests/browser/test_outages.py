"""The page when the tab sleeps, the viewer is slow, or the server comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_page import COLUMNS, EVENTS, HELD, NEWEST, READ_MAP, live

pytestmark = pytest.mark.browser

MOST_AT_ONCE = 16_000  # frames in one answer of the server's history
# A link to what is seen, the end of it, and the events that are there until then.
SEEN = """() => {
  const { ring } = vp.feed;
  const { endMs } = vp.view;
  const events = [];
  for (let column = ring.first; column < ring.end; column += 1) {
    if (ring.timeMs(column) <= endMs) events.push(ring.eventId(column));
  }
  return [vp.link(), endMs, events];
}"""
HOLDS_ALL = """(events) => {
  const { ring } = vp.feed;
  const held = new Set();
  for (let column = ring.first; column < ring.end; column += 1) held.add(ring.eventId(column));
  return vp.feed.holes === 0 && events.every((event) => held.has(event));
}"""
BUSY = "(ms) => { const until = performance.now() + ms; while (performance.now() < until); }"


def all_there_once(page: Page) -> None:
    events = page.evaluate(EVENTS)[-MOST_AT_ONCE:]
    assert events == page.evaluate(HELD, [events[0], events[-1]])


def test_a_hidden_tab_keeps_its_frames_and_paints_when_it_is_seen_again(page: Page, server: Server) -> None:
    page.add_init_script("""
      window.away = false;
      Object.defineProperty(document, "hidden", { get: () => window.away });
      const ask = window.requestAnimationFrame.bind(window);
      const later = (act) => setTimeout(() => window.requestAnimationFrame(act), 50);
      window.requestAnimationFrame = (act) => ask((now) => (window.away ? later(act) : act(now)));
    """)
    live(page, server)
    hide = "(away) => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    expect(page.locator("#tab")).to_have_text("tab hidden")
    page.wait_for_timeout(100)
    painted, columns = page.evaluate("() => vp.painted.frames"), page.evaluate(COLUMNS)
    page.wait_for_function(f"() => vp.feed.ring.count > {columns} + 200", polling=100)
    assert page.evaluate("() => vp.painted.frames") == painted
    before = page.evaluate(READ_MAP)["sum"]
    page.evaluate(hide, False)
    page.wait_for_function(f"() => vp.painted.frames > {painted}")
    expect(page.locator("#tab")).to_have_text("tab ok")
    assert page.evaluate(READ_MAP)["sum"] != before
    all_there_once(page)


def test_a_viewer_that_reads_too_slowly_has_what_it_missed_filled_in(page: Page, server: Server) -> None:
    live(page, server, "?speed=100&start_time=09:50", columns=500)
    for _ in range(4):  # the page takes nothing from its socket meanwhile, and the server must leave frames out
        page.evaluate(BUSY, 1500)
        page.wait_for_timeout(50)
    page.wait_for_function("() => vp.feed.status.frames_missed > 0", timeout=10_000)
    page.evaluate("() => vp.feed.stream.socket.close(1000)")
    page.wait_for_function("() => vp.feed.holes === 0 && vp.feed.filled > 0", timeout=10_000)
    all_there_once(page)


def test_the_page_comes_back_with_the_server_and_shows_the_same_pixels(browser: Browser, lake: Path) -> None:
    """A link to a stretch of a fixed session, opened from one server and from the one after it."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})  # its console tells of the lost server
    with contextlib.ExitStack() as ending:
        _come_back(page, lake, ending)
    page.close()


def _come_back(page: Page, lake: Path, ending: contextlib.ExitStack) -> None:
    server = Server(lake, "--speed", "20")
    ending.callback(server.end)
    port = server.address.rsplit(":", 1)[1]
    live(page, server, "?speed=20&start_time=09:40", columns=600)
    page.keyboard.press(" ")
    page.keyboard.press("f")
    page.wait_for_function("() => !vp.dirty")
    link, end, events = page.evaluate(SEEN)
    sums = []
    for again in (False, True):
        if again:
            assert server.stop() == 0
            expect(page.locator("#connection")).to_contain_text("lost", timeout=20_000)
            server = Server(lake, "--speed", "20", "--port", port)
            ending.callback(server.end)
            expect(page.locator("#connection")).to_have_text("live", timeout=20_000)
            expect(page.locator("#session")).to_contain_text("new run: the server began again")
            seen = page.evaluate(EVENTS)
            assert seen == sorted(set(seen))
        page.goto("about:blank")
        page.goto(link)
        page.wait_for_function("() => window.vp && vp.feed.ring && vp.feed.ring.count > 0", timeout=20_000)
        page.wait_for_function(f"() => ({NEWEST})() > {end} + 500", timeout=20_000)
        page.wait_for_function(HOLDS_ALL, arg=events, timeout=60_000)
        page.evaluate("() => { vp.dirty = true; }")  # painted once more, with every column there
        page.wait_for_function("() => !vp.dirty")
        picture = page.evaluate(READ_MAP)
        assert picture["blue"] > 500
        sums.append(picture["sum"])
        assert set(page.evaluate(EVENTS)) >= set(events)
    assert sums[0] == sums[1]
    assert server.stop() == 0
