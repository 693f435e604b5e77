"""What every browser must show and do: in Chromium, and in Firefox as Debian ships it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.firefox import XVFB
from tests.browser.probe import READ_MAP, live, watched_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]


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
