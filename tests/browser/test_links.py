"""The page at the end of a bad line: a slow one, and one that breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import COLUMNS, EVENTS, NEWEST, PAGE, open_page
from tests.browser.programs import Server
from tests.browser.slow_link import SlowLink
from tests.browser.test_outages import all_there_once

pytestmark = [pytest.mark.browser, pytest.mark.long]

SESSION = "speed=5&start_time=09:31"
SLOW_BYTES_PER_SECOND = 300_000  # some 30 frames of the 200 a second


@pytest.fixture
def link(server: Server) -> Iterator[SlowLink]:
    made = SlowLink(int(server.address.rsplit(":", 1)[1]))
    yield made
    made.close()


@pytest.fixture
def far_page(browser: Browser, link: SlowLink) -> Iterator[Page]:
    """A page behind the link; its console tells of the lost server."""
    opened = open_page(browser)
    opened.goto(f"{link.address}{PAGE}?{SESSION}")
    expect(opened.locator("#connection")).to_have_text("live", timeout=30_000)
    opened.wait_for_function(f"() => ({COLUMNS})() > 100", timeout=30_000)
    yield opened
    opened.close()


def test_a_slow_line_misses_frames_says_so_and_has_them_once_it_is_fast_again(far_page: Page, link: SlowLink) -> None:
    link.bytes_per_second = SLOW_BYTES_PER_SECOND
    far_page.wait_for_function("() => vp.state().missed > 20", timeout=60_000)
    newest = far_page.evaluate(NEWEST)
    far_page.wait_for_function(f"() => ({NEWEST})() > {newest} + 1000", timeout=30_000)
    expect(far_page.locator("#connection")).to_have_text(re.compile(r"^live, [\d.]+ s late$"), timeout=20_000)
    link.bytes_per_second = None
    expect(far_page.locator("#connection")).to_have_text("live", timeout=20_000)
    far_page.wait_for_timeout(3000)  # what waits at the server comes first, with more left out of it
    far_page.wait_for_function("() => vp.state().holes === 0 && vp.state().filled > 0", timeout=30_000)
    expect(far_page.locator("#health")).to_contain_text(" · nothing missing · ")  # whatever was left out on the way
    all_there_once(far_page)


def test_a_line_that_breaks_is_mended_with_nothing_missing(
    far_page: Page, link: SlowLink, browser: Browser, server: Server
) -> None:
    near_page = open_page(browser)  # a session that nobody watches ends before long
    near_page.goto(f"{server.address}{PAGE}?{SESSION}")
    expect(near_page.locator("#connection")).to_have_text("live", timeout=30_000)
    link.cut()
    expect(far_page.locator("#connection")).to_contain_text("lost", timeout=30_000)  # it takes what had come first
    columns = far_page.evaluate(COLUMNS)
    before = far_page.evaluate(EVENTS)
    far_page.wait_for_timeout(1500)
    assert far_page.evaluate(COLUMNS) == columns
    link.mend()
    expect(far_page.locator("#connection")).to_have_text("live", timeout=20_000)
    far_page.wait_for_function(f"() => ({COLUMNS})() > {columns} + 100", timeout=30_000)
    far_page.wait_for_function("() => vp.state().holes === 0")  # what it had missed before, on a busy machine, too
    assert set(before) <= set(far_page.evaluate(EVENTS))
    expect(far_page.locator("#session")).not_to_contain_text("new run")
    all_there_once(far_page)
    near_page.close()
