"""A real server over the demonstration session, and a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.probe import open_page
from tests.browser.programs import CHROMIUM, QUIET, Server

expect.set_options(timeout=20_000)  # a page that paints in software beside other work is slow


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="session")
def server(lake: Path) -> Iterator[Server]:
    running = Server(lake, "--speed", "5")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which other tests' own would meet
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail("VP_REQUIRE_BROWSER=1, but there is no Chromium on the path")
        pytest.skip("no Chromium on the path")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: an error in its console fails the test."""
    opened = open_page(browser)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    opened.close()
    assert not wrong
