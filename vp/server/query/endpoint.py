"""`POST /v1/vacuum-pressure/query`: SQL over the lake for the page and for notebooks, behind the wall."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from vp.errors import BadParameterError, RequestError, ServerFullError, VPError, quoted
from vp.server.faults import for_strangers, unexpected
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.bodies import AdmittedResponse, Body, Reader, Readers, TooManyReadersError, connection_of
from vp.server.net.http import HttpConnection
from vp.server.query.pool import EncodedAnswer, RefusedError, Room, WorkerPool
from vp.server.query.request import QueryContext, QueryRequest

QUERY = "/v1/vacuum-pressure/query"
MAX_BODY_BYTES = 64 << 10
AT_ONCE = 2
WAITING = 8
TEXTS = ("sql", "query", "symbol", "dt", "start_time", "product_type", "bucket", "format")
FORMATS = ("json", "arrow")
LEFT_SECONDS = 0.5  # to be done for who has left: what is quick costs less than beginning a process anew
ARROW_TYPE = "application/vnd.apache.arrow.stream"


class QueryEndpoint:
    """The route: reads a query, has it answered by another process, and writes the answer."""

    def __init__(self, context: QueryContext, readers: Readers) -> None:
        self._workers = WorkerPool(context, AT_ONCE)
        self._readers = readers
        self._waiting = 0

    async def close(self) -> None:
        """End the processes that answer."""
        await self._workers.close()

    async def answer(self, request: Request) -> Response:
        """EncodedAnswer one request."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refusal(BadParameterError("The body is not JSON.", hint="Send content-type application/json."), 415)
        admission = contextlib.AsyncExitStack()  # room for the answer, from before it is there until it is taken
        try:
            async with admission:
                query = parse_query_request(await _body(request))
                started = time.monotonic()
                connection = connection_of(request.scope)
                admitted: list[Reader] = []

                async def room(size: int) -> None:
                    admitted.append(await admission.enter_async_context(self._readers.admitted(connection, size)))

                answer = await self._answer(query, room, connection)
                body = _written(answer, query.format, time.monotonic() - started)
                return AdmittedResponse(body, admitted[0], admission.pop_all())
        except (ClientDisconnect, ConnectionLostError):
            return Response(status_code=499)
        except TooManyReadersError:
            return _refusal(ServerFullError("Too many wait for an answer already.", hint="Ask again in a moment."), 503)
        except RefusedError as error:
            return _refusal(error, error.status)
        except ServerFullError as error:
            return _refusal(error, 503)
        except RequestError as error:
            return _refusal(error, 400)
        except VPError as error:
            return _refusal(error, 500)
        except Exception as error:  # one client's fault must stay its own  # noqa: BLE001
            return _refusal(unexpected(error, "The query"), 500)

    async def _answer(self, query: QueryRequest, room: Room, connection: HttpConnection) -> EncodedAnswer:
        if self._waiting >= WAITING:
            raise ServerFullError(f"{WAITING} queries are waiting already.", hint="Ask again in a moment.")
        self._waiting += 1
        answering = asyncio.create_task(self._workers.ask(query, room))
        leaving = asyncio.create_task(_left(connection))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise ConnectionLostError
            return answering.result()
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.wait({answering, leaving})
            self._waiting -= 1


def parse_query_request(body: bytes) -> QueryRequest:
    """The query in a request's body.

    Raises
    ------
    BadParameterError
        It is no JSON object of the names and texts that a QueryRequest has.
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
    for text in (*given.values(), *values, *values.values()):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise BadParameterError("A text holds half of a pair of surrogates, which is no character.", hint=hint)
    if ("sql" in given) == ("query" in given):
        raise BadParameterError("Expected either sql or query.", hint=hint)
    if given.get("format", "json") not in FORMATS:
        raise BadParameterError(f"format was {quoted(given['format'])}, expected one of {', '.join(FORMATS)}.")
    return QueryRequest(**given, set=values)


async def _left(connection: HttpConnection) -> None:
    """Wait until who asked has been gone for LEFT_SECONDS."""
    await connection.gone()
    await asyncio.sleep(LEFT_SECONDS)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadParameterError(f"The body has more than {MAX_BODY_BYTES} bytes.")
    return body


def _written(answer: EncodedAnswer, kind: str, seconds: float) -> Body:
    headers = {"cache-control": "no-store"}
    if kind == "arrow":
        headers |= {"content-type": ARROW_TYPE, "x-vp-truncated": str(answer.truncated).lower()}
    else:
        headers |= {"content-type": "application/json"}
        answer.pieces[-1] = answer.pieces[-1][:-1] + f',"seconds":{seconds:.3f}}}'.encode()
    return Body(_each_once(answer.pieces), headers)


def _each_once(pieces: list[bytes]) -> Iterator[bytes]:
    """Each piece, which is held by nobody afterwards."""
    pieces.reverse()
    while pieces:
        yield pieces.pop()


def _refusal(problem: VPError | RefusedError, status: int) -> Response:
    content = {
        "code": problem.code,
        "message": for_strangers(problem.message),
        "hint": for_strangers(problem.hint),
    }
    return JSONResponse(content, status_code=status, headers={"cache-control": "no-store"})
