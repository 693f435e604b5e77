"""What every browser must show and do: in Chromium, and in Firefox as Debian ships it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.firefox import XVFB
from tests.browser.probe import IDLE, READ_MAP, live, watched_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]


# How much of the strip and of the ladder is painted in a palette's colours, and that of the badge of UP.
PAINTED_IN = """async (palette) => {
  const { themeOf } = await import("./colour.js");
  const { settings, size: { width, height, side, strip, ratio } } = vp.state();
  const theme = themeOf(settings.theme, palette);
  const rgb = (colour) => colour.match(/\\d+/g).map(Number);
  const image = vp.image("overlay");
  const count = (colours, left, top, wide, tall) => {
    let found = 0;
    for (let y = Math.ceil(top * ratio); y < (top + tall) * ratio; y += 1) {
      for (let x = Math.ceil(left * ratio); x < (left + wide) * ratio; x += 1) {
        const at = 4 * (y * image.width + x);
        const near = ([r, g, b]) => Math.max(...[r, g, b].map((value, i) => Math.abs(value - image.data[at + i]))) < 12;
        if (image.data[at + 3] > 40 && colours.map(rgb).some(near)) found += 1;
      }
    }
    return found;
  };
  const room = side - 76, left = width + 76;
  const badge = getComputedStyle(document.documentElement).getPropertyValue("--up").trim();
  return {
    strip: count([theme.up, theme.down], 0, height + 4, width, strip - 8),
    pressure: count([theme.pressure], left + room * 0.4, 20, room * 0.3, height - 20),
    vacuum: count([theme.vacuum], left + room * 0.7, 20, room * 0.3, height - 20),
    badge,
  };
}"""
# What S saves: the picture's pixels across and down, and all that was written for it.
SCREENSHOT = """() => new Promise((done) => {
  const canvas = CanvasRenderingContext2D.prototype, { fillText } = canvas, { createObjectURL } = URL, written = [];
  canvas.fillText = function (words, ...at) {
    written.push(words);
    fillText.call(this, words, ...at);
  };
  URL.createObjectURL = (blob) => {
    Object.assign(canvas, { fillText });
    Object.assign(URL, { createObjectURL });
    createImageBitmap(blob).then(({ width, height }) => done({ written, width, height }));
    return createObjectURL(blob);
  };
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
})"""


@pytest.fixture(scope="module")
def page(either_browser: Browser, server: Server) -> Iterator[Page]:
    with watched_page(either_browser) as opened:
        live(opened, server, columns=300)
        yield opened


def test_the_map_shows_both_forces_and_a_cell_is_read(page: Page) -> None:
    page.wait_for_function(
        f"() => {{ const {{ blue, orange }} = ({READ_MAP})(); return Math.min(blue, orange) > 2000; }}", polling=300
    )
    page.mouse.move(700, 330)
    for word in ("pressure", "vacuum", "bid", "ask"):
        expect(page.locator("#readout")).to_contain_text(word)


def test_the_balance_is_seen_first_and_explained_with_the_exact_cells_a_key_away(page: Page) -> None:
    legend, map_shown = page.locator("#legend-text"), "() => vp.state().mode"
    assert page.evaluate(map_shown) == "balance"
    expect(legend).to_contain_text("where liquidity builds")
    expect(legend).to_contain_text("σ 1.5 rows and σ 3 s back in time")
    page.locator("#chart").focus()
    page.keyboard.press("x")
    expect(legend).to_contain_text("pressure and vacuum: ")
    assert page.evaluate(map_shown) == "pair"
    page.keyboard.press("x")
    expect(legend).to_contain_text("where liquidity builds")
    assert page.evaluate(map_shown) == "balance"


def test_the_gpu_paints_what_the_flat_map_paints(page: Page, either_browser: Browser) -> None:
    if either_browser.browser_type.name == "firefox" and XVFB is None:
        pytest.skip("Firefox has no WebGL here: there is no Xvfb on the path")
    page.keyboard.press("f")
    page.keyboard.press(" ")
    page.wait_for_function("() => vp.state().idle")
    same = page.evaluate("""() => {
      const words = (name) => new Uint32Array(vp.image(name).data.buffer);
      const [one, two, again] = [words("map"), words("flat"), words("map")];
      let different = 0;
      for (let i = 0; i < one.length; i += 1) if (one[i] !== two[i]) different += 1;
      return {
        name: vp.state().painter, share: different / one.length, again: one.every((word, i) => word === again[i]),
      };
    }""")
    assert "WebGL2" in same["name"]
    assert same["share"] < 0.01  # a cell's edge may round to the next pixel
    assert same["again"]


def test_a_palette_is_that_of_strip_ladder_and_badge_too(page: Page) -> None:
    page.wait_for_function(IDLE)
    palettes = ["blue", "purple"]
    painted = {}
    for palette in palettes:
        page.select_option("#palette", palette)
        page.wait_for_function(IDLE)
        painted[palette] = {other: page.evaluate(PAINTED_IN, other) for other in palettes}
    for palette, other in (palettes, palettes[::-1]):
        for part in ("strip", "pressure", "vacuum"):
            assert painted[palette][palette][part] > 100, (palette, part)
            assert painted[other][palette][part] < 0.1 * painted[palette][palette][part], (palette, part)
        assert painted[palette][palette]["badge"] != painted[other][other]["badge"]
    page.select_option("#palette", "blue")


def test_the_screenshot_carries_symbol_time_state_and_score(page: Page) -> None:
    page.wait_for_function(IDLE)
    saved = page.evaluate(SCREENSHOT)
    size = page.evaluate("() => { const { width, height } = vp.image('overlay'); return [width, height]; }")
    assert saved["width"] == size[0]
    assert saved["height"] > size[1] + 40
    score = page.evaluate("() => vp.column().score")
    state = page.evaluate("() => document.getElementById('state').textContent")
    assert any(words.startswith("MNQH6  2026-02-06") for words in saved["written"])
    assert any(f"{state}  score {score:.2f}  strength" in words for words in saved["written"])
