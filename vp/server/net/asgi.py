"""The ASGI side of a websocket: the messages that go between an application and its connection.

The interface is asgi.readthedocs.io/en/latest/specs/www.html, version 2.4, with the extension
`websocket.http.response`, by which an application refuses with a response of its own.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from vp.server.net.backpressure import ConnectionLostError

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
HeaderPairs = Iterable[tuple[bytes, bytes]]
Application = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

log = logging.getLogger("vp.server")


class Peer(Protocol):
    """The connection that an application speaks through (vp.server.net.websocket.WebSocketConnection)."""

    @property
    def lost(self) -> bool: ...
    def accept(self, subprotocol: str | None, headers: HeaderPairs) -> None: ...
    def refuse(self, status: int, headers: HeaderPairs = (), body: bytes = b"") -> None: ...
    async def write_text(self, text: str) -> None: ...
    async def write_binary(self, data: bytes) -> None: ...
    async def write_close(self, code: int, reason: str = "") -> None: ...
    def hold_input(self) -> None: ...
    def release_input(self) -> None: ...


class _State(enum.Enum):
    CONNECTING = enum.auto()
    REFUSING = enum.auto()  # the head of a response has come, not yet all of its body
    OPEN = enum.auto()
    CLOSED = enum.auto()


class AsgiConversation:
    """One application's run over one websocket."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._state = _State.CONNECTING
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._waiting.put_nowait({"type": "websocket.connect"})
        self._disconnected = False
        self._response: tuple[int, list[tuple[bytes, bytes]], bytes] = (0, [], b"")

    def deliver(self, data: str | bytes) -> None:
        """Hand a whole message to the application; nothing more is read until it has taken it."""
        if not self._disconnected:
            self._waiting.put_nowait({"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data})
            self._peer.hold_input()

    def disconnect(self, code: int, reason: str = "") -> None:
        """Tell the application, once, that no more messages will come."""
        if not self._disconnected:
            self._disconnected = True
            self._waiting.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def run(self, application: Application, scope: Scope) -> None:
        """Run the application to its end; whatever it leaves open is closed."""
        try:
            await application(scope, self._receive, self._send)
        except ConnectionLostError:
            pass
        except Exception:  # an application's fault ends its own connection only
            log.exception("A websocket's handler failed.")
            await self._end(500, 1011)
        else:
            await self._end(500, 1000)

    async def _end(self, status: int, code: int) -> None:
        if self._state in {_State.CONNECTING, _State.REFUSING}:
            self._peer.refuse(status)
        elif self._state is _State.OPEN:
            try:
                await self._peer.write_close(code)
            except ConnectionLostError:
                return
        self._state = _State.CLOSED

    async def _receive(self) -> Message:
        message = await self._waiting.get()
        if self._waiting.empty():
            self._peer.release_input()
        return message

    async def _send(self, message: Message) -> None:
        if self._peer.lost:
            raise ConnectionLostError
        match self._state, message["type"]:
            case _State.CONNECTING, "websocket.accept":
                self._state = _State.OPEN
                self._peer.accept(message.get("subprotocol"), message.get("headers", ()))
            case _State.CONNECTING, "websocket.close":
                self._state = _State.CLOSED
                self._peer.refuse(403)
            case _State.CONNECTING, "websocket.http.response.start":
                self._state = _State.REFUSING
                self._response = message["status"], list(message.get("headers", ())), b""
            case _State.REFUSING, "websocket.http.response.body":
                status, headers, body = self._response
                self._response = status, headers, body + message.get("body", b"")
                if not message.get("more_body", False):
                    self._state = _State.CLOSED
                    self._peer.refuse(*self._response)
            case _State.OPEN, "websocket.send":
                if message.get("bytes") is not None:
                    await self._peer.write_binary(message["bytes"])
                else:
                    await self._peer.write_text(message["text"])
            case _State.OPEN, "websocket.close":
                self._state = _State.CLOSED
                await self._peer.write_close(message.get("code", 1000), message.get("reason") or "")
            case state, kind:
                raise RuntimeError(f"The application sent {kind!r} while the websocket was {state.name.lower()}.")
