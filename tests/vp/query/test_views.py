"""What the views give, and what they say where there is nothing to give."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from pyarrow import parquet

from tests import lakes
from tests.places import DATA, ROOT
from tests.vp.query.asked import PATIENT, rows
from tests.vp.query.conftest import fill
from vp import package_files
from vp.errors import BadParameterError, NoRecordingError, NoSessionError, QueryError
from vp.lake.lake import Lake
from vp.programs.query import main
from vp.programs.record import main as record
from vp.query import catalogue, connect
from vp.query.connection import choose_session, find_views
from vp.query.sandbox import ask
from vp.query.views import INVENTORY_VIEWS, RECORDING_VIEWS, SESSION_VIEWS

S = 10**9


@pytest.mark.parametrize("view", [*SESSION_VIEWS, *RECORDING_VIEWS, "depth()", "state_runs()", "rates_by_minute()"])
def test_without_a_session_a_view_of_one_tells_what_to_do(view: str, small_lake: Path) -> None:
    with pytest.raises(NoSessionError) as caught:
        ask(find_views(Lake(small_lake), None), f"FROM {view}", limits=PATIENT)
    assert "future_mbo MNQ 2026-02-06" in caught.value.message
    assert f'connect({str(small_lake)!r}, symbol="' in caught.value.hint
    with connect(small_lake) as connection, pytest.raises(duckdb.Error) as said:
        connection.sql(f"FROM {view}").fetchall()
    assert "NoSessionError" in str(said.value)
    assert "future_mbo MNQ 2026-02-06" in str(said.value)
    assert "symbol=" in str(said.value)
    assert "Traceback" not in str(said.value)


def test_an_empty_lake_says_that_it_is_one(tmp_path: Path) -> None:
    with pytest.raises(NoSessionError, match="holds none"):
        ask(find_views(Lake(tmp_path), None), "FROM events", limits=PATIENT)


def test_many_sessions_are_not_all_named(tmp_path: Path) -> None:
    for day in range(1, 29):
        lakes.put(tmp_path, "equity_mbo", "GOOD", f"xnas-itch-202607{day:02}.mbo.dbn", b"")
    with pytest.raises(NoSessionError, match="and 18 more"):
        ask(find_views(Lake(tmp_path), None), "FROM events", limits=PATIENT)


@pytest.mark.parametrize("view", ["frames", "recording", "frame_rows()"])
def test_without_a_recording_a_view_of_one_tells_what_to_do(view: str, small_lake: Path) -> None:
    lake = Lake(small_lake)
    views = find_views(lake, choose_session(lake, "GOOD", lakes.DATE))
    with pytest.raises(NoRecordingError, match="none of GOOD 2026-07-08"):
        ask(views, f"FROM {view}", limits=PATIENT)


def test_inventory_views_need_no_session(small_lake: Path) -> None:
    for view in INVENTORY_VIEWS:
        assert ask(find_views(Lake(small_lake), None), f"FROM {view}", limits=PATIENT).table.num_columns > 5


@pytest.fixture
def sql_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of sql/ that the product takes for its own."""
    (tmp_path / "vp").mkdir()
    (tmp_path / "vp" / "market").symlink_to(ROOT / "vp" / "market")
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    monkeypatch.setattr(package_files, "PACKAGE", tmp_path / "vp")
    catalogue.read_files.cache_clear()
    yield tmp_path / "sql"
    catalogue.read_files.cache_clear()


