"""A live session on the page, out of a real gateway: the feed's sign, gaps with their reason, and midnight."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.probe import PAGE, watched_page
from tests.live_gateway.control import gateway
from tests.vp.capture.capturing import directory, frames
from tests.vp.capture.test_ends import NIGHT_NS, night_market
from tests.vp.programs.test_serve_live import serving

pytestmark = pytest.mark.browser

MIDNIGHT_MS = NIGHT_NS // 1_000_000
# Of a column of pixels of what lies over the map, how many are painted.
PAINTED = """(timeMs) => {
  const { width, data } = vp.image("overlay");
  const { height, ratio } = vp.state().size;
  const x = Math.round(vp.at(timeMs, 0).x * devicePixelRatio);
  let painted = 0;
  for (let y = 0; y < height * ratio; y += 1) painted += data[4 * (y * width + x) + 3] > 200 ? 1 : 0;
  return painted / (height * ratio);
}"""


def test_a_live_session_from_its_start_over_a_gap_and_over_midnight(browser: Browser, tmp_path: Path) -> None:
    file = night_market(directory(tmp_path / "whole") / "glbx-mdp3-20260209-20260210.mbo.dbn")
    lake = tmp_path / "lake"
    with (
        gateway(file, from_record=60) as feed,
        serving(feed, lake, "--symbol", "MNQ", "--live-from", "week") as (_, port),
        watched_page(browser) as page,
    ):
        page.goto(f"http://127.0.0.1:{port}{PAGE}")
        sign = page.locator("#feed")
        expect(sign).to_have_text("feed live", timeout=30_000)
        expect(sign).to_have_attribute("data-sign", "good")
        expect(page.locator("#speed")).to_be_disabled()
        page.evaluate("() => { window.neverLoadedAgain = true; }")

        page.keyboard.press("o")
        expect(page.locator("#choose-date option:checked")).to_have_text("2026-02-09 (live)")
        expect(page.locator("#choose-note")).to_contain_text("live, being recorded now")
        expect(page.locator("#choose-start")).to_be_disabled()
        page.keyboard.press("Escape")

        # the line breaks, and what is missing is held no longer
        feed.order("refuse")
        feed.fault("fin", at=-1)
        expect(sign).to_have_text(re.compile("feed connecting|feed: gap"), timeout=20_000)
        feed.publish(110)
        feed.fault("aged_out")
        feed.order("listen")
        feed.wait(lambda state: len(state["logins"]) >= 2)
        feed.publish(150)
        page.wait_for_function("() => vp.gaps().some(({ open }) => !open)", timeout=30_000)
        expect(sign).to_have_text("feed live", timeout=20_000)
        (gap,) = page.evaluate("() => vp.gaps()")
        expect(page.locator("#hatched")).to_contain_text("dense hatching: gap of the feed, never recorded")
        page.keyboard.press("i")
        panel = page.locator("#trust")
        expect(panel).to_contain_text(gap["reason"])
        stages = "Exchange to Databento|Databento to here|Here to frame|Frame to wire|Wire to paint"
        expect(panel).to_contain_text(re.compile(stages.replace("|", ".*"), re.DOTALL))
        expect(panel.locator("tr", has_text="Here to frame").locator("td")).to_have_text(
            re.compile(r"^[\d.]+ / [\d.]+$")
        )
        page.keyboard.press("i")

        feed.publish(200)
        expect(page.locator("#session")).to_contain_text("2026-02-10", timeout=30_000)
        feed.publish()
        last = f"() => vp.state().newestMs > {MIDNIGHT_MS + 10_000} && vp.state().idle"
        page.wait_for_function(last, timeout=30_000)
        assert page.evaluate("() => window.neverLoadedAgain")
        events = page.evaluate("() => vp.events()")
        assert events == sorted(set(events))
        assert page.evaluate(f"() => vp.events({MIDNIGHT_MS - 1}).length") > 20, (
            "the picture goes on from the day before"
        )
        assert len(events) - page.evaluate(f"() => vp.events({MIDNIGHT_MS - 1}).length") > 50
        assert page.evaluate(PAINTED, MIDNIGHT_MS) > 0.9
        assert page.evaluate(PAINTED, MIDNIGHT_MS - 5_000) < 0.5

        # a lost socket finds back into the session that it stood in
        page.evaluate("() => vp.breakSocket(100)")
        page.wait_for_function("() => vp.state().connection === 'live'", timeout=20_000)
        assert page.evaluate("() => vp.events()") == events
        newest = page.evaluate("() => vp.column()")
    true = frames(lake, "MNQH6", "2026-02-10")
    assert newest["score"] == pytest.approx(true["score"][-1].as_py(), abs=1e-6)
