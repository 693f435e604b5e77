"""A whole session at a glance: what a page shows under its map, and seeks by."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vp.errors import RequestError, VPError
from vp.server.faults import unexpected
from vp.server.routes.history import NO_STORE, refusal
from vp.server.stream.request import StreamRequest, parse_stream_request

MAKING_SECONDS = 60.0
MOST_WAITING = 16
MakeOverview = Callable[[StreamRequest, Callable[[], None]], dict[str, Any]]
Key = tuple[str, str, str]


class OverviewLimitError(RequestError):
    """An overview takes longer than it may, or too many others are being made."""

    code = "overview_limit"


class OverviewRoute:
    """The handler of /overview.

    Parameters
    ----------
    make : callable
        Makes the overview of a session; called in a thread, one at a time, and told by an exception out of its second
        argument, which it calls often, that it takes too long.
    defaults : callable
        What a viewer gets who asks for nothing in particular.
    """

    def __init__(self, make: MakeOverview, defaults: Callable[[], StreamRequest]) -> None:
        self._make = make
        self._defaults = defaults
        self._making: dict[Key, asyncio.Task[dict[str, Any]]] = {}
        self._turn = asyncio.Semaphore(1)
        self._closing = threading.Event()

    async def answer(self, request: Request) -> Response:
        """The overview of the session that the query names, as the stream's does; those who ask alike wait together."""
        try:
            asked = parse_stream_request(request.scope["query_string"].decode("latin-1"), self._defaults())
            key = asked.product_type, asked.symbol, asked.dt
            task = self._making.get(key) or self._begin(key, asked)
            return JSONResponse(await asyncio.shield(task), headers=NO_STORE)
        except OverviewLimitError as problem:
            answer = refusal(problem)
            answer.status_code = 503
            return answer
        except VPError as problem:
            return refusal(problem)
        except Exception as error:  # whatever it is, it is told as all others are  # noqa: BLE001
            return refusal(unexpected(error, "The overview"))

    async def close(self) -> None:
        """Leave off what is being made."""
        self._closing.set()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    def _begin(self, key: Key, asked: StreamRequest) -> asyncio.Task[dict[str, Any]]:
        if len(self._making) >= MOST_WAITING:
            raise OverviewLimitError(
                f"{MOST_WAITING} overviews are being made, which is as many as may wait.", hint="Try again later."
            )
        task = self._making[key] = asyncio.create_task(self._made(asked))
        task.add_done_callback(partial(self._forget, key))
        return task

    async def _made(self, asked: StreamRequest) -> dict[str, Any]:
        async with self._turn:
            deadline = time.monotonic() + MAKING_SECONDS

            def check() -> None:
                if self._closing.is_set() or time.monotonic() > deadline:
                    raise OverviewLimitError(
                        f"The overview of {asked.symbol} {asked.dt} was not made within {MAKING_SECONDS:g} seconds.",
                        hint="Ask for a shorter session, or let a faster disk hold it.",
                    )

            return await asyncio.to_thread(self._make, asked, check)

    def _forget(self, key: Key, task: asyncio.Task[dict[str, Any]]) -> None:
        del self._making[key]
        if not task.cancelled():
            task.exception()  # who waited has been told
