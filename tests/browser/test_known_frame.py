"""A market whose every sign is known, and every sign that the page shows of it: words, colours, sides, sums.

Colours are written out here as a person would name them, not read from the page.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.known_market import (
    LOCKED_SECONDS,
    SIDELESS_SECONDS,
    SIDELESS_SIZE,
    SIDELESS_TICKS,
    SWEEP,
    SWEEP_SECONDS,
    TICK_INT,
    TRADES,
    price,
)
from tests.browser.known_page import (
    AXIS_PX,
    DOWN,
    LADDER_PX,
    ONE_TICK,
    ROW_PX,
    SPOT,
    STRIP_PX,
    UP,
    K,
    KnownMarket,
)
from tests.browser.probe import IDLE, PAGE, WORDS_PAINTED, open_page, switch_layer

pytestmark = pytest.mark.browser

HALF_PX = 22  # of the strip, above and below no score

# Columns of a second each before the first one, as it but for their pressure, which is 7 everywhere.
INSERT_OLDER = """(count) => {
  const { timeMs, ...first } = vp.column(-Infinity);
  const { bucket_int: bucket, frame: { rows } } = vp.config();
  const counted = (name, value) => (name.endsWith("_price") ? value * bucket : value);
  const repeated = ([name, value]) => [name, new Float64Array(count).fill(counted(name, value))];
  const scalars = Object.fromEntries(Object.entries({ ...first, spot_price: 86_000 }).map(repeated));
  scalars.event_id = Float64Array.from({ length: count }, (_, i) => first.event_id + i - count);
  const seven = 0x40e0; // in bfloat16
  vp.insert({
    frames: count, scalars, nanos: new Uint32Array(count),
    timeMs: Float64Array.from({ length: count }, (_, i) => timeMs + 1000 * (i - count)),
    grids: Object.fromEntries(vp.state().fields.map((name) => [name, new Uint16Array(count * rows).fill(seven)])),
  });
  vp.view({ endMs: timeMs, spanMs: 1000 * count, centre: 86_000, following: false });
}"""
COLOUR_OF_CELL = """([x, y]) => {
  const { data, width } = vp.image("map");
  const at = 4 * (Math.round(y * devicePixelRatio) * width + Math.round(x * devicePixelRatio));
  return [...data.slice(at, at + 3)];
}"""


SIDES = [f"{force}-{side}" for force in ("pressure", "vacuum") for side in ("above", "below")]


def sums(frame: dict[str, Any]) -> dict[str, float]:
    """Pressure and vacuum above and below the mid, as the frame has them."""
    return {name: frame[name.replace("-", "_")] for name in SIDES}


def row_sums(frame: dict[str, Any]) -> dict[str, float]:
    """The same, of the frame's rows."""
    above, below = np.arange(-K, K + 1) > 0, np.arange(-K, K + 1) < 0
    spot, mid = frame["spot_price"] / 1e9, frame["mid_price"]
    above[K], below[K] = spot > mid, spot < mid
    return {
        f"{force}-{side}": float(np.sum(np.array(frame[force])[rows]))
        for force in ("pressure", "vacuum")
        for side, rows in (("above", above), ("below", below))
    }


def test_the_market_is_what_it_is_meant_to_be(market: KnownMarket) -> None:
    up, down = market.row(UP), market.row(DOWN)
    assert (up["state"], down["state"]) == (1, -1)
    above, below = sums(up), sums(down)
    assert above["pressure-below"] > 10 * above["pressure-above"] > 0
    assert above["vacuum-above"] > 1.3 * above["vacuum-below"] > 0
    assert below["pressure-above"] > 10 * below["pressure-below"] > 0
    assert below["vacuum-below"] > 1.3 * below["vacuum-above"] > 0
    for seconds in (UP, DOWN, ONE_TICK):
        assert sums(market.row(seconds)) == pytest.approx(row_sums(market.row(seconds)), rel=1e-5)
    one_tick = market.row(ONE_TICK)
    assert one_tick["spot_price"] == one_tick["ask_price"] == one_tick["bid_price"] + TICK_INT
    assert sums(one_tick)["pressure-above"] > 1.2 * sum(one_tick["pressure"][K + 1 :])  # the row of spot counts
    for seconds, ticks, aggressor, size in TRADES:
        row = market.row(seconds)
        bought, sold = (size, 0) if aggressor == "B" else (0, size)
        assert (row["buy_volume"], row["sell_volume"], row["last_price"]) == (bought, sold, price(ticks))
        assert (row["bought"][K + ticks], row["sold"][K + ticks]) == (bought, sold)
    swept = market.row(SWEEP_SECONDS)
    assert {i - K: size for i, size in enumerate(swept["bought"]) if size} == dict(SWEEP)
    assert (swept["last_price"], sum(swept["sold"])) == (price(SWEEP[-1][0]), 0)
    sideless = market.row(SIDELESS_SECONDS)
    assert sideless["other_volume"] == SIDELESS_SIZE
    assert not any(sideless["bought"] + sideless["sold"])


