"""`POST /v1/vacuum-pressure/query`: SQL over the lake for the page and for notebooks, behind the wall."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from vp.errors import BadParameterError, RequestError, ServerFullError, VPError
from vp.query.wall import Limits
from vp.server.run import unexpected
from vp.settings import quoted

if TYPE_CHECKING:
    from vp.query.wall import Answer

QUERY = "/v1/vacuum-pressure/query"
MAX_BODY_BYTES = 64 << 10
AT_ONCE = 2
WAITING = 8
TEXTS = ("sql", "query", "symbol", "dt", "start_time", "product_type", "format")
FORMATS = ("json", "arrow")
ARROW_TYPE = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True)
class Question:
    """What a client asks: SQL or a named query, about a session.

    Attributes
    ----------
    sql, query : str or None
        One of the two.
    set : dict
        Values of a named query's parameters, as text.
    symbol, dt, start_time, product_type : str or None
        The session; None: the server's own.
    format : str
        json or arrow.
    """

    sql: str | None = None
    query: str | None = None
    set: Mapping[str, str] = field(default_factory=dict)
    symbol: str | None = None
    dt: str | None = None
    start_time: str | None = None
    product_type: str | None = None
    format: str = "json"


@dataclass(frozen=True)
class Asking:
    """The lake and the session that questions are about, and what they may use.

    Attributes
    ----------
    lake : str or None
        Its root.
    symbol, dt, start_time, product_type : str or None
        The session that the server was started with.
    limits : Limits
    """

    lake: str | None
    symbol: str
    dt: str
    start_time: str | None
    product_type: str
    limits: Limits = field(default_factory=Limits)

    def answer(self, question: Question) -> Answer:
        """The answer, behind the wall; raises VPError."""
        from vp.lake import Lake  # noqa: PLC0415 - loaded with the first question
        from vp.query import catalogue, opening, wall  # noqa: PLC0415

        lake = Lake(self.lake)
        if question.symbol is None and question.dt is None:
            session = opening.choose(
                lake, self.symbol, self.dt, question.start_time or self.start_time, self.product_type
            )
        else:
            session = opening.choose(lake, question.symbol, question.dt, question.start_time, question.product_type)
        views = opening.views(lake, session)
        if question.query is not None:
            named = catalogue.find(question.query)
            return wall.ask(views, named.sql, named.values(question.set), self.limits)
        assert question.sql is not None
        return wall.ask(views, question.sql, question.set, self.limits)


class Endpoint:
    """The route: reads a question, has it answered in a thread, and writes the answer."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refusal(BadParameterError("The body is not JSON.", hint="Send content-type application/json."), 415)
        try:
            question = parse_question(await _body(request))
            started = time.monotonic()
            answer = await self._answer(question)
            return await asyncio.to_thread(_response, answer, question.format, time.monotonic() - started)
        except ClientDisconnect:
            return Response(status_code=499)
        except ServerFullError as error:
            return _refusal(error, 503)
        except RequestError as error:
            return _refusal(error, 400)
        except VPError as error:
            return _refusal(error, 500)
        except Exception as error:  # one client's fault must stay its own  # noqa: BLE001
            return _refusal(unexpected(error, "The query"), 500)

    async def _answer(self, question: Question) -> Answer:
        if self._waiting >= WAITING:
            raise ServerFullError(f"{WAITING} queries are waiting already.", hint="Ask again in a moment.")
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(self._asking.answer, question)
        finally:
            self._waiting -= 1


def parse_question(body: bytes) -> Question:
    """The question in a request's body.

    Raises
    ------
    BadParameterError
        It is no JSON object of the names and texts that a Question has.
    """
    hint = f"Expected a JSON object of {', '.join(TEXTS)} (texts) and set (an object of texts)."
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadParameterError("The body is not JSON.", hint=hint) from None
    if not isinstance(given, dict):
        raise BadParameterError("The body is no JSON object.", hint=hint)
    values = given.pop("set", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise BadParameterError("set is no object of texts.", hint=hint)
    for name, value in given.items():
        if name not in TEXTS:
            raise BadParameterError(f"There is no field {quoted(name)}.", hint=hint)
        if not isinstance(value, str):
            raise BadParameterError(f"{name} is no text.", hint=hint)
    if ("sql" in given) == ("query" in given):
        raise BadParameterError("Expected either sql or query.", hint=hint)
    if given.get("format", "json") not in FORMATS:
        raise BadParameterError(f"format was {quoted(given['format'])}, expected one of {', '.join(FORMATS)}.")
    return Question(**given, set=values)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadParameterError(f"The body has more than {MAX_BODY_BYTES} bytes.")
    return body


def _response(answer: Answer, kind: str, seconds: float) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if kind == "arrow":
        import pyarrow as pa  # noqa: PLC0415

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, answer.table.schema) as writer:
            writer.write_table(answer.table)
        headers["x-vp-truncated"] = str(answer.truncated).lower()
        return Response(sink.getvalue().to_pybytes(), media_type=ARROW_TYPE, headers=headers)
    from vp.query.output import readable  # noqa: PLC0415

    names = answer.table.schema.names
    columns: list[list[Any]] = [[] for _ in names]
    for batch in answer.table.to_batches():
        for column, values in zip(readable(batch, big_integers_as_text=True).columns, columns, strict=True):
            values.extend(column.to_pylist())
    content = {
        "columns": [{"name": field.name, "type": str(field.type)} for field in answer.table.schema],
        "rows": [list(row) for row in zip(*columns, strict=True)],
        "truncated": answer.truncated,
        "seconds": round(seconds, 3),
    }
    text = json.dumps(content, default=str, separators=(",", ":"), ensure_ascii=False)
    return Response(text, media_type="application/json", headers=headers)


def _refusal(problem: VPError, status: int) -> Response:
    content = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    return JSONResponse(content, status_code=status, headers={"cache-control": "no-store"})
