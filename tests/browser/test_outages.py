"""The page when the tab sleeps, the viewer is slow, or the server comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from tests.browser.probe import COLUMNS, EVENTS, HELD, IDLE, NEWEST, READ_MAP, live, open_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

MOST_AT_ONCE = 16_384  # frames in one answer of the server's history
SENT_AT_MOST = 4096  # to who comes back, before the live ones
GONE_WORDS = "gone: the server holds these frames no longer"
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
# The tab sleeps: its socket is lost and it does not come back yet.
SLEEP = "() => vp.breakSocket(3_600_000)"
HOLD = json.dumps({"type": "pause"})


def frames_made(server: Server, session: str) -> int:
    """How many frames the session has made, by the newest that the server holds. A busy page is not asked."""
    address = f"{server.address}/v1/vacuum-pressure/history?session_id={session}&limit=1&fields=pressure"
    with urllib.request.urlopen(address, timeout=10) as answer:
        block = answer.read()
    length = int.from_bytes(block[:4], "little")
    return int(json.loads(block[4 : 4 + length])["first"]) + 1


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
        page.keyboard.press("y")
        signs("live", "session held", "tab ok")
        server.process.kill()  # what it held is not known to be held any more, at once and not only once it is silent
        expect(page.locator("#connection")).to_contain_text("lost", timeout=20_000)
        expect(page.locator("#engine")).to_contain_text("engine –", timeout=1500)


def sleep_through(page: Page, server: Server, frames: int) -> float:
    """Another viewer, who takes few of them, lets the session make so many frames and holds it; then the page wakes.

    Returns the time, ms, of the newest frame that the page had before.
    """
    session = page.evaluate("() => vp.config().session_id")
    with connect(page.evaluate(SLEEP)) as other:
        slept_ms: float = page.evaluate(NEWEST)
        made = frames_made(server, session)
        while frames_made(server, session) < made + frames:
            other.recv(timeout=10)
        other.send(HOLD)
        while True:
            told = other.recv(timeout=10)
            if isinstance(told, str) and json.loads(told).get("paused"):
                break
        page.evaluate("() => vp.reconnect()")
        expect(page.locator("#connection")).to_contain_text("live")
    return slept_ms


def test_a_page_that_slept_for_long_gets_all_that_it_slept_through(page: Page, server: Server) -> None:
    """Longer than what the server sends of itself, more frames than one answer of its history holds, in ten minutes."""
    live(page, server, "?speed=25&throttle_ms=10&start_time=09:30")
    held, filled = page.evaluate("() => [vp.events().at(-1), vp.state().filled]")
    sleep_through(page, server, SENT_AT_MOST + MOST_AT_ONCE + 500)
    page.wait_for_function(
        f"() => vp.state().filled - {filled} > {MOST_AT_ONCE} && vp.state().holes === 0", timeout=30_000
    )
    events = page.evaluate(EVENTS)
    assert held in events
    assert_held_once(page, events)


def test_what_the_server_holds_no_longer_is_said_to_be_gone(browser: Browser, lake: Path) -> None:
    """The page slept while frames were made for which there is no room: some come, of the others it is told."""
    server = Server(lake, "--history-limit-gb", "0.06")
    with contextlib.ExitStack() as ending:
        ending.callback(server.end)
        page = open_page(browser)  # its console tells of an answer that is broken off: what it held has been given up
        ending.callback(page.close)
        live(page, server, "?speed=100&start_time=09:30", columns=200)
        last_ms = sleep_through(page, server, SENT_AT_MOST + 8000)
        sign = page.locator("#connection")
        expect(sign).to_have_text("live, data missing")
        # at this speed a busy page may have missed frames before it slept
        expect(sign).to_have_attribute(
            "title", re.compile(r"hatched: (\d+); of these held no longer by the server: \1$")
        )
        assert page.evaluate("() => vp.state().filled") > 0

        def shown(from_ms: float) -> None:
            page.evaluate(
                "(ms) => vp.view({ endMs: vp.state().newestMs, spanMs: vp.state().newestMs - ms, following: false })",
                from_ms,
            )
            expect(page.locator("#hatched")).to_have_text(f"dense hatching: {GONE_WORDS}")

        shown(last_ms - 5000)
        assert "frames after this one are gone, the server holds them no longer" in read_at(page, last_ms + 5000)
        page.evaluate("() => vp.keepNewest(500)")  # and what lay before all that is held, behind the start
        shown(last_ms - 5000)
        page.wait_for_function("() => vp.state().exhausted")
        assert read_at(page, last_ms) == GONE_WORDS


def read_at(page: Page, time_ms: float) -> str:
    """What the read-out says of a time at the price in the middle."""
    page.wait_for_function(IDLE)
    at = page.evaluate("(ms) => vp.at(ms, vp.view().centre)", time_ms)
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    expect(page.locator("#readout")).to_be_visible()
    return page.locator("#readout").inner_text()


def test_a_session_that_is_held_is_held_there_when_the_server_begins_again(browser: Browser, lake: Path) -> None:
    page = open_page(browser)  # its console tells of the lost server
    with contextlib.ExitStack() as ending:
        ending.callback(page.close)
        server = Server(lake)
        ending.callback(server.end)
        live(page, server, "?start_time=10:00&speed=5&alone=yes", columns=300)
        page.keyboard.press("y")
        expect(page.locator("#engine")).to_have_text("session held")
        newest, session = page.evaluate("() => [vp.state().newestMs, vp.config().session_id]")
        server.process.kill()
        expect(page.locator("#connection")).to_contain_text("lost")
        again = Server(lake, "--port", server.address.rsplit(":", 1)[1])
        ending.callback(again.end)
        page.wait_for_function(
            "([session, newest]) => vp.config().session_id !== session && Math.abs(vp.view().endMs - newest) < 1100",
            arg=[session, newest],
            timeout=60_000,
        )
        expect(page.locator("#engine")).to_have_text("session held")
        assert page.evaluate(NEWEST) <= newest


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
