"""A live session on the page, out of a real gateway: the feed's sign, gaps with their reason, and midnight."""

from __future__ import annotations

import bisect
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.probe import PAGE, watched_page
from tests.dbn_files import header, mbo
from tests.lakes import market
from tests.live_gateway import busy_market
from tests.live_gateway.control import gateway
from tests.oracle_book import Rec
from tests.vp.capture.capturing import directory, frames
from tests.vp.capture.test_ends import NIGHT_NS
from tests.vp.programs.test_serve_live import serving

pytestmark = pytest.mark.browser

MIDNIGHT_MS = NIGHT_NS // 1_000_000
BEFORE_SECONDS, AFTER_SECONDS = 90, 20
# Of a column of pixels of what lies over the map, how many are painted.
PAINTED = """(timeMs) => {
  const { width, data } = vp.image("overlay");
  const { height, ratio } = vp.state().size;
  const x = Math.round(vp.at(timeMs, 0).x * devicePixelRatio);
  let painted = 0;
  for (let y = 0; y < height * ratio; y += 1) painted += data[4 * (y * width + x) + 3] > 200 ? 1 : 0;
  return painted / (height * ratio);
}"""


def night(path: Path) -> tuple[Path, list[int]]:
    """A market around midnight UTC as a file, and the clock of each record, in ms from midnight on."""
    first = Rec(NIGHT_NS - (BEFORE_SECONDS + 1) * 10**9, "R", "N", 2**63 - 1, 0, 0, 128)
    records = [first, *market(NIGHT_NS, BEFORE_SECONDS, AFTER_SECONDS)]
    path.parent.mkdir(parents=True)
    path.write_bytes(header(symbols={"MNQH6": 1}) + b"".join(mbo(rec, 1, sequence=i) for i, rec in enumerate(records)))
    return path, [(rec.ts_event - NIGHT_NS) // 1_000_000 for rec in records]


@pytest.mark.long
def test_a_live_session_from_its_start_over_a_gap_and_over_midnight(browser: Browser, tmp_path: Path) -> None:
    file, clocks = night(directory(tmp_path / "whole") / "glbx-mdp3-20260209-20260210.mbo.dbn")
    lake = tmp_path / "lake"

    def until(second: float) -> int:
        return bisect.bisect_left(clocks, second * 1000)

    with (
        gateway(file, from_record=until(-70)) as feed,
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

        # the line breaks, what is missing is held no longer, and the snapshot is of the next minute
        feed.order("refuse")
        feed.fault("aged_out")
        feed.fault("fin", at=-1)
        expect(sign).to_have_text("feed: gap", timeout=20_000)
        expect(sign).to_have_attribute("data-sign", "bad")
        feed.publish(until(-50))
        feed.order("listen")
        page.wait_for_function("() => vp.gaps().some(({ open }) => !open)", timeout=30_000)
        feed.publish(until(-40))
        expect(sign).to_have_text("feed live", timeout=20_000)
        (gap,) = page.evaluate("() => vp.gaps()")
        assert -71_000 < gap["startMs"] - MIDNIGHT_MS < -69_000
        assert -61_000 < gap["endMs"] - MIDNIGHT_MS < -49_000
        expect(page.locator("#hatched")).to_contain_text(
            f"dense hatching: gap of the feed, never recorded: {gap['reason']}"
        )
        page.keyboard.press("i")
        panel = page.locator("#trust")
        expect(panel).to_contain_text(gap["reason"])
        stages = "Exchange to Databento|Databento to here|Here to frame|Frame to wire|Wire to paint"
        expect(panel).to_contain_text(re.compile(stages.replace("|", ".*"), re.DOTALL))
        expect(panel.locator("tr", has_text="Here to frame").locator("td")).to_have_text(
            re.compile(r"^[\d.]+ / [\d.]+$")
        )
        page.keyboard.press("i")

        logins = len(feed.state()["logins"])
        feed.publish(until(4))
        feed.wait(lambda state: len(state["logins"]) > logins)
        feed.publish()
        expect(page.locator("#session")).to_contain_text("2026-02-10", timeout=30_000)
        last = f"() => vp.state().newestMs > {MIDNIGHT_MS + (AFTER_SECONDS - 2) * 1000} && vp.state().idle"
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
    true = frames(tmp_path / "whole", "MNQH6", "2026-02-10")
    assert newest["score"] == pytest.approx(true["score"][-1].as_py(), abs=1e-6)


@pytest.mark.long
def test_a_past_that_comes_is_said_to_be_one_and_is_whole_once_it_has_come(browser: Browser, tmp_path: Path) -> None:
    """An hour of a busy market within seconds, before the eyes of a page that holds a quarter of an hour."""
    file = directory(tmp_path / "whole") / "glbx-mdp3-20260206.mbo.dbn"
    busy_market.write(file, {"MNQH6": 1}, [busy_market.even_times(4500, 1600)])
    with (
        gateway(file, from_record=900 * 1600) as feed,
        serving(feed, tmp_path / "lake", "--symbol", "MNQ", "--live-from", "week", "--throttle-ms", "250") as (_, port),
        watched_page(browser) as page,
    ):
        page.goto(f"http://127.0.0.1:{port}{PAGE}")
        expect(page.locator("#feed")).to_have_text("feed live", timeout=60_000)
        page.wait_for_function("() => vp.state().columns > 100")
        page.evaluate("""() => {
          window.said = [];
          const sign = document.getElementById("feed");
          const look = () => window.said.push([sign.textContent, vp.state().columns]);
          new MutationObserver(look).observe(sign, { childList: true, characterData: true, subtree: true });
        }""")
        before = page.evaluate("() => vp.state().columns")
        feed.publish()
        whole = f"() => vp.state().newestMs > {busy_market.START_NS // 10**6 + 4_499_000} && vp.state().holes === 0"
        page.wait_for_function(f"{whole} && vp.state().filled > 4000 && vp.state().idle", timeout=120_000)
        expect(page.locator("#feed")).to_have_text("feed live", timeout=20_000)
        said = page.evaluate("() => window.said")
        behind = [columns for text, columns in said if re.fullmatch(r"feed catching up, \d.* behind", text)]
        assert behind, said
        assert max(behind) < before + 5000, "a page does not take all of it while it comes"
        events = page.evaluate("() => vp.events()")
    true = frames(tmp_path / "whole", "MNQH6", throttle_ms=250)["event_id"].to_pylist()
    assert events == true[true.index(events[0]) :]
    assert len(events) > 14_000
