"""Keys and reading aids, in Chromium and Firefox: Esc, the way back, words for the ear, pins, the read-out's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import IDLE, PLACE, paused_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

SETTINGS = "() => vp.state().settings"
SAID = "() => document.getElementById('said').textContent"
# What is open of all that Escape closes.
OPEN = """() => {
  const buttons = [...document.querySelectorAll("[aria-controls]")];
  const panels = buttons.map((button) => button.getAttribute("aria-controls"));
  const open = [...document.querySelectorAll("dialog[open], details.menu[open]")].map(({ id }) => id);
  return [...open, ...panels.filter((id) => document.getElementById(id)?.checkVisibility())];
}"""
# Rows from the price and the words for them.
WORDS = {-2: "two rows below the price", 0: "at the price", 3: "three rows above the price"}
# How many pixels of the lines of prices the read-out lies over; they are green, rose and white.
LINE_COLOURS = """async () => {
  const { themeOf } = await import("./colour.js");
  const { theme, palette } = vp.state().settings;
  const { bid, ask, last } = themeOf(theme, palette);
  return [bid, ask, last].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
}"""
OVER_LINES = """(lines) => {
  const card = document.getElementById("readout").getBoundingClientRect();
  const chart = document.getElementById("chart").getBoundingClientRect();
  const { width, height } = vp.state().size;
  const { data, width: stride } = vp.image("overlay");
  const [left, right] = [Math.max(0, card.left - chart.left), Math.min(card.right - chart.left, width)];
  const [top, bottom] = [Math.max(0, card.top - chart.top), Math.min(card.bottom - chart.top, height)];
  let over = 0;
  for (let y = Math.ceil(top); y < bottom; y += 1) for (let x = Math.ceil(left); x < right; x += 1) {
    const at = 4 * (y * stride + x);
    const near = (colour) => colour.every((value, i) => Math.abs(value - data[at + i]) < 12);
    if (data[at + 3] > 150 && lines.some(near)) over += 1;
  }
  return over;
}"""
PIN = "() => { const box = document.querySelector('.pinned').getBoundingClientRect(); return [box.left, box.top]; }"


@pytest.fixture(scope="module")
def shown(either_browser: Browser, server: Server) -> Iterator[Page]:
    """One page for all of this module."""
    with paused_page(either_browser, server) as opened:
        yield opened


@pytest.fixture
def page(shown: Page) -> Page:
    """The page as it was: nothing open, pinned or measured, the usual zoom, paused."""
    for _ in range(4):
        shown.keyboard.press("Escape")
    shown.locator("#chart").focus()  # where Escape has led to is a button, which Space presses
    shown.mouse.move(2, 300)
    shown.keyboard.press("0")
    shown.keyboard.press(" ")
    shown.wait_for_function(IDLE)
    return shown


def place(page: Page) -> Any:
    return page.evaluate(PLACE)


def point(page: Page, share: float, rows: float) -> tuple[float, float]:
    """Where a cell lies on the page: along the time axis, and so many rows above the price then."""
    at = page.evaluate(
        """([share, rows]) => {
          const { endMs, spanMs } = vp.view();
          const timeMs = endMs - spanMs * (1 - share);
          const { x, y } = vp.at(timeMs, vp.column(timeMs).spot_price + rows);
          const box = document.getElementById("chart").getBoundingClientRect();
          return [box.left + x, box.top + y];
        }""",
        [share, rows],
    )
    return at[0], at[1]


def test_escape_closes_the_topmost_first(page: Page) -> None:
    page.mouse.move(*point(page, 0.5, 3))
    page.keyboard.press("p")
    page.keyboard.press("i")
    page.keyboard.press("o")
    page.locator("#layers > summary").click()
    page.keyboard.press("?")
    opened = [{"trust", "sessions", "layers", "help"}, {"trust", "sessions", "layers"}, {"trust", "sessions"}]
    for still in opened:
        assert set(page.evaluate(OPEN)) == still
        page.keyboard.press("Escape")
    assert len(page.evaluate(OPEN)) == 1
    page.keyboard.press("Escape")
    assert page.evaluate(OPEN) == []
    expect(page.locator(".pinned")).to_have_count(1)  # the chart's own come last
    page.keyboard.press("Escape")
    expect(page.locator(".pinned")).to_have_count(0)


def test_escape_in_a_panel_closes_that_panel_and_gives_the_focus_back(page: Page) -> None:
    page.locator("#choose").click()
    page.locator("#trust-open").click()
    assert set(page.evaluate(OPEN)) == {"sessions", "trust"}
    expect(page.locator("#choose-note")).to_contain_text("ET")
    page.locator("#choose-start").focus()
    page.keyboard.press("Escape")
    assert page.evaluate(OPEN) == ["trust"]
    assert page.evaluate("() => document.activeElement.id") == "choose"
    page.keyboard.press("Escape")


def double_click(page: Page, x: float, y: float) -> None:
    """Two clicks, and what a browser makes of them: driven by BiDi, Firefox leaves that to whoever drives it."""
    page.mouse.dblclick(x, y)
    browser = page.context.browser
    assert browser is not None
    if browser.browser_type.name == "firefox":
        page.evaluate(
            """([clientX, clientY]) => document.getElementById("chart").dispatchEvent(
              new MouseEvent("dblclick", { clientX, clientY, bubbles: true, detail: 2 }))""",
            [x, y],
        )


def type_cutoff(page: Page) -> None:
    page.locator("#upper-typed").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")


MOVES: dict[str, Callable[[Any], object]] = {
    "pan": lambda page: page.keyboard.press("ArrowLeft"),
    "pan of prices": lambda page: page.keyboard.press("PageUp"),
    "zoom": lambda page: page.keyboard.press("+"),
    "zoom of prices": lambda page: page.keyboard.press("}"),
    "back to live": lambda page: page.keyboard.press("l"),
    "fit": lambda page: page.keyboard.press("0"),
    "view": lambda page: page.keyboard.press("v"),
    "colours": lambda page: page.keyboard.press("c"),
    "transfer": lambda page: page.keyboard.press("t"),
    "theme": lambda page: page.keyboard.press("d"),
    "a layer": lambda page: page.keyboard.press("g"),
    "freeze": lambda page: page.keyboard.press("f"),
    "a cut-off": lambda page: (page.locator("#upper").focus(), page.keyboard.press("PageDown")),
    "a typed cut-off": type_cutoff,
    "the wheel": lambda page: (page.mouse.move(500, 300), page.mouse.wheel(0, -240)),
    "a drag": lambda page: drag(page, (500, 300), (600, 340)),
    "an axis": lambda page: drag(page, (1120, 300), (1120, 380)),
    "a double click on an axis": lambda page: double_click(page, 1120, 300),
}


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def test_every_change_of_the_view_can_be_undone(page: Page) -> None:
    """One after the other; then as many steps back, each to the state before."""
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(800)  # what follows at once would be undone with it
    before: list[tuple[str, Any]] = []
    for name, move in MOVES.items():
        page.wait_for_function(IDLE)
        before.append((name, (place(page), page.evaluate(SETTINGS))))
        move(page)
        page.evaluate("() => document.getElementById('chart').focus()")
        if name in ("back to live", "fit"):  # what is live runs on: back at once
            assert page.evaluate("() => vp.view().following")
            page.keyboard.press("z")
            assert (place(page), page.evaluate(SETTINGS)) == before.pop()[1], name
        else:
            assert (place(page), page.evaluate(SETTINGS)) != before[-1][1], f"{name} did nothing"
    ended = (place(page), page.evaluate(SETTINGS))
    for name, state in reversed(before):
        page.keyboard.press("z")
        assert (place(page), page.evaluate(SETTINGS)) == state, name
    for name, state in [*before[1:], ("the end", ended)]:
        page.keyboard.press("Shift+Z")
        assert (place(page), page.evaluate(SETTINGS)) == state, name
    for _ in before:
        page.keyboard.press("z")
    assert (place(page), page.evaluate(SETTINGS)) == before[0][1]


def test_what_was_taken_back_is_made_again_and_pins_come_back(page: Page) -> None:
    pins = page.locator(".pinned")
    page.mouse.click(*point(page, 0.6, 8))
    expect(pins).to_have_count(1)
    page.wait_for_timeout(500)  # two clicks, and no double one
    page.mouse.click(*point(page, 0.3, -8))
    expect(pins).to_have_count(2)
    page.keyboard.down("Alt")
    page.mouse.down()
    page.mouse.move(*point(page, 0.5, 6), steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    measured = page.evaluate("() => vp.state().measured")
    assert "Δt" in measured
    page.keyboard.press("Escape")
    expect(pins).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(pins).to_have_count(2)
    assert page.evaluate("() => vp.state().measured") == measured
    page.keyboard.press("Control+Shift+z")
    expect(pins).to_have_count(0)
    assert page.evaluate("() => vp.state().measured") == ""
    expect(page.locator("#said")).to_have_text("Redone")
    page.keyboard.press("Shift+Z")
    expect(page.locator("#said")).to_have_text("Nothing to redo")
    page.keyboard.press("z")
    pins.first.get_by_role("button").click()
    expect(pins).to_have_count(1)
    page.keyboard.press("z")
    expect(pins).to_have_count(2)


def test_what_is_clicked_on_leaves_the_keys_to_the_chart(page: Page) -> None:
    page.locator("#mark").click()
    expect(page.locator("#bookmarks-open")).to_have_text("Bookmarks 1")
    page.keyboard.press(" ")
    assert page.evaluate("() => vp.view().following")
    expect(page.locator("#bookmarks-open")).to_have_text("Bookmarks 1")  # and none is made anew
    page.keyboard.press("z")
    assert not page.evaluate("() => vp.view().following")
    page.locator("#overview").focus()  # it has keys of its own, and takes no others
    span = place(page)["span"]
    page.keyboard.press("-")
    assert place(page)["span"] > span
    page.keyboard.press("z")
    assert place(page)["span"] == span
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#bookmarks-open")).to_be_focused()
    page.keyboard.press(" ")  # who comes by keys presses a button by keys
    expect(page.locator("#bookmarks")).to_be_visible()
    page.get_by_label("Take ").click()
    expect(page.locator("#bookmarks-open")).to_have_text("Bookmarks 0")


def test_the_cell_under_the_cursor_is_spoken_in_whole_words(page: Page) -> None:
    for rows, words in WORDS.items():
        x, y = point(page, 0.4, rows)
        page.mouse.move(x, y)
        page.wait_for_function(  # the read-out follows with the next picture
            """(words) => {
                const price = document.querySelector("#readout strong")?.innerText.split(/\\s+/)[1];
                return document.getElementById("said").textContent.includes(`at ${price}, ${words}, at 09:`);
            }""",
            arg=words,
        )
        said = page.evaluate(SAID)
        for force in ("pressure", "vacuum"):
            assert f"{force} " in said
    page.keyboard.press("'")  # a price up, by keys
    expect(page.locator("#said")).to_contain_text("four rows above the price")


def test_panels_scroll_by_keyboard_and_the_map_stays(page: Page) -> None:
    before = place(page)
    page.keyboard.press("i")
    page.locator("#trust").focus()
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.getElementById('trust').scrollTop > 50")
    page.keyboard.press("ArrowDown")
    assert place(page) == before
    page.locator("#chart").focus()
    page.keyboard.press("ArrowDown")
    assert place(page) != before


def test_a_pin_stays_on_its_cell(page: Page) -> None:
    x, y = point(page, 0.6, 8)
    page.mouse.click(x, y)
    expect(page.locator(".pinned")).to_have_count(1)
    pinned = page.locator(".pinned").inner_text()
    away = [at - of for at, of in zip(page.evaluate(PIN), (x, y), strict=True)]
    cell = page.evaluate(
        """([x, y]) => {
          const box = document.getElementById("chart").getBoundingClientRect();
          const { endMs, spanMs, rows, centre } = vp.view();
          const { width, height } = vp.state().size;
          const bucket = Math.round(centre + rows / 2 - rows * (y - box.top) / height);
          return [endMs - spanMs + spanMs * (x - box.left) / width, bucket];
        }""",
        [x, y],
    )
    moved = 0
    for move in (
        lambda: page.keyboard.press("Shift+ArrowLeft"),
        lambda: page.keyboard.press("ArrowUp"),
        lambda: page.keyboard.press("-"),
        lambda: page.evaluate("() => vp.older(vp.column(-Infinity).timeMs - 5000)"),
    ):
        move()
        page.wait_for_function(IDLE)
        at = page.evaluate(
            """([timeMs, bucket]) => {
              const { x, y } = vp.at(timeMs, bucket);
              const box = document.getElementById("chart").getBoundingClientRect();
              return [box.left + x, box.top + y];
            }""",
            cell,
        )
        moved += abs(at[0] - x) + abs(at[1] - y) > 3
        assert [lies - of for lies, of in zip(page.evaluate(PIN), at, strict=True)] == pytest.approx(away, abs=4)
        assert page.locator(".pinned").inner_text() == pinned
    assert moved >= 3
    page.keyboard.press("Home")
    page.keyboard.press("l")
    page.evaluate("(timeMs) => vp.view({ endMs: timeMs - 60_000, following: false })", cell[0])
    expect(page.locator(".pinned")).to_be_hidden()  # with its cell
    page.evaluate("(timeMs) => vp.view({ endMs: timeMs + 20_000 })", cell[0])
    expect(page.locator(".pinned")).to_be_visible()


def test_a_double_click_pins_once_and_leaves_the_view(page: Page) -> None:
    before = place(page)
    double_click(page, *point(page, 0.5, 6))
    expect(page.locator(".pinned")).to_have_count(1)
    double_click(page, 1120, 300)  # the axis of prices: the usual span of them, and no other time
    after = place(page)
    assert (after["end"], after["span"]) == (before["end"], before["span"])
    assert not page.evaluate("() => vp.view().following")


def test_the_read_out_is_never_over_the_price_and_can_be_turned_off(page: Page) -> None:
    for layer in ("trades", "profile", "quality", "sizes"):  # so that lines alone are of their colours
        if page.evaluate(f"() => vp.state().settings.layers['{layer}']"):
            page.evaluate(f"() => document.getElementById('layer-{layer}').click()")
    lines = page.evaluate(LINE_COLOURS)
    for share in (0.08, 0.5, 0.97):
        for rows in (-12, -1, 1, 12):
            page.mouse.move(*point(page, share, rows))
            expect(page.locator("#readout")).to_contain_text("j_rest_depth")  # all of the card
            page.wait_for_function(IDLE)
            assert page.evaluate(OVER_LINES, lines) == 0, (share, rows)
    page.keyboard.press("h")
    page.mouse.move(*point(page, 0.5, 4))
    page.wait_for_function(IDLE)
    expect(page.locator("#readout")).to_be_hidden()
    expect(page.locator("#said")).to_contain_text("four rows above")  # it is spoken nevertheless
    page.keyboard.press("h")
    expect(page.locator("#readout")).to_be_visible()


def test_escape_leaves_a_field_of_the_bars_and_what_is_typed_in_it(page: Page) -> None:
    before = page.evaluate("() => vp.state().scale")
    for field, typed in (("seek", "10:99"), ("upper-typed", "0.31")):
        was = page.input_value(f"#{field}")
        page.locator(f"#{field}").focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Escape")
        expect(page.locator("#chart")).to_be_focused()
        page.wait_for_function("([id, was]) => document.getElementById(id).value === was", arg=[field, was])
    assert page.evaluate("() => vp.state().scale") == before
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert "j" not in page.input_value("#seek")  # the key went to the page again
    page.keyboard.press("Escape")


def test_what_is_paused_stays_when_a_view_asks_for_other_columns(page: Page) -> None:
    page.keyboard.press("ArrowLeft")
    before = place(page)
    page.select_option("#mode", "v_add")
    page.wait_for_function("() => vp.state().fields.includes('v_add') && vp.state().columns > 40")
    page.wait_for_function("() => vp.state().mode === 'v_add'")
    after = place(page)
    assert (after["end"], after["span"], after["centre"]) == (before["end"], before["span"], before["centre"])
    assert not page.evaluate("() => vp.view().following")
