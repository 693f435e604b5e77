"""What two seconds of looking at the balance tell: where the demonstration's price will go, by pixels alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.firefox import XVFB
from tests.browser.probe import CALM, IDLE, PAGE, live, watched_page
from tests.browser.programs import Server
from vp.demo.script import OPEN_SECOND, Episode, write_script
from vp.demo.session import FIRST_TIME, SEED
from vp.market.wall_times import NEW_YORK

pytestmark = pytest.mark.browser

BEFORE_SECONDS = 2
LOOK_SECONDS = 10
ROWS = 20  # looked at on each side of the price
BEGIN = dt.datetime(2026, 2, 6, FIRST_TIME.hour, FIRST_TIME.minute, tzinfo=NEW_YORK).timestamp()
# The price line is looked for in its white, faint where it lies between two rows of pixels; then how much bluer the map
# is below it than above.
JUDGE = """([painted, lookPx, sidePx]) => {
  const { size } = vp.state();
  const wide = Math.floor(size.width * size.ratio), from = Math.floor(wide - lookPx * size.ratio);
  const line = vp.image("overlay");
  let sum = 0, white = 0;
  for (let y = 0; y < size.height * size.ratio; y += 1) {
    for (let x = wide - 12; x < wide; x += 1) {
      const at = 4 * (y * line.width + x);
      if (line.data[at + 3] <= 90 || Math.min(...line.data.subarray(at, at + 3)) <= 200) continue;
      sum += y;
      white += 1;
    }
  }
  const price = Math.round(sum / white);
  const { data, width } = vp.image(painted);
  let below = 0, above = 0;
  for (let off = 2; off < sidePx * size.ratio; off += 1) {
    for (let x = from; x < wide; x += 1) {
      const [up, down] = [4 * ((price - off) * width + x), 4 * ((price + off) * width + x)];
      above += data[up + 2] - data[up];
      below += data[down + 2] - data[down];
    }
  }
  return white > 0 ? (below - above) / ((wide - from) * sidePx * size.ratio) : NaN;
}"""


@dataclass(frozen=True)
class Look:
    """One look at the map, and which way the price went after it or, at a random time, the way of a coin."""

    second: float  # of the session
    direction: int


def episodes(until_second: int) -> list[Episode]:
    """Those of the script from the open to a second."""
    return [each for each in write_script(SEED).episodes if OPEN_SECOND <= each.lead_second < until_second]


def looked(page: Page, look: Look, painted: str) -> float:
    """More than 0: the pixels point up, of the map or of what it is without WebGL."""
    end_ms = (BEGIN + look.second) * 1000
    page.evaluate(
        """([endMs, spanMs, rows]) => vp.view({
          endMs, spanMs, rows, centre: vp.column(endMs).spot_price, following: false, fitting: false,
        })""",
        [end_ms, LOOK_SECONDS * 4000, 3 * ROWS],
    )
    page.wait_for_function(IDLE)
    size = page.evaluate("() => vp.state().size")
    return float(page.evaluate(JUDGE, [painted, size["width"] / 4, size["height"] / 3]))


def in_the_dark_theme(page: Page) -> None:
    """Which Firefox does not take from what its page is opened with."""
    page.wait_for_function(f"() => window.vp && vp.state().columns > 0 && ({IDLE})()")
    if page.evaluate("() => vp.state().settings.theme") != "dark":
        page.keyboard.press("d")


@pytest.mark.parametrize(
    ("program", "minutes", "painters"),
    [
        ("browser", 12, ("map",)),
        pytest.param("browser", 90, ("map", "flat"), marks=pytest.mark.long),
        pytest.param("firefox", 12, ("map", "flat"), marks=pytest.mark.long),
    ],
)
def test_pixels_tell_where_the_price_will_go(
    request: pytest.FixtureRequest, server: Server, program: str, minutes: int, painters: tuple[str, ...]
) -> None:
    browser: Browser = request.getfixturevalue(program)
    until = OPEN_SECOND + 60 * minutes
    true = [Look(each.move_second - BEFORE_SECONDS, each.direction) for each in episodes(until - 60)]
    assert {look.direction for look in true} == {1, -1}
    rng = np.random.default_rng(5)
    shuffled = [
        Look(float(rng.uniform(OPEN_SECOND + 60, until - 10)), int(rng.choice((1, -1))))
        for _ in range(max(20, len(true)))
    ]
    calm = {} if program == "firefox" else CALM  # where half a pixel is painted the pixels say nothing in Firefox
    with watched_page(browser, color_scheme="dark", **calm) as page:
        page.goto(f"{server.address}{PAGE}?start_time=09:30&speed=400&throttle_ms=250")
        in_the_dark_theme(page)
        page.keyboard.press(" ")  # what comes is kept, and not painted
        reached = f"() => vp.state().newestMs > {(BEGIN + until) * 1000}"
        page.wait_for_function(reached, timeout=300_000, polling=300)
        page.wait_for_function("() => vp.state().holes === 0 && !vp.state().loading", timeout=60_000, polling=300)
        assert page.evaluate("() => vp.state().mode") == "balance"
        painter = page.evaluate("() => vp.state().painter")
        assert painter.startswith("WebGL2") or (program == "firefox" and XVFB is None)
        for painted in painters:
            right = [looked(page, look, painted) * look.direction > 0 for look in true]
            by_chance = [looked(page, look, painted) * look.direction > 0 for look in shuffled]
            assert sum(right) >= 0.9 * len(right), (painted, right)
            assert 0.2 * len(by_chance) <= sum(by_chance) <= 0.8 * len(by_chance), (painted, by_chance)


# The plot's pixels of both painters, compared with those of the first time: the share that differs, and by how much.
COMPARE = """() => {
  const { size } = vp.state();
  const [wide, high] = [size.width, size.height].map((px) => Math.floor(px * size.ratio));
  const now = ["map", "flat"].map((name) => {
    const { data, width } = vp.image(name);
    return Uint8Array.from({ length: 3 * wide * high }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return data[4 * (Math.floor(pixel / wide) * width + (pixel % wide)) + (i % 3)];
    });
  });
  window.before ??= now;
  return now.map((values, n) => {
    const off = values.map((value, i) => Math.abs(value - window.before[n][i]));
    const share = (least) => off.reduce((sum, each) => sum + (each > least ? 1 : 0), 0) / off.length;
    return { colours: new Set(values).size, changed: share(0), much: share(12) };
  });
}"""


@pytest.mark.long
@pytest.mark.parametrize("program", ["browser", "firefox"])
def test_what_was_shown_keeps_its_colours(request: pytest.FixtureRequest, server: Server, program: str) -> None:
    """The same when later frames have come, and but for a few roundings when bins were made anew."""
    browser: Browser = request.getfixturevalue(program)
    with watched_page(browser, color_scheme="dark", **CALM) as page:
        live(page, server, "?start_time=09:31&throttle_ms=50", columns=200)
        end_ms = page.evaluate("() => vp.state().newestMs - 300")
        place = {"endMs": end_ms, "spanMs": 8000, "rows": 60, "following": False, "fitting": False}
        place["centre"] = page.evaluate("(ms) => vp.column(ms).spot_price", end_ms)

        def compared() -> list[dict[str, float]]:
            page.evaluate("(place) => vp.view(place)", place)
            page.wait_for_function(IDLE)
            found: list[dict[str, float]] = page.evaluate(COMPARE)
            return found

        assert all(each["colours"] > 20 for each in compared())
        page.wait_for_function(f"() => vp.state().newestMs > {end_ms + 10_000}")
        assert all(each["changed"] == 0 for each in compared())
        page.evaluate("() => vp.view({ spanMs: 60_000 })")
        page.wait_for_function(IDLE)
        assert all(each["much"] < 0.001 for each in compared())
