"""The page under the path of a proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.path_proxy import PathProxy
from tests.browser.probe import COLUMNS, EVENTS, IDLE, PAGE, frozen_picture, watched_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def page(either_browser: Browser) -> Iterator[Page]:
    with watched_page(either_browser) as opened:
        yield opened


@pytest.fixture
def proxy(server: Server) -> Iterator[PathProxy]:
    made = PathProxy(int(server.address.rsplit(":", 1)[1]), "/desk/vp")
    yield made
    made.close()


def test_everything_is_asked_for_where_the_page_came_from(
    page: Page, either_browser: Browser, proxy: PathProxy
) -> None:
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
    if either_browser.browser_type.name == "chromium":  # of Debian's Firefox no download is reported
        with page.expect_download() as waiting:
            page.keyboard.press("e")
        assert waiting.value.url.startswith(f"{proxy.address}/desk/vp/v1/")
    link = page.evaluate("() => vp.link()")
    assert link.startswith(f"{proxy.address}/desk/vp{PAGE}?")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    assert proxy.astray == []
