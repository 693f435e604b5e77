"""The views: times that DuckDB can reckon with, what is missing, quality and gaps, and publishers apart."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import lakes
from tests.oracle_records import F_LAST, F_MBP, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, UNDEFINED_SIZE, UNDEFINED_TIME, Rec
from tests.places import DATA, ROOT
from tests.vp.query.conftest import fill
from vp import package_files
from vp.errors import DamagedFileError, NoRecordingError, NoSessionError, QueryError
from vp.kernels.contract import QUALITY_EMPTY_SIDE
from vp.lake.lake import Lake
from vp.programs.query import main
from vp.programs.record import main as record
from vp.query import catalogue, connect
from vp.query.connection import choose_session, find_views
from vp.query.quality import REASONS, recorded_quality
from vp.query.recordings import open_recording
from vp.query.sandbox import Limits, ask
from vp.query.views import INVENTORY_VIEWS, READABLE_TIMES, RECORDING_VIEWS, SESSION_VIEWS

PATIENT = Limits(processor_seconds=60, seconds=60)
S = 10**9
ARL = "xnas-itch-20250717.mbo.dbn"


@pytest.fixture(scope="module")
def asked(asked_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(asked_lake, symbol="GOOD", dt=lakes.DATE, start_time="09:30") as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.sql(sql).pl().rows()
    return found


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


def test_rates_of_any_length_add_up(asked: duckdb.DuckDBPyConnection) -> None:
    seconds = asked.sql("FROM rates_by_second()").pl()
    for length, name in ((60, "rates_by_minute()"), (7.5, "rates(seconds := 7.5)"), (60, "rates()")):
        found = asked.sql(f"FROM {name}").pl()
        starts = seconds["ts"].dt.timestamp("us").to_numpy() // 1_000_000
        assert found["messages"].sum() == seconds["messages"].sum() == 558
        assert len(found) == len(np.unique(starts // length))
        assert set(found["ts"].dt.timestamp("us").to_numpy() % round(length * 1e6)) == {0}


# Two venues that number their orders alike; X sends a snapshot in the middle, Q quotes and L levels.
X, Y, Q, L = 39, 40, 41, 42
T = lakes.OPEN_NS
VENUES = [
    Rec(T - 86_400 * S, "A", "B", 98 * S, 9, 5, F_SNAPSHOT, X, T - 3000 * S),
    Rec(T - 86_400 * S, "A", "A", 102 * S, 9, 6, F_SNAPSHOT | F_LAST, X, T - 3000 * S),
    Rec(T - 2000 * S, "A", "B", 99 * S, 10, 1, F_LAST, X),
    Rec(T - 1999 * S, "A", "B", 99 * S, 30, 1, F_LAST, Y),
    Rec(T - 1998 * S, "A", "B", 99 * S, 20, 2, F_LAST, X),
    Rec(T - 1997 * S, "A", "A", 101 * S, 40, 2, F_LAST, Y),
    Rec(T - 1996 * S, "A", "B", 99 * S, 70, 0, F_TOB | F_LAST, Q),
    Rec(T - 1995 * S, "A", "B", 99 * S, 80, 0, F_MBP | F_LAST, L),
    Rec(T - 10 * S, "C", "B", 99 * S, 30, 1, F_LAST, Y),
    Rec(T - 9 * S, "T", "B", 101 * S, UNDEFINED_SIZE, 0, F_LAST, Y),
    Rec(T - 8 * S, "T", "B", 101 * S, 4, 0, F_LAST, Y),
    Rec(T - 7 * S, "T", "N", UNDEFINED_PRICE, 6, 0, F_LAST, Y),
    Rec(T - 86_400 * S, "A", "B", 99 * S, 11, 3, F_SNAPSHOT | F_LAST, X, T - 5 * S),
    Rec(T - 4 * S, "R", "N", UNDEFINED_PRICE, 0, 0, F_LAST, Y),
]


@pytest.fixture(scope="module")
def venues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    lake = tmp_path_factory.mktemp("venues")
    lakes.put(lake, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, VENUES))
    with connect(lake, symbol="GOOD", dt=lakes.DATE, start_time="09:30", build=True) as connection:
        yield connection


def test_events_name_their_publisher_and_what_is_no_activity(venues: duckdb.DuckDBPyConnection) -> None:
    found = rows(venues, "SELECT event_id, publisher_id, book_only, price, size FROM events ORDER BY event_id")
    assert [row[0] for row in found] == list(range(1, len(VENUES) + 1))
    assert [row[1] for row in found] == [record.publisher for record in VENUES]
    assert [row[2] for row in found] == [bool(record.flags & F_SNAPSHOT) for record in VENUES]
    assert [row[3] for row in found] == [None if r.price == UNDEFINED_PRICE else r.price for r in VENUES]
    assert [row[4] for row in found] == [None if r.size == UNDEFINED_SIZE else r.size for r in VENUES]
    traded = rows(venues, "SELECT size FROM counts_by_action() WHERE action = 'T'")
    assert traded == [(10,)]
    assert rows(venues, "SELECT sum(messages)::INT, sum(volume)::INT, sum(buys)::INT FROM rates()") == [(10, 10, 4)]


def test_queues_are_each_publishers_own(venues: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT publisher_id, queue_rank, order_id, size, ahead, kind FROM {} WHERE side = 'B' {} ORDER BY 1, 2"
    expected = [
        (X, 0, 1, 10, 0, "order"),
        (X, 1, 2, 20, 10, "order"),
        (Y, 0, 1, 30, 0, "order"),
        (Q, 0, None, 70, 0, "quote"),
        (L, 0, None, 80, 0, "level"),
    ]
    assert rows(venues, sql.format("queue_at_price(at_price := 99)", "")) == sorted(expected)
    assert rows(venues, sql.format("book_orders()", "AND price = 99")) == sorted(expected)
    assert rows(venues, "SELECT size, orders FROM depth() WHERE side = 'B' AND level = 0") == [(210, 3)]
    assert rows(venues, "SELECT bid_size, bid_orders, ask_size FROM top_of_book()") == [(210, 3, 40)]


def test_lives_of_orders_are_told_apart_by_publisher_and_end_with_its_own_book(
    venues: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(venues, "SELECT publisher_id, order_id, ended, from_snapshot, life_seconds FROM order_lifetimes()")
    assert sorted(found) == [
        (X, 1, "cleared", False, 1995.0),
        (X, 2, "cleared", False, 1993.0),
        (X, 3, "resting", True, None),
        (X, 5, "cleared", True, 86_395.0),
        (X, 6, "cleared", True, 86_395.0),
        (Y, 1, "cancelled", False, 1989.0),
        (Y, 2, "cleared", False, 1993.0),
    ]


def write_manifest(lake: Path, *lines: str) -> None:
    lakes.put(lake, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.segments.jsonl", "".join(lines).encode())


def gap(start_ns: int, end_ns: int, *, bridged: bool = False) -> str:
    return (
        json.dumps({"kind": "gap", "start_ns": start_ns, "end_ns": end_ns, "reason": "reset", "bridged": bridged})
        + "\n"
    )


def test_gaps_are_those_of_the_manifest_that_reach_into_the_session(tmp_path: Path) -> None:
    lakes.put(tmp_path, "equity_mbo", "GOOD", "xnas-itch-20260708.mbo.dbn", lakes.dbn("GOOD", 1, lakes.market(T)))
    lake = Lake(tmp_path)

    def gaps() -> list[tuple[Any, ...]]:
        views = find_views(lake, choose_session(lake, "GOOD", lakes.DATE))
        sql = "SELECT epoch_ns(start_ns), epoch_ns(end_ns), epoch_us(start_ts), reason, bridged FROM gaps"
        return pl.DataFrame(ask(views, sql, limits=PATIENT).table).rows()

    assert gaps() == []
    segment = json.dumps({"kind": "segment", "file": "x"}) + "\n"
    days = (T - 40 * 3600 * S, T - 39 * 3600 * S), (T + 40 * 3600 * S, T + 41 * 3600 * S)
    inside = T + 1_234_567_890, T + 5 * S
    last = gap(T + 20 * S, T + 30 * S, bridged=True)
    write_manifest(tmp_path, gap(*days[0]), segment, gap(*inside), last, gap(*days[1]), gap(T, T)[:20])
    assert gaps() == [
        (*inside, inside[0] // 1000, "reset", False),
        (T + 20 * S, T + 30 * S, (T + 20 * S) // 1000, "reset", True),
    ]
    write_manifest(tmp_path, segment, "{}\n")
    with pytest.raises(DamagedFileError, match=r"Line 2 of xnas-itch-20260708\.mbo\.segments\.jsonl"):
        gaps()


def plain_runs(frames: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Runs of each bit by Polars."""
    found: list[tuple[Any, ...]] = []
    for bit in REASONS:
        marked = frames.with_columns(on=(pl.col("quality") & bit) != 0)
        runs = marked.with_columns(run=pl.col("on").rle_id()).filter("on").group_by("run", maintain_order=True)
        parts = runs.agg(pl.col("ns").first().alias("start"), pl.col("ns").last().alias("end"), pl.len())
        found += [(row[1], row[2], bit, REASONS[bit], row[3]) for row in parts.rows()]
    return sorted(found)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exchange data is not here")
