"""How fast the peer of one connection takes what is written, and the end of one that takes next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from array import array

from vp import counters
from vp.logs import event

STALL_SECONDS = 10.0
LEAST_BYTES = 4096  # that a reader has to take in STALL_SECONDS

log = logging.getLogger("vp.server")


class ConnectionLostError(OSError):
    """The peer has gone, or took next to nothing for STALL_SECONDS and was cut off."""


class Backpressure:
    """Says when all that was written has gone to the system; judges readers that keep it waiting.

    The system's own timeout would cut off a reader that is slow but takes what comes: Linux restarts its clock
    only when a whole segment of up to 64 KiB finds room at once. So that timeout is switched off here.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._writable = asyncio.Event()
        self._writable.set()
        self._waiting_bytes, self._taken_at = 0, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._cut_off = False
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        if self._socket is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)
        transport.set_write_buffer_limits(high=0)

    @property
    def drained(self) -> bool:
        """Whether all that was written has gone to the system."""
        return self._writable.is_set()

    def pause(self) -> None:
        """Something written has not gone; called as asyncio.Protocol.pause_writing."""
        self._writable.clear()
        self._waiting_bytes, self._taken_at = self.waiting_bytes(), self._loop.time()
        self._look_again()

    def resume(self) -> None:
        """All has gone, or the connection has."""
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def drain(self) -> None:
        """Wait until everything written has gone to the system.

        Raises
        ------
        ConnectionLostError
            The reader was cut off meanwhile.
        """
        await self._writable.wait()
        if self._cut_off:
            raise ConnectionLostError

    def waiting_bytes(self) -> int:
        """Bytes that the reader has not taken yet: the system's too, which makes room known late, by large pieces."""
        return self._transport.get_write_buffer_size() + _unsent_bytes(self._socket)

    def _look_again(self) -> None:
        self._timer = self._loop.call_later(STALL_SECONDS / 10, self._judge)

    def _judge(self) -> None:
        """Cut off a reader that takes next to nothing: neither keepalive nor close would ever free its connection."""
        waiting_bytes, now = self.waiting_bytes(), self._loop.time()
        if self._waiting_bytes - waiting_bytes >= LEAST_BYTES:
            self._waiting_bytes, self._taken_at = waiting_bytes, now
        elif now - self._taken_at >= STALL_SECONDS:
            counters.add("refused", "stalled")
            event(log, logging.INFO, "reader cut off", why="it took nothing", seconds=STALL_SECONDS)
            self._cut_off = True
            self._transport.abort()
            return
        self._look_again()


def _unsent_bytes(connected: socket.socket | None) -> int:
    """Bytes in the system's send buffer; 0 where the system does not tell."""
    held = array("i", [0])
    if connected is not None and connected.fileno() >= 0:
        with contextlib.suppress(ImportError, AttributeError, OSError):  # systems other than Unix
            import fcntl  # noqa: PLC0415
            import termios  # noqa: PLC0415

            fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, held)
    return held[0]
