"""Firefox as Debian ships it, driven by Playwright like Chromium is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

from tests.places import ROOT

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
#: Firefox has WebGL (llvmpipe, in software) where there is an X server to ask for it, headless too.
XVFB = shutil.which("Xvfb")
PREFERENCES: dict[str, str | float | bool] = {
    "webgl.force-enabled": True,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.newtabpage.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1/",
}
#: By the browser: where its relay finds the scale of the screen.
_scale_files: dict[int, Path] = {}


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """The environment of a browser that has an X server of its own, or of one without."""
    if XVFB is None:
        yield dict(os.environ)
        return
    reads, writes = os.pipe()
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(writes), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
        pass_fds=[writes],
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    with os.fdopen(reads) as numbers:
        display = numbers.readline().strip()
    try:
        yield {**os.environ, "DISPLAY": f":{display}"} if display else dict(os.environ)
    finally:
        server.terminate()
        server.wait()


@contextmanager
def started_firefox(
    playwright: Playwright, directory: Path, preferences: dict[str, str | float | bool] | None = None
) -> Iterator[Browser]:
    """A headless Firefox; `preferences` as about:config names them, `directory` for the program that starts it."""
    assert FIREFOX is not None
    starter = directory / "firefox"
    scale_file = directory / "scale"
    command = shlex.join([sys.executable, "-m", "tests.browser.firefox_relay", str(scale_file), FIREFOX])
    starter.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {command} "$@"\n', encoding="utf-8")
    starter.chmod(0o755)
    with screen() as environment:
        browser = playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=starter,
            firefox_user_prefs={**PREFERENCES, **(preferences or {})},
            env=dict(environment),
        )
        _scale_files[id(browser)] = scale_file
        yield browser
        del _scale_files[id(browser)]
        browser.close()


def set_screen_scale(page: Page, scale: float) -> None:
    """The window comes to a screen of another scale, its size in CSS px unchanged; in Chromium or Firefox."""
    size = page.viewport_size
    browser = page.context.browser
    assert size is not None
    assert browser is not None
    if browser.browser_type.name == "firefox":
        _scale_files[id(browser)].write_text(str(scale), encoding="ascii")
        page.set_viewport_size(size)
    else:
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": scale, "mobile": False})
    page.wait_for_function("(scale) => devicePixelRatio === scale", arg=scale)
