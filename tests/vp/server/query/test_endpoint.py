"""The query route of a real server: answers, refusals, and that it is off unless asked for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import lakes
from tests.dbn_files import header
from tests.vp.query.conftest import asked_lake as asked_lake  # noqa: PLC0414 - a fixture
from tests.vp.server.tiny import Running, serving
from vp.errors import BadParameterError
from vp.model.pipeline import prepare
from vp.model.progress import ProgressLike
from vp.model.session import SessionSpec
from vp.query.limits import Limits
from vp.server.app import Service
from vp.server.query.endpoint import MAX_BODY_BYTES, QUERY, WAITING, parse_query_request
from vp.server.query.pool import RefusedError, WorkerPool
from vp.server.query.request import QueryContext, QueryRequest
from vp.server.runs.session import Session
from vp.server.stream.request import StreamRequest
from vp.session import SessionName

DEFAULTS = StreamRequest(**lakes.GOOD)
SLOW = {"sql": "SELECT count(*) FROM range(100000000000)"}


def service(lake: Path, context: QueryContext | None) -> Service:
    def prepare_request(request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> Session:
        return prepare(SessionSpec(request.product_type, request.symbol, request.dt, lake=str(lake)), on_progress)

    return Service(DEFAULTS, prepare_request, queries=context)


def asking(lake: Path, limits: Limits) -> QueryContext:
    return QueryContext(str(lake), SessionName("equity_mbo", "GOOD", lakes.DATE, "09:30"), limits)


@pytest.fixture(scope="module")
def server(asked_lake: Path) -> Iterator[Running]:
    with serving(service(asked_lake, asking(asked_lake, Limits(processor_seconds=30)))) as running:
        yield running


@pytest.fixture(scope="module")
def strict(asked_lake: Path) -> Iterator[Running]:
    """A server that lets no query take long."""
    with serving(service(asked_lake, asking(asked_lake, Limits(processor_seconds=0.3)))) as running:
        yield running


def post(server: Running, body: Any, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.http + QUERY, data, named)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read(), {name.lower(): value for name, value in response.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), {}


def test_sql_is_answered_as_json(server: Running) -> None:
    sql = "SELECT action, count(*) AS n, max(price) AS price, min(ts_event) AS ts, 1.5 AS x FROM events GROUP BY action"
    status, body, headers = post(server, {"sql": f"{sql} ORDER BY action"})
    assert status == 200, body
    answer = json.loads(body)
    assert [column["name"] for column in answer["columns"]] == ["action", "n", "price", "ts", "x"]
    assert [(row[0], row[1]) for row in answer["rows"]] == [("A", "462"), ("C", "96")]
    assert answer["rows"][0][3].endswith("Z")
    assert answer["rows"][0][4] == 1.5
    assert answer["truncated"] is False
    assert headers["cache-control"] == "no-store"


def test_what_json_has_no_word_for_is_null_within_lists_too(server: Running) -> None:
    sql = "SELECT 'nan'::DOUBLE AS a, ['inf'::DOUBLE, 1.5] AS b, {'c': '-inf'::DOUBLE} AS d"
    status, body, _ = post(server, {"sql": sql})
    assert (status, json.loads(body)["rows"]) == (200, [[None, [None, 1.5], {"c": None}]])


def test_a_named_query_is_answered_as_arrow(server: Running) -> None:
    status, body, headers = post(server, {"query": "depth", "set": {"levels": "3"}, "format": "arrow"})
    assert status == 200, body
    table = pa.ipc.open_stream(body).read_all()
    assert table["level"].to_pylist() == [0, 1, 2, 0, 1, 2]
    assert headers["x-vp-truncated"] == "false"
    status, body, headers = post(server, {"sql": "FROM frame_rows()", "format": "arrow"})
    assert (status, headers["x-vp-truncated"]) == (200, "true")
    assert len(pa.ipc.open_stream(body).read_all()) == 10_000


def test_another_session_can_be_named(server: Running) -> None:
    question = {"sql": "SELECT symbol, book_ts FROM session", "symbol": "GOOD", "dt": lakes.DATE, "start_time": "09:45"}
    status, body, _ = post(server, question)
    assert (status, json.loads(body)["rows"]) == (200, [["GOOD", "2026-07-08T13:15:00.000000Z"]])
    status, body, _ = post(server, question | {"dt": "2026-07-09"})
    assert (status, json.loads(body)["code"]) == (400, "no_raw_file")
    status, body, _ = post(server, {"sql": "SELECT 1", "symbol": "../../etc", "dt": lakes.DATE})
    assert status == 400


def test_rows_have_the_width_asked_for_else_the_servers(asked_lake: Path, server: Running) -> None:
    def width(running: Running, **fields: str) -> tuple[int, Any]:
        status, body, _ = post(running, {"sql": "SELECT bucket_int FROM session", **fields})
        answer = json.loads(body)
        return status, answer["rows"][0][0] if status == 200 else answer["code"]

    other = {"symbol": "GOOD", "dt": lakes.DATE}
    wide = replace(asking(asked_lake, Limits(processor_seconds=30)), bucket="0.25")
    with serving(service(asked_lake, wide)) as running:
        assert width(running) == (200, "250000000")
        assert width(running, bucket="0.05") == (200, "50000000")
        assert width(running, **other) == width(server)
    assert width(server, **other, bucket="0.05") == (200, "50000000")
    assert width(server, bucket="0.005") == (400, "bad_parameter")
    assert width(server, bucket="wide") == (400, "bad_parameter")


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"sql": "SELECT * FROM nowhere"}, "bad_query", "nowhere"),
        ({"sql": "COPY (SELECT 1) TO 'x.csv'"}, "bad_query", "one SELECT"),
        ({"sql": "SELECT * FROM '/etc/passwd'"}, "bad_query", "cannot be run"),
        ({"query": "nothing"}, "bad_parameter", "nothing"),
        ({"query": "queue_at_price"}, "bad_parameter", "at_price"),
        ({"query": "depth", "set": {"levels": "x"}}, "bad_parameter", "whole number"),
        ({"query": "depth", "sql": "SELECT 1"}, "bad_parameter", "either"),
        ({"sql": "SELECT 1", "colour": "red"}, "bad_parameter", "colour"),
        ({"sql": 1}, "bad_parameter", "no text"),
        ({"sql": "SELECT 1", "set": [1]}, "bad_parameter", "set"),
        ({"sql": "SELECT 1", "format": "xml"}, "bad_parameter", "xml"),
        ([], "bad_parameter", "object"),
        ({"sql": "SELECT '\ud800'"}, "bad_parameter", "surrogates"),
        ({"query": "depth", "set": {"\udfff": "3"}}, "bad_parameter", "surrogates"),
        ({"sql": "SELECT timestamp 'infinity'"}, "bad_query", "::VARCHAR"),
        (b"{", "bad_parameter", "JSON"),
        (b"[" * 60_000, "bad_parameter", "JSON"),
        (b"\xff\xfe", "bad_parameter", "JSON"),
        (b" " * (MAX_BODY_BYTES + 1), "bad_parameter", "bytes"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(server: Running, body: Any, code: str, says: str) -> None:
    status, answer, _ = post(server, body)
    told = json.loads(answer)
    assert (status, told["code"]) == (400, code)
    assert says in told["message"] + told["hint"]
    assert "Traceback" not in told["message"]


def test_other_pages_may_not_ask(server: Running) -> None:
    question = {"sql": "SELECT 1"}
    assert post(server, question, origin="http://evil.example")[0] == 403
    assert post(server, question, origin="http://evil.example:1", host="evil.example:1")[0] == 403
    assert post(server, question, origin=server.http)[0] == 200
    assert post(server, question, content_type="text/plain")[0] == 415  # which a page sends without being asked


def test_it_is_only_posted_to(server: Running) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.http}{QUERY}?sql=SELECT%201", timeout=10)
    caught.value.close()
    assert caught.value.code in (404, 405)


def test_it_is_off_unless_asked_for(asked_lake: Path) -> None:
    with serving(service(asked_lake, None)) as running:
        assert post(running, {"sql": "SELECT 1"})[0] in (404, 405)


def test_a_slow_query_ends_and_the_server_goes_on(strict: Running) -> None:
    status, body, _ = post(strict, SLOW)
    assert (status, json.loads(body)["code"]) == (400, "query_limit")
    with urllib.request.urlopen(strict.http + "/health", timeout=10) as response:
        assert response.status == 200


def test_too_many_at_once_are_told_to_come_again(strict: Running) -> None:
    """Of many slow questions at once, some wait and the rest are refused; none is lost, and it all ends."""
    with ThreadPoolExecutor(WAITING + 4) as pool:
        answers = list(pool.map(lambda _: post(strict, SLOW), range(WAITING + 4)))
    codes = Counter((status, json.loads(body)["code"]) for status, body, _ in answers)
    assert set(codes) == {(400, "query_limit"), (503, "server_full")}
    assert post(strict, {"sql": "SELECT 1 AS x"})[0] == 200


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(repeat('x', 4000000000))",
        "SELECT " + ", ".join(f"length(repeat('{letter}', 4000000000))" for letter in "abcdefgh"),
        "SELECT sum(length(repeat('x', 1000000 + (range % 7)::INT))) FROM range(100000)",
        "SELECT len(list_resize([1], 2000000000, 7))",
    ],
)
def test_one_call_that_takes_all_there_is_ends_and_the_server_goes_on(strict: Running, sql: str) -> None:
    """DuckDB's own limits do not hold within one call of a function. What was begun anew for one is asked the next."""
    status, body, _ = post(strict, {"sql": sql})
    assert status == 400, body
    assert json.loads(body)["code"] in {"query_limit", "bad_query"}
    assert post(strict, {"sql": "SELECT 1 AS x"})[0] == 200


