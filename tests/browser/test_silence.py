"""A market in which nothing happens for minutes: time goes on, and nobody is told that data are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_market import at_ns, price
from tests.browser.probe import IDLE, PAGE, open_page
from tests.browser.programs import Server
from tests.lakes import dbn, put
from tests.oracle_book import F_LAST, UNDEFINED_PRICE, Rec

pytestmark = [pytest.mark.browser, pytest.mark.long]

SILENT_UNTIL = 240.0  # seconds from the first event
SPEED = 20
# From each of these seconds on the ask is gone, or there again.
WITHOUT_ASK, WITH_ASK = 300.0, 310.0
SECONDS = "() => (vp.state().newestMs - vp.column(-Infinity).timeMs) / 1000"
CLOCK = "() => document.getElementById('clock').textContent"
# Coloured pixels of the forces beside the map, and of what rests there.
BESIDE = """() => {
  const { data, width } = vp.image("overlay");
  const scale = width / document.getElementById("overlay").clientWidth;
  const { width: plot, side } = vp.state().size;
  const from = plot + 76 + (side - 76) * 0.4;
  const found = { rest: 0, forces: 0 };
  for (let i = 0; i < data.length; i += 4) {
    const x = ((i / 4) % width) / scale;
    const colour = [data[i], data[i + 1], data[i + 2]];
    const coloured = data[i + 3] > 0 && Math.max(...colour) - Math.min(...colour) > 40;
    if (coloured && x > plot + 76) found[x > from ? "forces" : "rest"] += 1;
  }
  return found;
}"""


def quiet_market() -> list[Rec]:
    """A whole book, silence, an order, a while without an ask."""
    records = [Rec(at_ns(0), "R", "N", UNDEFINED_PRICE, 0, 0, 0)]
    records += [
        Rec(at_ns(0.1 * ticks), "A", side, price(sign * ticks), 10 * ticks, 100 * (2 + sign) + ticks, F_LAST)
        for ticks in (1, 2, 3)
        for sign, side in ((-1, "B"), (1, "A"))
    ]
    records.append(Rec(at_ns(0.33), "A", "B", price(-1), 5, 4, F_LAST))  # a bucket touched again has forces
    records.append(Rec(at_ns(SILENT_UNTIL), "A", "B", price(-2), 5, 1, F_LAST))
    records += [
        Rec(at_ns(WITHOUT_ASK + 0.1 * ticks), "C", "A", price(ticks), 10 * ticks, 300 + ticks, F_LAST)
        for ticks in (1, 2, 3)
    ]
    records.append(Rec(at_ns(WITH_ASK), "A", "A", price(2), 5, 2, F_LAST))
    records.append(Rec(at_ns(WITH_ASK + 20), "A", "A", price(3), 5, 3, F_LAST))
    return records


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    lake: Path = tmp_path_factory.mktemp("quiet")
    put(lake, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", dbn("MNQH6", 42005, quiet_market()))
    server = Server(
        lake, "--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06", "--speed", str(SPEED)
    )
    yield server
    server.end()


def test_time_runs_on_where_nothing_happens(browser: Browser, quiet_server: Server) -> None:
    page = open_page(browser)
    page.goto(f"{quiet_server.address}{PAGE}")
    page.wait_for_function("() => window.vp && vp.state().columns > 0", timeout=30_000)
    first_ms = page.evaluate("() => vp.column(-Infinity).timeMs")
    page.wait_for_function(f"() => vp.view().endMs > {first_ms} + 20_000", timeout=15_000)
    columns, clock = page.evaluate("() => vp.state().columns"), page.evaluate(CLOCK)
    assert "19:10:15" < clock < "19:13:00"
    expect(page.locator("#engine")).to_contain_text("engine ok, no events for ")
    drawn = page.evaluate(BESIDE)
    assert (drawn["rest"] > 100, drawn["forces"] > 100) == (True, True)
    page.wait_for_function(f"() => vp.view().endMs > {first_ms} + 80_000", timeout=15_000)
    drawn = page.evaluate(BESIDE)  # orders rest through any silence, forces do not
    assert (drawn["rest"] > 100, drawn["forces"]) == (True, 0)
    assert page.evaluate("() => vp.state().columns") == columns  # all this time no frame came
    assert page.evaluate(CLOCK) > clock
    expect(page.locator("#hatched")).to_have_text("dots: no events")
    started = page.evaluate("() => [performance.now(), vp.view().endMs]")
    page.wait_for_timeout(2000)
    now = page.evaluate("() => [performance.now(), vp.view().endMs]")
    assert (now[1] - started[1]) / (now[0] - started[0]) == pytest.approx(SPEED, rel=0.3)
    page.wait_for_function(f"() => vp.state().newestMs - {first_ms} > {SILENT_UNTIL * 1000 - 1}", timeout=20_000)
    page.wait_for_timeout(300)
    assert "data missing" not in page.locator("#hatched").inner_text()
    assert page.evaluate("() => vp.state().holes") == 0
    page.close()


@pytest.fixture(scope="module")
def over(browser: Browser, quiet_server: Server) -> Iterator[Page]:
    """The whole session on screen, once it is over."""
    page = open_page(browser, color_scheme="dark", device_scale_factor=1)
    page.goto(f"{quiet_server.address}{PAGE}?speed=100")
    expect(page.locator("#connection")).to_have_text("ended", timeout=60_000)
    page.evaluate("""() => {
      const { timeMs } = vp.column(-Infinity);
      vp.view({ endMs: vp.state().newestMs, spanMs: vp.state().newestMs - timeMs, following: false, fitting: false });
    }""")
    page.wait_for_function(IDLE)
    yield page
    page.close()


def read_at(page: Page, seconds: float) -> str:
    """What the read-out says of a moment."""
    at = page.evaluate("(ms) => vp.at(ms, vp.view().centre)", at_ns(seconds) / 1e6)
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    page.wait_for_timeout(500)
    return page.locator("#readout").inner_text()


def test_an_empty_side_is_told_from_silence_and_both_from_missing_data(over: Page) -> None:
    expect(over.locator("#hatched")).to_have_text("wide hatching: a side is empty · dots: no events")
    assert "no events for 119.7 s" in read_at(over, 120.0)
    assert "a side is empty" not in read_at(over, 120.0)
    assert "⚠ a side is empty" in read_at(over, WITHOUT_ASK + 3)
    for seconds in (120.0, WITHOUT_ASK + 3):
        assert "missing" not in read_at(over, seconds)


def test_the_hatching_of_silence_is_no_hatching_of_the_book(over: Page) -> None:
    """Dots alone: lines that rise would cross every row of pixels."""
    script = """([from, until]) => {
      const [left, right] = [from, until].map((ms) => Math.round(vp.at(ms, 0).x));
      const { width, height, data } = vp.image("overlay");
      const rows = [];
      for (let y = 40; y < vp.state().size.height - 60; y += 1) {
        let painted = 0;
        for (let x = left; x < right; x += 1) if (data[4 * (y * width + x) + 3] > 10) painted += 1;
        rows.push(painted);
      }
      return [rows.filter((count) => count > 0).length / rows.length, rows.filter((count) => count > 5).length];
    }"""
    silent, _ = over.evaluate(script, [at_ns(100) / 1e6, at_ns(102) / 1e6])
    empty, _ = over.evaluate(script, [at_ns(WITHOUT_ASK + 1) / 1e6, at_ns(WITH_ASK - 1) / 1e6])
    assert 0 < silent < 0.5
    assert empty > 0.9
