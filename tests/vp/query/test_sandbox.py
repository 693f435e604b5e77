"""What gets out of DuckDB does not get through the wall: every way known, with and without the check before it."""

from __future__ import annotations

import getpass
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests import lakes
from tests.vp.query.asked import PATIENT
from tests.vp.query.conftest import fill
from vp.errors import QueryError, QueryLimitError, VPError
from vp.lake.lake import Lake
from vp.query.connection import choose_session, find_views
from vp.query.limits import Limits
from vp.query.sandbox import ask, walled
from vp.query.sources import ArrowSource
from vp.query.views import Views

SECRET = "walled-in"
in_reach_of_python = pa.table({"x": [1]})  # what a replacement scan would find


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the lake, what lies beside it, and a link from the one to the other."""
    place = tmp_path_factory.mktemp("place")
    lake = fill(place / "lake")
    (place / "lake2").mkdir()
    for name in ("secret.csv", "lake2/secret.csv", "lake/secret.csv"):
        (place / name).write_text(f"x\n{SECRET}\n")
    (lake / "link.csv").symlink_to(place / "secret.csv")
    with duckdb.connect(str(lake / "x.db")) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS x")
    return place


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that would tell the secret to anyone who asks."""

    class Telling(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"x\n{SECRET}\n".encode())

        def do_HEAD(self) -> None:
            reached.append(self.path)

        def log_message(self, *_arguments: object) -> None: ...

    reached: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
    assert reached == []


@pytest.fixture
def views(place: Path) -> Views:
    lake = Lake(place / "lake")
    return find_views(lake, choose_session(lake, "GOOD", lakes.DATE, "09:30"))


def content(place: Path) -> dict[str, str]:
    """Every file by name, with its hash."""
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


READS = [
    "SELECT * FROM read_csv('{place}/secret.csv')",
    "SELECT * FROM read_text('{place}/secret.csv')",
    "SELECT * FROM read_blob('{place}/secret.csv')",
    "SELECT * FROM '{place}/secret.csv'",
    "SELECT * FROM '{place}/lake/../secret.csv'",
    "SELECT * FROM '{place}/lake/link.csv'",
    "SELECT * FROM '{place}/lake2/secret.csv'",
    "SELECT * FROM '{place}/lake/secret.csv'",
    "SELECT * FROM read_csv('{place}/*.csv')",
    "SELECT * FROM glob('{place}/*')",
    "SELECT * FROM read_json('{place}/secret.csv')",
    "SELECT * FROM read_parquet('{place}/lake/recordings/good.parquet')",
    "SELECT * FROM parquet_metadata('{place}/lake/recordings/good.parquet')",
    "SELECT * FROM sniff_csv('{place}/secret.csv')",
    "SELECT * FROM '{http}/secret.csv'",
    "SELECT * FROM read_csv('{http}/secret.csv')",
    "SELECT * FROM query('FROM ''{place}/secret.csv''')",
    "SELECT getenv('HOME')",
    "SELECT * FROM in_reach_of_python",
    "CREATE VIEW early AS SELECT * FROM read_parquet('{place}/lake/recordings/good.parquet')",
    "ATTACH '{place}/lake/x.db' AS x (READ_ONLY)",
    "IMPORT DATABASE '{place}/lake'",
    "CREATE SECRET (TYPE http)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{place}/secret.csv'",
    "FORCE INSTALL spatial FROM community",
]
WRITES = [
    "COPY (SELECT 1) TO '{place}/lake/out.csv'",
    "COPY (SELECT 1) TO '{place}/out.csv'",
    "COPY (SELECT 1) TO '{place}/lake/recordings/good.parquet'",
    "COPY (SELECT 1) TO '{place}/lake/recordings/good.parquet' (FORMAT csv, USE_TMP_FILE false)",
    "ATTACH '{place}/lake/new.db'",
    "ATTACH '{place}/lake/x.db'",
    "EXPORT DATABASE '{place}/lake/export'",
    "WITH q AS (COPY (SELECT 1) TO '{place}/lake/out.csv') SELECT 1",
    "WITH q AS (COPY (SELECT 1) TO '{place}/lake/out.csv' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM q",
    "SELECT * FROM (WITH q AS (COPY (SELECT 1) TO '{place}/lake/out.csv') SELECT 1)",
    "WITH q AS (INSERT INTO book SELECT * FROM book RETURNING *) SELECT * FROM q",
    "WITH q AS (INSERT INTO recording SELECT * FROM recording RETURNING *) SELECT * FROM q",
    "WITH q AS (UPDATE recording SET file = 'x' RETURNING *) SELECT * FROM q",
    "WITH q AS (DELETE FROM recording RETURNING *) SELECT * FROM q",
    "INSERT INTO events SELECT * FROM events",
    "UPDATE frames SET state = 1",
    "DELETE FROM events",
    "DROP TABLE events",
    "CALL enable_logging(storage := 'file', storage_config := {{'path': '{place}/lake/log'}})",
    "PRAGMA enable_profiling = 'json'; PRAGMA profiling_output = '{place}/lake/profile'",
]
LOCKS = [
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET GLOBAL lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_directories = ['{place}']",
    "SET allowed_paths = ['{place}/secret.csv']",
    "SET python_enable_replacements = true",
    "SET max_execution_time = 0",
    "RESET max_execution_time",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "SET temp_directory = '{place}/lake'",
    "SET max_temp_directory_size = '1GB'",
    "SET autoload_known_extensions = true",
    "SET allow_unsigned_extensions = true",
    "SET secret_directory = '{place}'",
    "PRAGMA memory_limit = '100GB'",
    "PRAGMA threads = 64",
]


