from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests import lakes
from vp.model.pipeline import prepare
from vp.model.recording import record
from vp.model.session import SessionSpec
from vp.query import connect

FILE = "xnas-itch-20260708.mbo.dbn"


def fill(lake: Path) -> Path:
    """A lake with one equity session from 08:59 to 09:01, its cached book of 09:00, and a recording."""
    records = lakes.market(lakes.OPEN_NS - 1800 * 10**9)
    lakes.put(lake, "equity_mbo", "GOOD", FILE, lakes.dbn("GOOD", 1, records))
    prepare(SessionSpec(**lakes.GOOD, lake=str(lake))).close()
    session = prepare(SessionSpec("equity_mbo", "GOOD", lakes.DATE, throttle_ms=0.0, lake=str(lake)))
    (lake / "recordings").mkdir()
    assert record(session, lake / "recordings" / "good.parquet") > 400
    session.close()
    return lake


@pytest.fixture(scope="session")
def asked_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of `fill`, which no test changes."""
    return fill(tmp_path_factory.mktemp("asked") / "lake")


@pytest.fixture(scope="module")
def asked(asked_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(asked_lake, symbol="GOOD", dt=lakes.DATE, start_time="09:30") as connection:
        yield connection