@pytest.mark.parametrize(
    ("seconds", "word", "name", "background", "clock"),
    [
        (UP, "▲ UP", "up", "rgb(64, 156, 255)", "19:10:18"),
        (DOWN, "▼ DOWN", "down", "rgb(255, 150, 20)", "19:10:42"),
        (0.2, "■ CHOP", "chop", "rgb(135, 147, 168)", "19:10:00"),
    ],
)
def test_words(market: KnownMarket, seconds: float, word: str, name: str, background: str, clock: str) -> None:
    market.show(seconds)
    frame = market.row(seconds)
    state = market.page.locator("#state")
    assert state.inner_text() == word
    assert state.get_attribute("data-state") == name
    assert state.evaluate("(badge) => getComputedStyle(badge).backgroundColor") == background
    assert market.text("score") == f"{frame['score']:.2f}"
    assert market.text("strength") == f"{frame['strength']:.2f}×"
    for side in ("bid", "ask", "last"):
        there = frame[f"{side}_price"]
        assert market.text(side) == ("–" if there is None else f"{there / 1e9:,.2f}")
    assert market.text("clock") == clock


@pytest.mark.parametrize("seconds", [UP, DOWN, ONE_TICK])
def test_sums_above_and_below(market: KnownMarket, seconds: float) -> None:
    market.show(seconds)
    for name, value in sums(market.row(seconds)).items():
        assert float(market.text(name)) == pytest.approx(value, rel=0.01), name
    cells = market.page.locator("#totals tbody tr").all_inner_texts()
    assert [cell.split()[0] for cell in cells] == ["Above", "Below"]
    heads = market.page.locator("#totals thead th").all_inner_texts()
    assert heads == ["Pressure", "Vacuum"]
    shown = [[float(value) for value in cell.split()[1:]] for cell in cells]
    by_name = sums(market.row(seconds))
    want = [[by_name[f"{force}-{side}"] for force in ("pressure", "vacuum")] for side in ("above", "below")]
    assert np.allclose(shown, want, rtol=0.01)


def test_a_sentence_for_those_who_do_not_see(market: KnownMarket) -> None:
    for seconds, words in (
        (UP, "19:10:18: UP, score 0.{}, last 21,499.25, more pressure below, more vacuum above"),
        (DOWN, "19:10:42: DOWN, score -0.{}, last 21,499.25, more pressure above, more vacuum below"),
    ):
        market.show(seconds)
        score = f"{abs(market.row(seconds)['score']):.2f}"[2:]
        said = "(words) => { vp.view({}); return document.getElementById('summary').textContent === words; }"
        market.page.wait_for_function(said, arg=words.format(score), polling=500, timeout=15_000)
    market.show(LOCKED_SECONDS[1] - 1)
    said = "(end) => { vp.view({}); return document.getElementById('summary').textContent.endsWith(end); }"
    market.page.wait_for_function(said, arg=", book: locked or crossed", polling=500, timeout=15_000)


def strip_middle(market: KnownMarket) -> float:
    """Where a score of 0 lies, CSS px."""
    return market.size["height"] + STRIP_PX / 2


def score_rise(score: float) -> float:
    """How far above it a score lies, CSS px."""
    return float(np.sign(score) * abs(score) ** 0.5 * HALF_PX)


def test_the_strip_begins_with_the_first_frame(market: KnownMarket) -> None:
    market.show(UP, -6.0)
    first, _ = market.xy(0, 0)
    top = market.size["height"] + 4
    before = market.count("overlay", 0, top, first - 2, HALF_PX)
    assert before["blue"] == before["text"] == before["white"] == 0
    found = market.count("overlay", first + 1, top, market.size["width"] - first - 1, HALF_PX)
    assert found["blue"] > 2000


@pytest.mark.parametrize(("seconds", "colour", "high"), [(10.0, "blue", True), (35.0, "orange", False)])
def test_the_strip_shows_states_as_areas(market: KnownMarket, seconds: float, colour: str, high: bool) -> None:
    """UP fills the half above no score, DOWN the one below; the line of the score lies in it."""
    market.show(DOWN)
    x, _ = market.xy(seconds, 0)
    middle = strip_middle(market)
    upper = market.count("overlay", x - 10, middle - HALF_PX, 20, HALF_PX - 1)
    lower = market.count("overlay", x - 10, middle + 1, 20, HALF_PX - 1)
    filled, empty = (upper, lower) if high else (lower, upper)
    assert filled[colour] > 0.6 * 20 * HALF_PX
    assert empty["blue"] == empty["orange"] == 0
    level = middle - score_rise(market.row(seconds)["score"])
    assert market.count("overlay", x - 5, level - 3, 10, 6)["text"] >= 5  # it is a pixel and a half thick
    assert empty["text"] == 0


