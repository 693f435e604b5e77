"""The page in a real browser, fed by a real server, driven as a person would."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import (
    CALM,
    COLUMNS,
    EVENTS,
    HELD,
    IDLE,
    NEWEST,
    PAGE,
    PLACE,
    READ_MAP,
    frozen_picture,
    live,
    open_page,
    watched_page,
)
from tests.browser.programs import Server

pytestmark = pytest.mark.browser

LOSE_CONTEXT = """() => {
  window.gone = document.getElementById("map").getContext("webgl2").getExtension("WEBGL_lose_context");
  gone.loseContext();
}"""
# The socket is gone all at once.
CUT = "() => vp.breakSocket(1500)"

# A load may be over before a locator looks: keep every text that the progress box showed.
WATCH_PROGRESS = """
window.said = [];
document.addEventListener("readystatechange", () => {
  const text = document.getElementById("progress-text");
  if (text && document.readyState === "interactive") {
    new MutationObserver(() => window.said.push(text.textContent)).observe(text, { childList: true });
  }
});
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser, **CALM) as opened:
        yield opened


def test_heatmap_shows_both_forces_and_words_follow(page: Page, server: Server) -> None:
    page.goto(server.address)
    assert page.url.startswith(f"{server.address}{PAGE}")
    live(page, server, columns=300)
    first = page.evaluate(READ_MAP)
    assert first["blue"] > 2000
    assert first["orange"] > 2000
    expect(page.locator("#contract")).to_have_text("MNQH6")
    expect(page.locator("#session")).to_contain_text("generated data")
    assert page.locator("#state").inner_text().split()[-1] in {"UP", "DOWN", "CHOP"}
    assert -1 <= float(page.locator("#score").inner_text()) <= 1
    clock = page.locator("#clock").inner_text()
    expect(page.locator("#clock")).not_to_have_text(clock)
    assert page.evaluate(READ_MAP)["sum"] != first["sum"]
    expect(page.locator("#health")).to_have_text(
        re.compile(r"^viewers \d+ · nothing missing · anomalies \d+$"), timeout=5000
    )
    expect(page.locator("#legend-text")).to_contain_text("largest magnitude")
    expect(page.locator("#summary")).to_contain_text("more pressure")
    read = "() => ['bid', 'ask'].map((id) => Number(document.getElementById(id).textContent.replaceAll(',', '')))"
    bid, ask = page.evaluate(read)  # both of one moment
    assert 0 < ask - bid < 10
    for sign in ("engine", "tab"):
        expect(page.locator(f"#{sign}")).to_have_text(f"{sign} ok")


def test_progress_is_shown_while_a_session_loads(page: Page, server: Server) -> None:
    page.add_init_script(WATCH_PROGRESS)
    page.goto(f"{server.address}{PAGE}?start_time=10:15")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator("#loading")).to_be_hidden(timeout=30_000)
    assert any("records" in text for text in page.evaluate("() => window.said"))


def test_without_webgl_the_page_works(page: Page, server: Server) -> None:
    live(page, server, "?flat=1&start_time=09:30", columns=200)
    assert "2D" in page.evaluate("() => vp.state().painter")
    assert page.evaluate(READ_MAP)["blue"] > 1000


