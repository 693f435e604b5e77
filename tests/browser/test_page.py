"""The page in a real browser, fed by a real server."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

PAGE = "/vacuum-pressure.html"
READ_MAP = """() => {
  const canvas = document.getElementById("map");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let blue = 0, orange = 0, sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum = (sum * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 2] * 7) % 4294967291;
    if (data[i + 2] > data[i] + 30) blue += 1;
    if (data[i] > data[i + 2] + 30) orange += 1;
  }
  return { blue, orange, sum };
}"""

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


def live(page: Page, server: Server, query: str = "") -> None:
    page.goto(f"{server.address}{PAGE}{query}")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator("#clock")).to_contain_text(":", timeout=30_000)


def test_root_leads_to_the_page(page: Page, server: Server) -> None:
    page.goto(server.address)
    assert page.url.startswith(f"{server.address}{PAGE}")
    assert "MNQH6" in page.locator("#contract").inner_text() or page.locator("#loading").is_visible()


def test_heatmap_shows_both_forces_and_moves(page: Page, server: Server) -> None:
    live(page, server)
    page.wait_for_timeout(2500)
    first = page.evaluate(READ_MAP)
    assert first["blue"] > 2000
    assert first["orange"] > 2000
    page.wait_for_timeout(1500)
    assert page.evaluate(READ_MAP)["sum"] != first["sum"]


def test_words_and_numbers_follow(page: Page, server: Server) -> None:
    live(page, server)
    expect(page.locator("#contract")).to_have_text("MNQH6")
    expect(page.locator("#session")).to_contain_text("generated data")
    assert page.locator("#state").inner_text().split()[-1] in {"UP", "DOWN", "CHOP"}
    clock = page.locator("#clock").inner_text()
    score = page.locator("#score").inner_text()
    assert -1 <= float(score) <= 1
    expect(page.locator("#clock")).not_to_have_text(clock)
    expect(page.locator("#health")).to_contain_text("frames missed", timeout=5000)
    read = "() => ['bid', 'ask'].map((id) => Number(document.getElementById(id).textContent.replaceAll(',', '')))"
    bid, ask = page.evaluate(read)  # both of one moment
    assert 0 < ask - bid < 10


def test_progress_is_shown_while_a_session_loads(page: Page, server: Server) -> None:
    page.add_init_script(WATCH_PROGRESS)
    page.goto(f"{server.address}{PAGE}?start_time=10:15")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator("#loading")).to_be_hidden(timeout=30_000)
    assert any("records" in text for text in page.evaluate("() => window.said"))


def test_crosshair_reads_a_cell(page: Page, server: Server) -> None:
    live(page, server)
    page.wait_for_timeout(1500)
    page.mouse.move(1100, 330)
    expect(page.locator("#readout")).to_be_visible()
    for word in ("ET", "pressure", "vacuum", "resting"):
        expect(page.locator("#readout")).to_contain_text(word)


def test_zoom_stays_put_while_frames_come_and_one_key_leads_back(page: Page, server: Server) -> None:
    live(page, server)
    page.wait_for_timeout(1500)
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(800, 330, steps=4)
    page.mouse.up()
    page.mouse.move(1364, 600)
    page.wait_for_timeout(1200)  # the colour scale settles
    still = page.evaluate(READ_MAP)["sum"]
    clock = page.locator("#clock").inner_text()
    page.wait_for_timeout(1200)
    assert page.locator("#clock").inner_text() != clock
    assert page.evaluate(READ_MAP)["sum"] == still
    page.keyboard.press("l")
    page.wait_for_timeout(300)
    moved = page.evaluate(READ_MAP)["sum"]
    page.wait_for_timeout(800)
    assert page.evaluate(READ_MAP)["sum"] != moved


def test_an_unknown_symbol_is_said_in_place(page: Page, server: Server) -> None:
    page.goto(f"{server.address}{PAGE}?symbol=MNQZ9")
    expect(page.locator("#notice")).to_be_visible(timeout=20_000)
    expect(page.locator("#notice-title")).to_contain_text("MNQH6")
    expect(page.locator("#connection")).to_have_text("failed")


def test_a_phone_shows_the_map(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    live(page, server)
    page.wait_for_timeout(2000)
    assert page.evaluate(READ_MAP)["blue"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_comes_back_when_the_server_does(browser: Browser, lake: Path) -> None:
    page = browser.new_page()  # its console tells of the lost server, as it should
    first = Server(lake, "--speed", "5")
    port = first.address.rsplit(":", 1)[1]
    live(page, first)
    assert first.stop() == 0
    expect(page.locator("#connection")).to_contain_text("lost", timeout=5000)
    again = Server(lake, "--speed", "5", "--port", port)
    expect(page.locator("#connection")).to_have_text("live", timeout=20_000)
    page.close()
    assert again.stop() == 0


def test_page_is_light() -> None:
    web = Path(__file__).resolve().parents[2] / "web"
    weight = sum(
        len(zlib.compress(path.read_bytes(), 9))
        for pattern in ("*.html", "*.css", "*.js")
        for path in web.glob(pattern)
    )
    assert weight < 60_000
