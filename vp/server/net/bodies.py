"""Long bodies, made piece by piece as they are taken: the memory that all readers cause has a bound.

A body counts with the bytes that it may hold at a time. Where the next finds no room, the reader that takes least is
ended, unless it takes SLOW_BYTES_PER_SECOND: nobody keeps others waiting by taking little.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from vp import counters
from vp.logs import event
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.http import STATE, HttpConnection

TOGETHER_BYTES = 48 << 20
PIECE_BYTES = 256 << 10
STREAM_BYTES = 3 * PIECE_BYTES  # what a body of such pieces holds: one made, one handed over, one waiting to be taken
WAITING = 256
LOOK_SECONDS = 0.1
YOUNG_SECONDS = 1.0
WINDOW_SECONDS = 2.0
SLOW_BYTES_PER_SECOND = 1 << 20

log = logging.getLogger("vp.server")


class TooManyReadersError(Exception):
    """As many wait for a body already as may wait."""


@dataclass(eq=False)
class Reader:
    """Who takes one body, and how much of it since some moment."""

    connection: HttpConnection
    held_bytes: int
    since_seconds: float
    sent_bytes: int = 0
    taken_before: int = 0
    ended: bool = False

    def taken(self) -> int:
        return max(0, self.sent_bytes - self.connection.waiting_bytes())

    def look(self, now_seconds: float) -> None:
        """Begin to count anew now and then, so that what was taken long ago says nothing."""
        if now_seconds - self.since_seconds >= WINDOW_SECONDS:
            self.since_seconds, self.taken_before = now_seconds, self.taken()

    def bytes_per_second(self, now_seconds: float) -> float:
        """Infinite while it is too early to tell."""
        seconds = now_seconds - self.since_seconds
        return float("inf") if seconds < YOUNG_SECONDS else (self.taken() - self.taken_before) / seconds


class Readers:
    """All who take a long body now. All methods belong to the event loop.

    Parameters
    ----------
    together_bytes : int
        What the bodies may hold together.
    """

    def __init__(self, together_bytes: int = TOGETHER_BYTES) -> None:
        self._together_bytes = together_bytes
        self._held_bytes = 0
        self._readers: set[Reader] = set()
        self._queue: deque[object] = deque()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def admitted(self, connection: HttpConnection, held_bytes: int) -> AsyncIterator[Reader]:
        """Room for a body that holds so many bytes, once there is some.

        Raises
        ------
        TooManyReadersError
        ConnectionLostError
            Who asked has gone meanwhile.
        """
        loop = asyncio.get_running_loop()
        held_bytes = min(held_bytes, self._together_bytes)
        await self._turn(connection, held_bytes)
        reader = Reader(connection, held_bytes, loop.time())
        self._readers.add(reader)
        self._held_bytes += held_bytes
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self._held_bytes -= held_bytes
            self._changed.set()

    async def _turn(self, connection: HttpConnection, held_bytes: int) -> None:
        if len(self._queue) >= WAITING:
            counters.add("refused", "readers")
            raise TooManyReadersError
        ticket = object()
        self._queue.append(ticket)
        loop = asyncio.get_running_loop()
        try:
            while self._queue[0] is not ticket or self._held_bytes + held_bytes > self._together_bytes:
                if connection.lost:
                    raise ConnectionLostError
                if self._queue[0] is ticket:
                    self._end_slowest(loop.time())
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._changed.wait()
        finally:
            self._queue.remove(ticket)
            self._changed.set()

    def _end_slowest(self, now_seconds: float) -> None:
        rates = [(reader.bytes_per_second(now_seconds), reader) for reader in self._readers if not reader.ended]
        if not rates:
            return
        rate, slowest = min(rates, key=lambda one: one[0])
        if rate < SLOW_BYTES_PER_SECOND:
            counters.add("refused", "slow_reader")
            event(log, logging.INFO, "reader ended", why="others wait", bytes_per_second=round(rate))
            slowest.ended = True
            slowest.connection.abort()


@dataclass(frozen=True)
class Body:
    """A body and what is said before it; made once there is room for it.

    Attributes
    ----------
    pieces : iterator of bytes
        Each made in a thread when those before it have been taken. An exception ends the connection, so that what was
        sent is not taken for all of it.
    headers : mapping
    """

    pieces: Iterator[bytes]
    headers: Mapping[str, str]


class LongResponse(Response):
    """A body piece by piece, made once there is room for it.

    Parameters
    ----------
    readers : Readers
    make : callable
        Makes the body; called in a thread.
    held_bytes : int
        What it may hold at a time.
    """

    def __init__(self, readers: Readers, make: Callable[[], Body], held_bytes: int = STREAM_BYTES) -> None:
        super().__init__()
        self._readers = readers
        self._make = make
        self._held_bytes = held_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as far as it is taken."""
        connection = connection_of(scope)
        try:
            async with self._readers.admitted(connection, self._held_bytes) as reader:
                body = await asyncio.to_thread(self._make)
                if scope["method"] == "HEAD":
                    body = replace(body, pieces=iter(()))
                await _send(body, reader, send)
        except TooManyReadersError:
            text = {"code": "server_full", "message": f"{WAITING} wait for an answer already.", "hint": "Try again."}
            await JSONResponse(text, 503, headers={"cache-control": "no-store"})(scope, receive, send)
        except ConnectionLostError:
            await connection.gone()


class AdmittedResponse(Response):
    """A body that there is room for, which is let go when it has been taken or the reader has gone."""

    def __init__(self, body: Body, reader: Reader, admission: contextlib.AsyncExitStack) -> None:
        super().__init__()
        self._body = body
        self._reader = reader
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it, as far as it is taken."""
        try:
            async with self._admission:
                await _send(self._body, self._reader, send)
        except ConnectionLostError:
            await self._reader.connection.gone()


def connection_of(scope: Scope) -> HttpConnection:
    """The connection that a request came on."""
    connection: HttpConnection = scope["state"][STATE]
    return connection


async def _send(body: Body, reader: Reader, send: Send) -> None:
    loop = asyncio.get_running_loop()
    connection = reader.connection
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in body.headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while True:
        try:
            piece = await asyncio.to_thread(next, body.pieces, None)
        except Exception as error:  # whatever it is: half an answer must not look like a whole one  # noqa: BLE001
            event(log, logging.INFO, "answer broken off", why=type(error).__name__)
            connection.abort()
            raise ConnectionLostError from None
        if piece is None:
            break
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        reader.sent_bytes += len(piece)
        del piece  # it is not held while the next is made
        await connection.drain()
        reader.look(loop.time())
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    await connection.drain()
