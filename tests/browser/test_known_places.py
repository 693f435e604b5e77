"""Numbers, words and lines of a known market stand where they belong: at their price, their time and their side."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from tests.browser.known_market import SWEEP_SECONDS, TICK_INT, TRADES, at_ns, price
from tests.browser.known_page import AXIS_PX, DOWN, ROW_PX, STRIP_PX, UP, K, KnownMarket
from tests.browser.probe import IDLE, WORDS_PAINTED, switch_layer
from vp.market.wall_times import NEW_YORK

pytestmark = pytest.mark.browser

CELLS = "(table) => [...table.rows].map(({ cells }) => [...cells].map((cell) => cell.textContent))"
NEAR_PX = 3  # words have no middle to the pixel


def painted(market: KnownMarket) -> list[dict[str, Any]]:
    """The words that the next painting writes, each with its box and the middle of that."""
    found: list[dict[str, Any]] = market.page.evaluate(WORDS_PAINTED)
    return [each | {"y": (each["top"] + each["bottom"]) / 2, "x": (each["left"] + each["right"]) / 2} for each in found]


def number(text: str) -> float:
    """1,234.50, ≈1,230 or 1.2k."""
    text = text.removeprefix("≈")
    size = float(text.removesuffix("k").replace(",", ""))
    return size * 1000 if text.endswith("k") else size


def test_prices_on_the_axis_stand_at_their_rows(market: KnownMarket) -> None:
    market.show(DOWN)
    left, height = market.size["width"], market.size["height"]
    axis = [each for each in painted(market) if left < each["left"] < left + AXIS_PX and each["bottom"] < height]
    assert len(axis) > 8
    for each in axis:
        ticks = (number(each["words"]) * 1e9 - price(0)) / TICK_INT
        assert each["y"] == pytest.approx(market.xy(0, ticks)[1], abs=NEAR_PX), each


def test_times_on_the_axis_stand_at_their_moments(market: KnownMarket) -> None:
    market.show(DOWN)
    below = market.size["height"] + STRIP_PX
    axis = [each for each in painted(market) if each["top"] > below and ":" in each["words"]]
    assert len(axis) > 3
    begin = dt.datetime.fromtimestamp(at_ns(0) // 10**9, NEW_YORK)
    for each in axis:
        clock = dt.time.fromisoformat(each["words"])
        seconds = (dt.datetime.combine(begin.date(), clock, NEW_YORK) - begin).total_seconds()
        assert each["x"] == pytest.approx(market.xy(seconds, 0)[0], abs=NEAR_PX), each


def test_numbers_in_cells_are_those_of_their_rows(market: KnownMarket) -> None:
    """Those of what the map shows, here of what rests."""
    switch_layer(market.page, "sizes", on=True)
    try:
        market.page.select_option("#mode", "rest_depth")
        market.show(UP, UP - 1.5)
        width, height = market.size["width"], market.size["height"]
        numbers = [
            each
            for each in painted(market)
            if each["right"] < width and each["bottom"] < height and each["words"].strip("≈")[0].isdigit()
        ]
        rests = market.row(UP - 0.1)["rest_depth"]
        found = {}
        for each in sorted(numbers, key=lambda each: each["x"]):  # the newest of each row is the last
            found[next(row for row in range(-12, 13) if abs(market.xy(0, row)[1] - each["y"]) < ROW_PX / 2)] = each
        assert len(found) > 8
        for ticks, each in found.items():
            assert number(each["words"]) == pytest.approx(rests[K + ticks], rel=0.01), (ticks, each)
    finally:
        market.page.select_option("#mode", "pair")
        switch_layer(market.page, "sizes", on=False)


@pytest.mark.parametrize("part", [-0.4, 0.0, 0.4])
def test_all_of_a_row_is_read_as_its_price(market: KnownMarket, part: float) -> None:
    """A row lies around its price, half of it above: card and axis tell the same at its upper and lower edge."""
    market.show(DOWN)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    for ticks in (5, -5):
        x, y = market.xy(35.1, ticks + part)
        market.page.mouse.move(box["x"] + x, box["y"] + y)
        market.page.wait_for_function(IDLE)
        said = f"{price(ticks) / 1e9:,.2f}"
        assert market.page.evaluate("() => vp.state().tags")["price"] == said
        assert f"{said}   k {ticks:+d}" in market.page.locator("#readout strong").inner_text()
    market.page.mouse.move(5, 5)


def test_the_cells_around_are_those_of_before_and_after(market: KnownMarket) -> None:
    market.show(DOWN)
    seconds, ticks = SWEEP_SECONDS + 0.1, -4
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    x, y = market.xy(seconds, ticks)
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    market.page.wait_for_function(IDLE)
    assert market.page.locator("#readout caption").inner_text() == "pressure: frame before, this, after"
    at = int(np.searchsorted(market.seconds, seconds, side="right")) - 1
    around = [market.frames["pressure"][at + over].as_py() for over in (-1, 0, 1)]
    rows = market.page.locator("#readout table").evaluate(CELLS)
    told_apart = 0
    for up, row in zip((2, 1, 0, -1, -2), rows, strict=True):
        wanted = [frame[K + ticks + up] for frame in around]
        shown = [number(each) for each in row[1:]]
        assert shown == pytest.approx(wanted, rel=0.02, abs=0.006), (up, row)
        told_apart += abs(wanted[0] - wanted[2]) > 0.05 * wanted[2]
    assert told_apart > 0
    market.page.mouse.move(5, 5)


def test_the_volume_by_price_is_that_of_what_is_on_screen(market: KnownMarket) -> None:
    """Nothing of a trade that lies before it, nor of one after."""
    (_, early, _, _), *_, (last_seconds, late, _, _) = TRADES
    market.show(last_seconds - 0.5, 5.0)
    for ticks, there in ((early, False), (late, False), (-1, True), (3, True)):
        _, y = market.xy(0, ticks)
        found = market.count("overlay", 1, y + 3, 8, market.row_px / 2 - 5)
        assert (found["green"] + found["rose"] > 10) == there, ticks


def test_the_strip_names_up_above_and_down_below(market: KnownMarket) -> None:
    market.show(DOWN)
    middle = market.size["height"] + STRIP_PX / 2
    words = {each["words"]: each["y"] - middle for each in painted(market) if abs(each["y"] - middle) < STRIP_PX / 2}
    assert words["▲ UP from 0.2"] < words["until 0.1"] < words["▼ DOWN −0.2"]


def test_bids_are_green_and_asks_red_in_the_light_theme_too(market: KnownMarket) -> None:
    market.page.keyboard.press("d")
    try:
        market.show(43.0, 30.0)
        left = market.size["width"] + 2
        for ticks, colour in ((-1, "dark green"), (1, "dark red")):
            _, y = market.xy(0, ticks)
            assert market.count("overlay", left, y - 6, AXIS_PX - 4, 12)[colour] > 400, colour
            assert market.count("overlay", left - 300, y - 2, 290, 4)[colour] > 150, colour
    finally:
        market.page.keyboard.press("d")
        market.page.wait_for_function(IDLE)
