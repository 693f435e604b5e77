"""What the signal was worth so far, on the page: the figures of the server, with intervals, grey where it is chance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import live, watched_page
from tests.browser.programs import Server

pytestmark = pytest.mark.browser

RECORD = """async () => {
  const answer = await fetch(`./v1/vacuum-pressure/track-record?session_id=${vp.config().session_id}`);
  return answer.json();
}"""
CELLS = """() => [...document.querySelectorAll("#record tr")].map((row) => (
  [...row.cells].map((cell) => [cell.textContent, cell.dataset.told ?? ""])))"""
STATES = {"UP": "after UP", "DOWN": "after DOWN", "any": "after any moment"}
COEFFICIENTS = {
    "score": "score",
    "queue imbalance": "queue imbalance",
    "difference": "score less queue imbalance",
}


@pytest.fixture(scope="module")
def held(browser: Browser, server: Server) -> Iterator[Page]:
    """A page whose session has gone on for a quarter of an hour and more, and is held."""
    with watched_page(browser) as page:
        live(page, server, "?speed=100&start_time=09:31&throttle_ms=500&alone=yes")
        page.wait_for_function(f"async () => (await ({RECORD})()).blocks >= 32", timeout=60_000, polling=500)
        page.keyboard.press("y")
        expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
        yield page


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?", text.replace("−", "-").replace(",", ""))]


def assert_figure(text: str, told: str, figure: dict[str, Any] | None, scale: float = 1.0) -> None:
    """A figure is written with its interval, or not at all, and is grey unless it can be told from chance."""
    assert told == str(bool(figure and figure["told_from_chance"])).lower()
    if figure is None:
        assert text == "–"
        return
    assert re.fullmatch(r"[+−]?[\d.]+ \[[+−]?[\d.]+, [+−]?[\d.]+\]", text)
    value, low, high = re.split(r"[ \[\],]+", text)[:3]
    expected = [scale * figure[name] for name in ("value", "low", "high")]
    assert [numbers(one)[0] for one in (value, low, high)] == pytest.approx(expected, abs=0.51 if scale > 1 else 0.006)


def test_the_panel_has_the_figures_of_the_server_and_none_without_its_interval(held: Page) -> None:
    held.keyboard.press("q")
    expect(held.locator("#record")).to_be_visible()
    record: dict[str, Any] = {}
    for _ in range(20):  # what is shown was asked for a moment ago
        record, cells = held.evaluate(RECORD), held.evaluate(CELLS)
        if numbers(cells[3][1][0]) == [record["after"]["any"]["samples"]]:
            break
        held.wait_for_timeout(500)
    for row, (name, label) in zip(cells[1:4], STATES.items(), strict=True):
        after = record["after"][name]
        assert row[0][0] == label
        assert numbers(row[1][0]) == [after["samples"]]
        assert_figure(*row[2], after["mean_move_ticks"])
        assert_figure(*row[3], after["hit_rate"], 100)
    for row, (name, label) in zip(cells[4:], COEFFICIENTS.items(), strict=True):
        assert row[0][0] == label
        assert_figure(*row[1], record["coefficients"][name])
    assert record["after"]["UP"]["mean_move_ticks"]["value"] != record["after"]["DOWN"]["mean_move_ticks"]["value"]
    assert cells[1][2][0] != cells[2][2][0]
    line = held.locator("#record-open").inner_text()
    for row in cells[1:4]:
        assert f"{row[0][0]} {row[2][0]}, n {row[1][0]}" in line
    assert f"IC score {cells[4][1][0]}, queue imbalance {cells[5][1][0]}" in line
    held.keyboard.press("Escape")
    expect(held.locator("#record")).to_be_hidden()


def test_what_is_short_is_grey(page: Page, server: Server) -> None:
    live(page, server, "?speed=20&start_time=09:31&throttle_ms=500&alone=yes")
    line = page.locator("#record-open")
    expect(line).to_contain_text(re.compile(r"after any moment [+−]\d"), timeout=30_000)
    assert page.evaluate(f"async () => (await ({RECORD})()).blocks") < 30
    assert page.locator("#record-open [data-told=true]").count() == 0
    line.click()
    expect(page.locator("#record")).to_contain_text("of fewer than 30 blocks nothing can be")
    assert page.locator("#record [data-told=true]").count() == 0
