"""A real server over the demonstration session, and real browsers: Chromium, and Firefox as Debian ships it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.firefox import FIREFOX, started_firefox
from tests.browser.known_page import KnownMarket, known_page, serve_known_market
from tests.browser.probe import watched_page
from tests.browser.programs import CHROMIUM, QUIET, Server
from tests.places import ROOT

expect.set_options(timeout=20_000)  # a page that paints in software beside other work is slow


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="session")
def server(lake: Path) -> Iterator[Server]:
    running = Server(lake, "--speed", "5")
    yield running
    assert running.stop() == 0


def needed(program: str | None, name: str) -> str:
    """The program of a browser, without which the test is skipped, or fails where browsers are required."""
    if program is None:
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail(f"VP_REQUIRE_BROWSER=1, but there is no {name} on the path")
        pytest.skip(f"no {name} on the path")
    return program


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which other tests' own would meet
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def planted_fault(request: pytest.FixtureRequest) -> Iterator[None]:
    """The page as it is, or with the fault that `tests.mutants.planting` asks for."""
    fault = getattr(request, "param", None)
    with fault.planted_in(ROOT) if fault else nullcontext():
        yield


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    program = needed(CHROMIUM, "Chromium")
    started = request.getfixturevalue("playwright").chromium.launch(executable_path=program, args=QUIET)
    yield started
    started.close()


@pytest.fixture(scope="module")
def browser(chromium: Browser, planted_fault: None) -> Browser:
    """Chromium. Whatever stands on it is made anew with each planted fault; it is not."""
    return chromium


@pytest.fixture(scope="module")
def firefox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """`Browser` as Playwright has it; see `tests.browser.firefox` for preferences, which stand for `color_scheme`."""
    needed(FIREFOX, "Firefox")
    with started_firefox(request.getfixturevalue("playwright"), tmp_path_factory.mktemp("firefox")) as started:
        yield started


@pytest.fixture(scope="module", params=["chromium", pytest.param("firefox", marks=pytest.mark.long)])
def either_browser(request: pytest.FixtureRequest, planted_fault: None) -> Browser:
    """One after the other. A module that asks for it runs twice, the second time in CI only."""
    found: Browser = request.getfixturevalue("browser" if request.param == "chromium" else "firefox")
    return found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def known_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = serve_known_market(tmp_path_factory.mktemp("known"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def market(browser: Browser, known_server: Server) -> Iterator[KnownMarket]:
    """One page of the known market for a whole module: each test shows what it looks at."""
    with known_page(browser, known_server) as shown:
        yield shown
