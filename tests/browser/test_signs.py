"""Honest signs: what is late, silent, missing or refused on the way is said, with the number and the reason."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.faulty_proxy import FaultyProxy
from tests.browser.probe import CALM, PAGE, open_page
from tests.browser.programs import Server

pytestmark = pytest.mark.browser

SESSION = "?speed=1&start_time=09:31&throttle_ms=200"  # few frames: a busy machine adds no lateness of its own
DELAY_SECONDS = 4
CLOCKS = "() => ['clock', 'wall'].map((id) => document.getElementById(id).textContent)"
# The browser's clock is an hour fast.
FAST_CLOCK = "{ const now = Date.now; Date.now = () => now() + 3_600_000; }"
UNSTARTED = "getComputedStyle(document.getElementById('unstarted')).visibility"


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[FaultyProxy]:
    made = FaultyProxy(int(server.address.rsplit(":", 1)[1]))
    yield made
    made.end()


@pytest.fixture
def far_page(browser: Browser, proxy: FaultyProxy) -> Iterator[Page]:
    """A page behind the proxy, whose console tells of what is refused; the browser's clock is an hour fast."""
    proxy.rules()
    opened = open_page(browser, **CALM)
    opened.add_init_script(FAST_CLOCK)
    yield opened
    opened.close()


def test_a_line_that_is_late_is_late_by_the_clock_of_the_server(far_page: Page, proxy: FaultyProxy) -> None:
    far_page.goto(f"{proxy.address}{PAGE}{SESSION}")
    connection = far_page.locator("#connection")
    expect(connection).to_have_text("live", timeout=30_000)
    far_page.wait_for_function("() => window.vp && vp.latency('frame').count > 5", timeout=30_000)
    for stage in ("wire", "frame"):  # an hour of the browser's clock is no lateness
        assert far_page.evaluate(f"() => vp.latency('{stage}').p50") < 60_000
    expect(connection).to_have_text("live", timeout=30_000)
    proxy.rules(delay_seconds=DELAY_SECONDS)
    expect(connection).to_have_text(re.compile(r"^live, [4-9]\.\d s late$"), timeout=30_000)
    expect(connection).to_have_attribute("data-sign", "bad")
    expect(far_page.locator("#engine")).to_have_text("engine ok")
    expect(far_page.locator("#tab")).to_have_text("tab ok")
    far_page.wait_for_function(f"() => vp.latency('wire').p99 > {DELAY_SECONDS * 1000 - 200}", timeout=20_000)
    event, wall = far_page.evaluate(CLOCKS)
    assert event.startswith("09:3")
    assert wall.startswith("Wall clock ")
    wall = wall.split()[2]
    ours = far_page.evaluate("""() => new Intl.DateTimeFormat("en-GB", { timeZone: "America/New_York", hourCycle: "h23",
      hour: "2-digit", minute: "2-digit" }).format(Date.now() - 3_600_000)""")
    assert wall.startswith(ours) or wall.endswith((":00", ":59"))
    proxy.rules(silent=True)
    expect(connection).to_contain_text(re.compile(r"^stream silent \d+ s$"), timeout=20_000)  # ./health still answers
    expect(far_page.locator("#engine")).to_have_text("engine –")
    proxy.rules()
    expect(connection).to_have_text("live", timeout=20_000)


@pytest.mark.parametrize(
    ("refuse", "title", "sign"),
    [
        ({"/stream": 502, "/health": 502}, "refuses ./health: it answers 502", "lost: refused on the way, 502"),
        ({"/stream": 403}, "refuses its stream: it answers 403", "lost: refused on the way, 403"),
    ],
)
def test_a_proxy_that_refuses_is_named_with_its_status(
    far_page: Page, proxy: FaultyProxy, refuse: dict[str, int], title: str, sign: str
) -> None:
    """Then it lets the stream through, and the page goes on by itself."""
    proxy.rules(refuse=refuse)
    far_page.goto(f"{proxy.address}{PAGE}{SESSION}")
    expect(far_page.locator("#notice-title")).to_contain_text(title, timeout=20_000)
    expect(far_page.locator("#connection")).to_contain_text(sign)
    expect(far_page.locator("#loading")).to_be_hidden()
    proxy.rules()
    expect(far_page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(far_page.locator("#notice")).to_be_hidden()


def test_a_script_that_is_refused_is_named_with_its_status(far_page: Page, proxy: FaultyProxy) -> None:
    words = far_page.locator("#unstarted")
    proxy.rules(refuse={"/main.js": 403})
    far_page.goto(f"{proxy.address}{PAGE}")
    expect(words).to_contain_text("refuses main.js: it answers 403 Forbidden")
    expect(words).to_be_visible()
    proxy.rules(refuse={".js": 403})  # not even the module that would find it out comes
    far_page.emulate_media(reduced_motion="reduce")  # what only waits is no motion
    far_page.reload(wait_until="commit")
    expect(words).to_contain_text("something between this page and the server refuses scripts")
    assert far_page.evaluate(f"() => {UNSTARTED}") == "hidden"  # a page that only loads says nothing of the kind
    far_page.wait_for_function(f"() => {UNSTARTED} === 'visible'")
    proxy.rules()
    far_page.reload()
    expect(far_page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(words).to_have_count(0)


def test_a_server_that_hangs_is_silent_and_one_that_is_gone_does_not_answer(browser: Browser, server: Server) -> None:
    """Told from a market in which nothing happens, which test_silence.py has."""
    page = open_page(browser, **CALM)
    page.goto(f"{server.address}{PAGE}{SESSION}")
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    page.wait_for_function("() => window.vp && vp.state().columns > 0", timeout=30_000)
    server.process.send_signal(signal.SIGSTOP)
    try:
        expect(page.locator("#connection")).to_contain_text(re.compile(r"^server silent \d+ s$"), timeout=20_000)
        expect(page.locator("#engine")).to_have_text("engine –")
    finally:
        server.process.send_signal(signal.SIGCONT)
    expect(page.locator("#connection")).to_have_text("live", timeout=20_000)
    page.close()


def test_another_program_on_the_port_is_said_to_be_one(browser: Browser, proxy: FaultyProxy) -> None:
    page = open_page(browser, **CALM)
    proxy.rules()
    page.route("**/health", lambda route: route.fulfill(json={"application": "another"}))
    page.route_web_socket("**/stream**", lambda socket: socket.close())
    page.goto(f"{proxy.address}{PAGE}")
    expect(page.locator("#notice-title")).to_contain_text("another program", timeout=20_000)
    expect(page.locator("#notice-hint")).to_contain_text("--port")
    page.close()