def test_the_strip_has_lines_where_states_begin_and_end(market: KnownMarket) -> None:
    """Solid where they begin, dotted where they end, as the session's own parameters say."""
    market.show(-0.1, -20.0)  # before the first frame
    width, middle = market.size["width"], strip_middle(market)
    parameters = "(them) => { Object.assign(vp.config().parameters, them); vp.view({}); }"
    try:
        for begin, end in ((0.2, 0.1), (0.6, 0.3)):
            market.page.evaluate(parameters, {"enter_score": begin, "leave_score": end})
            market.page.wait_for_function(IDLE)
            found = {}
            for score in (begin, end, -begin, -end):
                level = round(middle - score_rise(score))
                found[score] = market.count("overlay", 2, level - 1, width - 4, 3)["painted"]
            assert found[begin] >= width - 4 <= found[-begin], found
            assert all(width / 5 < found[score] < width / 3 for score in (end, -end)), found
    finally:
        market.page.evaluate(parameters, {"enter_score": 0.2, "leave_score": 0.1})
        market.show(DOWN)


def test_the_strip_can_be_taken_away(market: KnownMarket) -> None:
    market.show(DOWN)
    height = market.size["height"]
    switch_layer(market.page, "strip", on=False)
    assert market.size["height"] == height + STRIP_PX
    assert market.count("overlay", 0, market.size["height"] + 22, market.size["width"], 2)["painted"] == 0
    switch_layer(market.page, "strip", on=True)
    assert market.size["height"] == height


@pytest.mark.parametrize(("seconds", "word"), [(10.0, "▲ UP"), (35.0, "▼ DOWN")])
def test_the_crosshair_has_its_price_and_time_on_the_axes(market: KnownMarket, seconds: float, word: str) -> None:
    market.show(DOWN)
    frame = market.row(seconds)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    x, y = market.xy(seconds + 0.05, 5)
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    market.page.wait_for_function(IDLE)
    tags = market.page.evaluate("() => vp.state().tags")
    assert tags["price"] == f"{price(5) / 1e9:,.2f}"
    assert tags["time"].startswith(f"19:10:{seconds:02.0f}.0")
    assert tags["signal"] == f"{word}  score {frame['score']:.2f}  strength {frame['strength']:.2f}×"
    size = market.size

    def beside(away: float) -> int:
        return market.count("cursor", size["width"] + 2, y - 8 + away, AXIS_PX - 4, 16)["text"]

    def under(away: float) -> int:
        return market.count("cursor", x - 20 + away, size["height"] + STRIP_PX + 3, 40, 14)["text"]

    assert beside(0) > 40  # the price is framed beside its row
    assert under(0) > 25  # and the time under its time
    assert beside(-40) == beside(40) == under(-80) == under(80) == 0
    # in the strip: the same, but for a price
    market.page.mouse.move(box["x"] + x, box["y"] + size["height"] + 20)
    market.page.wait_for_function("() => !('price' in vp.state().tags)")
    assert market.page.evaluate("() => vp.state().tags.signal") == tags["signal"]
    market.page.mouse.move(5, 5)


def test_numbers_stand_in_cells_with_room(market: KnownMarket) -> None:
    """As many as there is room for, and none where there is not."""
    market.show(UP, UP - 1.5)
    width = market.size["width"]

    def digits(ticks: int) -> int:
        _, y = market.xy(0, ticks)
        return market.count("overlay", 2, y - 6, width - 4, 12)["text"]

    few = 10
    assert max(digits(-7), digits(7)) < few
    switch_layer(market.page, "sizes", on=True)
    try:
        assert min(digits(-7), digits(7)) > 60  # of bids and of asks, beside all lines
        assert digits(-9) < few  # nothing rests there
        market.show(DOWN, -60)
        assert max(digits(-7), digits(7)) < few  # too narrow
    finally:
        switch_layer(market.page, "sizes", on=False)


def test_rows_are_fitted_to_where_something_goes_on(market: KnownMarket) -> None:
    """The market has seventeen prices: a hundred rows would leave most of the map black."""
    market.show(DOWN)
    market.page.keyboard.press("0")
    market.page.wait_for_function("() => vp.view().rows < 40 && vp.view().rows > 17")
    view = market.page.evaluate("() => vp.view()")
    assert view["spanMs"] == 180_000  # though the session has not lasted so long
    assert abs(view["centre"] - SPOT) < 4
    market.show(DOWN)


@pytest.mark.parametrize(("palette", "up", "down"), [("purple", "mint", "violet"), ("blue", "blue", "orange")])
def test_a_palette_colours_strip_ladder_and_badge(market: KnownMarket, palette: str, up: str, down: str) -> None:
    market.page.select_option("#palette", palette)
    try:
        market.show(DOWN)
        middle = strip_middle(market)
        for seconds, colour, top in ((10.0, up, middle - HALF_PX), (35.0, down, middle + 1)):
            x, _ = market.xy(seconds, 0)
            assert market.count("overlay", x - 10, top, 20, HALF_PX - 1)[colour] > 0.6 * 20 * HALF_PX
        for at, colour in ((0.4, up), (0.7, down)):  # pressure, vacuum
            left = market.size["width"] + AXIS_PX + LADDER_PX * at
            found = market.count("overlay", left, 20, 40, market.size["height"] - 20)
            assert found[colour] > 200
        background = "(badge) => getComputedStyle(badge).backgroundColor"
        shown = market.page.locator("#state").evaluate(background)
        assert shown == {"orange": "rgb(255, 150, 20)", "violet": "rgb(196, 120, 246)"}[down]
    finally:
        market.page.select_option("#palette", "blue")


