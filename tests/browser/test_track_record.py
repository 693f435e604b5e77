"""What the signal was worth so far, on the page: the figures of the server, with intervals, grey where it is chance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.probe import PAGE
from tests.vp.server.routes.test_track_record import SECONDS, TICK, planted_session
from tests.vp.server.tiny import START_NS, Running, TinyInfo, serving, tiny_service
from vp.model.parameters import ModelParameters

pytestmark = [pytest.mark.browser, pytest.mark.long]

NS = 1_000_000_000

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


@dataclass(frozen=True)
class PlantedInfo(TinyInfo):
    """What a page needs to know besides."""

    def to_json(self) -> dict[str, Any]:
        more = {"product_type": "future_mbo", "dt": "2026-02-06", "decimals": 2, "currency": "USD", "version": "0"}
        prices = {"tick_int": str(TICK), "bucket_int": str(TICK), "raw_files": []}
        return {**super().to_json(), **more, **prices, "parameters": ModelParameters().to_json()}


@pytest.fixture(scope="module")
def planted() -> Iterator[Running]:
    """A server of twenty minutes in which UP and DOWN foretell what comes."""

    def make(_request: object) -> Any:
        session = planted_session()
        session.info = PlantedInfo()
        return session

    def overview(_request: object, _check: object) -> dict[str, Any]:
        one = {name: [None] for name in ("high", "low", "last")} | {"volume": [0], "events": [SECONDS]}
        return {"start_ns": str(START_NS), "end_ns": str(START_NS + NS * SECONDS), "bin_ns": str(NS * SECONDS), **one}

    with serving(replace(tiny_service(make), overview=overview)) as running:
        yield running


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?", text.replace("−", "-").replace(",", ""))]


def assert_figure(cell: list[str], figure: dict[str, Any] | None, scale: float = 1.0) -> None:
    """A figure is written with its interval, or not at all, and is grey unless it can be told from chance."""
    text, told = cell
    assert told == str(bool(figure and figure["told_from_chance"])).lower()
    if figure is None:
        assert text == "–"
        return
    assert re.fullmatch(r"[+−]?[\d.]+ \[[+−]?[\d.]+, [+−]?[\d.]+\]", text)
    value, low, high = re.split(r"[ \[\],]+", text)[:3]
    expected = [scale * figure[name] for name in ("value", "low", "high")]
    assert [numbers(one)[0] for one in (value, low, high)] == pytest.approx(expected, abs=0.51 if scale > 1 else 0.006)


def test_the_panel_has_the_figures_of_the_server_and_none_without_its_interval(planted: Running, page: Page) -> None:
    page.goto(f"{planted.http}{PAGE}?flat&speed=1000")
    page.keyboard.press("q")
    expect(page.locator("#record")).to_contain_text(f"{SECONDS - 6:,} moments", timeout=20_000)
    record, cells = page.evaluate(RECORD), page.evaluate(CELLS)
    for row, (name, label) in zip(cells[1:4], STATES.items(), strict=True):
        after = record["after"][name]
        assert row[0][0] == label
        assert numbers(row[1][0]) == [after["samples"]]
        assert_figure(row[2], after["mean_move_ticks"])
        assert_figure(row[3], after["hit_rate"], 100)
    for row, (name, label) in zip(cells[4:], COEFFICIENTS.items(), strict=True):
        assert row[0][0] == label
        assert_figure(row[1], record["coefficients"][name])
    assert [row[2][1] for row in cells[1:4]] == ["true", "true", "false"]
    assert numbers(cells[1][2][0])[0] > 0.3 > -0.3 > numbers(cells[2][2][0])[0]
    line = page.locator("#record-open").inner_text()
    for row in cells[1:4]:
        assert f"{row[0][0]} {row[2][0]}, n {row[1][0]}" in line
    assert f"IC score {cells[4][1][0]}, queue imbalance {cells[5][1][0]}" in line
    colours = page.evaluate("""() => ["true", "false"].map((told) => (
      getComputedStyle(document.querySelector(`#record [data-told=${told}]`)).color))""")
    assert colours[0] != colours[1]
    page.keyboard.press("Escape")
    expect(page.locator("#record")).to_be_hidden()


def test_what_is_short_is_grey(planted: Running, page: Page) -> None:
    page.goto(f"{planted.http}{PAGE}?flat&speed=20")
    line = page.locator("#record-open")
    expect(line).to_contain_text("nothing yet")
    expect(line).to_contain_text(re.compile(r"after any moment [+−]\d"), timeout=20_000)
    assert page.evaluate(f"async () => (await ({RECORD})()).blocks") < 30
    assert page.locator("#record-open [data-told=true]").count() == 0
    line.click()
    expect(page.locator("#record")).to_contain_text("of fewer than 30 blocks nothing can be")
    assert page.locator("#record [data-told=true]").count() == 0