HEADER = "-- Purpose:    x\n-- Grain:      x\n-- Reads:      events\n-- Example:    x\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"-- Nonsense: x\nSELECT 1", "another form"),
        (b"SELECT 1", "no Purpose"),
        (b"\xff\xfe", "utf-8"),
        (HEADER.encode(), "no query after"),
        (HEADER.encode() + b"SELEC 1", "syntax error"),
        (HEADER.replace("events", "event, session").encode() + b"SELECT 1", "its Reads names 'event'"),
        (b"", "no Purpose"),
    ],
)
def test_one_file_that_is_no_query_breaks_no_other(
    text: bytes, says: str, sql_files: Path, asked_lake: Path, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (sql_files / "mine.sql").write_bytes(text)
    with caplog.at_level(logging.WARNING), connect(asked_lake, symbol="GOOD", dt=lakes.DATE) as connection:
        assert rows(connection, "SELECT sum(records)::INT FROM counts_by_action()") == [(558,)]
    assert [record.getMessage() for record in caplog.records if "sql/mine.sql cannot be used" in record.getMessage()]
    assert says in caplog.text
    session = ["--symbol", "GOOD", "--dt", lakes.DATE, "--lake", str(asked_lake)]
    assert main(["mine", *session]) == 2
    assert says in capsys.readouterr().err
    assert main(["counts_by_action", *session]) == 0
    assert main(["--list"]) == 0
    assert "mine" in capsys.readouterr().out
    if says != "syntax error":
        with pytest.raises(QueryError, match=r"sql/mine\.sql cannot be used"):
            catalogue.find("mine")


def test_a_named_query_may_call_another_wherever_that_stands_in_the_alphabet(
    sql_files: Path, asked_lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sql_files / "ahead.sql").write_text(HEADER + "SELECT sum(records)::INT AS n FROM counts_by_action()")
    (sql_files / "again.sql").write_text(HEADER + "FROM ahead()")
    (sql_files / "ring.sql").write_text(HEADER + "FROM ring()")
    with connect(asked_lake, symbol="GOOD", dt=lakes.DATE) as connection:
        assert rows(connection, "FROM again()") == [(558,)]
    session = ["--symbol", "GOOD", "--dt", lakes.DATE, "--lake", str(asked_lake), "--format", "csv"]
    for words in (
        ["again"],
        ["--sql", "FROM again()"],
        ["--sql", "FROM AGAIN ( )"],
        ["--sql", "FROM again /* so */ ()"],
    ):
        assert main([*words, *session]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "558"
    lake = Lake(asked_lake)
    views = find_views(lake, choose_session(lake, "GOOD", lakes.DATE))
    for sql in ("FROM again()", 'SELECT * FROM "again" /* so */ -- and so\n ()'):
        assert ask(views, sql, limits=PATIENT).table.to_pylist() == [{"n": 558}]
    with pytest.raises(QueryError, match="ring"):
        ask(views, "FROM ring()", limits=PATIENT)


def test_rates_of_any_length_add_up(asked: duckdb.DuckDBPyConnection) -> None:
    seconds = asked.sql("FROM rates_by_second()").pl()
    for length, name in ((60, "rates_by_minute()"), (7.5, "rates(seconds := 7.5)"), (60, "rates()")):
        found = asked.sql(f"FROM {name}").pl()
        starts = seconds["ts"].dt.timestamp("us").to_numpy() // 1_000_000
        assert found["messages"].sum() == seconds["messages"].sum() == 558
        assert len(found) == len(np.unique(starts // length))
        assert set(found["ts"].dt.timestamp("us").to_numpy() % round(length * 1e6)) == {0}


def test_a_recording_without_the_column_says_so(tmp_path: Path) -> None:
    lake = Lake(fill(tmp_path))
    path = tmp_path / "recordings" / "good.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.drop_columns(["quality"]), path)
    with pytest.raises(NoRecordingError, match=r"good\.parquet has no column quality"):
        ask(find_views(lake, choose_session(lake, "GOOD", lakes.DATE)), "FROM quality", limits=PATIENT)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exchange data is not here")
@pytest.mark.parametrize(
    ("product_type", "root", "symbol", "date", "start_time", "name"),
    [
        ("future_mbo", "ES", "ESH4", "2023-12-25", "18:30", "glbx-mdp3-20231225.mbo.dbn.zst"),
        ("equity_mbo", "ARL", "ARL", "2025-07-17", "10:00", "xnas-itch-20250717.mbo.dbn"),
    ],
)
def test_volume_by_price_is_what_was_traded_there(
    product_type: str, root: str, symbol: str, date: str, start_time: str, name: str, tmp_path: Path
) -> None:
    raw = tmp_path / lakes.RAW.format(product_type, root)
    raw.mkdir(parents=True)
    (raw / name).symlink_to(DATA / name)
    out = tmp_path / "recordings" / "x.parquet"
    out.parent.mkdir()
    session = ["--product-type", product_type, "--symbol", symbol, "--dt", date, "--start-time", start_time]
    asked = [*session, "--throttle-ms", "5000", "--fields", "bought,sold", "--lake", str(tmp_path), "--out", str(out)]
    assert record(asked) == 0
    with connect(tmp_path, symbol=symbol, dt=date, start_time=start_time) as connection:
        found = connection.sql("FROM volume_by_price()").pl()
        frames = pl.read_parquet(out)
        (bucket_int,) = rows(connection, "SELECT bucket_int FROM recording")[0]
        last = int(frames["event_id"][-1])
        trades = connection.sql(
            f"""SELECT side, price, size FROM events, session
                WHERE action = 'T' AND ts >= emit_from AND event_id <= {last}"""
        ).pl()
    assert [found[c].sum() for c in ("bought", "sold", "other")] == [
        frames[c].sum() for c in ("buy_volume", "sell_volume", "other_volume")
    ]
    buckets = trades.with_columns(bucket=(2 * pl.col("price") + bucket_int) // (2 * bucket_int))
    by_price = found.filter(pl.col("price").is_not_null())
    assert by_price["price"].is_sorted(descending=True)
    for column, side in (("bought", "B"), ("sold", "A")):
        plain = dict(buckets.filter(pl.col("side") == side).group_by("bucket").agg(pl.col("size").sum()).rows())
        here = {
            round(price * 1e9) // bucket_int: size for price, size in by_price.select("price", column).rows() if size
        }
        assert here == plain
        assert here


def test_a_recording_of_few_columns_says_which_ones_it_lacks(
    asked_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    out = str(tmp_path / "few.parquet")
    session = ["--product-type", "equity_mbo", "--symbol", "GOOD", "--dt", lakes.DATE]
    assert record([*session, "--fields", "bought,sold", "--lake", str(asked_lake), "--out", out]) == 0
    lacks = "The recording has no column pressure: record it with pressure among --fields, or without"
    for asking in (["frame_rows"], ["--sql", "FROM frame_rows()"], ["--sql", "SELECT pressure[51] FROM frames"]):
        assert main([*asking, "--recording", out, "--lake", str(asked_lake)]) == 2
        assert lacks in capsys.readouterr().err
    with connect(asked_lake, recording=out) as connection:
        assert rows(connection, "SELECT count(*) > 0 FROM state_runs()") == [(True,)]
        with pytest.raises(duckdb.Error, match=lacks):
            connection.sql("FROM frame_rows()").fetchall()
    assert "cannot be used" not in caplog.text


def test_a_connection_is_of_the_bucket_products_and_file_that_are_named(asked_lake: Path, tmp_path: Path) -> None:
    def session(**named: Any) -> tuple[Any, ...]:
        with connect(asked_lake, **named) as connection:
            return rows(connection, "SELECT contract, bucket_int, tick_int FROM session")[0]

    day = {"symbol": "GOOD", "dt": lakes.DATE}
    assert session(**day, bucket="0.25") == session(**day, bucket=Decimal("0.25")) == ("GOOD", S // 4, S // 100)
    with pytest.raises(BadParameterError, match="multiple"):
        session(**day, bucket="0.005")
    products = tmp_path / "mine.yaml"
    products.write_text('tickers:\n  GOOD: {tick: "0.05"}\n')
    assert session(**day, products=products)[2] == S // 20
    file = tmp_path / "anything.dbn"
    file.write_bytes(lakes.dbn("MESU6", 1, lakes.market(lakes.OPEN_NS)))
    assert session(file=file)[0] == "MESU6"


def test_a_session_without_events_is_told_to_be_one(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    records = lakes.market(lakes.OPEN_NS + 24 * 3600 * S)
    lakes.put(tmp_path, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, records))
    asked = ["--symbol", "GOOD", "--dt", lakes.DATE, "--lake", str(tmp_path), "--sql"]
    assert main([*asked, "SELECT count(*) AS n FROM events"]) == 0
    out, err = capsysbinary.readouterr()
    assert b"0" in out
    assert b"no events of GOOD from 2026-07-08" in err
    assert main([*asked, "SELECT contract FROM session"]) == 0  # reads none of them
    assert b"no events" not in capsysbinary.readouterr().err
