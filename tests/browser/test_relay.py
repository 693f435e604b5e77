"""The page of a relay says how long messages take to it from the server that plays the session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.faulty_proxy import FaultyProxy
from tests.browser.probe import PAGE
from tests.browser.programs import Server

pytestmark = [pytest.mark.browser, pytest.mark.long]

SESSION = "?start_time=09:31&throttle_ms=200"
DELAY_SECONDS = 5  # half of what a ping takes counts


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[FaultyProxy]:
    made = FaultyProxy(int(server.address.rsplit(":", 1)[1]))
    yield made
    made.end()


@pytest.fixture(scope="module")
def relay(proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    lake: Path = tmp_path_factory.mktemp("relay")
    running = Server(lake, "--upstream", proxy.address.replace("http", "ws"))
    yield running
    assert running.stop() == 0


def test_how_long_the_way_to_a_relay_takes_is_shown_and_late_is_a_bad_sign(
    page: Page, server: Server, relay: Server, proxy: FaultyProxy
) -> None:
    connection = page.locator("#connection")
    page.goto(f"{server.address}{PAGE}{SESSION}")
    expect(connection).to_have_text("live", timeout=30_000)
    page.goto(f"{relay.address}{PAGE}{SESSION}")
    expect(connection).to_have_text(re.compile(r"^live, relayed in \d{1,3} ms$"), timeout=30_000)
    expect(connection).to_have_attribute("data-sign", "good")
    expect(connection).to_have_attribute("title", re.compile("after they leave the server that plays this session"))
    proxy.rules(delay_seconds=DELAY_SECONDS)
    expect(connection).to_have_text(re.compile(r"^live, relay [2-5]\.\d s behind$"), timeout=60_000)
    expect(connection).to_have_attribute("data-sign", "bad")
