"""A connection to the gateway: Databento's client logs in and subscribes, and then the bytes are ours.

Its callbacks, queue and reconnection are not used: making an object of each record costs twenty times what taking the
bytes does, a clean close ends it without an error, and what it writes to a file has holes where a write fails.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from databento.live.protocol import DatabentoLiveProtocol

from vp.capture.stream_scan import AUTH_FAILED, KEY_DEACTIVATED

CONNECT_SECONDS, LOGIN_SECONDS = 10.0, 30.0
BUFFER_BYTES = 1 << 20
GATEWAY_PORT = 13000
LOGIN_BYTES = 64 << 10  # that a gateway may say before its stream begins: three lines, and no more than its first piece
REFUSED_KEY = re.compile(r"authenticat|deactivat|\bkey\b", re.IGNORECASE)
SECRETIVE = ("databento.live.protocol", "databento.live.gateway")  # at debug they log the answer to the challenge

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConnectionEnd:
    """Why a connection is over.

    Attributes
    ----------
    reason : str
        As it follows "because": the gateway closed the connection.
    code : int
        Of an error that the gateway stated; 0: none.
    is_final : bool
        Whether trying again is of no use.
    """

    reason: str
    code: int = 0
    is_final: bool = False


class ConnectionLostError(Exception):
    """The connection cannot be made, or is over; `end` says why."""

    def __init__(self, end: ConnectionEnd) -> None:
        super().__init__(end.reason)
        self.end = end


@dataclass(frozen=True)
class Symbols:
    """What is asked for by one symbology."""

    stype: str
    names: tuple[str, ...]


class FeedProtocol(DatabentoLiveProtocol):
    """The library's protocol until the session starts; from then on bytes go to `receive` as they come.

    Parameters
    ----------
    key, dataset : str
    heartbeat_seconds : int
    receive : callable
        Takes a view that holds until it returns.
    """

    def __init__(self, key: str, dataset: str, heartbeat_seconds: int, receive: Callable[[memoryview], None]) -> None:
        super().__init__(key, dataset, ts_out=True, heartbeat_interval_s=heartbeat_seconds)
        self.failure: BaseException | None = None
        self.received_at = 0.0
        self._receive = receive
        self._login_bytes = 0
        self._bulk = bytearray(BUFFER_BYTES)

    @property
    def said_too_much(self) -> bool:
        """Whether what came before the session's start is longer than any login."""
        return self._login_bytes > LOGIN_BYTES

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        return self._bulk if self.is_streaming else super().get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        """Hand them on."""
        if not self.is_streaming:
            self._login_bytes += nbytes
            if self.said_too_much:  # the library gathers a line that has no end, and looks through all of it each time
                self.transport.abort()
            else:
                super().buffer_updated(nbytes)
            return
        self.received_at = asyncio.get_running_loop().time()
        if self.failure is not None:
            return
        try:
            self._receive(memoryview(self._bulk)[:nbytes])
        except Exception as error:  # noqa: BLE001 - whoever waits for the connection is told
            self.failure = error
            self.transport.abort()


class Connection:
    """A session with the gateway.

    Parameters
    ----------
    gateway : (str, int) or None
        Host and port; None: Databento's own for the dataset.
    key, dataset : str
    heartbeat_seconds : int
        How often the gateway says something at least; ten seconds more, and the connection is taken for dead.
    receive : callable
        As FeedProtocol's.
    """

    def __init__(
        self,
        gateway: tuple[str, int] | None,
        key: str,
        dataset: str,
        heartbeat_seconds: int,
        receive: Callable[[memoryview], None],
        *,
        patience_seconds: float = 10.0,
    ) -> None:
        self._gateway = gateway or (f"{dataset.lower().replace('.', '-')}.lsg.databento.com", GATEWAY_PORT)
        self._key = key
        self._silence_seconds = heartbeat_seconds + patience_seconds
        self._make = lambda: FeedProtocol(key, dataset, heartbeat_seconds, receive)
        self._protocol: FeedProtocol | None = None
        self._asked_to_close = False

    async def start(self, symbols: Sequence[Symbols], start_ns: int | None, *, snapshot: bool) -> None:
        """Log in, subscribe and start; raises ConnectionLostError."""
        hush()
        host, port = self._gateway
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, self._protocol = await loop.create_connection(self._make, host, port)
        except (OSError, TimeoutError) as error:
            why = "nothing answered" if isinstance(error, TimeoutError) else (error.strerror or str(error))
            raise ConnectionLostError(ConnectionEnd(f"{host}:{port} cannot be connected to: {why}")) from None
        protocol = self._protocol
        await asyncio.wait(
            (protocol.authenticated, protocol.disconnected), timeout=LOGIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if not protocol.authenticated.done():
            closed = protocol.disconnected.done()
            self.close()
            what = "the gateway closed the connection" if closed else "the gateway was silent"
            what = f"the gateway said more than {LOGIN_BYTES:,} bytes" if protocol.said_too_much else what
            raise ConnectionLostError(ConnectionEnd(f"{what} during the login"))
        refused = protocol.authenticated.exception()
        if refused is not None:
            self.close()
            text = self.told(refused)
            raise ConnectionLostError(
                ConnectionEnd(f"the gateway refused the login: {text}", is_final=bool(REFUSED_KEY.search(str(refused))))
            )
        for one in symbols:
            protocol.subscribe("mbo", one.names, one.stype, start=start_ns, snapshot=snapshot)
        protocol.received_at = loop.time()
        protocol.start()

    async def ended(self) -> ConnectionEnd:
        """Wait for the end; raises what `receive` raised."""
        protocol = self._protocol
        assert protocol is not None
        loop = asyncio.get_running_loop()
        while not protocol.disconnected.done():
            left = protocol.received_at + self._silence_seconds - loop.time()
            if left <= 0:
                protocol.transport.abort()
                await asyncio.wait((protocol.disconnected,))
                _ = protocol.disconnected.exception()
                return ConnectionEnd(f"nothing came for {self._silence_seconds:g} seconds")
            await asyncio.wait((protocol.disconnected,), timeout=left)
        error = protocol.disconnected.exception()
        if protocol.failure is not None:
            raise protocol.failure
        if self._asked_to_close:
            return ConnectionEnd("it was asked to end")
        if error is None:
            return ConnectionEnd("the gateway closed the connection")
        return ConnectionEnd(f"the connection broke: {self.told(error)}")

    def close(self) -> None:
        """Hang up."""
        self._asked_to_close = True
        protocol = self._protocol
        if protocol is not None:
            for future in (protocol.authenticated, protocol.disconnected, protocol.metadata_received):
                future.add_done_callback(_take_notice)
            protocol.transport.abort()

    def told(self, error: object) -> str:
        """What an error says, without the key."""
        text = " ".join(str(error).split())
        return text.replace(self._key, "(the key)")[:300] or type(error).__name__


def is_final(code: int) -> bool:
    """Whether an error of the gateway makes trying again useless."""
    return code in {AUTH_FAILED, KEY_DEACTIVATED}


def hush() -> None:
    """Keep the library from logging its answer to the challenge, whatever is logged besides."""
    for name in SECRETIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _take_notice(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
