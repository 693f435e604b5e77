"""The page in a real browser, fed by a real server, driven as a person would."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

WEB = Path(__file__).resolve().parents[2] / "web"
PAGE = "/vacuum-pressure.html"
# The map's pixels: how many are blue, orange, and a sum that tells pictures apart.
READ_MAP = """() => {
  const [map] = vp.picture.layers();
  const canvas = document.createElement("canvas");
  canvas.width = map.width; canvas.height = map.height;
  const context = canvas.getContext("2d");
  context.drawImage(map, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let blue = 0, orange = 0, sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum = (sum * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 2] * 7) % 4294967291;
    if (data[i + 2] > data[i] + 30) blue += 1;
    if (data[i] > data[i + 2] + 30) orange += 1;
  }
  return { blue, orange, sum };
}"""
COLUMNS = "() => vp.feed.ring ? vp.feed.ring.count : 0"
# The ring's events never fall back and never repeat.
EVENTS = """() => {
  const { ring } = vp.feed;
  const events = [];
  for (let column = ring.first; column < ring.end; column += 1) events.push(ring.eventId(column));
  return events;
}"""
NEWEST = "() => vp.feed.ring.timeMs(vp.feed.ring.end - 1)"
# The events that the server itself holds between two.
HELD = """async ([first, last]) => {
  const { fetchHistory } = await import("./archive.js");
  const wanted = { session: vp.feed.config.session_id, after: first - 1, before: last + 1, fields: ["pressure"] };
  return [...(await fetchHistory("", wanted)).eventId];
}"""
# The socket is gone all at once.
CUT = """() => {
  const { stream } = vp.feed;
  stream.retryMs = 1500;
  stream.socket.onmessage = null;
  stream.socket.onclose({ code: 1006 });
}"""
AUDIT = """async () => {
  const { violations } = await axe.run();
  return violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map((node) => node.html) }));
}"""
PLACE = "() => ({ end: vp.view.endMs, span: vp.view.spanMs, rows: vp.view.rows, centre: vp.view.centre })"

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


def live(page: Page, server: Server, query: str = "", columns: int = 40) -> None:
    page.goto(f"{server.address}{PAGE}{query}")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    page.wait_for_function(
        f"() => vp.feed.ring && vp.feed.ring.count > {columns} && vp.painted.frames > 3", timeout=30_000
    )


def frozen_picture(page: Page) -> None:
    """Pause, and let the colour scale stand."""
    page.keyboard.press(" ")
    page.keyboard.press("f")
    expect(page.locator("#behind")).to_be_visible()


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
    expect(page.locator("#health")).to_contain_text("frames missed", timeout=5000)
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


def test_canvas_2d_paints_the_same_picture_as_webgl(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    frozen_picture(page)
    same = page.evaluate("""async () => {
      const { FlatMap } = await import("./flatmap.js");
      const { picture } = vp;
      const read = (canvas) => {
        const copy = document.createElement("canvas");
        copy.width = canvas.width; copy.height = canvas.height;
        const context = copy.getContext("2d");
        context.drawImage(canvas, 0, 0);
        return context.getImageData(0, 0, picture.frame.width, picture.frame.height).data;
      };
      const flat = document.createElement("canvas");
      flat.width = picture.map.canvas.width; flat.height = picture.map.canvas.height;
      const map = new FlatMap(flat);
      const gl = read(picture.layers()[0]);
      map.paint(picture.frame);
      const other = read(flat);
      let different = 0;
      const one = new Uint32Array(gl.buffer), two = new Uint32Array(other.buffer);
      for (let i = 0; i < one.length; i += 1) if (one[i] !== two[i]) different += 1;
      const again = read(picture.layers()[0]).every((value, i) => value === gl[i]);
      return { name: picture.map.name, share: different / one.length, again };
    }""")
    assert "WebGL2" in same["name"]
    assert same["share"] < 0.01  # a cell's edge may round to the next pixel
    assert same["again"]


def test_without_webgl_the_page_works(page: Page, server: Server) -> None:
    live(page, server, "?flat=1&start_time=09:30", columns=200)
    assert "2D" in page.evaluate("() => vp.picture.map.name")
    assert page.evaluate(READ_MAP)["blue"] > 1000


def test_a_lost_context_comes_back(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    frozen_picture(page)
    page.wait_for_function("() => vp.feed.holes === 0 && !vp.dirty")
    before = page.evaluate(READ_MAP)["sum"]
    page.evaluate("() => { window.gone = vp.picture.map.gl.getExtension('WEBGL_lose_context'); gone.loseContext(); }")
    expect(page.locator("#tab")).to_have_text("graphics lost")
    page.evaluate("() => gone.restoreContext()")
    expect(page.locator("#tab")).to_have_text("tab ok")
    page.wait_for_function("() => !vp.dirty")
    assert page.evaluate(READ_MAP)["sum"] == before


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
    page.keyboard.down("Alt")
    page.mouse.move(500, 250)
    page.mouse.down()
    page.mouse.move(800, 350, steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    text = page.evaluate(
        """async () => (await import("./readout.js")).measureText(vp.feed.ring, ...vp.measured, 2, "contracts")"""
    )
    assert "Δt" in text
    assert "pressure Σ" in text
    page.keyboard.press("Escape")
    expect(page.locator(".pinned")).to_have_count(0)
    assert page.evaluate("() => vp.measured") is None


def test_zoom_and_move_stay_put_while_frames_come_and_lead_back(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(700, 330, steps=4)
    page.mouse.up()
    page.keyboard.press("f")
    page.mouse.move(1364, 600)
    expect(page.locator("#behind")).to_contain_text("behind")
    page.wait_for_function("() => !vp.dirty")
    still, place, newest = page.evaluate(READ_MAP)["sum"], page.evaluate(PLACE), page.evaluate(NEWEST)
    page.wait_for_function(f"() => vp.feed.ring.timeMs(vp.feed.ring.end - 1) > {newest} + 3000")
    page.wait_for_function("() => vp.painted.frames > 5")
    assert page.evaluate(PLACE) == place
    assert page.evaluate(READ_MAP)["sum"] == still
    page.mouse.move(500, 300)
    page.mouse.wheel(0, -300)
    zoomed = page.evaluate(PLACE)
    assert zoomed["span"] < place["span"]
    width = page.evaluate("() => vp.picture.size().width")
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
    page.wait_for_function(
        "() => vp.view.following && !vp.dirty || vp.view.endMs === vp.feed.ring.timeMs(vp.feed.ring.end - 1)"
    )
    expect(page.locator("#behind")).to_be_hidden()


def test_the_legend_is_the_control_and_settings_survive_a_reload(page: Page, server: Server) -> None:
    live(page, server, columns=200)
    box = page.locator("#upper").bounding_box()
    assert box is not None
    before = page.evaluate(READ_MAP)
    page.mouse.move(box["x"] + 6, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] - 120, box["y"] + 10, steps=4)
    page.mouse.up()
    upper = page.evaluate("() => vp.picture.scale.upper")
    assert page.evaluate("() => vp.picture.scale.frozen")
    expect(page.locator("#legend-text")).to_contain_text("frozen")
    page.wait_for_function("() => vp.painted.frames > 10")
    assert page.evaluate(READ_MAP)["blue"] > before["blue"]  # a lower upper cut-off: more of full colour
    page.locator("#lower").focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    assert page.evaluate("() => vp.picture.scale.lower") > 0
    page.locator("#chart").focus()
    page.keyboard.press("c")
    page.select_option("#transfer", "log")
    page.select_option("#mode", "net")
    page.keyboard.press("d")
    theme = page.evaluate("() => document.documentElement.dataset.theme")
    page.reload()
    page.wait_for_function("() => window.vp && vp.feed.ring && vp.feed.ring.count > 40")
    assert page.evaluate("() => [vp.settings.palette, vp.settings.transfer, vp.settings.mode]") == [
        "purple",
        "log",
        "net",
    ]
    assert abs(page.evaluate("() => vp.picture.scale.upper") - upper) < 1e-9
    assert page.evaluate("() => document.documentElement.dataset.theme") == theme


def test_another_column_is_shown(page: Page, server: Server) -> None:
    live(page, server)
    page.select_option("#mode", "v_add")
    page.wait_for_function("() => vp.feed.ring && vp.feed.ring.fields.includes('v_add') && vp.feed.ring.count > 40")
    page.wait_for_function("() => vp.picture.bins.mode.a === 'v_add'")
    assert page.evaluate(READ_MAP)["blue"] > 500


def test_speed_keeps_the_picture_and_a_jump_begins_anew(page: Page, server: Server) -> None:
    live(page, server, "?speed=4", columns=100)
    first = page.evaluate("() => vp.feed.ring.eventId(vp.feed.ring.first)")
    page.keyboard.press("]")
    page.wait_for_function("() => vp.feed.config.speed === 5", timeout=20_000)
    newest = page.evaluate(NEWEST)
    page.wait_for_function(f"() => vp.feed.ring.timeMs(vp.feed.ring.end - 1) > {newest} + 1000", timeout=20_000)
    events = page.evaluate(EVENTS)
    assert events[0] == first
    assert events == sorted(set(events))
    page.keyboard.press("o")
    expect(page.locator("#choose-note")).to_contain_text("19:00 ET")
    assert "generated" in page.locator("#choose-date").inner_text()
    page.fill("#choose-start", "10:05")
    page.keyboard.press("Enter")
    expect(page.locator("#clock")).to_contain_text("10:05", timeout=20_000)


def test_history_from_before_the_page_and_a_link_to_it(page: Page, browser: Browser, server: Server) -> None:
    live(page, server, "?speed=20&start_time=09:45", columns=900)
    other = browser.new_page(viewport={"width": 1366, "height": 768})
    live(other, server, "?speed=20&start_time=09:45", columns=100)
    other.evaluate("""() => { // as if it had been opened just now: let all but the newest go
      const { ring } = vp.feed;
      while (ring.count > 50) ring.forget();
      ring.epoch += 1;
      ring.touchedMs = Infinity;
    }""")
    other.keyboard.press("Home")
    other.wait_for_function("() => vp.feed.exhausted && !vp.feed.loading", timeout=20_000)
    events = other.evaluate(EVENTS)
    assert events == sorted(set(events))
    assert events[0] == page.evaluate("() => vp.feed.ring.eventId(vp.feed.ring.first)")
    shared = set(page.evaluate(EVENTS)) - {event for event in page.evaluate(EVENTS) if event > events[-1]}
    assert shared <= set(events)
    other.keyboard.press("k")
    link = other.evaluate("() => vp.link()")
    place = other.evaluate(PLACE)
    other.close()
    again = browser.new_page(viewport={"width": 1366, "height": 768})
    again.goto(link)
    again.wait_for_function(
        "() => window.vp && vp.feed.ring && vp.feed.ring.count > 40 && vp.painted.frames > 2", timeout=20_000
    )
    for name, value in again.evaluate(PLACE).items():
        assert abs(value - place[name]) < 0.01
    again.close()


def test_screenshot_and_exports_are_what_is_on_screen(page: Page, server: Server, tmp_path: Path) -> None:
    live(page, server, columns=300)
    frozen_picture(page)
    events: list[int] = page.evaluate("""() => {
      const { ring } = vp.feed;
      const events = [];
      for (let column = ring.columnAt(vp.view.startMs); column < ring.end; column += 1) {
        if (ring.timeMs(column) <= vp.view.endMs) events.push(ring.eventId(column));
      }
      return events;
    }""")
    saved: dict[str, bytes] = {}
    for key in ("s", "e", "a"):
        with page.expect_download() as waiting:
            page.keyboard.press(key)
        path = tmp_path / waiting.value.suggested_filename
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
    page.wait_for_function(f"() => vp.feed.ring.count > {before} + 100")
    mine = page.evaluate(EVENTS)
    held = page.evaluate(HELD, [mine[0], mine[-1]])
    assert mine == held


def test_every_function_has_a_key_and_nothing_serious_bars_anyone(page: Page, server: Server) -> None:
    live(page, server)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    for word in ("pause", "screenshot", "freeze", "undo", "measure", "pin"):
        expect(page.locator("#help-keys")).to_contain_text(word)
    axe = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.evaluate(axe.read_text(encoding="utf-8") + "; undefined")
    for theme in ("dark", "light"):
        for panel in ("help", "none"):
            if panel == "none":
                page.keyboard.press("Escape")
                page.keyboard.press("i")
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            found = page.evaluate(AUDIT)
            serious = [item for item in found if item["impact"] in {"serious", "critical"}]
            assert not serious, json.dumps(serious, indent=1)


def test_a_phone_shows_the_map(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    live(page, server, columns=200)
    assert page.evaluate(READ_MAP)["blue"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 683, "height": 384})  # 1366x768 at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 683