def test_the_screenshot_says_what_it_shows(market: KnownMarket) -> None:
    """Over the picture: symbol, time, state and score in words, and the colour bar with its cut-offs."""
    market.show(DOWN)
    market.page.evaluate(
        "() => { const draw = CanvasRenderingContext2D.prototype.fillText; window.written = [];"
        " CanvasRenderingContext2D.prototype.fillText = function (words, ...at) {"
        " window.written.push(words); return draw.call(this, words, ...at); }; }"
    )
    with market.page.expect_download() as saving:
        market.page.keyboard.press("s")
    written = market.page.evaluate("() => window.written")
    frame = market.row(DOWN)
    state = f"▼ DOWN  score {frame['score']:.2f}  strength {frame['strength']:.2f}×"
    assert f"19:10:42 ET  {state}" in written
    assert any(words.startswith("MNQH6  2026-02-05") and "19:10:42 ET" in words for words in written)
    upper = market.page.evaluate("() => vp.state().scale.upper")
    assert any(float(words) == pytest.approx(upper, rel=0.01) for words in written if re.fullmatch(r"[\d.]+", words))
    picture = Image.open(saving.value.path()).convert("RGB")
    width, height = picture.size
    over = height - market.page.evaluate("() => document.getElementById('overlay').height")
    pixels = np.asarray(picture)[:over].astype(int)
    blue, orange = (pixels[..., 2] - pixels[..., 0] > 100), (pixels[..., 0] - pixels[..., 2] > 100)
    for colour in (blue, orange):
        assert colour[:, : width // 2].sum() == 0
        assert colour[:, width // 2 :].sum() > 100
    assert np.nonzero(blue)[0].mean() < np.nonzero(orange)[0].mean()  # pressure over vacuum


def test_lines_of_prices(market: KnownMarket) -> None:
    market.show(43.0, 30.0)  # without a trade
    width = market.size["width"]
    for ticks, colour in ((-1, "green"), (1, "rose"), (-3, "white")):
        _, y = market.xy(0, ticks)
        found = market.count("overlay", width - 300, y - 2, 290, 4)
        assert found[colour] > 150, colour
        assert max((name for name in found if name != "painted"), key=found.__getitem__) == colour
    whole = [market.count("overlay", width - 300, market.xy(0, ticks)[1] - 2, 290, 4) for ticks in (-1, 1)]
    assert whole[0]["green"] > 1.1 * whole[1]["rose"]  # the bid is solid, the ask dashed


def test_prices_on_the_axis(market: KnownMarket) -> None:
    market.show(DOWN)
    left = market.size["width"] + 2
    for ticks, colour in ((-1, "green"), (1, "rose"), (-3, "white")):
        _, y = market.xy(0, ticks)
        found = market.count("overlay", left, y - 6, AXIS_PX - 4, 12)
        assert found[colour] > 400, colour


@pytest.mark.parametrize("row_px", [ROW_PX, 5])  # with room for all three, and nearer than they are high
@pytest.mark.parametrize("edge", ["top", "bottom"])
def test_marks_of_prices_stay_whole_at_the_edge_and_in_order(market: KnownMarket, edge: str, row_px: int) -> None:
    market.show(DOWN)
    height, rows = market.size["height"], market.size["height"] / row_px
    beyond = rows / 2 - 0.2  # the outermost of the three prices lies a fifth of a row from the edge
    centre = SPOT + 1 - beyond if edge == "top" else SPOT - 3 + beyond
    market.page.evaluate("(place) => vp.view(place)", {"centre": centre, "rows": rows})
    painted = market.page.evaluate(WORDS_PAINTED)
    axis = [each for each in painted if market.size["width"] < each["left"] < market.size["width"] + AXIS_PX]
    marks = []
    for ticks in (1, -1, -3):  # best ask, best bid, last trade
        words = f"{price(ticks) / 1e9:,.2f}"
        marks.append(next(each for each in axis if each["words"] == words))
    assert [mark["top"] for mark in marks] == sorted(mark["top"] for mark in marks)
    for upper, lower in pairwise(marks):
        assert lower["top"] > upper["bottom"]
    assert all(mark["top"] >= 0 and mark["bottom"] <= height for mark in marks)


@pytest.mark.parametrize(("seconds", "ticks", "aggressor", "size"), TRADES)
def test_bubbles(market: KnownMarket, seconds: float, ticks: int, aggressor: str, size: int) -> None:
    market.show(UP)
    x, y = market.xy(seconds, ticks)
    radius = 12 * (size / max(size for *_, size in TRADES)) ** 0.5
    # a quarter of it, off the lines of prices
    arc = market.count("overlay", x - radius - 2, y - radius - 2, 2 * radius + 4, radius)
    heart = market.count("overlay", x - radius / 3, y - radius / 2, 2 * radius / 3, radius / 2 - 2)
    if aggressor == "B":
        assert arc["green"] > 0.4 * arc["painted"] > 4
        assert heart["green"] > 0
        assert arc["rose"] == heart["rose"] == 0
    else:
        assert arc["rose"] > 4
        assert arc["green"] == 0
        assert heart["rose"] == heart["green"] == 0


def test_bubbles_of_a_sweep(market: KnownMarket) -> None:
    """One in each row that was traded in, none between, none of a trade that names no aggressor."""
    market.show(UP)
    for ticks in range(2, 7):
        x, y = market.xy(SWEEP_SECONDS, ticks)
        heart = market.count("overlay", x - 3, y - 4, 6, 3)
        assert (heart["green"] > 8, heart["rose"]) == (ticks in dict(SWEEP), 0), ticks
    x, y = market.xy(SIDELESS_SECONDS, SIDELESS_TICKS)
    found = market.count("overlay", x - 12, y - 11, 24, 9)
    assert found["green"] == found["rose"] == 0


def test_bubbles_of_at_least(market: KnownMarket) -> None:
    market.show(UP)
    market.page.locator("#layers > summary").click()
    market.page.fill("#layer-least", "20")
    market.page.locator("#layer-least").press("Tab")
    market.page.wait_for_function(IDLE)
    for seconds, ticks, _, size in TRADES:
        x, y = market.xy(seconds, ticks)
        found = market.count("overlay", x - 12, y - 11, 24, 9)
        assert (found["green"] + found["rose"] > 0) == (size >= 20)
    market.page.fill("#layer-least", "0")
    market.page.locator("#layer-least").press("Tab")
    market.page.locator("#layers > summary").click()
    market.page.wait_for_function(IDLE)


def test_volume_by_price(market: KnownMarket) -> None:
    market.show(UP, 1.0)
    most = max(bought + sold for bought, sold in traded().values())
    for ticks, (bought, sold) in traded().items():
        _, y = market.xy(0, ticks)
        top, height = y + 3, market.row_px / 2 - 5  # under the lines of prices
        left = 120 * bought / most
        until = left + 120 * sold / most
        buys = market.count("overlay", 1, top, left - 2, height) if bought else {"green": 0, "rose": 0}
        sells = market.count("overlay", left + 1, top, until - left - 2, height) if sold else {"green": 0, "rose": 0}
        assert (buys["green"] > 50, buys["rose"]) == (bought > 0, 0)
        assert (sells["rose"] > 50, sells["green"]) == (sold > 0, 0)
        assert market.count("overlay", until + 2, top, 10, height)["painted"] == 0, ticks


def traded() -> dict[int, tuple[int, int]]:
    """Bought and sold by price."""
    levels: dict[int, tuple[int, int]] = {}
    for _, ticks, aggressor, size in TRADES:
        bought, sold = levels.get(ticks, (0, 0))
        levels[ticks] = (bought + size, sold) if aggressor == "B" else (bought, sold + size)
    for ticks, size in SWEEP:
        bought, sold = levels.get(ticks, (0, 0))
        levels[ticks] = (bought + size, sold)
    return levels


@pytest.mark.parametrize("seconds", [UP, DOWN])
def test_the_ladder(market: KnownMarket, seconds: float) -> None:
    market.show(seconds)
    frame = market.row(seconds)
    force = max(*frame["pressure"], *frame["vacuum"])
    left = market.size["width"] + AXIS_PX
    for field, share, most in (
        ("rest_depth", 0.4, max(frame["rest_depth"])),
        ("pressure", 0.3, force),
        ("vacuum", 0.3, force),
    ):
        wide = LADDER_PX * share - 4
        for ticks in (-8, -5, -3, -2, -1, 1, 2, 3, 5, 8):
            _, y = market.xy(0, ticks)
            value = frame[field][K + ticks]
            colours = {"rest_depth": "rose" if ticks > 0 else "green", "pressure": "blue", "vacuum": "orange"}
            if y < 18 + market.row_px / 2:
                continue
            line = market.count("overlay", left, y + market.row_px / 2 - 3, wide, 1)  # below the digits
            expected = value / most * wide
            assert line[colours[field]] == pytest.approx(expected, abs=2), (field, ticks)
            others = {name for name in line if name not in {"painted", colours[field]}}
            assert sum(line[name] for name in others) <= 1
        left += wide + 4


@pytest.mark.parametrize(("seconds", "below"), [(UP, "blue"), (DOWN, "orange")])
def test_cells_of_the_map(market: KnownMarket, seconds: float, below: str) -> None:
    market.show(seconds)
    for ticks in (-3, -5, 3, 5):
        red, _, blue = market.page.evaluate(COLOUR_OF_CELL, list(market.xy(seconds - 0.1, ticks)))
        wanted = below if ticks < 0 else {"blue": "orange", "orange": "blue"}[below]
        assert (blue - red if wanted == "blue" else red - blue) > 30, ticks


@pytest.mark.parametrize("seconds", [UP, DOWN])
@pytest.mark.parametrize(
    ("mode", "above", "below"),
    [("balance", "orange", "blue"), ("net", "orange", "blue"), ("rest_depth", "blue", "blue")],
)
def test_cells_of_other_views(market: KnownMarket, mode: str, above: str, below: str, seconds: float) -> None:
    if seconds == DOWN and mode != "rest_depth":
        above, below = below, above
    market.page.select_option("#mode", mode)
    market.show(seconds)
    try:
        for ticks, wanted in ((-5, below), (5, above)):
            red, _, blue = market.page.evaluate(COLOUR_OF_CELL, list(market.xy(seconds - 0.1, ticks)))
            assert (blue - red if wanted == "blue" else red - blue) > 20, ticks
    finally:
        market.page.select_option("#mode", "pair")
        market.show(UP)


def test_depth_is_bright_by_size_and_told_apart_by_side(market: KnownMarket) -> None:
    """Bids rest in greater size here; the balance turns them blue, and what drains above orange."""
    page = market.page

    def put_number(name: str, value: str) -> None:
        page.locator(f"#{name}").fill(value)
        page.locator(f"#{name}").press("Tab")

    def colour(ticks: int) -> Any:
        return np.array(page.evaluate(COLOUR_OF_CELL, list(market.xy(UP - 0.1, ticks))))

    page.select_option("#mode", "depth")
    market.show(UP)
    text = page.locator("#legend-text")
    expect(text).to_contain_text("bids green, asks rose; blue over it where liquidity builds, orange where it drains")
    assert page.evaluate("() => vp.state().scale.lower") > 0, "small depths are hidden"
    page.locator("#layers > summary").click()
    try:
        put_number("lower-typed", "0")
        put_number("upper-typed", "3000")
        page.wait_for_function(IDLE)
        assert colour(-5)[2] > colour(-5)[0] + 20, "built below"
        assert colour(5)[0] > colour(5)[2] + 20, "drained above"
        put_number("smoothing-floor", "1000000")  # without the balance
        page.wait_for_function(IDLE)
        bid, ask, nothing = (colour(ticks) for ticks in (-5, 5, 10))
        assert bid[1] > max(bid[0], bid[2]) + 20, "bids are green"
        assert ask[0] > max(ask[1], ask[2]) + 20, "asks are rose"
        assert bid.sum() > ask.sum() + 40 > nothing.sum() + 80, "the more rests the brighter"
        page.select_option("#palette", "teal")
        expect(text).to_contain_text("bids teal, asks violet")
        page.select_option("#theme", "light")
        expect(text).to_contain_text("Depth: the darker the more rests")
        page.wait_for_function(IDLE)
        assert colour(-5).sum() < colour(10).sum() - 40
        page.select_option("#theme", "dark")
        page.wait_for_function(IDLE)
        assert min(colour(-5)[1:]) > colour(-5)[0] + 20
    finally:
        page.select_option("#palette", "green")
        put_number("smoothing-floor", "")
        page.locator("#layers > summary").click()
        page.locator("#chart").focus()
        page.keyboard.press("f")  # what is on screen decides again
        page.select_option("#mode", "pair")
        market.show(UP)


def test_the_legend_explains_the_balance_and_takes_numbers(market: KnownMarket) -> None:
    page = market.page
    page.select_option("#mode", "balance")
    market.show(UP)
    try:
        text = page.locator("#legend-text")
        expect(text).to_contain_text(
            "Balance: blue where liquidity builds, orange where it drains, dark where little happens"
        )
        expect(text).to_contain_text("(pressure − vacuum) / (pressure + vacuum + 0.50 contracts/s)")
        expect(text).to_contain_text("σ 1.5 rows and σ 3 s back in time")
        page.select_option("#palette", "heat")
        expect(text).to_contain_text("Balance: pale yellow where liquidity builds, red where")
        page.keyboard.press("d")  # in the light theme what stands out is dark
        expect(text).to_contain_text(
            "Balance: navy where liquidity builds, red where it drains, pale where little happens"
        )
        page.keyboard.press("d")
        page.select_option("#palette", "blue")
        where = list(market.xy(UP - 0.1, -5))
        before = page.evaluate(COLOUR_OF_CELL, where)
        page.locator("#layers > summary").click()
        page.locator("#smoothing-floor").fill("1000")
        page.locator("#smoothing-rows").fill("0")
        page.locator("#smoothing-rows").press("Tab")
        page.locator("#layers > summary").click()
        expect(text).to_contain_text("1000 contracts/s), smoothed by σ 0 rows")
        page.wait_for_function(IDLE)
        dark = page.evaluate(COLOUR_OF_CELL, where)
        assert sum(dark) < 0.5 * sum(before), "little against the floor is dark"
        page.locator("#upper-typed").fill("0.02")
        page.locator("#lower-typed").fill("0")
        page.locator("#lower-typed").press("Tab")
        page.wait_for_function(IDLE)
        scale = page.evaluate("() => vp.state().scale")
        assert scale == {"lower": 0, "upper": 0.02, "frozen": True}
        assert sum(page.evaluate(COLOUR_OF_CELL, where)) > 1.5 * sum(dark), "and bright with lower cut-offs"
        page.locator("#chart").focus()
        page.keyboard.press("x")
        expect(text).to_contain_text("pressure and vacuum: ")
        assert page.evaluate("() => vp.state().scale.frozen") is False, "each view has its own cut-offs"
        page.keyboard.press("x")
        page.wait_for_function("() => vp.state().mode === 'balance' && vp.state().scale.upper === 0.02")
    finally:
        page.evaluate("() => localStorage.clear()")
        page.keyboard.press("f")
        page.locator("#layers > summary").click()
        for name in ("rows", "floor"):
            page.locator(f"#smoothing-{name}").fill("")
            page.locator(f"#smoothing-{name}").press("Tab")
        page.locator("#layers > summary").click()
        page.select_option("#mode", "pair")
        market.show(UP)


def test_the_legend_shows_pressure_over_vacuum(market: KnownMarket) -> None:
    market.show(UP)
    box = market.page.locator("#legend").bounding_box()
    assert box is not None
    band = box["height"] * 0.42
    left = box["width"] - 8
    assert market.count("legend", left, box["height"] - band + 1, 6, band / 2 - 2)["blue"] > 20
    assert market.count("legend", left, box["height"] - band / 2 + 1, 6, band / 2 - 2)["orange"] > 20
    expect(market.page.locator("#legend-text")).to_contain_text("pressure and vacuum: ")
    expect(market.page.locator("#legend-text")).to_contain_text("contracts/s")


@pytest.mark.parametrize(("seconds", "ticks"), [(12.6, 3), (15.1, 4), (15.1, -4), (35.1, 4)])
def test_a_cell_is_read(market: KnownMarket, seconds: float, ticks: int) -> None:
    market.show(DOWN)
    frame = market.row(seconds)
    x, y = market.xy(seconds, ticks)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    readout = market.page.locator("#readout")
    expect(readout.locator("strong")).to_contain_text(f"k {ticks:+d}")
    expect(readout.locator("strong")).to_contain_text(f"{price(ticks) / 1e9:,.2f}")
    expect(readout).to_contain_text("j_rest_depth")  # the whole frame has come
    words = readout.inner_text().split()
    for name in ("pressure", "vacuum", "rest_depth", "v_add", "v_pull"):
        shown = words[words.index(name) + 1].removesuffix("k")
        assert float(shown.replace("≈", "")) == pytest.approx(frame[name][K + ticks], rel=0.05, abs=0.005), name
    expect(readout).to_contain_text(f"bid 21,499.75 × {frame['bid_size']}   ask 21,500.25 × {frame['ask_size']}")
    expect(readout).to_contain_text(f"score {frame['score']:.2f}")
    if frame["buy_volume"] + frame["sell_volume"]:
        expect(readout).to_contain_text(f"bought {frame['buy_volume']}, sold {frame['sell_volume']}")
    rows = readout.locator("table tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == [f"{price(ticks + up) / 1e9:,.2f}" for up in (2, 1, 0, -1, -2)]
    market.page.mouse.move(5, 5)


def test_a_column_from_before_the_first_is_read(browser: Browser, market: KnownMarket) -> None:
    page = open_page(browser)
    page.goto(f"{market.address}{PAGE}")
    expect(page.locator("#connection")).to_have_text("ended", timeout=60_000)
    page.evaluate(INSERT_OLDER, 4)
    page.wait_for_function(IDLE)
    box = page.locator("#chart").bounding_box()
    size = page.evaluate("() => vp.state().size")
    assert box is not None
    page.mouse.move(box["x"] + size["width"] * 0.3, box["y"] + size["height"] / 2)  # on the second of four
    expect(page.locator("#readout")).to_contain_text("event -1")
    expect(page.locator("#readout")).to_contain_text("pressure     ≈      7 contracts/s")
    page.close()


def test_a_measure_tells_bought_from_sold(market: KnownMarket) -> None:
    market.show(UP)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    (left, top), (right, bottom) = market.xy(11.0, 4), market.xy(13.4, 2)
    market.page.keyboard.down("Alt")
    market.page.mouse.move(box["x"] + left, box["y"] + top)
    market.page.mouse.down()
    market.page.mouse.move(box["x"] + right, box["y"] + bottom, steps=3)
    market.page.mouse.up()
    market.page.keyboard.up("Alt")
    text = market.page.evaluate("() => vp.state().measured")
    assert "bought 9   sold 27 contracts" in text
    assert "Δ price -0.50   -2 rows" in text
    assert "without a side" not in text
    market.page.keyboard.press("Escape")


@pytest.mark.parametrize(
    ("since", "until", "low", "high", "words"),
    [
        (SWEEP_SECONDS - 0.2, SWEEP_SECONDS + 0.2, 4, 5, f"bought {SWEEP[1][1] + SWEEP[2][1]}   sold 0 contracts"),
        (SWEEP_SECONDS - 0.2, SWEEP_SECONDS + 0.2, 1, 3, f"bought {SWEEP[0][1]}   sold 0 contracts"),
        (SIDELESS_SECONDS - 0.2, SIDELESS_SECONDS + 0.2, -5, -5, f"without a side {SIDELESS_SIZE}, at any price"),
    ],
)
def test_a_measure_counts_rows(
    market: KnownMarket, since: float, until: float, low: int, high: int, words: str
) -> None:
    market.show(UP)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    (left, top), (right, bottom) = market.xy(since, high), market.xy(until, low)
    market.page.mouse.move(box["x"] + left, box["y"] + top)
    market.page.keyboard.press("m")
    market.page.mouse.move(box["x"] + right, box["y"] + bottom)
    assert words in market.page.evaluate("() => vp.state().measured")
    market.page.keyboard.press("m")
    market.page.mouse.move(5, 5)


def test_a_trade_without_a_side_is_read_as_one(market: KnownMarket) -> None:
    market.show(UP)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    x, y = market.xy(SIDELESS_SECONDS + 0.1, 4)
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    expect(market.page.locator("#readout")).to_contain_text(f"without a side {SIDELESS_SIZE}")
    expect(market.page.locator("#readout")).not_to_contain_text("bought 0, sold")
    market.page.mouse.move(5, 5)


def test_a_measure_by_keys_goes_along_with_the_crosshair(market: KnownMarket) -> None:
    market.show(UP)
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    x, y = market.xy(11.0, 4)
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    market.page.keyboard.press("m")
    expect(market.page.locator("#said")).to_have_text("A measure begins here")
    x, y = market.xy(13.4, 2)
    market.page.mouse.move(box["x"] + x, box["y"] + y)
    assert "bought 9   sold 27 contracts" in market.page.evaluate("() => vp.state().measured")
    said = market.page.locator("#said")  # for those who do not see what stands on the canvas
    measured = re.compile(r"^measured \d.*, price change \S+, -2 rows, .*, bought 9, sold 27 contracts$")
    expect(said).to_have_text(measured)
    market.page.keyboard.press(";")
    assert "-3 rows" in market.page.evaluate("() => vp.state().measured")
    market.page.mouse.move(5, 5)
    market.show(12.5)  # the rectangle goes on beyond the map, and not over the prices
    width, height = market.size["width"], market.size["height"]
    assert market.count("cursor", width - 100, 0, 98, height)["painted"] > 20
    assert market.count("cursor", width + 2, 0, 150, height)["painted"] == 0
    market.page.keyboard.press("m")
    assert market.page.evaluate("() => vp.state().measured") == ""


def test_what_is_not_to_be_trusted(market: KnownMarket) -> None:
    """A locked book is hatched wide, from its first to its last column."""
    market.show(54.0, 40.0)
    (left, _), (right, _) = market.xy(LOCKED_SECONDS[0], 0), market.xy(LOCKED_SECONDS[1], 0)
    _, y = market.xy(0, 10)
    height = 2 * market.row_px
    inside = market.count("overlay", left + 130, y, right - left - 140, height)
    before, after = (
        market.count("overlay", left - 130, y, 120, height),
        market.count("overlay", right + 10, y, 100, height),
    )
    assert inside["painted"] > 20
    assert before["painted"] == after["painted"] == 0
    expect(market.page.locator("#hatched")).to_have_text("wide hatching: locked or crossed")
    box = market.page.locator("#chart").bounding_box()
    assert box is not None
    for x, said in ((left + 20, True), (left - 20, False)):
        market.page.mouse.move(box["x"] + x, box["y"] + y)
        expect(market.page.locator("#readout")).to_contain_text("score")
        assert ("⚠ locked or crossed" in market.page.locator("#readout").inner_text()) == said
    market.page.mouse.move(5, 5)
    market.page.keyboard.press("g")
    market.page.wait_for_function(IDLE)
    expect(market.page.locator("#hatched")).to_be_hidden()
    assert market.count("overlay", left + 130, y, right - left - 140, height)["painted"] == 0
    market.page.keyboard.press("g")
    market.page.wait_for_function(IDLE)


def test_the_reason_of_a_stretch_is_never_cut_by_its_end_or_by_the_edge(market: KnownMarket) -> None:
    since, until = LOCKED_SECONDS
    for left, right, complete in (
        (since - 5, since + 4, True),
        (since - 5, since + 0.55, False),  # at the right edge of the map
        (until - 4, until + 5, True),
        (until - 0.55, until + 5, False),  # at the left edge
    ):
        market.show(right, left)
        size = market.size
        (begin, _), (end, _) = market.xy(since, 0), market.xy(until, 0)
        painted = market.page.evaluate(WORDS_PAINTED)
        (said,) = (each for each in painted if each["words"].startswith("locked"))
        assert said["words"] == "locked or crossed" if complete else said["words"].endswith("…")
        assert said["left"] >= max(begin, 0)
        assert said["right"] <= min(end, size["width"])


def test_reasons_have_the_bits_that_the_server_gives_them(market: KnownMarket) -> None:
    script = """async () => {
      const { reasonWords } = await import("./quality.js");
      const bits = Object.entries(vp.config().quality_bits);
      return Object.fromEntries(bits.map(([name, bit]) => [name, reasonWords(bit)]));
    }"""
    assert market.page.evaluate(script) == {
        "empty_side": "a side is empty",
        "crossed": "locked or crossed",
        "snapshot": "within a snapshot",
        "bad_book": "marked as a bad book",
        "incomplete": "incomplete book: no snapshot yet",
        "gap": "after a gap of the feed",
    }