@pytest.mark.long
def test_a_lost_context_comes_back(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    frozen_picture(page)
    page.wait_for_function("() => vp.state().holes === 0 && vp.state().idle")
    before = page.evaluate(READ_MAP)["sum"]
    page.evaluate(LOSE_CONTEXT)
    expect(page.locator("#tab")).to_have_text("graphics lost")
    page.evaluate("() => gone.restoreContext()")
    expect(page.locator("#tab")).to_have_text("tab ok")
    page.wait_for_function(IDLE)
    assert page.evaluate(READ_MAP)["sum"] == before


@pytest.mark.long
def test_a_cell_is_read_measured_and_pinned(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    frozen_picture(page)
    page.mouse.move(700, 330)
    readout = page.locator("#readout")
    for word in ("pressure", "vacuum", "rest_depth", "frame before, this, after", "bid", "score"):
        expect(readout).to_contain_text(word)
    expect(readout).to_contain_text("j_rest_depth", timeout=5000)  # every column, from the server, exact
    page.keyboard.press("u")
    expect(readout.locator("strong")).to_contain_text("2026-02-06")
    assert len(readout.locator("strong").inner_text().split(".")[1].split()[0]) == 9
    page.mouse.click(700, 330)
    expect(page.locator(".pinned")).to_have_count(1)
    pinned = page.locator(".pinned").inner_text()
    assert re.search(r"rest_depth +[\d.]+ contracts", pinned), pinned  # exact by now
    assert "j_rest_depth" not in pinned  # however long it was pointed at: there may be twelve
    assert "frame before" not in pinned
    page.keyboard.down("Alt")
    page.mouse.move(500, 250)
    page.mouse.down()
    page.mouse.move(800, 350, steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    text = page.evaluate("() => vp.state().measured")
    assert "Δt" in text
    assert "pressure Σ" in text
    page.keyboard.press("Escape")
    expect(page.locator(".pinned")).to_have_count(0)
    assert page.evaluate("() => vp.state().measured") == ""


@pytest.mark.long
def test_zoom_and_move_stay_put_while_frames_come_and_lead_back(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(700, 330, steps=4)
    page.mouse.up()
    page.keyboard.press("f")
    page.mouse.move(1364, 600)
    expect(page.locator("#behind")).to_contain_text("behind")
    page.wait_for_function(IDLE)
    still, place, newest = page.evaluate(READ_MAP)["sum"], page.evaluate(PLACE), page.evaluate(NEWEST)
    page.wait_for_function(f"() => vp.state().newestMs > {newest} + 3000")
    page.wait_for_function("() => vp.state().paints > 5")
    assert page.evaluate(PLACE) == place
    assert page.evaluate(READ_MAP)["sum"] == still
    page.mouse.move(500, 300)
    page.mouse.wheel(0, -300)
    zoomed = page.evaluate(PLACE)
    assert zoomed["span"] < place["span"]
    width = page.evaluate("() => vp.state().size.width")
    under = [at["end"] - at["span"] + at["span"] * 500 / width for at in (zoomed, place)]
    assert abs(under[0] - under[1]) < 1  # what lay under the cursor still does
    page.mouse.move(1130, 300)
    page.mouse.down()
    page.mouse.move(1130, 380, steps=3)
    page.mouse.up()
    assert page.evaluate(PLACE)["rows"] > zoomed["rows"]  # the price axis was dragged
    before = page.evaluate(PLACE)
    page.keyboard.down("Shift")
    page.mouse.move(300, 200)
    page.mouse.down()
    page.mouse.move(500, 300, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert page.evaluate(PLACE)["span"] < before["span"]
    page.keyboard.press("z")
    assert page.evaluate(PLACE) == before
    page.locator("#chart").focus()
    page.keyboard.press("ArrowLeft")
    near = before["end"] - page.evaluate(PLACE)["end"]
    page.keyboard.press("Shift+ArrowLeft")
    assert abs((before["end"] - page.evaluate(PLACE)["end"]) / near - 11) < 0.01
    page.keyboard.press("l")
    page.wait_for_function("() => vp.view().following && vp.state().idle || vp.view().endMs === vp.state().newestMs")
    expect(page.locator("#behind")).to_be_hidden()


@pytest.mark.long
def test_the_legend_is_the_control_and_settings_survive_a_reload(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    page.keyboard.press(" ")  # what is shown stands still, and with it the cut-offs
    page.wait_for_function(IDLE)
    box = page.locator("#upper").bounding_box()
    assert box is not None
    before = page.evaluate(READ_MAP)
    page.mouse.move(box["x"] + 6, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] - 120, box["y"] + 10, steps=4)
    page.mouse.up()
    upper = page.evaluate("() => vp.state().scale.upper")
    assert page.evaluate("() => vp.state().scale.frozen")
    expect(page.locator("#legend-text")).to_contain_text("frozen")
    page.wait_for_function(IDLE)
    assert page.evaluate(READ_MAP)["blue"] > before["blue"]  # a lower upper cut-off: more of full colour
    page.locator("#lower").focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    assert page.evaluate("() => vp.state().scale.lower") > 0
    page.locator("#chart").focus()
    page.keyboard.press("c")
    page.select_option("#transfer", "log")
    page.select_option("#mode", "net")
    page.keyboard.press("d")
    theme = page.evaluate("() => document.documentElement.dataset.theme")
    page.reload()
    page.wait_for_function("() => window.vp && vp.state().columns > 40")
    assert (
        page.evaluate("() => vp.state().settings").items()
        >= {
            "palette": "purple",
            "transfer": "log",
            "mode": "net",
        }.items()
    )
    assert (
        abs(page.evaluate("() => vp.state().settings.cutoffs.balance.upper") - upper) < 1e-9
    )  # of the view it was set in
    assert page.evaluate("() => document.documentElement.dataset.theme") == theme


@pytest.mark.long
def test_another_column_is_shown(page: Page, server: Server) -> None:
    live(page, server)
    page.select_option("#mode", "v_add")
    page.wait_for_function("() => vp.state().fields.includes('v_add') && vp.state().columns > 40")
    page.wait_for_function("() => vp.state().mode === 'v_add'")
    assert page.evaluate(READ_MAP)["blue"] > 500


@pytest.mark.long
def test_speed_keeps_the_picture_and_a_jump_begins_anew(page: Page, server: Server) -> None:
    live(page, server, "?speed=4", columns=100)
    first = page.evaluate(EVENTS)[0]
    page.keyboard.press("]")
    page.wait_for_function("() => vp.config().speed === 5", timeout=20_000)
    newest = page.evaluate(NEWEST)
    page.wait_for_function(f"() => vp.state().newestMs > {newest} + 1000", timeout=20_000)
    events = page.evaluate(EVENTS)
    assert events[0] == first
    assert events == sorted(set(events))
    page.keyboard.press("o")
    expect(page.locator("#choose-note")).to_contain_text("19:00 ET")
    assert "generated" in page.locator("#choose-date").inner_text()
    page.fill("#choose-start", "10:05")
    page.keyboard.press("Enter")
    expect(page.locator("#clock")).to_contain_text("10:05", timeout=20_000)


@pytest.mark.long
def test_history_from_before_the_page_and_a_link_to_it(page: Page, browser: Browser, server: Server) -> None:
    live(page, server, "?speed=20&start_time=09:45", columns=900)
    other = open_page(browser)
    live(other, server, "?speed=20&start_time=09:45", columns=100)
    other.evaluate("() => vp.keepNewest(50)")
    for each in (other, page):  # the first page need not have fetched all of the context either
        each.keyboard.press("Home")
        each.wait_for_function("() => vp.state().exhausted && !vp.state().loading", timeout=20_000)
    events = other.evaluate(EVENTS)
    assert events == sorted(set(events))
    assert events[0] == page.evaluate(EVENTS)[0]
    shared = set(page.evaluate(EVENTS)) - {event for event in page.evaluate(EVENTS) if event > events[-1]}
    assert shared <= set(events)
    other.wait_for_function(IDLE)
    other.mouse.move(60, 300)  # over columns that came before the first
    expect(other.locator("#readout")).to_contain_text("frame before, this, after")
    other.keyboard.press("k")
    link = other.evaluate("() => vp.link()")
    place = other.evaluate(PLACE)
    other.close()
    again = open_page(browser)
    again.goto(link)
    again.wait_for_function("() => window.vp && vp.state().columns > 40 && vp.state().idle", timeout=20_000)
    for name, value in again.evaluate(PLACE).items():
        assert abs(value - place[name]) < 0.01
    again.close()


@pytest.mark.long
def test_screenshot_and_exports_are_what_is_on_screen(page: Page, server: Server, tmp_path: Path) -> None:
    live(page, server, columns=300)
    frozen_picture(page)
    events: list[int] = page.evaluate("""() => {
      const { endMs, spanMs } = vp.view();
      const before = vp.events(endMs - spanMs - 1e-3).length;
      return vp.events(endMs).slice(before);
    }""")
    saved: dict[str, bytes] = {}
    for key in ("s", "e", "a"):
        with page.expect_download() as waiting:
            page.keyboard.press(key)
        path = tmp_path / waiting.value.suggested_filename
        assert re.fullmatch(r"MNQH6_2026-02-06_\d{6}-\d{6}", path.stem)
        waiting.value.save_as(path)
        saved[path.suffix] = path.read_bytes()
    assert saved[".png"].startswith(b"\x89PNG")
    table = pa.ipc.open_stream(io.BytesIO(saved[".arrows"])).read_all()
    assert table["event_id"].to_pylist() == events
    assert table.schema.metadata[b"vp.contract"] == b"MNQH6"
    assert pyarrow.csv.read_csv(io.BytesIO(saved[".csv"]))["event_id"].to_pylist() == events


def test_the_trust_panel_says_what_made_the_picture(page: Page, server: Server) -> None:
    live(page, server)
    page.keyboard.press("i")
    for word in ("Painting", "vp-generated-20260206", "MNQH6", "missed by this viewer", "crossed book", "WebGL2"):
        expect(page.locator("#trust")).to_contain_text(word, timeout=5000)


def test_errors_are_said_in_place_with_a_way_out(page: Page, server: Server) -> None:
    page.goto(f"{server.address}{PAGE}?symbol=MNQZ9")
    expect(page.locator("#notice-title")).to_contain_text("MNQH6", timeout=20_000)
    expect(page.locator("#map")).to_be_hidden()  # black until something is painted
    page.wait_for_timeout(2000)  # nothing is there to be painted: that is no stall
    expect(page.locator("#tab")).to_have_text("tab ok")
    expect(page.locator("#connection")).to_have_text("failed")
    page.goto(f"{server.address}{PAGE}?dt=2026-02-09")
    expect(page.locator("#notice-title")).to_contain_text("2026-02-06", timeout=20_000)
    page.get_by_role("button", name="MNQH6 2026-02-06").click()
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_a_server_of_another_protocol_is_said(page: Page, server: Server) -> None:
    def alter(socket: Any) -> None:
        upstream = socket.connect_to_server()
        upstream.on_message(
            lambda m: socket.send(m.replace('"protocol":1', '"protocol":2') if isinstance(m, str) else m)
        )

    page.route_web_socket("**/stream**", alter)
    page.goto(f"{server.address}{PAGE}")
    expect(page.locator("#notice-title")).to_contain_text("protocol 2", timeout=20_000)
    expect(page.get_by_role("button", name="Reload")).to_be_visible()


def test_after_a_cut_each_column_is_there_once(page: Page, server: Server) -> None:
    live(page, server, columns=100)
    page.evaluate(CUT)
    expect(page.locator("#connection")).to_contain_text("lost")
    before = page.evaluate(COLUMNS)
    expect(page.locator("#connection")).to_have_text("live", timeout=10_000)
    page.wait_for_function(  # what the cut cost comes in answers of its own, the more of them the longer it took
        f"() => vp.state().columns > {before} + 100 && vp.state().holes === 0", timeout=60_000
    )
    mine = page.evaluate(EVENTS)
    held = page.evaluate(HELD, [mine[0], mine[-1]])
    assert mine == held


def test_every_function_has_a_key(page: Page, server: Server) -> None:
    live(page, server)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    for word in ("pause", "screenshot", "freeze", "undo", "measure", "pin"):
        expect(page.locator("#help-keys")).to_contain_text(word)


def test_a_phone_shows_the_map(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    live(page, server, columns=200)
    assert page.evaluate(READ_MAP)["blue"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 683, "height": 384})  # 1366x768 at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 683