def test_clients_that_leave_keep_nobody_from_asking(asked_lake: Path) -> None:
    """What they asked is not gone on with: neither what is at work, nor what waits behind it."""
    context = asking(asked_lake, Limits(processor_seconds=60, seconds=60))
    body = json.dumps(SLOW).encode()
    head = f"POST {QUERY} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with serving(service(asked_lake, context)) as running:
        leaving: list[socket.socket] = []
        answered = b""
        while not answered:
            leaving.append(socket.create_connection(("127.0.0.1", running.port)))
            leaving[-1].sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            leaving[-1].settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                answered = leaving[-1].recv(100)
        assert answered.startswith(b"HTTP/1.1 503")
        assert len(leaving) == WAITING + 1
        for one in leaving:
            one.close()
        until = time.monotonic() + 15
        while post(running, {"sql": "SELECT 1 AS x"})[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)


async def room(_size: int) -> None:
    """There is always room."""


def test_a_worker_that_died_is_begun_anew(asked_lake: Path) -> None:
    context = asking(asked_lake, Limits())

    async def body() -> None:
        workers = WorkerPool(context, 1)
        for _ in range(2):
            answer = await workers.ask(QueryRequest(sql="SELECT 1 AS x", format="arrow"), room)
            assert pa.ipc.open_stream(b"".join(answer.pieces)).read_all()["x"].to_pylist() == [1]
            process = workers._all[0]._process
            assert process is not None
            process.kill()
            await process.wait()
        await workers.close()

    asyncio.run(body())


