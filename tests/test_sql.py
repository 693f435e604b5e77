"""Every named query of sql/: its columns and types are those of its header, and its values those of the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests import lakes
from tests.oracle_book import Rec
from tests.vp.query.conftest import fill
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.query import catalogue, connect

NAMES = sorted(catalogue.load())
WITHOUT_ROWS = {"volume_by_price"}  # the lake's market has no trades
TAKES = {"queue_at_price": {"at_price": "99.99"}}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("sql") / "lake")


@pytest.fixture(scope="module")
def asked(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(lake, symbol="GOOD", dt=lakes.DATE, start_time="09:30") as connection:
        yield connection


@pytest.fixture(scope="module")
def events(lake: Path) -> Events:
    path = next(lake.rglob("*.dbn"))
    return read_events(DbnFile(path))


def answer(connection: duckdb.DuckDBPyConnection, name: str, **given: str) -> pa.Table:
    query = catalogue.find(name)
    relation = connection.sql(query.sql, params=query.values(given) or None)
    return relation.to_arrow_table()


def column(table: pa.Table, name: str) -> list[Any]:
    return table[name].to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_types_are_those_of_the_header(name: str, asked: duckdb.DuckDBPyConnection) -> None:
    query = catalogue.find(name)
    relation = asked.sql(query.sql, params=query.values(TAKES.get(name, {})) or None)
    kinds = [str(kind).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for kind in relation.types]
    assert list(zip(relation.columns, kinds, strict=True)) == [(column, kind) for column, kind, _ in query.columns]
    assert all(meaning for _, _, meaning in query.columns)
    assert (len(relation.to_arrow_table()) > 0) == (name not in WITHOUT_ROWS)
    assert query.example.startswith(f"python -m vp.query {name}")
    for parameter in query.parameters:  # it is really taken, and a macro's argument would hide a column of its name
        assert f"${parameter.name}" in query.sql
        assert parameter.name not in {column for column, _, _ in query.columns}


@pytest.mark.parametrize("name", NAMES)
def test_the_macro_gives_what_the_query_gives(name: str, asked: duckdb.DuckDBPyConnection) -> None:
    given = TAKES.get(name, {})
    arguments = ", ".join(f"{key} := {value}" for key, value in given.items())
    assert asked.sql(f"FROM {name}({arguments})").to_arrow_table().equals(answer(asked, name, **given))


def test_counts_agree_with_a_plain_count(asked: duckdb.DuckDBPyConnection, events: Events) -> None:
    by_action = answer(asked, "counts_by_action")
    plain = Counter(chr(code) for code in events.columns.action)
    assert dict(zip(column(by_action, "action"), column(by_action, "records"), strict=True)) == plain
    assert sum(column(by_action, "share")) == pytest.approx(1)
    assert sum(column(by_action, "size")) == int(events.columns.size.astype(np.int64).sum())
    by_side = answer(asked, "counts_by_side")
    sides = Counter((chr(a), chr(s)) for a, s in zip(events.columns.action, events.columns.side, strict=True))
    found = zip(column(by_side, "action"), column(by_side, "side"), column(by_side, "records"), strict=True)
    assert {(a, s): n for a, s, n in found} == sides
    by_flag = answer(asked, "counts_by_flag")
    assert dict(zip(column(by_flag, "flag"), map(int, column(by_flag, "records")), strict=True)) == {
        "LAST": len(events)
    }


def test_frame_rows(asked: duckdb.DuckDBPyConnection) -> None:
    found = answer(asked, "frame_rows")
    frames = asked.sql("SELECT * FROM frames ORDER BY ts_ns, event_id").to_arrow_table()
    assert len(found) == 101 * len(frames)
    last = found.slice(101 * (len(frames) - 1))
    assert column(last, "k") == list(range(-50, 51))
    spot = column(frames, "spot_price")[-1]
    bucket = column(asked.sql("SELECT bucket_int FROM recording").to_arrow_table(), "bucket_int")[0]
    assert column(last, "price") == [spot + k * bucket for k in range(-50, 51)]
    np.testing.assert_array_equal(last["pressure"].to_numpy(), frames["pressure"].to_pylist()[-1])


def test_buckets_of_negative_prices_round_down(tmp_path: Path) -> None:
    records = [
        Rec(lakes.OPEN_NS - 3600 * 10**9, "A", side, price, 1, n, lakes.F_LAST)
        for n, (side, price) in enumerate([("B", -1_260_000_000), ("B", -1_240_000_000), ("A", 1_250_000_000)])
    ]
    lakes.put(tmp_path, "equity_mbo", "QQQ", "xnas-itch-20260708.mbo.dbn", lakes.dbn("QQQ", 1, records))
    with connect(tmp_path, symbol="QQQ", dt=lakes.DATE, start_time="09:30", build=True) as connection:
        found = answer(connection, "depth_by_bucket")
    # Spot is bucket 0, as the middle of -1.24 and 1.25 is 0.005; 1.25 is half way and goes up.
    assert (column(found, "k"), column(found, "price")) == ([-3, -2, 3], [-1.5, -1.0, 1.5])
