"""The page on screens of every size and scale, and in the colours that a system forces."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.firefox import FIREFOX, set_screen_scale, started_firefox
from tests.browser.probe import IDLE, PAGE, READ_MAP, frozen_picture, live, watched_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

# Of each canvas that is seen: its pixels, and those that it takes on the screen.
CANVASES = """() => [...document.querySelectorAll("canvas")].filter((each) => each.clientWidth > 0).map((canvas) => {
  const wanted = (length) => Math.round(length * devicePixelRatio);
  return [canvas.width, canvas.height, wanted(canvas.clientWidth), wanted(canvas.clientHeight)];
})"""
# The share of the map's right and lower halves that is painted in a colour.
COLOURED = """() => {
  const { data, width, height } = vp.image("map");
  const share = (left, top) => {
    let found = 0;
    for (let y = top; y < top + height / 2 - 1; y += 3) for (let x = left; x < left + width / 2 - 1; x += 3) {
      const at = 4 * (Math.floor(y) * width + Math.floor(x));
      if (Math.abs(data[at] - data[at + 2]) > 20) found += 1;
    }
    return found;
  };
  return [share(width / 2, 0), share(0, height / 2)];
}"""
# What a person operates, with what it is called, if it cannot be reached: beyond the page's edges, or not shown at all.
OUT_OF_REACH = """(ids) => ids.filter((id) => {
  const control = document.getElementById(id);
  control.scrollIntoView({ block: "nearest" });
  const box = control.getBoundingClientRect();
  const beyond = box.left < 0 || box.right > innerWidth + 1 || box.top < 0 || box.bottom > innerHeight + 1;
  return beyond || box.width < 8 || box.height < 8;
})"""
CONTROLS = ["choose", "pause", "live", "speed", "mode", "freeze", "trust-open", "help-open"]
IN_MENUS = {
    "layers": ["palette", "transfer", "theme", "zone", "layer-bbo"],
    "keep": ["screenshot", "export-csv", "copy-link"],
}
# Every sign says as much as it ever may; those that are cut, or lie over one another or beyond the edge.
LONG_SIGNS = """() => {
  const words = {
    connection: "lost: the server closed the connection (1006)", engine: "catching up, 163,840 frames",
    tab: "graphics lost",
  };
  for (const [id, text] of Object.entries(words)) {
    document.getElementById(id).textContent = text;
    document.getElementById(id).dataset.sign = "bad";
  }
  const signs = [...document.querySelectorAll(".sign")].filter((sign) => sign.offsetWidth > 0);
  const boxes = signs.map((sign) => sign.getBoundingClientRect());
  const seen = (sign, x, y) => sign.contains(document.elementFromPoint(x, y));
  return signs.filter((sign, i) => {
    const { left, right, top, height } = boxes[i];
    const whole = sign.scrollWidth <= sign.clientWidth + 1 && left >= 0 && right <= innerWidth;
    return !whole || !seen(sign, left + 3, top + height / 2) || !seen(sign, right - 3, top + height / 2);
  }).map(({ id }) => id);
}"""
CHART_BOX = """() => {
  const { x, y, width, height } = document.getElementById("chart").getBoundingClientRect();
  return [x, y + scrollY, width, height];
}"""
# What changes besides the signs says as much as it may, or as little.
WORDS = """(long) => {
  const words = {
    connection: "lost: the server closed the connection (1006)", engine: "catching up, 163,840 frames",
    tab: "graphics lost", session: "2025-07-14..2025-07-18 from 09:30 · glbx-mdp3-20250714.mbo.dbn.zst",
    score: "-0.88", strength: "12.34×", bid: "5,125,000.25", ask: "5,125,000.50", last: "5,125,000.25",
    clock: "09:31:00",
    health: "viewers 12 · 123,456 stretches missing · anomalies 123,456 · time ahead 12 · 3 sessions, 12 MB of history",
    wall: "Wall clock 23:59:59 local", "bookmarks-open": "Bookmarks 500", loop: "Loop to…",
    "record-open": "In 5 s, ticks: after UP +0.31 (−0.02 to 0.62), n 123 · after DOWN −0.31 (−0.62 to 0.02), n 123",
  };
  const { session, wall } = words;
  const least = { session, wall, "bookmarks-open": "Bookmarks 0", loop: "Loop" };
  const said = long ? words : { ...Object.fromEntries(Object.keys(words).map((id) => [id, "–"])), ...least };
  for (const [id, text] of Object.entries(said)) document.getElementById(id).textContent = text;
}"""

# How far the words of a pause end above the reasons of hatching, CSS px.
BADGE_ABOVE_REASONS = """async () => {
  const { LABEL_TOP_PX } = await import("./layer-data-quality.js");
  const [badge, chart] = ["behind", "chart"].map((id) => document.getElementById(id).getBoundingClientRect());
  return chart.top + LABEL_TOP_PX * vp.state().size.unit - badge.bottom;
}"""
CHOOSE_VIEW = """(view) => {
  const list = document.getElementById("mode");
  list.value = view;
  list.dispatchEvent(new Event("change"));
}"""


# Choices that are wider by themselves than in the list that stands in the bar.
CUT_CHOICES = """() => [...document.querySelectorAll("nav > label > select")].flatMap((list) => {
  const room = list.getBoundingClientRect().width;
  if (room === 0) return []; // it stands in a menu
  return [...list.options].filter(({ textContent }) => {
    const alone = document.createElement("select");
    alone.add(new Option(textContent));
    alone.style.maxWidth = "none";
    list.parentElement.append(alone);
    const { width } = alone.getBoundingClientRect();
    alone.remove();
    return width > room + 1;
  }).map(({ textContent }) => textContent);
})"""


@pytest.fixture(scope="module")
def shown(either_browser: Browser, server: Server) -> Iterator[Page]:
    with watched_page(either_browser) as opened:
        live(opened, server, "?start_time=10:00", columns=600)
        frozen_picture(opened)
        yield opened


@pytest.fixture
def page(shown: Page) -> Iterator[Page]:
    yield shown
    shown.keyboard.press("Escape")
    shown.set_viewport_size({"width": 1366, "height": 768})


def resize(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("([width, height]) => innerWidth === width && innerHeight === height", arg=[width, height])
    page.wait_for_function(f"() => ({CANVASES})().every(([w, h, x, y]) => w === x && h === y) && ({IDLE})()")


def test_canvases_follow_the_scale_of_the_screen(page: Page) -> None:
    page.wait_for_function(IDLE)
    for scale in (2, 1.25, 1):
        set_screen_scale(page, scale)
        page.wait_for_function(f"() => ({CANVASES})().every(([w, h, x, y]) => w === x && h === y) && ({IDLE})()")
        assert min(page.evaluate(COLOURED)) > 500, scale  # all of the plot is painted
        assert page.evaluate(READ_MAP)["blue"] > 1000


def test_no_sign_is_cut_and_no_words_move_the_map(page: Page) -> None:
    for size in ((1920, 1080), (1366, 768), (1199, 800), (1024, 768), (720, 900), (390, 844), (844, 390)):
        resize(page, *size)
        page.evaluate(WORDS, False)
        before = page.evaluate(CHART_BOX)
        assert page.evaluate(LONG_SIGNS) == [], size
        assert page.evaluate(CHART_BOX) == before, size
        page.evaluate(WORDS, True)
        assert page.evaluate(CHART_BOX) == before, size


def test_the_name_of_every_view_is_whole(page: Page) -> None:
    """Nor is anything else cut that can be chosen in the bar."""
    for size in ((1366, 768), (390, 844)):
        resize(page, *size)
        assert page.evaluate(CUT_CHOICES) == [], size


def test_the_map_stays_as_high_in_every_view(page: Page) -> None:
    """Though what the legend says of them is of one to three lines; on a phone it has most of the screen."""
    for size, least_share in (
        ((1366, 768), 0.6),
        ((1920, 1080), 0.7),
        ((1024, 768), 0.45),
        ((720, 900), 0.45),
        ((390, 844), 0.5),
    ):
        resize(page, *size)
        heights = set()
        for view in ("depth", "pair", "balance"):
            page.evaluate(CHOOSE_VIEW, view)
            page.wait_for_function(f"() => vp.state().mode === '{view}' && ({IDLE})()")
            heights.add(page.evaluate("() => vp.state().size.height + vp.state().size.strip"))
        assert len(heights) == 1, (size, heights)
        assert heights.pop() > least_share * size[1]
        assert page.evaluate(BADGE_ABOVE_REASONS) >= 0


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((844, 390), id="landscape phone"),
        pytest.param((390, 844), id="portrait phone"),
        pytest.param((683, 384), id="1366x768 at 200 %"),
        pytest.param((1366, 768), id="1366x768"),
    ],
)
def test_every_control_can_be_reached(page: Page, size: tuple[int, int]) -> None:
    resize(page, *size)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(OUT_OF_REACH, CONTROLS) == []
    for menu, controls in IN_MENUS.items():
        page.locator(f"#{menu} > summary").click()
        assert page.evaluate(OUT_OF_REACH, controls) == [], menu
        page.keyboard.press("Escape")
    assert page.evaluate("() => vp.state().size.height") > 150  # there is a map
    chart = page.locator("#chart").bounding_box()
    assert chart is not None
    assert chart["height"] < size[1]  # which fits on the screen
    read_a_cell(page)


def read_a_cell(page: Page) -> None:
    """Where the map lies by now, a cell of it is read under the mouse, which was elsewhere before."""
    page.mouse.move(1, 1)
    expect(page.locator("#readout")).to_be_hidden()
    page.locator("#chart").scroll_into_view_if_needed()
    chart, size = page.locator("#chart").bounding_box(), page.evaluate("() => vp.state().size")
    assert chart is not None
    page.mouse.move(chart["x"] + 0.3 * size["width"], chart["y"] + 0.6 * size["height"])
    expect(page.locator("#readout")).to_be_visible()
    expect(page.locator("#readout strong")).to_contain_text("k ")


# How light the part of the bar of progress is that is still to come, 0 to 255.
REST_OF_THE_BAR = """async (picture) => {
  const image = Object.assign(new Image(), { src: `data:image/png;base64,${picture}` });
  await image.decode();
  const { width, height } = image;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(image, 0, 0);
  const [red, green, blue] = context.getImageData(Math.round(width * 0.9), Math.round(height / 2), 1, 1).data;
  return (red + green + blue) / 3;
}"""
HALF_DONE = "() => Object.assign(document.getElementById('progress'), { max: 2, value: 1 })"


def test_the_bar_of_progress_is_light_on_a_light_page_and_dark_on_a_dark_one(browser: Browser, server: Server) -> None:
    with watched_page(browser) as page:
        page.route_web_socket("**/stream*", lambda _socket: None)  # which says nothing
        page.goto(f"{server.address}{PAGE}")
        expect(page.locator("#progress")).to_be_visible()
        page.evaluate(HALF_DONE)
        light = {}
        for theme in ("dark", "light"):
            if page.evaluate("() => document.documentElement.dataset.theme") != theme:
                page.keyboard.press("d")
            picture = base64.b64encode(page.locator("#progress").screenshot()).decode()
            light[theme] = page.evaluate(REST_OF_THE_BAR, picture)
    assert light["dark"] < 110
    assert light["light"] > 170


def test_a_panel_lies_over_the_map_of_a_phone(page: Page) -> None:
    resize(page, 390, 844)
    before = page.evaluate(CHART_BOX)
    for panel in ("trust", "record", "bookmarks"):
        page.locator(f"[aria-controls={panel}]").click()
        expect(page.locator(f"#{panel}")).to_be_visible()
        assert page.evaluate(CHART_BOX) == before, panel
        page.keyboard.press("Escape")


def test_at_200_percent_one_line_stands_above_the_controls(page: Page) -> None:
    resize(page, 683, 384)
    header = page.locator("header").bounding_box()
    assert header is not None
    assert header["height"] < 45
    for fact in ("clock", "score"):
        box = page.locator(f"#{fact}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= header["height"], fact
        assert box["x"] + box["width"] < 683, fact


def test_text_grows_with_a_large_screen_and_so_does_what_is_painted(page: Page) -> None:
    resize(page, 1920, 1080)
    usual = page.evaluate("() => vp.state().size")
    assert usual["unit"] == 1
    resize(page, 3840, 2160)
    size = page.evaluate("() => vp.state().size")
    text = page.evaluate("() => parseFloat(getComputedStyle(document.getElementById('score')).fontSize)")
    assert text > 20
    assert size["unit"] == pytest.approx(text / 13, rel=0.02)  # 13 px on a usual screen
    assert size["side"] == usual["side"]
    assert size["width"] * size["unit"] + size["side"] * size["unit"] == pytest.approx(3840, abs=2)
    assert min(page.evaluate(COLOURED)) > 500
    # what lies under the mouse is what is read
    place = page.evaluate("""() => {
      const { endMs, spanMs, centre } = vp.view();
      return vp.at(endMs - spanMs / 4, Math.round(centre));
    }""")
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
    price = page.evaluate("() => Math.round(vp.view().centre) * vp.config().bucket_int / 1e9")
    expect(page.locator("#readout strong")).to_contain_text(f"{price:,.2f}")


def pressed_looks_different(page: Page) -> None:
    """In colours that the system forces, a button's two states are told apart by what fills it."""
    page.wait_for_function(
        "() => window.vp && matchMedia('(forced-colors: active)').matches && vp.state().columns > 0", timeout=60_000
    )
    looks = []
    for pressed in ("true", "false"):
        if page.locator("#freeze").get_attribute("aria-pressed") != pressed:
            page.keyboard.press("f")
        expect(page.locator("#freeze")).to_have_attribute("aria-pressed", pressed)
        looks.append(page.evaluate("() => getComputedStyle(document.getElementById('freeze')).backgroundColor"))
    assert looks[0] != looks[1]


def test_forced_colours_show_what_is_pressed_in_chromium(browser: Browser, server: Server) -> None:
    with watched_page(browser, forced_colors="active") as page:
        page.goto(f"{server.address}{PAGE}")
        pressed_looks_different(page)


def test_forced_colours_show_what_is_pressed_in_firefox(
    playwright: Playwright, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if FIREFOX is None:
        pytest.skip("no Firefox on the path")
    forced: dict[str, str | float | bool] = {"browser.display.document_color_use": 2}
    with (
        started_firefox(playwright, tmp_path_factory.mktemp("forced"), forced) as browser,
        watched_page(browser) as page,
    ):
        page.goto(f"{server.address}{PAGE}")
        pressed_looks_different(page)