@pytest.mark.parametrize("start_time", ["04:00", "09:30"])
def test_quality_of_a_recording_and_of_a_session_is_that_of_its_frames(start_time: str, tmp_path: Path) -> None:
    raw = tmp_path / lakes.RAW.format("equity_mbo", "ARL")
    raw.mkdir(parents=True)
    (raw / ARL).symlink_to(DATA / ARL)
    sql = "SELECT epoch_ns(start_ns), epoch_ns(end_ns), bit, reason, frames FROM quality ORDER BY ALL"
    with connect(tmp_path, symbol="ARL", dt="2025-07-17", start_time=start_time) as connection:
        replayed = rows(connection, sql)
    out = tmp_path / "recordings" / "arl.parquet"
    out.parent.mkdir()
    words = ["--product-type", "equity_mbo", "--symbol", "ARL", "--dt", "2025-07-17", "--start-time", start_time]
    assert (
        record([*words, "--throttle-ms", "0", "--fields", "pressure", "--lake", str(tmp_path), "--out", str(out)]) == 0
    )
    with connect(tmp_path, symbol="ARL", dt="2025-07-17", start_time=start_time) as connection:
        recorded = rows(connection, sql)
        frames = connection.sql("SELECT epoch_ns(ts_ns) AS ns, quality FROM frames ORDER BY event_id").pl()
    assert replayed == recorded == plain_runs(frames)
    assert len(recorded) > 0
    if start_time == "04:00":
        assert QUALITY_EMPTY_SIDE in {row[2] for row in recorded}


