"""What a trader reads off the page: axes, crosshair, read-out, pins, and the way back from a zoom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import IDLE, PLACE, paused_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

# How often the picture was painted, of how many columns, and all of its pixels in a number.
PAINTED = """() => {
  const { paints, columns } = vp.state();
  let sum = 0;
  for (const name of ["map", "overlay"]) {
    for (const word of new Uint32Array(vp.image(name).data.buffer)) sum = (sum * 31 + word) % 4294967291;
  }
  return [paints, columns, sum];
}"""


@pytest.fixture(scope="module")
def shown(browser: Browser, server: Server) -> Iterator[Page]:
    """One page for all of this module."""
    with paused_page(browser, server) as opened:
        yield opened


@pytest.fixture
def page(shown: Page) -> Page:
    """The page as it was: nothing pinned or measured, the usual zoom, paused."""
    shown.keyboard.press("Escape")
    shown.keyboard.press("0")
    shown.keyboard.press(" ")
    shown.wait_for_function(IDLE)
    return shown


def place(page: Page) -> Any:
    return page.evaluate(PLACE)


@pytest.mark.parametrize(
    ("bucket", "least", "price"),
    [
        (0.25, 4.7, 2.0),
        (0.25, 1.0, 0.25),
        (0.01, 7.0, 0.1),
        (0.01, 21.0, 0.25),
        (1 / 64, 3.0, 4 / 64),
        (1 / 64, 5.0, 0.25),
    ],
)
def test_prices_on_the_axis_are_round(page: Page, bucket: float, least: float, price: float) -> None:
    script = """async ([least, bucketInt]) => (await import("./format.js")).priceStep(least, bucketInt) * bucketInt"""
    assert page.evaluate(script, [least, round(bucket * 1e9)]) == pytest.approx(price * 1e9)


def test_turns_of_the_wheel_are_undone_together(page: Page) -> None:
    before = place(page)
    page.evaluate("""() => {
      const turn = { deltaY: -100, clientX: 600, clientY: 300, bubbles: true, cancelable: true };
      for (let i = 0; i < 3; i += 1) document.getElementById("chart").dispatchEvent(new WheelEvent("wheel", turn));
    }""")
    assert place(page)["span"] < before["span"] * 0.7
    page.keyboard.press("z")
    assert place(page) == before


def test_a_pause_right_after_the_usual_zoom_shows_the_market(page: Page) -> None:
    """Before anything could be painted in between."""
    page.evaluate("""() => {
      for (const key of ["0", " "]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }""")
    page.wait_for_function(IDLE)
    held = page.evaluate("() => vp.column(-Infinity).spot_price")
    assert abs(page.evaluate("() => vp.view().centre") - held) < 200


def test_a_pause_leaves_the_map_where_it_is(page: Page) -> None:
    """What says how far behind it is takes no room from it."""
    box = page.locator("#chart").bounding_box()
    page.keyboard.press("l")
    expect(page.locator("#behind")).to_be_hidden()
    assert page.locator("#chart").bounding_box() == box
    page.keyboard.press(" ")
    expect(page.locator("#behind")).to_be_visible()
    assert page.locator("#chart").bounding_box() == box


# When the picture was painted, ms.
NOTE_PAINTINGS = """() => {
  window.paintings = [];
  let { paints } = vp.state();
  const look = () => {
    if (vp.state().paints !== paints) paintings.push(performance.now());
    ({ paints } = vp.state());
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_pause_is_painted_once_whatever_comes_after_what_it_shows(page: Page) -> None:
    page.wait_for_function("() => vp.state().newestMs > vp.view().endMs + 500")
    page.wait_for_function(IDLE)
    paints, columns, picture = page.evaluate(PAINTED)
    page.wait_for_function(f"() => vp.state().columns > {columns + 60}")
    assert page.evaluate(PAINTED)[0] == paints
    page.evaluate("() => vp.view({})")
    page.wait_for_function(f"() => vp.state().paints > {paints} && vp.state().idle")
    assert page.evaluate(PAINTED)[2] == picture, "and there was nothing to be painted"
    newest = page.evaluate("() => vp.state().newestMs")
    page.keyboard.press("l")
    page.evaluate(NOTE_PAINTINGS)
    page.wait_for_function(f"() => vp.state().paints > {paints + 10} && vp.state().newestMs > {newest}")
    # with the frames, and not only with the clock, which is four times a second
    page.wait_for_function("() => paintings.some((ms, i) => i > 1 && ms - paintings[i - 2] < 240)")


def test_bars_of_a_quiet_market_stay_short(page: Page) -> None:
    """The scale of the bars beside the map does not follow forces that the map shows as nothing."""
    page.keyboard.press("x")  # the exact cells, whose scale the bars share
    page.wait_for_function(IDLE)
    page.evaluate("() => vp.setScale(0, 1e9)")
    page.wait_for_function(IDLE)
    inked = """() => {
      const { ratio, width, height, side } = vp.state().size;
      const overlay = document.getElementById("overlay").getContext("2d");
      const left = Math.round((width + 76 + (side - 76) * 0.4 + 6) * ratio), until = Math.round((width + side) * ratio);
      const { data } = overlay.getImageData(left, 20 * ratio, until - left, (height - 30) * ratio);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 100) count += 1;
      return count;
    }"""
    flat = page.evaluate(inked)
    page.keyboard.press("f")
    page.wait_for_function(IDLE)
    assert page.evaluate(inked) > flat + 200
