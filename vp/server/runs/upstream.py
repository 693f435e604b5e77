"""Another server's stream of a session, read as any viewer reads it: messages in their order, frames as they came."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import ClientConnection, connect

from vp.errors import VPError
from vp.model.parameter_texts import text_of
from vp.server.stream.messages import API
from vp.server.stream.request import StreamRequest

LOOK_SECONDS = 0.25  # for the next message, before something else is looked at
OPEN_SECONDS = 10.0
PING_SECONDS = 1.0
SILENCE_SECONDS = 10.0  # without an answer to a ping
MOST_BYTES = 4 << 20  # of one message
FRAMES_A_BATCH = 256
CLOSE_SECONDS = 1.0
NO_MESSAGES = {1002, 1007, 1009}
"""What this end closes with where what came is against the protocol, no text, or too long: it would come again."""
SERVER_ERRORS = 500  # from this status on: of a server, or a proxy before it, that may be back soon


log = logging.getLogger("vp.server.upstream")
log.setLevel(logging.CRITICAL)  # of the client: what goes wrong is raised, and told by who handles it


class UpstreamError(VPError):
    """The server that a relay gets its sessions from cannot be reached, or says what no such server says."""

    code = "upstream"


class UpstreamGoneError(UpstreamError):
    """The connection to that server is lost; it may be tried again."""

    code = "upstream_gone"


def stream_address(upstream: str, request: StreamRequest, after: tuple[str, int] | None) -> str:
    """The address of a session's stream at another server, with every value said: its defaults are its own.

    Parameters
    ----------
    upstream : str
        ws://host:port or wss://host, and what comes before the paths of a server behind a proxy.
    request : StreamRequest
    after : (str, int), optional
        Session id and event id of the newest frame that is there already.
    """
    wanted = {
        "product_type": request.product_type,
        "symbol": request.symbol,
        "dt": request.dt,
        "start_time": request.start_time or "",
        "speed": repr(request.speed),
        "throttle_ms": repr(request.throttle_ms),
        "bucket": "" if request.bucket is None else str(request.bucket),
        "parameters": text_of(request.parameters),
        **({} if after is None else {"after": f"{after[0]}.{after[1]}"}),
    }
    return f"{upstream.rstrip('/')}{API}/stream?{urlencode(wanted)}"


class UpstreamStream:
    """One connection. All methods but `latency_seconds` belong to one thread.

    Raises
    ------
    UpstreamGoneError
        Nobody answers.
    UpstreamError
        Who answers is no such server.
    """

    def __init__(self, address: str) -> None:
        self._shown = address.partition("?")[0]
        self._opened = ExitStack()
        try:
            self._socket: ClientConnection = self._opened.enter_context(
                connect(
                    address,
                    max_size=MOST_BYTES,
                    compression=None,
                    proxy=None,
                    open_timeout=OPEN_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    ping_interval=PING_SECONDS,
                    ping_timeout=SILENCE_SECONDS,
                    logger=log,
                )
            )
        except (OSError, TimeoutError, EOFError) as error:
            raise UpstreamGoneError(
                f"{self._shown} does not answer: {error}.", hint="See that a server runs there; it is tried again."
            ) from error
        except (InvalidHandshake, InvalidURI, ConnectionClosed) as error:
            if isinstance(error, InvalidStatus) and error.response.status_code >= SERVER_ERRORS:
                raise UpstreamGoneError(
                    f"{self._shown} answers {error.response.status_code}.", hint="It is tried again."
                ) from error
            raise UpstreamError(
                f"{self._shown} is no stream of a server: {error}.", hint="Expected the address of a vp.serve."
            ) from error

    @property
    def latency_seconds(self) -> float:
        """Half of what the last ping took, there and back."""
        return self._socket.latency / 2

    def receive(self, wait_seconds: float) -> dict[str, Any] | bytes | None:
        """The next message; None where none has come meanwhile.

        Raises
        ------
        UpstreamGoneError, UpstreamError
        """
        try:
            message = self._socket.recv(timeout=wait_seconds)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code in NO_MESSAGES and not closed.rcvd_then_sent:
                raise UpstreamError(
                    f"{self._shown} says what is no message of a stream: {closed.sent}.", hint="Expected a vp.serve."
                ) from closed
            raise UpstreamGoneError(f"{self._shown} has gone: {closed}.", hint="It is tried again.") from closed
        if isinstance(message, bytes):
            return message
        try:
            said = json.loads(message)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("type"), str):
            raise UpstreamError(f"{self._shown} says what is no message of a stream.", hint="Expected a vp.serve.")
        return said

    def receive_frames(self, first: bytes, frame_bytes: int) -> tuple[np.ndarray, dict[str, Any] | None]:
        """A frame with those that have come behind it, uint8[n, frame_bytes], and the text that came then, if any did.

        Raises
        ------
        UpstreamError
            One is of another length.
        UpstreamGoneError
        """
        frames, text = [first], None
        while len(frames) < FRAMES_A_BATCH:
            message = self.receive(0)
            if isinstance(message, dict):
                text = message
                break
            if message is None:
                break
            frames.append(message)
        if any(len(frame) != frame_bytes for frame in frames):
            raise UpstreamError(
                f"{self._shown} sent a frame that has not the {frame_bytes} bytes that its frames have.",
                hint="See that nothing on the way changes messages.",
            )
        return np.frombuffer(b"".join(frames), np.uint8).reshape(-1, frame_bytes), text

    def close(self) -> None:
        """Leave."""
        self._opened.close()
