"""What the server has to say of a session's records, above the picture: while it holds, and until it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.probe import PAGE, open_page
from tests.browser.programs import Server
from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, market, put
from tests.oracle_book import Rec

pytestmark = [pytest.mark.browser, pytest.mark.long]

HOUR = 3600 * 1_000_000_000
RECORDS = market(FUTURES_OPEN_NS, 10, 10)
AT = len(RECORDS) // 2
STRAY = Rec(FUTURES_OPEN_NS + 5 * HOUR, "A", "B", 99_000_000_000, 1, 777, 128)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Friday that is cut at 09:30:10, and a Thursday with a record in its middle that is stamped five hours ahead."""
    lake: Path = tmp_path_factory.mktemp("told")
    for date, shift, records in ((6, 0, RECORDS), (5, 24 * HOUR, [*RECORDS[:AT], STRAY, *RECORDS[AT:]])):
        shifted = [one._replace(ts_event=one.ts_event - shift) for one in records]
        head = header(end_ns=FUTURES_OPEN_NS + 9 * HOUR + HOUR // 2 - shift)
        put(lake, "future_mbo", "MNQ", f"glbx-mdp3-2026020{date}.mbo.dbn", head + b"".join(map(mbo, shifted)))
    server = Server(lake, "--product-type", "future_mbo", "--symbol", "MNQ", "--dt", "2026-02-06", "--speed", "20")
    yield server
    server.end()


def test_an_end_that_is_too_early_and_a_record_that_is_hours_away_are_told(browser: Browser, server: Server) -> None:
    page = open_page(browser)
    words, close = page.locator("#remark-words"), page.locator("#remark-close")
    page.goto(f"{server.address}{PAGE}?speed=20")
    expect(words).to_contain_text(
        "Incomplete at the end: the last record of glbx-mdp3-20260206.mbo.dbn", timeout=30_000
    )
    expect(words).to_contain_text("is of 2026-02-06 09:30:10 ET, and trading goes on until 2026-02-06 17:00:00 ET")
    close.click()
    expect(words).to_be_hidden()
    page.goto(f"{server.address}{PAGE}?dt=2026-02-05&speed=20")
    expect(words).to_contain_text("No record is due before 2026-02-05 14:30:00 ET", timeout=30_000)
    expect(words).to_contain_text(f"though {len(RECORDS) - AT} of the")
    close.click()
    page.wait_for_timeout(2500)  # two statuses say it again
    expect(words).to_be_hidden()
    page.close()
