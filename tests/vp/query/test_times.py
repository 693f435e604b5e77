"""Times of the views: exact, readable, and what DuckDB takes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests import lakes
from tests.oracle_records import F_LAST, UNDEFINED_TIME, Rec
from tests.vp.query.asked import PATIENT, rows
from vp.lake.lake import Lake
from vp.programs.query import main
from vp.query import connect
from vp.query.connection import choose_session, find_views
from vp.query.sandbox import ask
from vp.query.views import READABLE_TIMES

S = 10**9


@pytest.mark.parametrize(
    ("view", "exact", "readable"),
    [(view, exact, name) for view, names in READABLE_TIMES.items() for exact, name in names.items()],
)
def test_readable_times_are_the_exact_ones_cut_to_microseconds(
    view: str, exact: str, readable: str, asked: duckdb.DuckDBPyConnection
) -> None:
    kinds = dict(rows(asked, f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{view}'"))
    assert (kinds[exact], kinds[readable]) == ("TIMESTAMPTZ_NS", "TIMESTAMP WITH TIME ZONE")
    wrong = f"SELECT count(*) FROM {view} WHERE epoch_us({readable}) <> epoch_ns({exact}) // 1000"
    assert rows(asked, wrong) == [(0,)]


def test_every_other_time_is_of_microseconds(asked: duckdb.DuckDBPyConnection) -> None:
    exact = {name for names in READABLE_TIMES.values() for name in names}
    sql = """SELECT table_name, column_name FROM duckdb_columns() JOIN duckdb_views() ON table_name = view_name
             WHERE data_type = 'TIMESTAMPTZ_NS' AND sql LIKE 'CREATE VIEW%'"""
    assert {column for _, column in rows(asked, sql)} == exact


@pytest.mark.parametrize("view", ["events", "frames"])
def test_times_can_be_truncated_bucketed_shifted_and_compared(view: str, asked_lake: Path) -> None:
    sql = f"""
        SELECT
            date_trunc('minute', ts) AS minute,
            time_bucket(INTERVAL 1 MINUTE, ts) AS bucket,
            extract(minute FROM ts) AS number,
            count(*) AS n
        FROM {view}
        WHERE ts >= TIMESTAMPTZ '2026-07-08 09:00:00 America/New_York'
          AND ts - INTERVAL 1 SECOND < TIMESTAMPTZ '2026-07-08 13:00:30+00'
        GROUP BY ALL
    """
    lake = Lake(asked_lake)
    views = find_views(lake, choose_session(lake, "GOOD", lakes.DATE, "09:30"))
    found = pl.DataFrame(ask(views, sql, limits=PATIENT).table)
    assert found["minute"].to_list() == found["bucket"].to_list()
    assert found["number"].to_list() == [0]
    with connect(asked_lake, symbol="GOOD", dt=lakes.DATE) as connection:
        exact = "ts_event" if view == "events" else "ts_ns"
        at = connection.sql(f"SELECT epoch_ns({exact}) AS ns FROM {view}").pl()["ns"]
    opened = lakes.OPEN_NS - 1800 * S
    assert found["n"].sum() == ((at >= opened) & (at < opened + 31 * S)).sum() > 100


def test_microseconds_are_cut_and_never_rounded_up(tmp_path: Path) -> None:
    at = lakes.OPEN_NS - 1
    lakes.put(tmp_path, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, [
        Rec(at, "A", "B", 99 * S, 1, 1, F_LAST), Rec(at, "A", "A", 100 * S, 1, 2, F_LAST, 1, UNDEFINED_TIME),
    ]))  # fmt: skip
    with connect(tmp_path, symbol="GOOD", dt=lakes.DATE) as connection:
        before = "ts < TIMESTAMPTZ '2026-07-08 13:30:00+00'"
        first, second = rows(
            connection, f"SELECT epoch_us(ts), epoch_ns(ts_event), {before}, recv_ts, ts_recv FROM events"
        )
    assert first[:3] == second[:3] == (at // 1000, at, True)
    assert first[3] is not None
    assert second[3:] == (None, None)


def test_a_time_of_nanoseconds_where_duckdb_takes_none_names_the_other(
    asked_lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = ["--symbol", "GOOD", "--dt", lakes.DATE, "--lake", str(asked_lake)]
    assert main(["--sql", "SELECT date_trunc('minute', ts_event) FROM events", *asking]) == 2
    assert "hint: Take the column of microseconds beside it, such as ts" in capsys.readouterr().err


def test_times_come_out_of_duckdb_by_itself(asked: duckdb.DuckDBPyConnection) -> None:
    ((at,),) = asked.sql("SELECT min(ts) FROM events").fetchall()
    assert at.isoformat() == "2026-07-08T12:59:00+00:00"
