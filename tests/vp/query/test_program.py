"""`python -m vp.query`: formats, sessions by their words, and errors as sentences."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import lakes
from tests.vp.query.asked import said
from vp.lake.lake import Lake
from vp.lake.layout import LAYOUT, note_path
from vp.programs.query import main
from vp.query import catalogue, connect

SESSION = ["--symbol", "GOOD", "--dt", lakes.DATE, "--start-time", "09:30"]


def refused(capsys: pytest.CaptureFixture[str], lake: Path, *arguments: str, code: int = 2) -> str:
    assert main([*arguments, "--lake", str(lake)]) == code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "\nhint: " in err
    assert "Traceback" not in err
    return err


def test_a_table(asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lines = said(capsysbinary, asked_lake, "counts_by_action", *SESSION).decode().splitlines()
    assert lines[0].split() == ["action", "records", "size", "share"]
    assert [line.split()[:2] for line in lines[2:4]] == [["A", "462"], ["C", "96"]]
    assert lines[-1] == "(2 rows)"
    many = said(capsysbinary, asked_lake, "events", *SESSION).decode().splitlines()
    assert many[-1] == "(558 rows, the first 100 shown; --format csv gives all)"
    assert len(many) == 103


def test_every_format_says_the_same(asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    def ask(kind: str) -> bytes:
        return said(capsysbinary, asked_lake, "events", *SESSION, "--format", kind)

    arrow = pa.ipc.open_stream(ask("arrow")).read_all()
    assert len(arrow) == 558
    assert parquet.read_table(io.BytesIO(ask("parquet"))).equals(arrow)
    rows = list(csv.DictReader(io.StringIO(ask("csv").decode())))
    assert [int(row["order_id"]) for row in rows] == arrow["order_id"].to_pylist()
    assert [json.loads(row["flags"]) for row in rows] == arrow["flags"].to_pylist()
    objects = [json.loads(line) for line in ask("json").splitlines()]
    assert [row["price"] for row in objects] == arrow["price"].to_pylist()
    assert objects[0]["ts_event"] == "2026-07-08T12:59:00.000000000Z"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "arrow"])
def test_a_file_by_its_ending(ending: str, asked_lake: Path, tmp_path: Path) -> None:
    out = tmp_path / f"depth.{ending}"
    assert main(["depth", *SESSION, "--set", "levels=2", "--lake", str(asked_lake), "--out", str(out)]) == 0
    data = out.read_bytes()
    assert {"csv": data[:1] == b'"', "json": data[:1] == b"{", "parquet": data[:4] == b"PAR1"}.get(ending, True)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_sql_with_a_value(asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    sql = "SELECT count(*) AS n FROM events WHERE action = $action"
    out = said(capsysbinary, asked_lake, "--sql", sql, "--set", "action=C", *SESSION, "--format", "json")
    assert json.loads(out) == {"n": 96}


def test_named_queries_within_sql(asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for sql in ("SELECT count(*) // 101 AS n FROM frame_rows()", "SELECT count(*) AS n FROM frames"):
        out = said(capsysbinary, asked_lake, "--sql", sql, *SESSION, "--format", "json")
        assert json.loads(out) == {"n": 558}


def test_a_recording_by_session_and_by_file(
    asked_lake: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ours = said(capsysbinary, asked_lake, "state_runs", *SESSION, "--format", "csv")
    file = str(asked_lake / "recordings" / "good.parquet")
    assert said(capsysbinary, tmp_path, "state_runs", "--recording", file, "--format", "csv") == ours
    frames = pl.read_parquet(file)
    runs = pl.read_csv(ours)
    changes = int((frames["state"] != frames["state"].shift()).fill_null(value=True).sum())
    assert (len(runs), int(runs["frames"].sum())) == (changes, len(frames))


def test_a_missing_book_is_built_if_asked_to(
    asked_lake: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "raw").symlink_to(asked_lake / "raw")
    session = ["--symbol", "GOOD", "--dt", lakes.DATE, "--start-time", "09:30", "--lake", str(lake)]
    assert main(["top_of_book", *session]) == 2
    assert b"--build" in capsysbinary.readouterr().err
    assert not (lake / "cache").exists()
    assert main(["top_of_book", *session, "--build", "--format", "json"]) == 0
    built = capsysbinary.readouterr().out
    assert json.loads(built)["ts"] == "2026-07-08T13:00:00.000000Z"
    assert main(["top_of_book", *session, "--format", "json"]) == 0
    assert capsysbinary.readouterr().out == built


def test_errors_are_sentences(small_lake: Path, asked_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing is asked" in refused(capsys, asked_lake)
    assert "Both" in refused(capsys, asked_lake, "depth", "--sql", "SELECT 1")
    assert "no query named 'dept'" in refused(capsys, asked_lake, "dept", *SESSION)
    assert "No start time is given" in refused(capsys, asked_lake, "depth", "--symbol", "GOOD")  # its one day is found
    assert "2026-07-08" in refused(capsys, asked_lake, "events", "--symbol", "GOOD", "--dt", "2026-07-09")
    assert "nowhere" in refused(capsys, asked_lake, "--sql", "SELECT * FROM nowhere", *SESSION)
    assert "syntax" in refused(capsys, asked_lake, "--sql", "SELEC 1", *SESSION)
    assert "levels was 'x'" in refused(capsys, asked_lake, "depth", *SESSION, "--set", "levels=x")
    assert "takes no parameter" in refused(capsys, asked_lake, "depth", *SESSION, "--set", "x=1")
    assert "start time is given" in refused(capsys, asked_lake, "depth", *SESSION[:4])
    assert "expected one of table" in refused(capsys, asked_lake, "depth", *SESSION, "--format", "xml")
    assert "names no format" in refused(capsys, asked_lake, "depth", *SESSION, "--out", "depth.txt")
    assert "raw files" in refused(capsys, asked_lake, "depth", *SESSION, "--out", str(asked_lake / "raw" / "x.csv"))
    assert "reads a recording" in refused(capsys, small_lake, "frames", *SESSION)
    junk = str(next(small_lake.rglob("*.dbn")))
    assert "neither" in refused(capsys, asked_lake, "frames", "--recording", junk)


@pytest.mark.parametrize(
    ("symbol", "code", "says"),
    [("JUNK", 1, "no DBN file"), ("BAD", 1, "record 100"), ("CUT", 1, "ends within"), ("SHORT", 1, ".zst")],
)
def test_a_broken_file_is_told_as_it_is_everywhere(
    symbol: str, code: int, says: str, small_lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["counts_by_action", "--symbol", symbol, "--dt", lakes.DATE]
    assert says in refused(capsys, small_lake, *asked, code=code)


def test_the_list_names_every_query(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    for name, query in catalogue.load().items():
        assert f"  {name} " in listed
        assert query.purpose in listed
        assert main([name, "--list"]) == 0
        told = capsys.readouterr().out
        assert all(column in told for column, _, _ in query.columns)


def test_a_connection_without_a_session_sees_every_session(small_lake: Path) -> None:
    with connect(small_lake) as connection:
        names = connection.sql(
            "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND schema_name LIKE '%mbo'"
        ).to_arrow_table()
        assert ("future_mbo", "mnq_20260206") in list(zip(*names.to_pydict().values(), strict=True))
        counted = connection.sql("SELECT count(*) AS n FROM equity_mbo.good_20260708").to_arrow_table()
        assert counted["n"].to_pylist() == [558]
        files = connection.sql("SELECT count(*) AS n FROM raw_files").to_arrow_table()
        assert files["n"].to_pylist() == [len(list((small_lake / "raw").rglob("*.dbn*")))]


def test_the_inventory_names_every_kind_of_file_and_its_condition(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lake = Lake(tmp_path)
    for place in LAYOUT:
        directory = lake.directory(place, "QQQ" if place.product_type.startswith("equity") else "ES")
        directory.mkdir(parents=True, exist_ok=True)
        raw = directory / place.file_name(dt.date(2026, 2, 6))
        raw.write_bytes(b"x" * 10)
        note_path(raw).write_text('{"condition": "degraded"}')
        (directory / "notes.txt").write_text("not a raw file")
    rows = [json.loads(line) for line in said(capsysbinary, tmp_path, "inventory", "--format", "json").splitlines()]
    found = {(row["product_type"], row["holds"], row["dt"], row["size_bytes"], row["condition"]) for row in rows}
    assert found == {(place.product_type, place.schema, "2026-02-06", 10, "degraded") for place in LAYOUT}
    assert all((tmp_path / row["file"]).is_file() for row in rows)


def test_a_damaged_recording_is_no_answer(asked_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray((asked_lake / "recordings" / "good.parquet").read_bytes())
    data[len(data) // 2] ^= 1
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(data)
    err = refused(capsys, tmp_path, "--sql", "SELECT * FROM frames", "--recording", str(bad))
    assert "CRC" in err or "cannot be" in err
    bad.write_bytes(data[: len(data) // 2])
    assert "bad.parquet cannot be read as a recording" in refused(capsys, tmp_path, "frames", "--recording", str(bad))
    assert "There is no file" in refused(capsys, tmp_path, "frames", "--recording", str(tmp_path / "none.arrow"))


@pytest.mark.parametrize(
    ("value", "json_says"),
    [
        ("'infinity'::TIMESTAMP", None),
        ("'infinity'::DATE", None),
        ("DATE '290000-01-01'", None),
        ("INTERVAL 3 DAY", "[0,3,0]"),
        ("'\\xff'::BLOB", "\"b'\\\\xff'\""),
        ("'101'::BIT", "\"b'\\\\x05\\\\xfd'\""),
        ("union_value(n := 1)", "1"),
        ("{'a': 'nan'::DOUBLE, 'b': [1.5, 'inf'::DOUBLE]}", '{"a":null,"b":[1.5,null]}'),
        ("NULL", "null"),
        ("'日本\n;'", '"日本\\n;"'),
    ],
)
@pytest.mark.parametrize("kind", ["table", "csv", "json", "parquet", "arrow"])
def test_odd_values_are_written_or_refused_by_a_sentence(
    kind: str, value: str, json_says: str | None, asked_lake: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code = main(["--sql", f"SELECT {value} AS x", "--format", kind, "--lake", str(asked_lake)])
    said = capfdbinary.readouterr()
    assert code in {0, 2}
    assert (code == 0) == (said.err == b"")
    if code == 2:
        assert said.err.startswith(f"error: The answer cannot be written as {kind}: ".encode())
        assert b"\nhint: Make that column text" in said.err
    if kind == "json":
        assert said.out.decode() == ("" if json_says is None else f'{{"x":{json_says}}}\n')


@pytest.mark.parametrize(
    "arguments",
    [
        ["depth", "--symbol", "GOOD'; COPY (SELECT 1) TO 'pwned.csv'; --", "--dt", lakes.DATE],
        ["depth", "--symbol", "../../GOOD", "--dt", lakes.DATE],
        ["depth", "--symbol", "ＧＯＯＤ", "--dt", lakes.DATE],
        ["depth", "--symbol", "GOOD\x00", "--dt", lakes.DATE],
        ["depth", "--symbol", "GOOD", "--dt", f"{lakes.DATE}'; DROP TABLE x"],
        ["depth", "--symbol", "GOOD", "--dt", "2026-02-30"],
        ["depth", "--symbol", "GOOD", "--dt", "２０２６-07-08"],
        ["depth", *SESSION[:4], "--start-time", "25:00"],
        ["depth", *SESSION, "--set", "levels=1); COPY (SELECT 1) TO 'pwned.csv'; --"],
        ["queue_at_price", *SESSION, "--set", "at_price=1 OR 1"],
        ["depth'; --", *SESSION],
        ["de\udcffpth", *SESSION],
        ["--sql", "SELECT * FROM '/etc/passwd'"],
        ["--sql", "SELECT $x"],
        ["--sql", "SELECT 1", "--set", "x=2"],
        ["--sql", "SELECT 'a'::INT"],
        ["--sql", "SELECT * FROM depth(levels := 'x')", *SESSION],
        ["frames", "--recording", "/dev/null"],
        ["frames", "--recording", "/nowhere/x.parquet"],
        ["depth", *SESSION, "--out", "/nowhere/x.csv"],
    ],
)
def test_hostile_words_are_refused(
    arguments: list[str], asked_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, asked_lake, *arguments)
    assert "unexpected" not in said
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_a_column_have_the_same_decimals(
    asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    rows = "(21499.25::DOUBLE, 0.5::DOUBLE, 7), (21500, 1e-9, 8), (NULL, 'nan'::DOUBLE, 9)"
    sql = f"SELECT * FROM (VALUES {rows}) AS x(a, b, c)"
    assert main(["--sql", sql, "--lake", str(asked_lake)]) == 0
    assert capsysbinary.readouterr().out.decode().splitlines() == [
        "       a      b  c",
        "--------  -----  -",
        "21499.25    0.5  7",
        "21500.00  1e-09  8",
        "                 9",
        "(3 rows)",
    ]


def test_a_table_steers_no_terminal(asked_lake: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    sql = """SELECT chr(27) || '[2J' || chr(8232) AS "a\x1b", 'b\n' AS c"""
    assert main(["--sql", sql, "--lake", str(asked_lake)]) == 0
    assert capsysbinary.readouterr().out.decode().splitlines() == [
        "a\\x1b          c",
        "-------------  ---",
        "\\x1b[2J\\u2028  b\\n",
        "(1 row)",
    ]


@pytest.mark.parametrize("fact", [b"x", b"0", b"-1", b"1.5", b"9" * 30, b"9" * 6000, b"", "١".encode()])
def test_a_recording_whose_metadata_are_made_up_is_none(
    fact: bytes, asked_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = parquet.read_table(asked_lake / "recordings" / "good.parquet", columns=["event_id"])
    table = table.replace_schema_metadata({**table.schema.metadata, b"vp.tick_int": fact})
    parquet.write_table(table, tmp_path / "x.parquet")
    said = refused(capsys, asked_lake, "frames", "--recording", str(tmp_path / "x.parquet"))
    assert "x.parquet is no recording: its metadata has vp.tick_int as" in said


def test_near_names_are_suggested(asked_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert '--sql "FROM quality"' in refused(capsys, asked_lake, "quality", *SESSION)
    assert "Did you mean depth?" in refused(capsys, asked_lake, "dept", *SESSION)
    assert "counts_by_action" in refused(capsys, asked_lake, "count_by_acton", *SESSION).splitlines()[0]
    assert "Did you mean" not in refused(capsys, asked_lake, "xyz", *SESSION)


def test_a_failing_query_leaves_the_file_that_was_there(asked_lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    out.write_text("mine")
    failing = "SELECT CASE WHEN i = 99999 THEN error('no') ELSE i END FROM range(100000) t(i)"
    assert main(["--sql", failing, "--lake", str(asked_lake), "--out", str(out)]) == 2
    assert ([path.name for path in tmp_path.iterdir()], out.read_text()) == (["x.csv"], "mine")
    assert main(["--sql", "SELECT 1 AS x", "--lake", str(asked_lake), "--out", str(out)]) == 0
    assert out.read_text() == '"x"\n1\n'


def test_a_book_of_a_time_within_a_minute_is_the_kept_one_and_what_came_after(asked_lake: Path) -> None:
    """At 09:00:00 and 09:00:30 of a market that goes on until 09:01: the second has what 30 s have added."""

    def orders(start_time: str) -> set[int]:
        with connect(asked_lake, symbol="GOOD", dt=lakes.DATE, start_time=start_time) as asked:
            return {order for (order,) in asked.execute("SELECT order_id FROM book").fetchall()}

    kept, later = orders("09:30"), orders("09:30:30")
    assert later - kept, "added in between"
    until_ns = lakes.OPEN_NS - 1770 * 10**9
    resting: dict[int, int] = {}
    for record in lakes.market(lakes.OPEN_NS - 1800 * 10**9):
        if record.ts_event < until_ns:
            resting[record.order_id] = (
                resting.get(record.order_id, 0) + (1 if record.action == "A" else -1) * record.size
            )
    assert later == {order for order, size in resting.items() if size > 0}
