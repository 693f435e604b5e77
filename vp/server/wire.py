"""Frames as bytes on the socket, and the connection that carries them.

A frame message of a session always has the same length, so its websocket header is a constant, and a block of
frames with their headers between is written in one piece: sending costs no Python per frame. The history
holds frames in this form.

The connection is uvicorn's own websocket protocol with a few things added: such writes, bounds on how long a
reader may take nothing and on how much a writer may say, and a close with 1001 at shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import socket
import struct
import termios
from array import array
from asyncio.transports import BaseTransport
from typing import Any, Protocol, cast

import numpy as np
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN

from vp import counters
from vp.logs import event
from vp.server.protocol import CLOSE_GOING_AWAY, CLOSE_INVALID_DATA, CLOSE_POLICY, CLOSE_PROTOCOL_ERROR

EXTENSION = "vp.connection"
STALL_SECONDS = 10.0
LEAST_BYTES = 4096  # that a reader has to take in STALL_SECONDS
SHUTDOWN_SECONDS = 1.5
LINGER_SECONDS = 1.0
COUNT_SECONDS = 1.0
MOST_FRAMES = 100  # control frames and pieces in COUNT_SECONDS; browsers send a pong every 20 s
FIN_BINARY = 0x82
BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

log = logging.getLogger("vp.server")


class ConnectionLostError(Exception):
    """The viewer has gone, or took next to nothing for STALL_SECONDS and was cut off."""


class Projector(Protocol):
    """Re-encodes one frame message (vp.frames.Projection)."""

    def apply(self, message: Any) -> bytes: ...


def header(length: int) -> bytes:
    """The websocket header of a whole binary message of `length` bytes from a server (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", FIN_BINARY, length)
    if length < 1 << 16:
        return struct.pack("!BBH", FIN_BINARY, 126, length)
    return struct.pack("!BBQ", FIN_BINARY, 127, length)


def pack(messages: np.ndarray) -> np.ndarray:
    """Messages uint8[n, length] with their headers: a new array uint8[n, len(header) + length]."""
    count, length = messages.shape
    head = np.frombuffer(header(length), np.uint8)
    packed = np.empty((count, len(head) + length), np.uint8)
    packed[:, : len(head)] = head
    packed[:, len(head) :] = messages
    return packed


def unpack(data: memoryview, length: int) -> np.ndarray:
    """The messages of `length` bytes in a packed block: uint8[n, length], a view."""
    stride = len(header(length)) + length
    return np.frombuffer(data, np.uint8).reshape(-1, stride)[:, stride - length :]


def project(messages: np.ndarray, projector: Projector, length: int) -> np.ndarray:
    """Messages uint8[n, *] re-encoded, each `length` bytes long: uint8[n, length]."""
    projected = b"".join([projector.apply(message) for message in messages])
    return np.frombuffer(projected, np.uint8).reshape(-1, length)


class Connection(WebSocketsSansIOProtocol):
    """One viewer's websocket. The application finds it in its scope's extensions under EXTENSION."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Let `writable` mean that all of what was written has gone to the system, and `drain` judge slow readers.

        The system's own timeout would cut off a reader that is slow but takes what comes: Linux restarts its clock
        only when a whole segment of up to 64 KiB finds room at once.
        """
        super().connection_made(transport)
        opened = transport.get_extra_info("socket")
        if opened is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)
        self._counted_since = 0.0
        self._counted = 0
        self.transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Take what came; uvicorn leaves a handshake unanswered, and open, whose headers websockets finds too long."""
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None and not self.close_sent:
            log.info("handshake refused: %s", self.conn.handshake_exc)
            self.close_sent = True
            self.transport.write(BAD_HANDSHAKE)
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        """Take a piece of a message."""
        if self._may_go_on():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping."""
        if self._may_go_on():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong."""
        if self._may_go_on():
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on; uvicorn would log a traceback for each that is no UTF-8."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(CLOSE_INVALID_DATA, "text that is no UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Close after a breach of the protocol, so that the peer learns why.

        A socket that is closed with input unread is reset, and the reset can overtake the close frame. So only the
        writing side is closed, and what still comes is thrown away for a moment.
        """
        if self.close_sent or self.disconnected:
            return
        close = self.conn.close_sent
        code, reason = (close.code, close.reason) if close is not None else (CLOSE_PROTOCOL_ERROR, "")
        counters.add("refused", "protocol")
        event(log, logging.INFO, "viewer closed", code=code, why=reason)
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _may_go_on(self) -> bool:
        """Count a frame that costs its sender nothing; False for what comes after too many of them."""
        if self.close_sent or self.transport.is_closing():
            return False
        now = self.loop.time()
        if now - self._counted_since > COUNT_SECONDS:
            self._counted_since, self._counted = now, 0
        self._counted += 1
        if self._counted > MOST_FRAMES:
            self.conn.data_to_send()  # the pong to it: not sent
            self.conn.fail(CLOSE_POLICY, "too many control frames or pieces")
            self.handle_parser_exception()
            return False
        return True

    async def run_asgi(self) -> None:
        """Run the application with this connection in reach."""
        cast("dict[str, Any]", self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Do as uvicorn does; a refusal completes the handshake, or uvicorn would log a fault for each."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    async def write(self, packed: memoryview | bytes) -> None:
        """Write whole messages with their headers, once all before have gone to the system.

        What is written must not change any more. At most one such write is held in memory.
        """
        await self.drain()
        self._require_open()
        self.transport.write(packed)

    def push(self, packed: memoryview | bytes) -> bool:
        """Write whole messages now, if all before have gone to the system; whether they were written."""
        if not self.writable.is_set() or not self._open:
            return False
        self.transport.write(packed)
        return True

    async def write_text(self, text: str) -> None:
        """Write one text message."""
        data = text.encode()
        await self.drain()
        self._require_open()
        self.conn.send_text(data)
        self.transport.write(b"".join(self.conn.data_to_send()))

    async def write_close(self, code: int, reason: str = "") -> None:
        """Close with `code`, once all before has gone."""
        await self.drain()
        if self._open:
            await self.send({"type": "websocket.close", "code": code, "reason": reason})

    async def drain(self) -> None:
        """Wait until everything written has gone to the system; cut off a reader that takes next to nothing.

        Neither keepalive nor close would ever free a connection whose peer has stopped reading.
        """
        waiting_bytes, taken_at = self._waiting_bytes(), self.loop.time()
        while not self.writable.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STALL_SECONDS / 10):
                    await self.writable.wait()
                    return
            now_waiting, now = self._waiting_bytes(), self.loop.time()
            if waiting_bytes - now_waiting >= LEAST_BYTES:
                waiting_bytes, taken_at = now_waiting, now
            elif now - taken_at >= STALL_SECONDS:
                counters.add("refused", "stalled")
                event(log, logging.INFO, "viewer cut off", why="it took nothing", seconds=STALL_SECONDS)
                self.transport.abort()
                raise ConnectionLostError

    def _waiting_bytes(self) -> int:
        """Bytes that the reader has not taken yet: the system's too, which makes room known late, by large pieces."""
        held = array("i", [0])
        opened = self.transport.get_extra_info("socket")
        if opened is not None and opened.fileno() >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, held)
        return self.transport.get_write_buffer_size() + held[0]

    @property
    def _open(self) -> bool:
        gone = self.disconnected or self.close_sent or self.transport.is_closing()
        return not gone and self.conn.state is OPEN

    def _require_open(self) -> None:
        if not self._open:
            raise ConnectionLostError

    def shutdown(self) -> None:
        """Close with 1001: the server is going away. Called by uvicorn."""
        if not self.handshake_complete or not self._open:
            super().shutdown()
        else:
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CLOSE_GOING_AWAY})
            self.conn.send_close(CLOSE_GOING_AWAY, "the server is shutting down")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.transport.close()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(SHUTDOWN_SECONDS, self.transport.abort)  # ended with the connection
