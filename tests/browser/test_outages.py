"""The page when the tab sleeps, the viewer is slow, or the server comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import COLUMNS, EVENTS, HELD, IDLE, READ_MAP, live, open_page
from tests.browser.programs import Server

pytestmark = pytest.mark.browser

MOST_AT_ONCE = 16_000  # frames in one answer of the server's history
# A link to what is seen, the end of it, and the events that are seen.
SEEN = """() => {
  const { endMs, spanMs } = vp.view();
  return [vp.link(), endMs, vp.events(endMs).slice(vp.events(endMs - spanMs).length)];
}"""
HOLDS_ALL = """(events) => {
  const held = new Set(vp.events());
  return vp.state().holes === 0 && events.every((event) => held.has(event));
}"""
# The picture is whole: nothing is on its way, nothing is missing, and it was painted since.
WHOLE = """(end) => {
  const { newestMs, exhausted, loading, holes, idle } = vp.state();
  const { endMs, spanMs } = vp.view();
  const reaches = exhausted || vp.events(endMs - spanMs).length > 0;
  return newestMs > end && reaches && !loading && holes === 0 && idle;
}"""
SHAPE = "() => { const { width, height } = document.getElementById('map'); return [width, height]; }"
# The tab sleeps: its socket is lost and it does not come back yet. Another viewer keeps the session going.
SLEEP = "() => { window.other = new WebSocket(vp.breakSocket(3_600_000)); }"
# How many frames the session has made: the number of the newest that the server holds.
MADE = """async () => {
  const query = new URLSearchParams({ session_id: vp.config().session_id, limit: 1 });
  const block = await (await fetch(`/v1/vacuum-pressure/history?${query}`)).arrayBuffer();
  const length = new DataView(block).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(block, 4, length))).first + 1;
}"""
WAKE = "() => { window.other.close(); vp.reconnect(); }"


def all_there_once(page: Page) -> None:
    """Every column that the server sent lies in the page's ring, and none of them twice, once holes are filled.

    In one look: a page on a busy machine may miss more frames in the next moment.
    """
    events = page.wait_for_function("() => vp.state().holes === 0 && vp.events()", timeout=30_000).json_value()
    assert_held_once(page, events)


def assert_held_once(page: Page, events: list[int]) -> None:
    """These are the columns that the server has, from the first of them to the last."""
    for first in range(0, len(events), MOST_AT_ONCE):
        part = events[first : first + MOST_AT_ONCE]
        assert part == page.evaluate(HELD, [part[0], part[-1]])


@pytest.mark.long
def test_a_hidden_tab_keeps_its_frames_and_paints_when_it_is_seen_again(page: Page, server: Server) -> None:
    """The page is told that it is hidden: headless Chromium keeps every page visible.

    Another page brought to the front, focus emulation switched off, a minimised window: `document.hidden` stays false
    and frames go on being painted.
    """
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
    painted, columns = page.evaluate("() => vp.state().paints"), page.evaluate(COLUMNS)
    page.wait_for_function(f"() => vp.state().columns > {columns} + 200", polling=100)
    assert page.evaluate("() => vp.state().paints") == painted
    before = page.evaluate(READ_MAP)["sum"]
    page.evaluate(hide, False)
    page.wait_for_function(f"() => vp.state().paints > {painted}")
    expect(page.locator("#tab")).to_have_text("tab ok")
    assert page.evaluate(READ_MAP)["sum"] != before
    all_there_once(page)


def test_engine_socket_and_tab_have_signs_of_their_own(browser: Browser, lake: Path) -> None:
    page = open_page(browser)  # its console tells of the lost server
    page.add_init_script("""
      window.stalled = false;
      const ask = window.requestAnimationFrame.bind(window);
      const later = (act) => setTimeout(() => window.requestAnimationFrame(act), 50);
      window.requestAnimationFrame = (act) => ask((now) => (window.stalled ? later(act) : act(now)));
    """)

    def signs(connection: str, engine: str, tab: str) -> None:
        for name, words in (("connection", connection), ("engine", engine), ("tab", tab)):
            expect(page.locator(f"#{name}")).to_contain_text(words, timeout=20_000)

    server = Server(lake, "--speed", "5")
    with contextlib.ExitStack() as ending:
        ending.callback(page.close)
        ending.callback(server.end)
        live(page, server)
        signs("live", "engine ok", "tab ok")
        page.evaluate("() => { window.stalled = true; }")
        signs("live", "engine ok", "tab stalled")
        page.evaluate("() => { window.stalled = false; }")
        signs("live", "engine ok", "tab ok")
        server.process.send_signal(signal.SIGSTOP)
        signs("server silent", "engine –", "tab ok")
        server.process.send_signal(signal.SIGCONT)
        signs("live", "engine ok", "tab ok")
        server.process.kill()
        signs("lost", "engine –", "tab ok")


@pytest.mark.long
def test_a_page_that_slept_for_long_gets_all_that_it_slept_through(page: Page, server: Server) -> None:
    """Longer than what the server sends of itself, and more frames than one answer of its history holds."""
    live(page, server, "?speed=400&start_time=09:30")
    page.evaluate(SLEEP)
    held, filled = page.evaluate("() => [vp.events().at(-1), vp.state().filled]")
    while page.evaluate(MADE) < 2 * MOST_AT_ONCE:
        page.wait_for_timeout(200)
    page.evaluate(WAKE)
    # In one look: at this speed a busy page misses more frames in the next moment, and fills that hole too.
    whole = f"() => vp.state().filled - {filled} > {MOST_AT_ONCE} && vp.state().holes === 0 && ({EVENTS})()"
    events = page.wait_for_function(whole, timeout=30_000).json_value()
    assert held in events
    assert_held_once(page, events)


@pytest.mark.long
def test_the_page_comes_back_with_the_server_and_shows_the_same_pixels(browser: Browser, lake: Path) -> None:
    """A link to a stretch of a fixed session, opened from one server and from the one after it."""
    page = open_page(browser)  # its console tells of the lost server
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
    page.wait_for_function(IDLE)
    link, end, events = page.evaluate(SEEN)
    shape = page.evaluate(SHAPE)
    sums = []
    for again in (False, True):
        if again:
            assert server.stop() == 0
            expect(page.locator("#connection")).to_contain_text("lost", timeout=20_000)
            assert page.evaluate(SHAPE) == shape  # a longer word in the header does not move the map
            server = Server(lake, "--speed", "20", "--port", port)
            ending.callback(server.end)
            expect(page.locator("#connection")).to_have_text("live", timeout=20_000)
            expect(page.locator("#session")).to_contain_text("new run: the server began again")
            seen = page.evaluate(EVENTS)
            assert seen == sorted(set(seen))
        page.goto("about:blank")
        page.goto(link)
        page.wait_for_function("() => window.vp && vp.state().columns > 0", timeout=20_000)
        page.wait_for_function(HOLDS_ALL, arg=events, timeout=60_000)
        page.wait_for_function(WHOLE, arg=end + 500, timeout=30_000)
        assert page.evaluate(SHAPE) == shape
        picture = page.evaluate(READ_MAP)
        assert picture["blue"] > 500
        sums.append(picture["sum"])
        assert set(page.evaluate(EVENTS)) >= set(events)
    assert sums[0] == sums[1]
    assert server.stop() == 0
