"""What is drawn over and beside the map, by its pixels, and touch."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.probe import IDLE, PLACE, WORDS_PAINTED, frozen_picture, live, open_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

# Pixels that are painted in a rectangle of a canvas (CSS px), and how many of them have about a colour (#rrggbb).
COUNT = """([id, left, top, width, height, colour]) => {
  const canvas = document.getElementById(id);
  const ratio = devicePixelRatio;
  const box = [left, top, width, height].map((value) => Math.round(value * ratio));
  const { data } = canvas.getContext("2d").getImageData(...box);
  const hex = () => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const want = colour ? (colour.startsWith("#") ? hex() : colour.match(/\\d+/g).map(Number)) : null;
  let painted = 0, same = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 40) painted += 1;
    if (want && data[i + 3] > 20 && want.every((value, c) => Math.abs(value - data[i + c]) < 24)) same += 1;
  }
  return { painted, same };
}"""
SIZE = "() => vp.state().size"
THEME = """async () => {
  const { theme, palette } = vp.state().settings;
  return (await import("./colour.js")).themeOf(theme, palette);
}"""


def test_each_layer_is_drawn_where_it_belongs_and_can_be_taken_away(page: Page, server: Server) -> None:
    live(page, server, "?start_time=10:00", columns=600)
    frozen_picture(page)
    page.evaluate("() => vp.view({ spanMs: 15_000 })")  # without the context, in which a price is a few pixels wide
    page.wait_for_function(IDLE)
    size, theme = page.evaluate(SIZE), page.evaluate(THEME)
    plot = ["overlay", 0, 0, size["width"], size["height"]]

    def count(where: list[Any], colour: str = "") -> int:
        found = page.evaluate(COUNT, [*where, colour])
        return int(found["same" if colour else "painted"])

    for name in ("bid", "ask", "last"):
        assert count(plot, theme[name]) > 100, name
    # the bid's line lies at the bid: where it leaves the map, a pixel of its colour is within two of its price
    level = page.evaluate("() => vp.at(0, vp.column().bid_price).y")
    assert count(["overlay", size["width"] - 60, level - 2, 60, 5], theme["bid"]) > 5
    with_all = count(plot)
    page.locator("#layers > summary").click()
    labels = page.locator("#layer-menu label:has([type=checkbox])")
    titles = labels.evaluate_all("(all) => all.map(({ title }) => title)")
    assert len(titles) >= 5
    assert all(titles)
    for layer in ("trades", "profile", "bbo", "last"):
        page.locator(f"#layer-{layer}").uncheck()
        page.wait_for_function(IDLE)
        without = count(plot)
        assert without < with_all, layer
        with_all = without
    assert count(plot, theme["bid"]) == 0
    strip = ["overlay", 0, size["height"] + 4, size["width"], size["strip"] - 8]
    assert sum(count(strip, theme[state]) for state in ("up", "down", "chop")) > 5 * size["width"]
    ladder = ["overlay", size["width"] + 76, 20, 200, size["height"] - 20]
    assert count(ladder) > 2000
    axis = ["overlay", size["width"], 0, 76, size["height"]]
    assert count(axis) > 500
    for name in ("pressure-above", "pressure-below", "vacuum-above", "vacuum-below"):
        assert page.locator(f"#{name}").inner_text() not in {"–", "0"}


def test_the_open_is_a_line(page: Page, server: Server) -> None:
    live(page, server, "?start_time=09:29:56", columns=400)
    frozen_picture(page)
    page.wait_for_function(IDLE)
    x = page.evaluate("() => vp.at(Date.UTC(2026, 1, 6, 14, 30), 0).x")
    size, theme = page.evaluate(SIZE), page.evaluate(THEME)
    assert 0 < x < size["width"]
    on = page.evaluate(COUNT, ["overlay", round(x) - 1, 0, 3, size["height"] - 30, theme["session"]])["same"]
    assert on > size["height"] / 5


# Bookmarks at the times of a picture, each with its note.
BOOKMARKS_AT = """async (notes) => {
  const { put } = await import("./bookmarks.js");
  const { product_type, contract, dt } = vp.config();
  for (const [timeMs, note] of notes) put({ session: `${product_type} ${contract} ${dt}`, timeMs, note });
}"""
# Pixels of the ground's colour that words stand on, so that they are legible over a map of any colour.
UNDER = """async ({ left, top, right, bottom }) => {
  const { themeOf } = await import("./colour.js");
  const { theme, palette } = vp.state().settings;
  const ground = [1, 3, 5].map((at) => parseInt(themeOf(theme, palette).halo.slice(at, at + 2), 16));
  const canvas = document.getElementById("overlay").getContext("2d");
  const { data } = canvas.getImageData(left, top, right - left, bottom - top);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 120 && ground.every((value, c) => Math.abs(value - data[i + c]) < 24)) found += 1;
  }
  return found;
}"""
OPEN_MS = 1_770_388_200_000  # 09:30 in New York


def test_words_on_the_time_axis_and_beside_lines_are_whole_at_every_edge(page: Page, server: Server) -> None:
    live(page, server, "?start_time=09:29:56", columns=400)
    frozen_picture(page)
    size = page.evaluate(SIZE)
    note = "where the wall of 09:30 went away"
    page.evaluate(BOOKMARKS_AT, [[OPEN_MS, note]])
    right_of = []
    for share in (0, 0.02, 0.5, 0.9, 0.99, 1):
        span_ms = 60_000
        place = {"endMs": OPEN_MS + (1 - share) * span_ms, "spanMs": span_ms, "following": False}
        page.evaluate("(place) => vp.view(place)", place)
        painted = page.evaluate(WORDS_PAINTED)
        below = [each for each in painted if each["top"] > size["height"] + size["strip"] and each["words"] != "ET"]
        assert len(below) > 3
        (label,) = (each for each in painted if each["words"] == "09:30 ET open")
        (marked,) = (each for each in painted if each["words"] == note)
        for each in (*below, label, marked):
            assert each["left"] >= 0, (share, each)
            assert each["right"] <= size["width"], (share, each)
        right_of.append([each["left"] > share * size["width"] for each in (label, marked)])
        assert not any(each["left"] < size["width"] < each["right"] for each in painted), share
        assert page.evaluate(UNDER, label) > 2 * (label["right"] - label["left"]), "legible on any colour"
    assert right_of == [*[[True, True]] * 3, [True, False], *[[False, False]] * 2], (
        "right of the line while there is room"
    )


def test_numbers_of_the_ladder_are_whole_at_its_upper_and_lower_edge(page: Page, server: Server) -> None:
    live(page, server, "?start_time=10:00", columns=100)
    frozen_picture(page)
    size, spot = page.evaluate(SIZE), page.evaluate("() => vp.column().spot_price")
    for shift in (0, 0.25, 0.5, 0.75):
        page.evaluate("(centre) => vp.view({ rows: 30, centre, following: false })", spot + shift)
        painted = [
            each
            for each in page.evaluate(WORDS_PAINTED)
            if each["left"] > size["width"] + 76 and each["words"][0].isdigit() and each["top"] < size["height"]
        ]
        assert len(painted) > 25
        for each in painted:
            assert each["top"] >= 16, (shift, each)  # below the titles
            assert each["bottom"] <= size["height"], (shift, each)


def test_two_fingers_zoom_and_one_moves(browser: Browser, server: Server) -> None:
    page = open_page(browser, viewport={"width": 390, "height": 844}, has_touch=True)
    live(page, server, columns=200)
    page.keyboard.press(" ")
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *points: tuple[int, int]) -> None:
        listed = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    box = page.locator("#chart").bounding_box()
    assert box is not None
    y = round(box["y"] + 150)
    before = page.evaluate(PLACE)
    fingers("touchStart", (120, y), (180, y + 60))
    for step in range(1, 5):
        fingers("touchMove", (120 - 10 * step, y - 10 * step), (180 + 10 * step, y + 60 + 10 * step))
    fingers("touchEnd")
    zoomed = page.evaluate(PLACE)
    assert zoomed["span"] < 0.7 * before["span"]
    assert zoomed["rows"] < 0.7 * before["rows"]
    fingers("touchStart", (100, y))
    for step in range(1, 4):
        fingers("touchMove", (100 + 20 * step, y))
    fingers("touchEnd")
    moved = page.evaluate(PLACE)
    assert moved["end"] < zoomed["end"]
    assert moved["span"] == zoomed["span"]
    page.close()
