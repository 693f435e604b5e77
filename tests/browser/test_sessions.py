"""Sessions with nothing in them, and what a page shows from before a session's start."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_market import at_ns, known_market
from tests.browser.probe import IDLE, PAGE, live, open_page, switch_layer
from tests.browser.programs import Server
from tests.dbn_files import header, mbo
from tests.lakes import dbn, put
from tests.oracle_book import F_LAST, F_SNAPSHOT, Rec

pytestmark = [pytest.mark.browser, pytest.mark.long]

MISSING_FILE, NO_RECORD, SNAPSHOT_ALONE = "2026-02-05", "2026-02-07", "2026-02-09"
INSTRUMENT = 42005
DAY_NS = 86_400 * 10**9
# Pixels of the band of the market state and of the line at the top, left and right of a time (ms UTC).
AROUND = """(timeMs) => {
  const { width, height, data } = vp.image("overlay");
  const size = vp.state().size;
  const edge = Math.round(vp.at(timeMs, 0).x);
  const strongest = (left, right, top, bottom) => {
    let alpha = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let x = Math.max(left, 0); x < Math.min(right, size.width); x += 1) {
        alpha = Math.max(alpha, data[4 * (y * width + x) + 3]);
      }
    }
    return alpha;
  };
  const sides = (top, bottom) => [strongest(0, edge - 3, top, bottom), strongest(edge + 3, size.width, top, bottom)];
  const mean = (left, right) => {
    let sum = 0;
    for (let y = size.height + 4; y < size.height + size.strip - 4; y += 1) {
      for (let x = left; x < right; x += 1) sum += data[4 * (y * width + x) + 3] / (right - left) / (size.strip - 8);
    }
    return sum;
  };
  return { edge, strip: [mean(0, edge - 3), mean(edge + 3, Math.floor(size.width))], top: sides(0, 1) };
}"""


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    lake: Path = tmp_path_factory.mktemp("small")
    put(lake, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", dbn("MNQH6", INSTRUMENT, known_market()))
    for date, records in ((NO_RECORD, []), (SNAPSHOT_ALONE, snapshot(at_ns(0) + 3 * DAY_NS))):
        day = dt.date.fromisoformat(date)
        data = header(symbols={"MNQH6": INSTRUMENT}, date=day)
        data += b"".join(mbo(record, INSTRUMENT) for record in records)
        put(lake, "future_mbo", "MNQ", f"glbx-mdp3-{day:%Y%m%d}.mbo.dbn", data)
    server = Server(lake, "--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06", "--speed", "5")
    yield server
    server.end()


def snapshot(ts_event: int) -> list[Rec]:
    """Two orders that rested when the day began."""
    return [
        Rec(ts_event, "A", side, 21_500_000_000_000 + sign * 250_000_000, 10, sign + 2, F_SNAPSHOT | last)
        for side, sign, last in (("B", -1, 0), ("A", 1, F_LAST))
    ]


@pytest.mark.parametrize(
    ("date", "words"),
    [
        (MISSING_FILE, "2026-02-05"),
        (NO_RECORD, "no record of MNQH6"),
        (SNAPSHOT_ALONE, "snapshot"),
    ],
)
def test_a_session_with_nothing_in_it_is_said_to_be_one(
    browser: Browser, small_server: Server, date: str, words: str
) -> None:
    page = open_page(browser)
    page.goto(f"{small_server.address}{PAGE}?dt={date}")
    notice = page.locator("#notice-title")
    expect(notice).to_contain_text(words, timeout=30_000)
    expect(page.locator("#connection")).to_have_attribute("data-sign", "bad")
    expect(page.locator("#loading")).to_be_hidden()
    buttons = page.locator("#notice-choices button")
    expect(buttons.filter(has_text="MNQH6 2026-02-06")).to_have_count(1)
    assert date not in " ".join(buttons.all_inner_texts())
    buttons.filter(has_text="MNQH6 2026-02-06").click()
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()
    page.wait_for_function("() => window.vp && vp.state().columns > 3")
    page.close()


def test_a_start_that_nobody_typed_goes_with_the_session_that_it_is_of(page: Page, small_server: Server) -> None:
    page.goto(f"{small_server.address}{PAGE}?start_time=19:10:05")
    page.wait_for_function("() => window.vp && vp.state().columns > 3")
    page.keyboard.press("o")
    expect(page.locator("#choose-date")).to_have_value("2026-02-06")
    start = page.locator("#choose-start")
    expect(start).to_have_value("19:10:05")
    page.select_option("#choose-date", NO_RECORD)
    expect(start).to_have_value("")
    page.select_option("#choose-date", "2026-02-06")
    expect(start).to_have_value("19:10:05")
    page.fill("#choose-symbol", "MN")
    expect(start).to_have_value("")
    page.fill("#choose-symbol", "mnqh6")
    expect(start).to_have_value("19:10:05")
    start.fill("10:00")
    page.select_option("#choose-date", NO_RECORD)
    expect(start).to_have_value("10:00")  # a person's own stays


def test_what_came_before_the_start_is_there_and_marked(page: Page, server: Server) -> None:
    """Ten minutes at most a frame a second, then the session's own frames, without a gap between."""
    live(page, server, "?start_time=09:45&speed=5", columns=700)
    emit_ms = page.evaluate("() => Number(BigInt(vp.config().emit_from_ns) / 1000000n)")
    first_ms = page.evaluate("() => vp.column(-Infinity).timeMs")
    assert emit_ms - 601_000 < first_ms < emit_ms - 590_000
    before = page.evaluate("(until) => vp.events(until - 1e-3).length", emit_ms)
    assert 300 < before <= 600
    page.evaluate("(endMs) => vp.view({ endMs, spanMs: 24_000, following: false, fitting: false })", emit_ms + 4000)
    page.wait_for_function(IDLE)
    expect(page.locator("#hatched")).to_be_hidden()
    assert page.evaluate("() => vp.state().holes") == 0
    found = page.evaluate(AROUND, emit_ms)
    assert 100 < found["edge"] < page.evaluate("() => vp.state().size.width") - 100
    context, own = found["strip"]
    assert own > 1.3 * context > 20
    assert found["top"][0] > 100
    assert found["top"][1] < 60


def test_a_session_from_its_beginning_has_nothing_before_it(page: Page, server: Server) -> None:
    live(page, server, "?start_time=&speed=5", columns=40)
    page.wait_for_function(IDLE, timeout=20_000)
    page.keyboard.press(" ")
    switch_layer(page, "sizes", on=False)  # numbers in cells reach to the upper edge
    assert page.evaluate(AROUND, page.evaluate("() => vp.column(-Infinity).timeMs"))["top"][1] < 60
