"""The guide of a first visit: four steps, once, by keys, never over a price; and what a failed start says instead."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.probe import CALM, PAGE, open_page
from tests.browser.programs import Server

pytestmark = pytest.mark.browser


def test_a_first_visitor_is_led_once_in_four_steps(browser: Browser, server: Server) -> None:
    page = open_page(browser, first_visit=True, **CALM)
    page.goto(f"{server.address}{PAGE}?start_time=09:31&speed=5")
    guide, title = page.locator("#guide"), page.locator("#guide-title")
    expect(guide).to_be_visible(timeout=30_000)
    expect(page.get_by_role("region", name="1 of 4: What is shown")).to_be_visible()
    expect(page.locator("#guide-words")).to_contain_text("generated")  # the demonstration says that it is one
    expect(page.locator("#guide-next")).to_be_focused()
    boxes = [page.locator(name).bounding_box() for name in ("#guide", "#chart")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 0.5  # no price is under it
    assert boxes[1]["height"] > 350
    for step in ("2 of 4: Read it", "3 of 4: Move", "4 of 4: Ask"):
        page.keyboard.press("Enter")
        expect(title).to_have_text(step)
    page.keyboard.press("Enter")
    expect(guide).to_be_hidden()
    expect(page.locator("#chart")).to_be_focused()
    page.reload()
    page.wait_for_function("() => window.vp && vp.state().paints > 5", timeout=30_000)
    page.wait_for_timeout(600)  # it would come with the next look
    expect(guide).to_be_hidden()
    page.keyboard.press("?")
    page.click("#guide-open")
    expect(title).to_have_text("1 of 4: What is shown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
    assert page.locator(".guided").count() == 0
    page.close()


def test_a_guide_that_is_skipped_does_not_come_again_and_none_covers_a_failed_start(
    browser: Browser, server: Server
) -> None:
    page = open_page(browser, first_visit=True, **CALM)
    page.goto(f"{server.address}{PAGE}?dt=2026-02-09")
    expect(page.locator("#notice-title")).to_contain_text("2026-02-06", timeout=30_000)
    expect(page.locator("#guide")).to_be_hidden()
    page.get_by_role("button", name="MNQ").first.click()  # what there is instead
    expect(page.locator("#guide")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_function("() => window.vp && vp.state().paints > 5", timeout=30_000)
    page.wait_for_timeout(600)
    expect(page.locator("#guide")).to_be_hidden()
    page.close()
