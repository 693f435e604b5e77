"""Prices below zero: not where there can be none, and there where the contract trades."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.probe import IDLE, PAGE, open_page
from tests.browser.programs import Server
from tests.lakes import dbn, put
from tests.oracle_book import F_LAST, UNDEFINED_PRICE, Rec

pytestmark = [pytest.mark.browser, pytest.mark.long]

FIRST_NS = 1_770_388_200_000_000_000  # 2026-02-06 09:30 in New York
TICK_INT = 10_000_000
# Painted pixels of the axis and of the plot below the row of price 0, and of the axis above it.
PAINTED = """() => {
  const { width, data } = vp.image("overlay");
  const size = vp.state().size;
  const edge = Math.max(0, Math.min(Math.round(vp.at(0, -0.5).y), size.height));
  const count = (left, right, top, bottom) => {
    let found = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) if (data[4 * (y * width + x) + 3] > 10) found += 1;
    }
    return found;
  };
  const [axis, until] = [size.width + 2, size.width + 74];
  return {
    above: count(axis, until, 0, edge),
    below: count(axis, until, edge + 6, size.height),
    lines: count(size.width - 30, size.width, edge + 6, size.height),
  };
}"""


def records(mid_ticks: int) -> list[Rec]:
    """A ladder on both sides of a price, and half a minute of orders near it."""
    mid_int = mid_ticks * TICK_INT
    made = [Rec(FIRST_NS, "R", "N", UNDEFINED_PRICE, 0, 0, 0)]
    made += [
        Rec(FIRST_NS, "A", side, mid_int + sign * ticks * TICK_INT, 10, 100 * (2 + sign) + ticks, F_LAST)
        for ticks in range(1, 10)
        for side, sign in (("B", -1), ("A", 1))
    ]
    made += [
        Rec(FIRST_NS + i * 500_000_000, "A", "B", mid_int - 3 * TICK_INT, 1, 1000 + i, F_LAST) for i in range(1, 60)
    ]
    return made


@pytest.mark.parametrize(
    ("product_type", "contract", "mid_ticks", "negative"),
    [
        ("future_mbo", "CLK6", 20, False),
        ("future_mbo", "CLK6", 0, True),  # the best bid is below zero
        ("equity_mbo", "PENY", 30, False),
        ("future_mbo", "CLK6", -3763, True),
    ],
)
def test_prices_below_zero_are_shown_where_there_are_any(
    browser: Browser, tmp_path: Path, product_type: str, contract: str, mid_ticks: int, negative: bool
) -> None:
    root, dataset = ("PENY", "xnas-itch") if product_type == "equity_mbo" else ("CL", "glbx-mdp3")
    put(tmp_path, product_type, root, f"{dataset}-20260206.mbo.dbn", dbn(contract, 7, records(mid_ticks)))
    session = ("--product-type", product_type, "--symbol", contract, "--dt", "2026-02-06", "--speed", "50")
    server = Server(tmp_path, *session)
    page = open_page(browser, device_scale_factor=1)
    try:
        page.goto(f"{server.address}{PAGE}")
        expect(page.locator("#connection")).to_have_text("ended", timeout=60_000)
        page.evaluate("() => vp.view({ rows: 100, fitting: false })")
        page.keyboard.press("l")
        page.wait_for_function(IDLE)
        expect(page.locator("#bid")).to_have_text(f"{(mid_ticks - 1) / 100:.2f}")
        centre, rows = page.evaluate("() => [vp.view().centre, vp.view().rows]")
        assert centre == (mid_ticks if negative else rows / 2 - 0.5)  # the picture begins at zero
        page.evaluate("(centre) => vp.view({ centre, following: false })", min(mid_ticks, 0))
        page.wait_for_function(IDLE)
        found = page.evaluate(PAINTED)
        assert (found["below"] > 300, found["lines"] > 0) == (negative, negative)
        assert (found["above"] > 300) == (mid_ticks >= 0)
    finally:
        page.close()
        server.end()
