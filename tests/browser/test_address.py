"""The address, settings as a file and workspaces bring back what was seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.path_proxy import PathProxy
from tests.browser.probe import IDLE, NEWEST, PAGE, PLACE, live, open_page, watched_page
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def page(either_browser: Browser) -> Iterator[Page]:
    with watched_page(either_browser) as opened:
        yield opened


HASH = "() => new URLSearchParams(location.hash.slice(1))"
SETTINGS = "() => vp.state().settings"
CHANGED = {"palette": "purple", "transfer": "log", "mode": "vacuum", "zone": "CT"}


def changed_page(page: Page) -> None:
    """Other colours, another view, a layer less, a number, cut-offs of one's own, and a pause."""
    page.select_option("#mode", "vacuum")
    page.select_option("#palette", "purple")
    page.select_option("#transfer", "log")
    page.locator("#layers > summary").click()
    page.select_option("#zone", "CT")
    page.uncheck("#layer-profile")
    page.fill("#layer-least", "")
    page.locator("#layer-least").press_sequentially("7")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.locator("#chart").focus()
    page.keyboard.press("f")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")
    page.wait_for_function(IDLE)


def in_the_address(page: Page) -> str:
    """The address, once it says where the view ends."""
    page.wait_for_function(
        "() => Math.abs(new URLSearchParams(location.hash.slice(1)).get('end') - vp.view().endMs) < 0.01"
    )
    return page.url


def same_place(page: Page, place: dict[str, float]) -> None:
    page.wait_for_function("() => window.vp && vp.state().columns > 40 && vp.state().idle", timeout=30_000)
    for name, value in page.evaluate(PLACE).items():
        assert value == pytest.approx(place[name], abs=0.01), name


def test_loading_again_and_a_sent_address_bring_back_what_was_seen(
    page: Page, either_browser: Browser, server: Server
) -> None:
    proxy = PathProxy(int(server.address.rsplit(":", 1)[1]), "/desk/vp")
    page.goto(f"{proxy.address}/desk/vp/?speed=5&start_time=09:33&throttle_ms=50")
    page.wait_for_function("() => window.vp && vp.state().columns > 200", timeout=30_000)
    changed_page(page)
    address = in_the_address(page)
    assert address.startswith(f"{proxy.address}/desk/vp{PAGE}?")
    assert len(address) < 1000
    for part in ("symbol=MNQ", "speed=5", "start_time=09%3A33", "throttle_ms=50", "mode=vacuum", "layers.profile=0"):
        assert part in address
    place, settings = page.evaluate(PLACE), page.evaluate(SETTINGS)
    scale = page.evaluate("() => vp.state().scale")
    assert settings.items() >= CHANGED.items()
    assert (settings["layers"]["profile"], settings["layers"]["least"]) == (False, 7)
    events = page.evaluate("() => vp.events(vp.view().endMs)")[-50:]

    page.reload()
    same_place(page, place)
    sent = open_page(either_browser)  # a browser that keeps nothing
    sent.goto(address)
    for each in (page, sent):
        same_place(each, place)
        assert each.evaluate("() => vp.view().following") is False
        assert each.evaluate(SETTINGS) == settings
        assert each.evaluate("() => vp.state().scale.upper") == pytest.approx(scale["upper"], rel=1e-5)
        assert each.input_value("#palette") == "purple"
        each.wait_for_function("(events) => events.every((event) => vp.events().includes(event))", arg=events)
    sent.close()

    page.keyboard.press("l")
    page.wait_for_function(f"() => ({HASH})().get('live') === '1'")
    page.reload()
    page.wait_for_function("() => window.vp && vp.state().columns > 40 && vp.view().following", timeout=30_000)
    assert page.evaluate(SETTINGS) == settings
    assert proxy.astray == []
    proxy.close()


def test_each_setting_is_in_the_address_as_soon_as_it_is_made(page: Page, server: Server) -> None:
    live(page, server, "?start_time=09:31&speed=5", columns=60)
    page.keyboard.press(" ")
    in_the_address(page)
    said = page.evaluate(
        """() => [["palette", "purple"], ["transfer", "log"], ["mode", "net"]].map(([id, value]) => {
          const list = document.getElementById(id);
          list.value = value;
          list.dispatchEvent(new Event("change"));
          return new URLSearchParams(location.hash.slice(1)).get(id);
        })"""
    )
    assert said == ["purple", "log", "net"]  # whoever loads the page again now loses none of them
    changes, seconds = page.evaluate(
        """() => {
          let changes = 0;
          const began = performance.now();
          const replace = history.replaceState.bind(history);
          history.replaceState = (...given) => { changes += 1; replace(...given); };
          const list = document.getElementById("palette");
          for (let i = 0; i < 200; i += 1) {
            list.value = i % 2 ? "purple" : "blue";
            list.dispatchEvent(new Event("change"));
          }
          return [changes, (performance.now() - began) / 1000];
        }"""
    )
    assert 1 <= changes <= 21 + 8 * seconds  # browsers refuse more than some hundred in ten
    page.wait_for_function(f"() => ({HASH})().get('palette') === 'purple'")


