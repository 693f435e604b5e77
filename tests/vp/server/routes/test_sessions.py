"""The list of sessions: what it tells of a lake, and how often the lake is looked at for it."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, preparing, serving
from vp.lake import seen
from vp.lake.lake import Lake
from vp.server.app import Service
from vp.server.routes import sessions
from vp.server.routes.sessions import Listing, SessionCatalogue, list_sessions

PRODUCT = "raw/source=databento/product_type=future_mbo"
PAST = 1_600_000_000


def put(lake: Path, symbol: str, date: str, size_bytes: int = 1) -> Path:
    raw = lake / PRODUCT / f"symbol={symbol}/table=market_by_order_dbn/glbx-mdp3-{date}.mbo.dbn"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_bytes(bytes(size_bytes))
    os.utime(raw, (PAST, PAST))
    return raw


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The directories that are read, as they are."""
    names: list[str] = []
    listdir = os.listdir

    def recorded(directory: Any) -> list[str]:
        names.append(str(directory))
        return listdir(directory)

    monkeypatch.setattr(os, "listdir", recorded)
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what was changed just now for what was changed long ago, and let listings follow at once."""
    monkeypatch.setattr(seen, "GRANULARITY_NS", -60 * 10**9)
    monkeypatch.setattr(sessions, "LISTING_SHARE", float("inf"))


def test_the_catalogue_lists_the_lake(tmp_path: Path) -> None:
    assert list_sessions(Lake(tmp_path)) == []
    put(tmp_path, "ES", "20231225")
    [entry] = list_sessions(Lake(tmp_path))
    assert (entry["symbol"], entry["dt"], entry["source"]) == ("ES", "2023-12-25", "databento")
    assert "19:00 ET" in entry["hours_et"]


@pytest.mark.usefixtures("settled")
def test_directories_are_read_again_when_one_has_changed(tmp_path: Path, read: list[str]) -> None:
    raw = put(tmp_path, "ES", "20231225")
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))

    def held() -> list[tuple[str, str]]:
        return [(entry["symbol"], entry["dt"]) for entry in catalogue().sessions]

    assert held() == [("ES", "2023-12-25")]
    read.clear()
    assert catalogue() is catalogue()
    assert read == [], "a look at each directory suffices"
    put(tmp_path, "ES", "20231226")
    assert held() == [("ES", "2023-12-25"), ("ES", "2023-12-26")]
    put(tmp_path, "MNQ", "20231226")
    assert held()[2:] == [("MNQ", "2023-12-26")]
    (tmp_path / "products.yaml").write_text('futures:\n  ZZZ: {tick: "0.25", multiplier: 50}\n')
    put(tmp_path, "ZZZ", "20231226")
    assert held()[3:] == [("ZZZ", "2023-12-26")]
    raw.unlink()
    assert ("ES", "2023-12-25") not in held()
    read.clear()
    assert len(held()) == 3
    assert read == []


def test_what_may_have_changed_in_the_same_tick_is_read_again(tmp_path: Path, read: list[str]) -> None:
    put(tmp_path, "ES", "20231225")
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))
    catalogue()
    read.clear()
    time.sleep(0.05)
    catalogue()
    assert read, "its directories are younger than times of change are exact"


@pytest.mark.usefixtures("settled")
def test_a_file_that_is_being_written_is_looked_at_again(tmp_path: Path) -> None:
    raw = put(tmp_path, "ES", "20231225")
    os.utime(raw)
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))
    assert catalogue().sessions[0]["size_bytes"] == 1
    with raw.open("ab") as file:  # its directory does not change
        file.write(b"more")
    assert catalogue().sessions[0]["size_bytes"] == 5


@pytest.mark.usefixtures("settled")
def test_the_same_lake_is_looked_into_again_now_and_then(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "ES", "20231225")
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))
    catalogue()
    read.clear()
    monkeypatch.setattr(seen, "MOST_AGE_NS", 0)
    catalogue()
    assert read


def test_a_lake_that_changes_all_the_time_is_not_listed_all_the_time(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LISTING_SHARE", 1e-9)
    put(tmp_path, "ES", "20231225")
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))
    catalogue()
    read.clear()
    put(tmp_path, "ES", "20231226")
    assert len(catalogue().sessions) == 1
    assert read == []


@pytest.mark.usefixtures("settled")
def test_what_cannot_be_looked_at_is_told_below_the_lake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = put(tmp_path, "ES", "20231225")
    odd = Path(os.fsdecode(os.fsencode(raw.parent) + b"/glbx-mdp3-20231224.mbo.dbn"))
    odd.symlink_to(odd.name)
    catalogue = SessionCatalogue(lambda: Lake(tmp_path))
    listing = catalogue()
    assert [entry["dt"] for entry in listing.sessions] == ["2023-12-25"]
    (told,) = listing.passed_over
    assert told["path"] == str(odd.relative_to(tmp_path))
    assert "symbolic links" in told["why"]
    assert listing.passed_over_count == 1
    assert str(tmp_path) not in caplog.text
    assert "is passed over" in caplog.text


def test_more_sessions_than_a_list_may_have_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    for date in ("20231225", "20231226", "20231227"):
        put(tmp_path, "ES", date)
    listing = SessionCatalogue(lambda: Lake(tmp_path))()
    assert ([entry["dt"] for entry in listing.sessions], listing.left_out) == (["2023-12-25", "2023-12-26"], 1)


def entries(count: int) -> Listing:
    return Listing([{"symbol": "ES", "dt": str(number)} for number in range(count)], 7, [{"path": "a", "why": "b"}], 1)


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[int], threading.Event]]:
    """The address of a server, how often its catalogue was asked, and what it waits for when asked."""
    calls: list[int] = []
    may_go_on = threading.Event()
    may_go_on.set()
    listing = entries(request.param)

    def catalogue() -> Listing:
        calls.append(1)
        assert may_go_on.wait(20)
        return listing

    prepare = preparing(lambda _request: TinySession(even_clocks(10)))
    with serving(Service(DEFAULTS, prepare, catalogue=catalogue)) as running:
        yield f"{running.http}/v1/vacuum-pressure/sessions", calls, may_go_on


def ask(address: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as response:
        return response.read(), {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.parametrize("served", [3, 60_000], indirect=True)
def test_it_comes_plain_or_compressed_and_is_the_same(served: tuple[str, list[int], threading.Event]) -> None:
    address, _calls, _ = served
    plain, told = ask(address)
    packed, told_packed = ask(address, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed) == plain
    assert told_packed["content-encoding"] == "gzip"
    assert "content-encoding" not in told
    for headers in (told, told_packed):
        assert headers["content-type"] == "application/json"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    body = json.loads(plain)
    assert body["sessions"][-1] == {"symbol": "ES", "dt": str(len(body["sessions"]) - 1)}
    assert (body["sessions_left_out"], body["passed_over"], body["passed_over_count"]) == (
        7,
        [{"path": "a", "why": "b"}],
        1,
    )
    assert body["default"]["symbol"] == DEFAULTS.symbol
    assert int(told.get("content-length", len(plain))) == len(plain)


@pytest.mark.parametrize("served", [3], indirect=True)
def test_those_who_ask_at_once_wait_for_one_listing(served: tuple[str, list[int], threading.Event]) -> None:
    address, calls, may_go_on = served
    may_go_on.clear()
    asking = [threading.Thread(target=ask, args=(address,)) for _ in range(20)]
    for one in asking:
        one.start()
    deadline = time.monotonic() + 10
    while not calls and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    assert len(calls) == 1
    may_go_on.set()
    for one in asking:
        one.join(20)
    assert len(calls) <= 2, "one may have come after the answer"
