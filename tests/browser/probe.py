"""The page's declared surface (web/probe.js): how it gets into a page, and what tests often ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.programs import Server

PAGE = "/vacuum-pressure.html"
# The map's pixels: how many are blue, orange, and a sum that tells pictures apart.
READ_MAP = """() => {
  const { data } = vp.image("map");
  let blue = 0, orange = 0, sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum = (sum * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 2] * 7) % 4294967291;
    if (data[i + 2] > data[i] + 30) blue += 1;
    if (data[i] > data[i + 2] + 30) orange += 1;
  }
  return { blue, orange, sum };
}"""
COLUMNS = "() => vp.state().columns"
# The ring's events never fall back and never repeat.
EVENTS = "() => vp.events()"
NEWEST = "() => vp.state().newestMs"
IDLE = "() => vp.state().idle"
# The events that the server itself holds between two.
HELD = """async ([first, last]) => {
  const { fetchHistory } = await import("./http-api.js");
  const wanted = { session: vp.config().session_id, after: first - 1, before: last + 1, fields: ["pressure"] };
  return [...(await fetchHistory("", wanted)).scalars.event_id];
}"""
PLACE = "() => { const { endMs: end, spanMs: span, rows, centre } = vp.view(); return { end, span, rows, centre }; }"
# Beside the page's own modules, once they have run.
LOAD_PROBE = """addEventListener("DOMContentLoaded", () => {
  if (document.getElementById("chart")) import("./probe.js");
});"""
# Paint once more, and list what was written on canvases: the words, and the box that they take, in chart px.
WORDS_PAINTED = """async () => {
  const canvas = CanvasRenderingContext2D.prototype, { fillText } = canvas, found = [];
  canvas.fillText = function (words, x, y, ...rest) {
    const box = this.measureText(words);
    found.push({
      words, left: x - box.actualBoundingBoxLeft, right: x + box.actualBoundingBoxRight,
      top: y - box.actualBoundingBoxAscent, bottom: y + box.actualBoundingBoxDescent,
    });
    fillText.call(this, words, x, y, ...rest);
  };
  const { paints } = vp.state();
  vp.view({});
  while (vp.state().paints === paints) await new Promise(requestAnimationFrame);
  canvas.fillText = fillText;
  return found;
}"""


# Painting in software takes a processor and more for as long as frames come. Ten pictures a second show the same, and
# leave room for what else is tested. What a person does is painted at once.
CALM_PAINTING = """{
  const ask = window.requestAnimationFrame.bind(window);
  const waiting = new Set();
  let calmFrom = 0;
  const hurry = () => {
    calmFrom = performance.now() + 500;
    for (const each of waiting) { clearTimeout(each.timer); each.now(); }
  };
  for (const kind of ["pointerdown", "pointermove", "pointerup", "wheel", "keydown", "input", "change", "resize"]) {
    addEventListener(kind, hurry, { capture: true, passive: true });
  }
  let latest = -Infinity;
  window.requestAnimationFrame = (act) => {
    const run = (now) => { latest = performance.now(); act(now); };
    const at = performance.now(), waitMs = latest + 100 - at;
    if (at < calmFrom || waitMs <= 1) return ask(run);
    const each = { now: () => { waiting.delete(each); ask(run); } };
    each.timer = setTimeout(each.now, waitMs);
    waiting.add(each);
    return 0;
  };
}"""
# For who looks at no single pixel and at no single picture; a quarter of the pixels.
CALM: dict[str, Any] = {"calm": True, "device_scale_factor": 0.5}
ABORTED = "The operation was aborted"
# The guide was seen before. (A page of no origin has no storage.)
GUIDED = "try { localStorage.setItem('vp.guided', '1'); } catch { }"


def open_page(browser: Browser, *, first_visit: bool = False, calm: bool = False, **options: Any) -> Page:
    """A page with `window.vp` in it; `options` as for `Browser.new_page`, 1366 x 768 unless they say otherwise.

    The guide of a first visit is there only where one is asked for. A page that is `calm` paints ten times a second
    at most, but for what a person does.
    """
    opened = browser.new_page(**{"viewport": {"width": 1366, "height": 768}, **options})
    opened.add_init_script(LOAD_PROBE)
    if calm:
        opened.add_init_script(CALM_PAINTING)
    if not first_visit:
        opened.add_init_script(GUIDED)
    return opened


@contextmanager
def watched_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: an error in its console fails the test."""
    opened = open_page(browser, **options)
    wrong: list[str] = []
    # Firefox reports a request that ends with its page as an error of the page.
    opened.on("pageerror", lambda error: wrong.append(str(error)) if ABORTED not in str(error) else None)
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    found = list(wrong)  # Firefox calls a socket that is closed with its page an error
    opened.close()
    assert not found, found


@contextmanager
def paused_page(browser: Browser, server: Server) -> Iterator[Page]:
    """A watched page that holds some seconds of the demonstration, and is paused."""
    with watched_page(browser) as opened:
        live(opened, server, columns=300)
        opened.keyboard.press(" ")
        yield opened


LIVE_COLUMNS = """() => {
  if (!window.vp || !vp.config().emit_from_ns) return 0;
  const emitFromMs = Number(BigInt(vp.config().emit_from_ns) / 1_000_000n);
  return vp.events().length - vp.events(emitFromMs - 1).length;
}"""


def live(page: Page, server: Server, query: str = "", columns: int = 40) -> None:
    """Open the page and wait for so many columns and one of the session itself, its context not counted."""
    page.goto(f"{server.address}{PAGE}{query}")
    page.wait_for_function(  # not by its sign: on a busy machine what comes may be late, and is said to be
        f"() => ({LIVE_COLUMNS})() > {columns} && vp.state().paints > 3 && vp.state().connection === 'live'",
        timeout=60_000,
    )


def frozen_picture(page: Page) -> None:
    """Pause, and let the colour scale stand."""
    page.keyboard.press(" ")
    page.keyboard.press("f")
    expect(page.locator("#behind")).to_be_visible()


def switch_layer(page: Page, name: str, *, on: bool) -> None:
    """Show or hide a layer as a person does."""
    page.locator("#layers > summary").click()
    page.locator(f"#layer-{name}").set_checked(on)
    page.locator("#layers > summary").click()
    page.wait_for_function(IDLE)
