from __future__ import annotations

import asyncio
import datetime as dt
import errno
import json
import logging
from pathlib import Path

import pytest

from vp.errors import NoRawFileError
from vp.lake.lake import Lake
from vp.market.products import find_product
from vp.server import faults
from vp.server.faults import error_body, for_strangers, in_the_loop, unexpected


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (OSError(errno.ENOTCONN, "not connected"), logging.INFO),
        (ConnectionResetError(errno.ECONNRESET, "reset"), logging.INFO),
        (OSError(errno.EMFILE, "too many open files"), logging.WARNING),
        (ZeroDivisionError("a fault"), logging.ERROR),
    ],
)
def test_what_the_system_refuses_the_event_loop_is_one_line(
    error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        def fails() -> None:
            raise error

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(in_the_loop)
        loop.call_soon(fails)
        await asyncio.sleep(0.01)

    asyncio.run(main())
    [record] = caplog.records
    assert record.levelno == level
    assert bool(record.exc_info) is (level == logging.ERROR)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(faults, "_roots", [])
    root = tmp_path / "my lake"
    root.mkdir()
    faults.tell_below(root)
    return root


def test_strangers_are_told_places_within_the_lake_and_no_others(lake: Path) -> None:
    with pytest.raises(NoRawFileError) as caught:
        Lake(lake).inputs(find_product("future_mbo", "MNQ"), dt.date(2026, 2, 6))
    assert str(lake) in str(caught.value), "who runs the server is told all of it"
    told = error_body(caught.value)
    assert "in raw/source=databento/product_type=future_mbo/symbol=MNQ/" in told["message"]
    assert "under the lake there are no raw files at all" in told["message"]
    assert str(lake.parent) not in json.dumps(told)
    fault = unexpected(FileNotFoundError(2, "No such file or directory", f"{lake}/cache/x.arrow"), "The session")
    assert "'cache/x.arrow'" in error_body(fault)["message"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/srv/data/x.dbn is no DBN file.", "x.dbn is no DBN file."),
        ("No such file: '/root/.cache/a b/c.nbc'", "No such file: 'a b/c.nbc'"),
        ("GET /health lists them", "GET /health lists them"),
        ("ask /v1/vacuum-pressure/sessions", "ask /v1/vacuum-pressure/sessions"),
        ("https://trade.example/a/b", "https://trade.example/a/b"),
        ("BRK/B, and/or, 1/2/3", "BRK/B, and/or, 1/2/3"),
        ("lake/raw/x.dbn", "lake/raw/x.dbn"),
    ],
)
@pytest.mark.usefixtures("lake")
def test_of_other_paths_the_last_name_stays(text: str, told: str) -> None:
    assert for_strangers(text) == told
