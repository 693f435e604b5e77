"""A real server over the demonstration session, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=20_000)  # a page that paints in software beside other work is slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """`python -m vp.serve` in a process of its own."""

    def __init__(self, lake: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vp.serve", "--lake", str(lake), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        printed = []
        for line in self.process.stdout:
            printed.append(line)
            found = re.search(r"(http://127\.0\.0\.1:\d+)/vacuum-pressure\.html", line)
            if found:
                self.address = found.group(1)
                return
        raise AssertionError(f"the server ended before it served: {''.join(printed)}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def end(self) -> None:
        """See to it that it has ended, however the test did."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


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
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    opened.close()
    assert not wrong
