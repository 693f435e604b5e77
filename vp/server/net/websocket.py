"""One websocket: frames by websockets' protocol without I/O, an application by ASGI, and whole blocks in one write.

Beside what ASGI offers, an application may write messages that carry their websocket headers already
(vp.server.stream.packing). A reader that takes nothing is cut off, as is a peer that sends frames without end that
cost it nothing, and at the end of the server each connection closes with 1001.

How uvicorn makes and hands over a connection is told in vp.server.net.uvicorn_host. Of websockets only the documented
interface of ServerProtocol is used.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from vp import counters
from vp.logs import event
from vp.server.net.asgi import AsgiConversation, HeaderPairs
from vp.server.net.backpressure import Backpressure, ConnectionLostError
from vp.server.net.connection_end import ConnectionEnd
from vp.server.net.handshake import BAD_HANDSHAKE, refusal_response
from vp.server.net.incoming import BreachError, IncomingMessages
from vp.server.net.keepalive import Keepalive
from vp.server.net.uvicorn_host import UvicornHost

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

EXTENSION = "vp.connection"
CLOSE_GOING_AWAY = 1001
CLOSE_ABNORMAL = 1006  # never sent: there was no close
CLOSE_FAULT = 1011
SHUTDOWN_SECONDS = 1.5
CLOSE_SECONDS = 10.0  # for the peer to answer a close, and to take what was written before
READ_BYTES = 1024

log = logging.getLogger("vp.server")


class WebSocketConnection(asyncio.BufferedProtocol):
    """One peer's websocket. The application finds it in its scope's extensions under EXTENSION.

    It reads READ_BYTES at a time: the messages in them are all that is held beyond the one at work, whatever else the
    peer has sent waits in the socket, and the other connections have their turn between two reads.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = _loop or asyncio.get_running_loop()
        self._host = host = UvicornHost(config, server_state, app_state, self._loop)
        self._protocol = ServerProtocol(max_size=host.most_message_bytes, logger=logging.getLogger("uvicorn.error"))
        self._conversation = AsgiConversation(self)
        self._keepalive = Keepalive(
            self._loop, host.ping_interval_seconds, host.ping_timeout_seconds, self._ping, self._give_up
        )
        self._incoming = IncomingMessages(self._loop.time)
        self._read = bytearray(READ_BYTES)

    # What asyncio and uvicorn call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        self._transport = cast(asyncio.Transport, transport)
        self._backpressure = Backpressure(self._transport, self._loop)
        self._end = ConnectionEnd(self._transport, self._loop)
        self._host.take(self)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        """Where the next bytes go."""
        return self._read

    def buffer_updated(self, nbytes: int) -> None:
        """Take them."""
        self.data_received(bytes(memoryview(self._read)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take what came: at first the request, later frames; what comes after the end is thrown away."""
        if self._end.output_ended:
            return
        before = self._protocol.state
        self._protocol.receive_data(data)
        received = self._protocol.events_received()
        if before is State.CONNECTING and not received and self._protocol.handshake_exc is not None:
            self._refuse_unread()
            return
        for one in received:
            if isinstance(one, Request):
                self._begin(one)
            elif isinstance(one, Frame) and not self._take(one):
                break
        if self._flush() and before is not State.CONNECTING:
            self._tell_end()

    def eof_received(self) -> None:
        """Let the transport close, as the peer will say no more."""
        self._end.abort_after(CLOSE_SECONDS)

    def pause_writing(self) -> None:
        """Note that something waits to be taken by the system."""
        self._backpressure.pause()

    def resume_writing(self) -> None:
        """Note that all has been taken by the system."""
        self._backpressure.resume()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the connection; who waits for it learns that it has gone."""
        self._keepalive.stop()
        self._end.lost()
        self._host.let_go(self)
        self._protocol.receive_eof()
        self._conversation.disconnect(self._protocol.close_code or CLOSE_ABNORMAL, self._protocol.close_reason or "")
        self._backpressure.resume()

    def shutdown(self) -> None:
        """Close with 1001: the server is going away."""
        if self._protocol.state is State.CONNECTING:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        elif self.is_open:
            self._send_close(CLOSE_GOING_AWAY, "the server is shutting down")
        self._transport.close()
        self._end.abort_after(SHUTDOWN_SECONDS)

    # What the application calls.

    @property
    def is_open(self) -> bool:
        """Whether messages can be written."""
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    @property
    def lost(self) -> bool:
        """Whether the connection has gone, or only its end is waited for."""
        return self._protocol.state is State.CLOSED or self._end.output_ended

    def push(self, packed: memoryview | bytes) -> bool:
        """Write whole messages with their headers now, if all before have gone to the system; whether it did so."""
        if not self._backpressure.drained or not self.is_open:
            return False
        self._transport.write(packed)
        return True

    async def write(self, packed: memoryview | bytes) -> None:
        """Write whole messages with their headers, once all before have gone to the system.

        What is written must not change any more. At most one such write is held in memory.

        Raises
        ------
        ConnectionLostError
        """
        await self._until_writable()
        self._transport.write(packed)

    async def write_text(self, text: str) -> None:
        """Write one text message; otherwise as `write`."""
        await self._until_writable()
        self._protocol.send_text(text.encode())
        self._flush()

    async def write_binary(self, data: bytes) -> None:
        """Write one binary message; otherwise as `write`."""
        await self._until_writable()
        self._protocol.send_binary(data)
        self._flush()

    async def drain(self) -> None:
        """Wait until all that was written has gone to the system; raises ConnectionLostError (Backpressure.drain)."""
        await self._backpressure.drain()

    async def write_close(self, code: int, reason: str = "") -> None:
        """Close with `code`, once all before has gone; nothing if it is closed already."""
        await self.drain()
        if self.is_open:
            self._send_close(code, reason)
            self._end.abort_after(CLOSE_SECONDS)
            self.release_input()

    def accept(self, subprotocol: str | None, headers: HeaderPairs) -> None:
        """Complete the handshake; raises ConnectionLostError."""
        if self._end.output_ended or self._transport.is_closing():
            raise ConnectionLostError
        if subprotocol is not None:
            self._response.headers["Sec-WebSocket-Protocol"] = subprotocol
        for name, value in headers:
            self._response.headers[name.decode("latin-1")] = value.decode("latin-1")
        self._protocol.send_response(self._response)
        self._flush()
        self._keepalive.start()

    def refuse(self, status: int, headers: HeaderPairs = (), body: bytes = b"") -> None:
        """Answer the request with a response instead of the handshake."""
        if self._end.output_ended:
            return
        self._protocol.send_response(refusal_response(status, headers, body))
        self._conversation.disconnect(CLOSE_ABNORMAL)
        self._flush()

    def hold_input(self) -> None:
        """Read nothing more for now."""
        self._transport.pause_reading()

    def release_input(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def _begin(self, request: Request) -> None:
        """Run the application for a request that is a good one; answer any other."""
        self._response = self._protocol.accept(request)
        if self._response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._protocol.send_response(self._response)
            return
        self._host.run(self._conversation, request, self._transport, {EXTENSION: self})

    def _refuse_unread(self) -> None:
        """Answer a request that websockets does not take in (its lines are too long): alike, whatever was wrong."""
        log.info("handshake refused: %s", self._protocol.handshake_exc)
        self._protocol.data_to_send()
        self._transport.write(BAD_HANDSHAKE)
        self._end_output()

    # Frames that come in.

    def _take(self, frame: Frame) -> bool:
        """Take one frame; whether those behind it count. websockets has answered pings and closes itself."""
        try:
            message = self._incoming.take(frame)
        except BreachError as breach:
            if self._protocol.state is State.OPEN:
                self._protocol.data_to_send()  # the pongs to a flood of pings: not sent
                self._protocol.fail(breach.code, breach.reason)
            return False
        if message is not None:
            self._conversation.deliver(message)
        elif frame.opcode is Opcode.PONG:
            self._keepalive.received(bytes(frame.data))
        return True

    def _send_close(self, code: int, reason: str) -> None:
        self._keepalive.stop()
        self._conversation.disconnect(code, reason)
        self._protocol.send_close(code, reason)
        self._flush()

    def _tell_end(self) -> None:
        """Tell the application how the peer's close, or its breach of the protocol, has ended the connection."""
        self._protocol.receive_eof()  # nothing that still comes counts; and only now it says how it ended
        ended = self._protocol.close_exc
        close = ended.rcvd or ended.sent
        code, reason = (close.code, close.reason) if close is not None else (CLOSE_ABNORMAL, "")
        if ended.rcvd is None:
            counters.add("refused", "protocol")
            event(log, logging.INFO, "viewer closed", code=code, why=reason)
        self._conversation.disconnect(code, reason)

    def _flush(self) -> bool:
        """Write what websockets has to send, and end the output where it says so; whether it did."""
        waiting = self._protocol.data_to_send()
        if not waiting or self._end.output_ended or self._transport.is_closing():
            return False
        self._transport.write(b"".join(waiting))
        if SEND_EOF in waiting:
            self._end_output()
        return self._end.output_ended

    def _end_output(self) -> None:
        """Write nothing any more."""
        self._keepalive.stop()
        self._end.end_output()

    async def _until_writable(self) -> None:
        await self.drain()
        if not self.is_open:
            raise ConnectionLostError

    def _ping(self, payload: bytes) -> None:
        if self.is_open:
            self._protocol.send_ping(payload)
            self._flush()

    def _give_up(self) -> None:
        """End a connection whose peer does not answer pings."""
        if self.is_open:
            self._protocol.fail(CLOSE_FAULT, "keepalive ping timeout")
            self._conversation.disconnect(CLOSE_FAULT, "keepalive ping timeout")
            self._flush()