@pytest.mark.parametrize("group", [1, 7, 1000])
def test_runs_go_on_over_batches(group: int, asked_lake: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(group)
    bits = np.repeat(rng.integers(0, 64, 300), rng.integers(1, 9, 300)).astype(np.uint8)
    clocks = np.cumsum(rng.integers(0, 3, len(bits))) + lakes.OPEN_NS
    schema = parquet.read_schema(asked_lake / "recordings" / "good.parquet")
    columns = {"ts_ns": pa.array(clocks).cast(pa.timestamp("ns", "UTC")), "quality": pa.array(bits)}
    path = tmp_path / "bits.parquet"
    parquet.write_table(pa.table(columns).replace_schema_metadata(schema.metadata), path, row_group_size=group)
    found = pl.DataFrame(recorded_quality(open_recording(path))).with_columns(
        pl.col("start_ns", "end_ns").to_physical()
    )
    assert sorted(found.rows()) == plain_runs(pl.DataFrame({"ns": clocks, "quality": bits}))


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
        ("equity_mbo", "ARL", "ARL", "2025-07-17", "10:00", ARL),
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


def test_times_come_out_of_duckdb_by_itself(asked: duckdb.DuckDBPyConnection) -> None:
    ((at,),) = asked.sql("SELECT min(ts) FROM events").fetchall()
    assert at.isoformat() == "2026-07-08T12:59:00+00:00"