@pytest.mark.parametrize("check", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize("escape", [*READS, *WRITES, *LOCKS])
def test_nothing_gets_through(escape: str, check: bool, views: Views, place: Path, server: str) -> None:
    before = content(place)
    sql = escape.format(place=place, http=server)
    with pytest.raises(QueryError) as caught:
        ask(views, sql, check=check)
    assert SECRET not in caught.value.message
    assert content(place) == before


def test_the_fixtures_would_tell_without_a_wall(place: Path) -> None:
    """The attempts above fail for the wall's sake: the same files are read where there is none."""
    with duckdb.connect() as connection:
        for sql in READS[:8]:
            assert SECRET in str(connection.sql(sql.format(place=place, http="")).to_arrow_table().to_pydict())


def test_a_cursor_is_behind_the_wall_too(views: Views, place: Path) -> None:
    with walled(views, Limits()) as connection, connection.cursor() as cursor:
        with pytest.raises(duckdb.Error):
            cursor.sql(f"SELECT * FROM read_text('{place}/secret.csv')").to_arrow_table()
        with pytest.raises(duckdb.Error):
            cursor.execute("SET enable_external_access = true")


def test_what_is_made_is_gone_with_its_query(views: Views, place: Path) -> None:
    before = content(place)
    for sql in ("CREATE TABLE mine AS SELECT 1 AS x", "CREATE TEMP TABLE mine AS SELECT 1 AS x"):
        ask(views, sql, check=False)
        with pytest.raises(QueryError, match="mine"):
            ask(views, "SELECT * FROM mine")
        with pytest.raises(QueryError, match="Expected one SELECT"):
            ask(views, sql)
    assert content(place) == before


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "", "-- nothing", "SELECT 1; DROP TABLE x", "EXPLAIN SELECT 1"])
def test_one_select_is_asked_for(sql: str, views: Views) -> None:
    with pytest.raises(QueryError, match="Expected one SELECT"):
        ask(views, sql)


@pytest.mark.parametrize("name", ["events", "book", "session", "frames", "recording", "raw_files", "recording_files"])
def test_the_tables_are_there(name: str, views: Views) -> None:
    answer = ask(views, f"SELECT * FROM {name} LIMIT 5", limits=PATIENT)
    assert 0 < len(answer.table) <= 5
    assert not answer.truncated