# The times that the page has shown as the market's.
WATCH_CLOCK = """addEventListener("DOMContentLoaded", () => {
  const clock = document.getElementById("clock");
  window.clocks = [];
  const changed = new MutationObserver(() => clocks.push(clock.textContent));
  if (clock) changed.observe(clock, { childList: true, characterData: true, subtree: true });
});"""


def begun(page: Page, server: Server, minute: int, *, speed: int) -> tuple[int, float]:
    """A session from some minutes past nine on, in view; when its day begins, ms UTC, and the price in the middle."""
    page.add_init_script(WATCH_CLOCK)
    page.goto(f"{server.address}{PAGE}?start_time=09:{minute}&speed={speed}")
    page.wait_for_function("() => window.vp && vp.state().columns > 40", timeout=30_000)
    emit_from_ms = page.evaluate("() => Number(BigInt(vp.config().emit_from_ns) / 1000000n)")
    return emit_from_ms - (9 * 60 + minute) * 60_000, page.evaluate(PLACE)["centre"]


def test_an_address_of_a_time_that_the_server_does_not_hold_begins_there(page: Page, server: Server) -> None:
    """The run from 09:31 on comes to 10:20 in an hour, and never to 09:18: of its beginning nothing is shown."""
    day_ms, centre = begun(page, server, 31, speed=1)
    for minute in (10 * 60 + 20, 9 * 60 + 18):
        end = day_ms + minute * 60_000
        page.goto("about:blank")
        page.goto(
            f"{server.address}{PAGE}?start_time=09:31&speed=1#end={end}&span=120000&rows=80&centre={centre}&palette=cyan"
        )
        page.wait_for_function(f"() => window.vp && Math.abs(({NEWEST})() - {end}) < 30000", timeout=30_000)
        place = page.evaluate(PLACE)
        assert (place["end"], place["span"], place["rows"]) == (end, 120_000, 80)
        page.wait_for_function(f"() => vp.events({end}).length - vp.events({end} - 100000).length > 60", timeout=20_000)
        assert page.evaluate("() => vp.view().following") is False
        assert page.evaluate(SETTINGS)["palette"] == "cyan"
        shown = page.evaluate("() => window.clocks")
        earliest, latest = (f"{(minute + by) // 60:02}:{(minute + by) % 60:02}:00" for by in (-3, 1))
        assert shown
        # on a busy machine a page misses some of the context, and shows what it has until the rest is fetched
        assert all(earliest < clock < latest for clock in shown) or page.evaluate("() => vp.state().missed") > 0, shown


def test_an_address_of_a_time_that_comes_soon_is_waited_for(page: Page, server: Server) -> None:
    """The run comes to the picture within some seconds: until then nothing else is shown."""
    day_ms, centre = begun(page, server, 33, speed=10)
    page.goto("about:blank")
    begin, end = (day_ms + (9 * 60 + minute) * 60_000 for minute in (34, 36))
    page.goto(
        f"{server.address}{PAGE}?start_time=09:33&speed=10&throttle_ms=31#end={end}&span=120000&rows=80&centre={centre}"
    )
    expect(page.locator("#progress-text")).to_contain_text("On the way to 09:34:00: ", timeout=30_000)
    page.wait_for_function(
        f"() => window.vp && vp.state().paints > 0 && ({NEWEST})() > {begin + 20_000}", timeout=60_000
    )
    expect(page.locator("#loading")).to_be_hidden()
    shown = page.evaluate("() => window.clocks")
    assert shown
    assert min(shown) >= "09:33:59", shown
    assert (page.evaluate(PLACE)["end"], page.evaluate("() => vp.view().following")) == (end, False)


def test_what_means_nothing_in_an_address_is_said_once_and_passed_over(page: Page, server: Server) -> None:
    page.goto(
        f"{server.address}{PAGE}?start_time=09:31&speed=5&utm=1&throttle_ms=soon"
        "#palette=pink&rows=-3&end=1e99&cutoffs.pair=5..2&layers.bbo=maybe&layers.no=1&transfer=linear&%00=%ff"
    )
    words = page.locator("#remark-words")
    expect(words).to_contain_text("Passed over in the address", timeout=30_000)
    expect(words).to_contain_text("“palette=pink”")
    expect(words).to_contain_text("and 4 more")
    expect(words).to_contain_text("throttle_ms was 'soon', expected a number")  # the server's own words
    page.click("#remark-close")
    page.wait_for_function("() => window.vp && vp.state().columns > 40 && vp.view().following", timeout=30_000)
    assert page.evaluate(SETTINGS).items() >= {"palette": "blue", "transfer": "linear"}.items()
    page.wait_for_function("() => !location.href.includes('pink') && !location.href.includes('utm')")
    page.evaluate("() => { location.hash = '#palette=heat&nonsense=2'; }")  # typed by hand while the page is open
    expect(words).to_contain_text("“nonsense=2”")
    page.wait_for_function("() => vp.state().settings.palette === 'heat'")
    page.evaluate("(long) => { location.hash = long; }", "#a=" + "x" * 10_000)
    expect(words).to_contain_text("10002 characters")
    for end in ("0", "1e15"):
        page.evaluate("(end) => { location.hash = `#end=${end}`; }", end)
        expect(words).to_contain_text("a time that is none of this session: it is shown live")
        page.wait_for_function("() => vp.view().following")
        page.click("#remark-close")


