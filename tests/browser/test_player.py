"""The page as a player: the session held and stepped, times sought, a range looped, bookmarks kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import IDLE, NEWEST, live, open_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

QUERY = "?start_time=10:00&speed=5&alone=yes"
ET_MS = 1_770_390_000_000  # 2026-02-06 10:00 in New York
SHOWN = "() => vp.view().endMs"
# Whether the upper edge of the time axis is painted in the colour of bookmarks between two places.
MARKED_AT = """([from, until]) => {
  const { size } = vp.state();
  const { data, width } = vp.image("overlay");
  const row = Math.round((size.height + size.strip + 2) * size.ratio);
  for (let x = Math.round(from * size.ratio); x < until * size.ratio; x += 1) {
    const [r, g, b, alpha] = data.subarray(4 * (row * width + x));
    if (alpha > 200 && b > g + 40 && b > r + 20) return true; // violet
  }
  return false;
}"""
SESSION = "() => vp.config().session_id"
COLUMNS_SHOWN = """() => {
  const { endMs, spanMs } = vp.view();
  return vp.events(endMs).length - vp.events(endMs - spanMs).length;
}"""
BOOKMARK_OF_ANOTHER = """async () => {
  (await import("./bookmarks.js")).put({ session: "future_mbo ESH4 2023-12-25", timeMs: 5, note: "elsewhere" });
}"""
NEWEST_EVENT = "() => vp.events().at(-1)"


@pytest.fixture(scope="module")
def watched(browser: Browser, server: Server) -> Iterator[Page]:
    """A page on a session of its own."""
    page = open_page(browser)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    live(page, server, QUERY)
    page.keyboard.press("Escape")
    yield page
    page.close()
    assert not wrong


@pytest.fixture
def player(watched: Page) -> Page:
    """Going on, live, and without a word in any field."""
    watched.locator("#chart").focus()
    watched.keyboard.press("l")
    if watched.locator("#hold").get_attribute("aria-pressed") == "true":
        watched.keyboard.press("y")
    expect(watched.locator("#hold")).to_have_attribute("aria-pressed", "false")
    return watched


def hold(page: Page) -> None:
    page.keyboard.press("y")
    expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#engine")).to_have_text("session held")


def paused_at(page: Page, newest: float) -> None:
    page.wait_for_timeout(700)
    assert page.evaluate(NEWEST) == newest


def test_the_session_is_held_stepped_and_goes_on(player: Page) -> None:
    hold(player)
    newest, event = player.evaluate(NEWEST), player.evaluate(NEWEST_EVENT)
    paused_at(player, newest)
    gaps: list[float] = []
    after_event = newest
    while len(gaps) < 40 and min(gaps, default=25) >= 25:  # a moment may be quiet
        before_event = after_event
        player.keyboard.press("Shift+N")
        player.wait_for_function(f"() => vp.state().newestMs > {before_event}")
        after_event = player.evaluate(NEWEST)
        gaps.append(after_event - before_event)
    assert min(gaps) < 25  # nearer than the throttle lets frames be
    player.keyboard.press("n")
    player.wait_for_function(f"() => vp.state().newestMs > {after_event}")
    assert player.evaluate(NEWEST) - newest >= 25  # the frame that was due
    assert player.evaluate(NEWEST_EVENT) > event
    stands = player.evaluate(NEWEST)
    player.keyboard.press("w")
    held = player.evaluate(SHOWN)
    assert held == after_event  # the picture is a frame back
    paused_at(player, stands)
    player.keyboard.press("n")
    assert player.evaluate(SHOWN) == stands  # on again, and the session has not moved
    paused_at(player, stands)
    player.locator("#hold").click()
    player.wait_for_function(f"() => vp.state().newestMs > {stands} + 500")
    expect(player.locator("#hold")).to_have_attribute("aria-pressed", "false")


def test_a_time_that_is_held_is_shown_and_another_is_played_from(player: Page) -> None:
    session = player.evaluate("() => vp.config().session_id")
    player.keyboard.press("j")
    player.keyboard.type("09:58:30")
    player.keyboard.press("Enter")
    assert player.evaluate(SHOWN) == ET_MS - 90_000
    assert not player.evaluate("() => vp.view().following")
    assert player.evaluate("() => vp.config().session_id") == session
    hold(player)
    player.fill("#seek", "11:30")
    player.keyboard.press("Enter")
    player.wait_for_function(f"() => vp.config().session_id !== '{session}' && vp.state().columns > 10", timeout=60_000)
    expect(player.locator("#clock")).to_contain_text("11:", timeout=20_000)
    expect(player.locator("#hold")).to_have_attribute("aria-pressed", "true")  # as it was before
    assert int(player.evaluate("() => vp.config().emit_from_ns")) == (ET_MS + 90 * 60_000) * 1_000_000
    assert player.evaluate(NEWEST) < ET_MS + 90 * 60_000 + 5000
    assert player.evaluate("() => vp.config().parameters_digest")


@pytest.mark.parametrize("wrong", ["25:00", "noon", "9.30", "2026-02-07 10:00", ""])
def test_what_is_no_time_is_said_and_changes_nothing(player: Page, wrong: str) -> None:
    session = player.evaluate("() => vp.config().session_id")
    player.fill("#seek", wrong)
    player.keyboard.press("Enter")
    expect(player.locator("#said")).to_contain_text("is no time of this session, which runs from 2026-02-05 19:00")
    assert player.evaluate("() => document.getElementById('seek').validity.customError")
    assert player.evaluate("() => vp.config().session_id") == session
    assert player.evaluate("() => vp.view().following")


def test_dragging_on_the_overview_goes_where_it_says(player: Page) -> None:
    surface = player.locator("#overview")
    expect(surface).not_to_have_attribute("aria-valuetext", "not there yet", timeout=60_000)
    first, last = (int(surface.get_attribute(f"aria-value{name}") or 0) for name in ("min", "max"))
    assert first < ET_MS < last
    box = surface.bounding_box()
    assert box is not None

    def x(time_ms: float) -> float:
        assert box is not None
        return box["x"] + (time_ms - first) / (last - first) * box["width"]

    wanted = ET_MS + 60 * 60_000
    width_ms = (last - first) / box["width"]
    player.mouse.move(x(ET_MS), box["y"] + 10)
    player.mouse.down()
    player.mouse.move(x(wanted), box["y"] + 10, steps=4)
    expect(surface).to_have_attribute("aria-valuetext", re.compile("^1(0:59|1:0)"))
    player.mouse.up()
    player.mouse.move(700, 300)
    player.wait_for_function(
        f"() => vp.config() && Math.abs(Number(BigInt(vp.config().emit_from_ns) / 1000000n) - {wanted})"
        f" < {2 * width_ms + 1000} && vp.state().columns > 10",
        timeout=60_000,
    )
    surface.focus()
    player.keyboard.press("ArrowRight")  # from here on the time is chosen, and does not run on
    before = int(surface.get_attribute("aria-valuenow") or 0)
    player.keyboard.press("ArrowRight")
    player.keyboard.press("ArrowRight")
    moved = int(surface.get_attribute("aria-valuenow") or 0) - before
    assert moved == 120_000  # two minutes
    said: list[str] = []
    while "last " not in "".join(said) and len(said) < 5:  # a stream that is late by then is spoken of as well
        player.keyboard.press("ArrowLeft")
        said.append(player.locator("#said").inner_text())
    assert "last " in "".join(said)


def test_a_range_is_played_over_and_over(player: Page) -> None:
    until = player.evaluate(NEWEST)
    player.evaluate("(endMs) => vp.view({ endMs, following: false })", until - 10_000)
    player.mouse.move(10, 10)
    player.keyboard.press("r")
    expect(player.locator("#loop")).to_have_text("Loop to…")
    player.evaluate("(endMs) => vp.view({ endMs, following: false })", until)
    player.keyboard.press("r")
    expect(player.locator("#hold")).to_have_attribute("aria-pressed", "true")  # all of it is held: no more is needed
    player.wait_for_function(f"() => vp.view().endMs < {until} - 8000")
    seen: list[float] = player.evaluate("""() => new Promise((done) => {
      const seen = [];
      const look = () => { seen.push(vp.view().endMs); if (seen.length < 90) setTimeout(look, 50); else done(seen); };
      look();
    })""")
    assert all(until - 10_001 <= each <= until + 1 for each in seen)
    falls = sum(later < earlier for earlier, later in pairwise(seen))
    assert falls >= 1  # ten seconds take two: back to its beginning
    assert sum(later > earlier for earlier, later in pairwise(seen)) > 3 * falls
    player.keyboard.press("l")
    expect(player.locator("#loop")).to_have_attribute("aria-pressed", "false")
    expect(player.locator("#hold")).to_have_attribute("aria-pressed", "false")  # and goes on


# One speed, and as soon as its session is there another.
AT_ONCE = """async ([first, second, session]) => {
  const list = document.getElementById("speed");
  const choose = (value) => {
    list.value = value;
    list.dispatchEvent(new Event("change"));
  };
  choose(first);
  const { port1, port2 } = new MessageChannel(); // timers wait for milliseconds
  while (vp.config().session_id === session) await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(0);
  });
  choose(second);
}"""


def test_what_is_held_stays_held_in_another_view_and_at_another_speed(player: Page) -> None:
    """Both open the session anew: for columns that were not sent, and from the second that is on screen."""
    hold(player)
    session = player.evaluate("() => vp.config().session_id")
    newest = player.evaluate(NEWEST)
    player.select_option("#mode", "v_pull")
    player.wait_for_function("() => vp.state().fields.includes('v_pull') && vp.state().columns > 10", timeout=60_000)
    expect(player.locator("#engine")).to_have_text("session held")
    player.select_option("#mode", "balance")
    player.select_option("#speed", "10")
    player.wait_for_function("() => vp.config().speed === 10 && vp.state().columns > 10", timeout=60_000)
    expect(player.locator("#engine")).to_have_text("session held")
    assert player.evaluate("() => vp.config().session_id") != session
    session = player.evaluate("() => vp.config().session_id")
    player.evaluate(AT_ONCE, ["5", "20", session])  # and on, before the session can tell that it is held
    player.wait_for_function("() => vp.config().speed === 20 && vp.state().columns > 10", timeout=60_000)
    expect(player.locator("#engine")).to_have_text("session held")
    assert player.evaluate(NEWEST) < newest + 20_000  # what came before the word to hold


def test_what_is_held_is_held_at_the_same_place_when_the_page_is_loaded_again(player: Page, browser: Browser) -> None:
    """The session itself by who reloads; by who is sent the address one of its own that stands within its second."""
    began_ms = player.evaluate("() => Number(BigInt(vp.config().emit_from_ns) / 1000000n)")
    player.wait_for_function(f"() => vp.state().newestMs > {began_ms} + 5000")  # where it stands is not where it began
    hold(player)
    player.wait_for_function("() => location.hash.includes('held=1')")
    session, newest, event = (player.evaluate(each) for each in (SESSION, NEWEST, NEWEST_EVENT))
    shown = player.evaluate(COLUMNS_SHOWN)
    player.reload()
    player.wait_for_function(f"() => window.vp && vp.state().newestMs === {newest} && ({COLUMNS_SHOWN})() === {shown}")
    expect(player.locator("#engine")).to_have_text("session held")
    paused_at(player, newest)
    assert player.evaluate(SESSION) == session
    assert player.evaluate(NEWEST_EVENT) == event
    assert player.evaluate("() => vp.view().following")

    sent = open_page(browser)
    sent.goto(player.url)
    expect(sent.locator("#engine")).to_have_text("session held", timeout=30_000)
    sent.wait_for_function(f"() => vp.column() && Math.abs(vp.view().endMs - {newest}) < 1100")
    expect(sent.locator("#hold")).to_have_attribute("aria-pressed", "true")
    assert sent.evaluate(SESSION) != session
    began_ms = sent.evaluate("() => Number(BigInt(vp.config().emit_from_ns) / 1000000n)")
    assert sent.evaluate(NEWEST) <= began_ms <= newest  # not a frame ran by before it was told to stand
    sent.close()

    player.keyboard.press("y")
    player.wait_for_function(f"() => vp.state().newestMs > {newest} + 500")
    player.wait_for_function("() => !location.hash.includes('held=1')")


def test_a_range_that_was_only_begun_is_let_go_by_escape(player: Page) -> None:
    player.keyboard.press("r")
    expect(player.locator("#loop")).to_have_text("Loop to…")
    player.keyboard.press("Escape")
    expect(player.locator("#loop")).to_have_text("Loop")
    expect(player.locator("#loop")).to_have_attribute("aria-pressed", "false")


def test_bookmarks_are_kept_noted_found_taken_away_and_had_back(player: Page) -> None:
    player.evaluate("() => localStorage.removeItem('vp.bookmarks')")
    hold(player)
    player.mouse.move(10, 10)
    shown = player.evaluate("() => vp.state().newestMs")
    player.keyboard.press("b")
    expect(player.locator("#bookmarks-open")).to_have_text("Bookmarks 1")
    player.keyboard.press("Shift+B")
    note = player.locator("#bookmarks input")
    note.fill("the wall goes")
    note.press("Tab")
    expect(player.locator("#said")).to_have_text("Note kept")
    (kept,) = json.loads(player.evaluate("() => localStorage.getItem('vp.bookmarks')"))
    assert kept["session"] == "future_mbo MNQH6 2026-02-06"
    assert abs(kept["timeMs"] - shown) < 1000
    assert kept["note"] == "the wall goes"
    player.evaluate("(endMs) => vp.view({ endMs, following: false })", kept["timeMs"] + 5000)
    player.wait_for_function(IDLE)
    x = player.evaluate("(timeMs) => vp.at(timeMs, 0).x", kept["timeMs"])
    assert player.evaluate(MARKED_AT, [x - 3, x + 3]), "marked on the time axis"
    assert not player.evaluate(MARKED_AT, [x - 40, x - 20])
    player.evaluate("(endMs) => vp.view({ endMs, following: false })", shown - 20_000)
    player.locator("#bookmarks li button").first.click()
    assert player.evaluate(SHOWN) == kept["timeMs"]
    written: dict[str, Any] = json.loads(
        player.evaluate("async () => (await import('./settings-file.js')).settingsFile()")
    )
    assert written["bookmarks"] == [kept]
    player.locator("#bookmarks li button").last.click()
    expect(player.locator("#bookmarks-open")).to_have_text("Bookmarks 0")
    player.get_by_role("button", name="Undo").click()
    expect(player.locator("#bookmarks-open")).to_have_text("Bookmarks 1")
    assert json.loads(player.evaluate("() => localStorage.getItem('vp.bookmarks')")) == [kept]
    player.evaluate(BOOKMARK_OF_ANOTHER)
    player.get_by_role("button", name="Take away 1 of other sessions").click()
    assert json.loads(player.evaluate("() => localStorage.getItem('vp.bookmarks')")) == [kept]
    player.get_by_role("button", name="Undo").click()
    expect(player.get_by_role("button", name="Take away 1 of other sessions")).to_be_visible()
    expect(player.locator("#bookmarks-open")).to_have_text("Bookmarks 1")
    player.keyboard.press("Escape")
    expect(player.locator("#bookmarks")).to_be_hidden()


def test_who_is_not_alone_is_offered_a_session_of_ones_own(browser: Browser, server: Server) -> None:
    first, second = open_page(browser), open_page(browser)
    for page in (first, second):
        live(page, server, "?start_time=10:05&speed=5")
    session = first.evaluate("() => vp.config().session_id")
    assert second.evaluate("() => vp.config().session_id") == session
    second.locator("#hold").click()
    expect(second.locator("#notice-title")).to_contain_text("2 viewers")
    newest = second.evaluate(NEWEST)
    second.get_by_role("button", name="Watch it alone from here").click()
    expect(second.locator("#hold")).to_have_attribute("aria-pressed", "true", timeout=60_000)
    assert second.evaluate("() => vp.config().session_id") != session
    assert second.evaluate("() => vp.events().length") > 40  # the picture was kept
    before = first.evaluate(NEWEST)
    assert newest - 2000 < int(second.evaluate("() => vp.config().emit_from_ns")) / 1e6 < before + 1000
    first.wait_for_function(f"() => vp.state().newestMs > {before} + 1000")
    assert first.evaluate("() => vp.config().session_id") == session
    first.close()
    second.close()
