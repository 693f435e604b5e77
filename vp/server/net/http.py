"""HTTP connections, bounded in number, in the time that a request may take to come, and by what is taken of answers.

uvicorn's options bound neither: `limit_concurrency` counts requests, so that connections that never say anything
are free, and `timeout_keep_alive` begins with the first response. So a protocol of our own stands in front of
uvicorn's and hands on what asyncio tells it. It learns what becomes of a request from the application:
`app_state`, which uvicorn copies into the scope of every request as the ASGI specification says, names it there.

What is private here is the place of H11Protocol, and what vp.server.net.uvicorn_host says of a protocol's constructor
and of `server_state.connections`. Of H11Protocol itself only what every asyncio.Protocol has is called.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from vp import counters
from vp.server.net.backpressure import Backpressure, ConnectionLostError
from vp.server.net.descriptors import most_connections

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

REQUEST_SECONDS = 10.0
STATE = "vp.http_connection"

log = logging.getLogger("vp.server")


class HttpConnection(asyncio.Protocol):
    """Stands in front of uvicorn's HTTP protocol; cuts off who does not get a request said in REQUEST_SECONDS."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = _loop or asyncio.get_running_loop()
        self._server_state = server_state
        self._http = H11Protocol(config, server_state, {**app_state, STATE: self}, self._loop)
        self._taken = False
        self._gone = asyncio.Event()
        self._answering: object | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        most = most_connections()
        if len(self._server_state.connections) >= most:
            counters.add("refused", "connections")
            log.warning("connection refused: there are %d already", most)
            self._transport.abort()
            return
        self._taken = True
        self._http.connection_made(self._transport)
        self._backpressure = Backpressure(self._transport, self._loop)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; the connection may be a websocket's afterwards."""
        if self._answering is None:
            self._start_timer()
        self._http.data_received(data)
        if self._transport.get_protocol() is not self:
            self._stop_timer()

    def eof_received(self) -> None:
        """Pass the end of the peer's output on."""
        self._http.eof_received()

    def pause_writing(self) -> None:
        """Pass on that the peer does not keep up, and judge how much it takes."""
        self._backpressure.pause()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the peer keeps up again."""
        self._backpressure.resume()
        self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        self._gone.set()
        if self._taken:
            self._backpressure.resume()
            self._http.connection_lost(exc)

    async def drain(self) -> None:
        """Wait until all that was written has gone to the system.

        Raises
        ------
        ConnectionLostError
            The reader has gone, or took next to nothing and was cut off.
        """
        await self._backpressure.drain()
        if self._gone.is_set():
            raise ConnectionLostError

    def waiting_bytes(self) -> int:
        """Bytes that were written and that the reader has not taken."""
        return self._backpressure.waiting_bytes()

    def abort(self) -> None:
        """End the connection now; who waits for it learns that."""
        self._transport.abort()

    @property
    def lost(self) -> bool:
        """Whether the connection has ended."""
        return self._gone.is_set()

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        await self._gone.wait()

    def request_complete(self, request: object) -> None:
        """Give the answer to this request, all of which has come, all the time that it takes."""
        self._answering = request
        self._stop_timer()

    def response_complete(self, request: object) -> None:
        """Wait for a next request, or for the rest of one that was answered before all of it had come."""
        if self._answering is None:
            self._stop_timer()
            self._start_timer()
        elif self._answering is request:
            self._answering = None

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(REQUEST_SECONDS, self._cut_off)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        self._timer = None
        log.info("connection closed: no whole request in %g s", REQUEST_SECONDS)
        self._transport.abort()


class RequestTimes:
    """ASGI middleware that tells an HttpConnection when a request has come whole, and when it has been answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; websockets are passed on."""
        connection = scope.get("state", {}).get(STATE)
        if scope["type"] == "http" and isinstance(connection, HttpConnection):
            await self._answer(connection, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, connection: HttpConnection, scope: Scope, receive: Receive, send: Send) -> None:
        request = object()

        async def receive_and_tell() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                connection.request_complete(request)
            return message

        if not _has_body(scope):
            connection.request_complete(request)
        try:
            await self._app(scope, receive_and_tell, send)
        except asyncio.CancelledError:  # the server ends, and has waited as long as it does
            connection.abort()
            await connection.gone()
        finally:
            connection.response_complete(request)


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