def imported(page: Page, tmp_path: Path, file: Any) -> str:
    """What the page says to a file of settings."""
    path = tmp_path / "settings.json"
    path.write_text(file if isinstance(file, str) else json.dumps(file))
    page.set_input_files("#settings-file", path)
    expect(page.locator("#remark")).to_be_visible()
    words = page.locator("#remark-words").inner_text()
    page.click("#remark-close")
    return words


def test_settings_are_a_file_that_is_read_back_whole_or_not_at_all(
    page: Page, either_browser: Browser, server: Server, tmp_path: Path
) -> None:
    live(page, server, "?start_time=09:31&speed=5")
    changed_page(page)
    settings = page.evaluate(SETTINGS)
    page.locator("#keep > summary").click()
    page.fill("#workspace-name", "morning")
    page.click("#workspace-save")
    written = page.evaluate("async () => (await import('./settings-file.js')).settingsFile()")
    if either_browser.browser_type.name == "chromium":  # of Debian's Firefox no download is reported
        with page.expect_download() as waiting:
            page.click("#settings-export")
        assert waiting.value.suggested_filename == "vacuum-pressure-settings.json"
        assert Path(waiting.value.path()).read_text() == written
    file = json.loads(written)
    assert (file["format"], file["version"]) == ("vacuum-pressure-settings", 1)
    assert file["settings"]["future_mbo.MNQH6"] == settings
    assert file["workspaces"]["morning"].startswith("?")

    other = open_page(either_browser)  # another browser
    live(other, server, "?start_time=09:31&speed=5")
    before = other.evaluate(SETTINGS)
    bad = {**file, "settings": {"any": {**settings, "palette": "pink"}}}
    assert 'palette is "pink"; expected one of blue, purple' in imported(other, tmp_path, bad)
    bad["settings"] = {"any": {"layers": {"least": -1}}}
    assert "layers.least is -1; expected a number from 0 to" in imported(other, tmp_path, bad)
    assert "is no JSON" in imported(other, tmp_path, "{")
    assert "no settings file" in imported(other, tmp_path, {"settings": {}})
    assert "reads versions up to 1" in imported(other, tmp_path, {**file, "version": 2})
    assert "means nothing here" in imported(other, tmp_path, {**file, "workspaces": {"a": "?#palette=pink"}})
    assert "no address" in imported(other, tmp_path, {**file, "workspaces": {"a": "https://example.com/"}})
    assert other.evaluate(SETTINGS) == before
    assert other.evaluate("() => localStorage.getItem('vp.workspaces')") is None
    file["settings"]["future_mbo.MNQH6"]["of tomorrow"] = 1
    assert "hold now" in imported(other, tmp_path, file)
    assert other.evaluate(SETTINGS) == settings
    assert other.input_value("#mode") == "vacuum"
    other.wait_for_function("() => location.hash.includes('palette=purple')")
    other.close()


def test_workspaces_are_saved_opened_and_deleted_by_name(page: Page, server: Server) -> None:
    live(page, server, "?start_time=09:31&speed=5")
    changed_page(page)
    place, settings = page.evaluate(PLACE), page.evaluate(SETTINGS)
    page.locator("#keep > summary").click()
    expect(page.locator("#workspace-open")).to_be_disabled()
    page.fill("#workspace-name", "vacuum, paused")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.locator("#chart").focus()
    page.keyboard.press("l")
    page.select_option("#palette", "heat")
    page.select_option("#mode", "net")
    page.locator("#keep > summary").click()
    page.select_option("#workspace", "vacuum, paused")
    page.click("#workspace-open")
    page.wait_for_function("() => window.vp && vp.state().settings.palette === 'purple'")
    assert page.evaluate(SETTINGS) == settings
    same_place(page, place)
    page.locator("#keep").evaluate("(menu) => { menu.open = true; }")
    page.click("#workspace-delete")
    expect(page.locator("#workspace")).to_contain_text("none saved")
    assert page.evaluate("() => localStorage.getItem('vp.workspaces')") == "{}"


def test_settings_are_forgotten_at_once(page: Page, server: Server) -> None:
    live(page, server, "?start_time=09:31&speed=5")
    page.select_option("#palette", "heat")
    page.locator("#keep > summary").click()
    page.click("#forget")
    assert page.evaluate(SETTINGS)["palette"] == "blue"
    page.goto(f"{server.address}{PAGE}?start_time=09:31&speed=5")
    page.wait_for_function("() => window.vp && vp.state().columns > 0", timeout=30_000)
    assert page.evaluate(SETTINGS)["palette"] == "blue"