def test_a_damaged_file_costs_no_process(tmp_path: Path) -> None:
    """Whoever asks about one again and again would have another process begun each time."""
    directory = tmp_path / lakes.RAW.format("future_mbo", "MNQ")
    directory.mkdir(parents=True)
    (directory / "glbx-mdp3-20260206.mbo.dbn").write_bytes(header() + bytes(1000))
    context = QueryContext(str(tmp_path), SessionName("future_mbo", "MNQH6", "2026-02-06", None))

    async def body() -> None:
        workers = WorkerPool(context, 1)
        for _ in range(2):
            with pytest.raises(RefusedError, match="its length was 0 bytes") as refused:
                await workers.ask(QueryRequest(sql="SELECT count(*) FROM events"), room)
            assert refused.value.status == 500
            assert workers._all[0].runs
        await workers.close()

    asyncio.run(body())


def test_who_asks_next_does_not_wait_for_a_process_while_another_is_idle(asked_lake: Path) -> None:
    context = asking(asked_lake, Limits(processor_seconds=60, seconds=60))

    async def body() -> None:
        workers = WorkerPool(context, 2)
        one, other = workers._all
        quick = QueryRequest(sql="SELECT 1 AS x", format="arrow")
        slow = asyncio.create_task(workers.ask(QueryRequest(sql=SLOW["sql"]), room))
        await asyncio.sleep(0)  # it has taken the first
        await workers.ask(quick, room)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert (one._process, other.runs) == (None, True), "the first has ended"
        await workers.ask(quick, room)
        assert (one._process, other.runs) == (None, True)
        await workers.close()

    asyncio.run(body())


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has is read from /proc")
def test_a_query_takes_no_memory_from_those_behind_it(asked_lake: Path) -> None:
    """The C library keeps what a query had in pieces; the next one would find neither memory nor a thread."""
    context = asking(asked_lake, Limits(processor_seconds=30, memory_bytes=64 << 20))
    hungry = (
        "WITH RECURSIVE t(n) AS (SELECT repeat('x', 100000) UNION ALL SELECT n || n FROM t) SELECT length(n) FROM t"
    )

    async def body() -> list[int]:
        workers = WorkerPool(context, 1)
        counted = []
        for _ in range(2):
            with pytest.raises(RefusedError):
                await workers.ask(QueryRequest(sql=hungry), room)
            answer = await workers.ask(QueryRequest(sql="SELECT count(*) AS n FROM events", format="arrow"), room)
            counted += pa.ipc.open_stream(b"".join(answer.pieces)).read_all()["n"].to_pylist()
        await workers.close()
        return counted

    assert asyncio.run(body()) == [558] * 2


def test_a_worker_has_ended_when_the_pool_is_closed_even_while_its_query_is_cancelled(asked_lake: Path) -> None:
    context = asking(asked_lake, Limits(processor_seconds=60, seconds=60))

    async def body() -> bool:
        workers = WorkerPool(context, 1)
        asking = asyncio.create_task(workers.ask(QueryRequest(sql="SELECT count(*) FROM range(100000000000)"), room))
        while (process := workers._all[0]._process) is None:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.sleep(0)  # it has begun to end the worker
        await workers.close()
        ended = process.returncode is not None
        await process.wait()
        return ended

    assert asyncio.run(body())


def test_a_question_is_parsed() -> None:
    question = parse_query_request(b'{"query": "depth", "set": {"levels": "3"}, "symbol": "GOOD"}')
    assert (question.query, question.set, question.symbol, question.sql) == ("depth", {"levels": "3"}, "GOOD", None)
    with pytest.raises(BadParameterError):
        parse_query_request(b"{}")