def test_introspection_tells_nothing_of_the_machine(views: Views, place: Path) -> None:
    told = [str(Path.home()), str(place), str(Path.cwd())]
    for sql in (
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM duckdb_databases()",
        "SELECT * FROM duckdb_extensions()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM duckdb_functions() WHERE function_name IN ('depth', 'frame_rows')",
        "SELECT current_setting('secret_directory'), current_setting('home_directory'), current_user, version()",
    ):
        try:
            said = str(ask(views, sql, limits=PATIENT).table.to_pydict())
        except QueryError as error:
            said = str(error)
        assert not [secret for secret in told if secret in said], sql
        assert not re.search(rf"[/']{re.escape(getpass.getuser())}[/']", said), sql


def test_time_is_limited(views: Views) -> None:
    for sql in (
        "SELECT count(*) FROM range(100000000000)",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3",
        "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "SELECT count(*) FROM events a, events b, events c WHERE a.size + b.size + c.size = 1",
    ):
        with pytest.raises(QueryLimitError, match="longer than it may"):
            ask(views, sql, limits=Limits(processor_seconds=0.2, seconds=600))
        with pytest.raises(QueryLimitError, match="longer than it may"):
            ask(views, sql, limits=Limits(processor_seconds=600, seconds=0.2))


def test_time_is_limited_while_rows_are_fetched(views: Views) -> None:
    slow = "SELECT * FROM range(100000000000) WHERE md5(range::VARCHAR) = 'x' OR range = 5"
    with pytest.raises(QueryLimitError, match="longer than it may"):
        ask(views, slow, limits=Limits(processor_seconds=0.2, seconds=600))


def test_waiting_for_others_is_no_work(views: Views) -> None:
    """A busy machine refuses nothing that an idle one answers, as long as someone would wait for it."""

    def batches() -> Iterator[pa.RecordBatch]:
        for i in range(8):
            time.sleep(0.1)
            yield pa.record_batch({"x": [i]})

    views.tables["slow"] = ArrowSource(pa.schema([("x", pa.int64())]), batches)
    patient = Limits(processor_seconds=0.5, seconds=60)
    assert ask(views, "SELECT sum(x)::BIGINT AS x FROM slow", limits=patient).table["x"].to_pylist() == [28]
    with pytest.raises(QueryLimitError, match="longer than it may"):
        ask(views, "SELECT sum(x)::BIGINT AS x FROM slow", limits=Limits(processor_seconds=60, seconds=0.3))


def test_memory_is_limited(views: Views) -> None:
    big = "SELECT * FROM (SELECT range AS x, md5(range::VARCHAR) AS y FROM range(20000000)) ORDER BY y, x"
    with pytest.raises(QueryLimitError, match="more memory than it may"):
        ask(views, big, limits=Limits(processor_seconds=120, seconds=120, memory_bytes=64 << 20))
    assert len(ask(views, "SELECT 1").table) == 1


def test_rows_are_cut_and_it_is_said(views: Views) -> None:
    answer = ask(views, "SELECT * FROM range(1000000000000)", limits=PATIENT)
    assert answer.truncated
    assert answer.table["range"].to_pylist() == list(range(10_000))
    whole = ask(views, "SELECT * FROM range(10000)", limits=PATIENT)
    assert (len(whole.table), whole.truncated) == (10_000, False)


def test_an_answer_has_a_size(views: Views) -> None:
    with pytest.raises(QueryLimitError, match="MiB"):
        ask(views, "SELECT repeat('x', 100000) AS x FROM range(5000)", limits=PATIENT)


def test_the_limits_are_those_that_are_promised() -> None:
    promised = Limits()
    assert (promised.processor_seconds, promised.seconds) == (2.0, 20.0)
    assert (promised.rows, promised.memory_bytes) == (10_000, 512 << 20)


def test_our_own_errors_come_out_as_they_are(place: Path) -> None:
    lake = Lake(place / "lake")
    session = choose_session(lake, "GOOD", lakes.DATE, "09:45")
    with pytest.raises(VPError) as caught:
        ask(find_views(lake, session), "SELECT * FROM book")
    assert caught.value.code == "no_book_snapshot"
