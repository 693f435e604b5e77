"""The page under the path of a proxy, and on a screen of another scale."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.path_proxy import PathProxy
from tests.browser.probe import COLUMNS, EVENTS, IDLE, PAGE, READ_MAP, frozen_picture, live
from tests.browser.programs import Server

pytestmark = pytest.mark.browser

# Pixels of each canvas, and those that it takes on the screen.
CANVASES = """() => ["map", "overlay", "cursor", "legend"].map((id) => {
  const canvas = document.getElementById(id);
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


@pytest.fixture
def proxy(server: Server) -> Iterator[PathProxy]:
    made = PathProxy(int(server.address.rsplit(":", 1)[1]), "/desk/vp")
    yield made
    made.close()


def test_everything_is_asked_for_where_the_page_came_from(page: Page, proxy: PathProxy) -> None:
    page.goto(f"{proxy.address}/desk/vp/?start_time=09:31&speed=5")  # leads to the page
    assert page.url.startswith(f"{proxy.address}/desk/vp{PAGE}")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    page.wait_for_function(f"() => window.vp && ({COLUMNS})() > 100", timeout=30_000)
    before = page.evaluate(EVENTS)
    page.evaluate("() => vp.keepNewest(20)")
    page.keyboard.press("Home")  # history
    page.wait_for_function("() => vp.state().exhausted && !vp.state().loading", timeout=20_000)
    assert set(before) <= set(page.evaluate(EVENTS))
    page.keyboard.press("l")
    frozen_picture(page)
    page.wait_for_function(IDLE)
    page.mouse.move(700, 330)
    expect(page.locator("#readout")).to_contain_text("j_rest_depth", timeout=10_000)  # one frame in full
    page.keyboard.press("o")
    expect(page.locator("#choose-note")).to_contain_text("19:00 ET")  # the sessions that there are
    page.keyboard.press("Escape")
    with page.expect_download() as waiting:
        page.keyboard.press("e")
    assert waiting.value.url.startswith(f"{proxy.address}/desk/vp/v1/")
    link = page.evaluate("() => vp.link()")
    assert link.startswith(f"{proxy.address}/desk/vp{PAGE}?")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    assert proxy.astray == []


def test_canvases_follow_the_scale_of_the_screen(page: Page, server: Server) -> None:
    live(page, server, "?start_time=10:00", columns=600)
    frozen_picture(page)
    page.wait_for_function(IDLE)
    devtools = page.context.new_cdp_session(page)
    for scale in (2, 1.25, 1):
        size = {"width": 1366, "height": 768, "deviceScaleFactor": scale, "mobile": False}
        devtools.send("Emulation.setDeviceMetricsOverride", size)
        page.wait_for_function(f"() => devicePixelRatio === {scale}")
        page.wait_for_function(f"() => ({CANVASES})().every(([w, h, x, y]) => w === x && h === y)", timeout=10_000)
        page.wait_for_function(IDLE)
        assert min(page.evaluate(COLOURED)) > 500, scale  # all of the plot is painted
        assert page.evaluate(READ_MAP)["blue"] > 1000
