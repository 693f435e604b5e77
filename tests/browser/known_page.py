"""A page that shows the known market, and where what it shows lies."""

from __future__ import annotations

import io
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_market import MID_INT, ONE_TICK_SECONDS, TICK_INT, at_ns, known_market
from tests.browser.probe import IDLE, PAGE, switch_layer, watched_page
from tests.browser.programs import Server
from tests.lakes import dbn, put

SPOT = MID_INT // TICK_INT
UP, DOWN, ONE_TICK = 18.0, 42.0, ONE_TICK_SECONDS + 3
START_SECONDS = -1.0
ROW_PX = 22  # whole, so that lines lie alike in all rows, however high the map is
AXIS_PX, LADDER_PX, STRIP_PX = 76, 200, 52
K = 50

# How many pixels of a rectangle (CSS px) have about each of these colours; of a canvas by its id.
COUNT = """([id, left, top, width, height]) => {
  const colours = {
    green: [95, 224, 168], rose: [255, 143, 163], white: [244, 246, 250], blue: [64, 156, 255], orange: [255, 150, 20],
    mint: [120, 214, 130], violet: [196, 120, 246], text: [217, 224, 236],
    "dark green": [0, 118, 74], "dark red": [179, 18, 60],
  };
  const ratio = devicePixelRatio;
  const image = id === "map" ? vp.image("map") : null;
  const canvas = document.getElementById(id);
  const [x, y, w, h] = [left, top, width, height].map((value) => Math.round(value * ratio));
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  if (image) context.putImageData(image, 0, 0); else context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(x, y, Math.max(1, w), Math.max(1, h));
  const found = { painted: 0, ...Object.fromEntries(Object.keys(colours).map((name) => [name, 0])) };
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] <= 60) continue;
    found.painted += 1;
    const off = ([r, g, b]) => Math.max(Math.abs(r - data[i]), Math.abs(g - data[i + 1]), Math.abs(b - data[i + 2]));
    const [name, colour] = Object.entries(colours).sort((one, two) => off(one[1]) - off(two[1]))[0];
    if (off(colour) < 24) found[name] += 1;
  }
  return found;
}"""


class KnownMarket:
    """A page that shows the known market, and what the server says that its frames hold."""

    def __init__(self, address: str, page: Page, frames: pa.Table) -> None:
        self.address = address
        self.page = page
        self.frames = frames
        self.seconds = (frames["ts_ns"].cast(pa.int64()).to_numpy() - at_ns(0)) / 1e9

    def show(self, until: float, since: float = START_SECONDS) -> None:
        """Bring a stretch of time on screen, spot in the middle."""
        end_ms, span_ms = at_ns(until) / 1e6 + 0.5, (until - since) * 1000
        place = {
            "endMs": end_ms,
            "spanMs": span_ms,
            "rows": self.size["height"] / ROW_PX,
            "centre": SPOT,
            "following": False,
        }
        self.page.evaluate("(place) => vp.view(place)", place)
        self.page.wait_for_function(IDLE)

    def row(self, seconds: float) -> dict[str, Any]:
        """The newest frame at or before a moment."""
        at = int(np.searchsorted(self.seconds, seconds, side="right")) - 1
        return {name: self.frames[name][at].as_py() for name in self.frames.column_names}

    def xy(self, seconds: float, ticks: float) -> tuple[float, float]:
        """Where a time and a price lie in the chart, CSS px."""
        at = self.page.evaluate("(at) => vp.at(...at)", [at_ns(seconds) / 1e6, SPOT + ticks])
        return at["x"], at["y"]

    @property
    def size(self) -> dict[str, float]:
        size: dict[str, float] = self.page.evaluate("() => vp.state().size")
        return size

    @property
    def row_px(self) -> float:
        return ROW_PX

    def count(self, canvas: str, left: float, top: float, width: float, height: float) -> dict[str, int]:
        """Pixels of each colour."""
        found: dict[str, int] = self.page.evaluate(COUNT, [canvas, left, top, width, height])
        return found

    def text(self, name: str) -> str:
        return self.page.locator(f"#{name}").inner_text()


def serve_known_market(lake: Path) -> Server:
    """A server that plays the known market fast."""
    put(lake, "future_mbo", "MNQ", "glbx-mdp3-20260206.mbo.dbn", dbn("MNQH6", 42005, known_market()))
    session = ("--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06", "--speed", "50")
    return Server(lake, *session)


@contextmanager
def known_page(browser: Browser, server: Server) -> Iterator[KnownMarket]:
    """The known market, played to its end. An error of the page fails who uses it."""
    with watched_page(browser, color_scheme="dark", device_scale_factor=1) as page:
        page.goto(f"{server.address}{PAGE}")
        expect(page.locator("#connection")).to_have_text("ended", timeout=60_000)
        page.wait_for_function("() => window.vp && vp.state().idle")
        page.select_option("#mode", "pair")
        query = urllib.parse.urlencode({"session_id": page.evaluate("() => vp.config().session_id"), "format": "arrow"})
        with urllib.request.urlopen(f"{server.address}/v1/vacuum-pressure/frames?{query}") as answer:
            frames = pa.ipc.open_stream(io.BytesIO(answer.read())).read_all()
        switch_layer(page, "sizes", on=False)  # they would lie under what else is looked at
        yield KnownMarket(server.address, page, frames)
