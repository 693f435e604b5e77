"""Pings to a peer that says nothing by itself, and the verdict on one that does not answer them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable


class Keepalive:
    """Sends a ping, waits for its pong, and sends the next one an interval later.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
    interval_seconds : float or None
        From the answer to one ping to the next ping; None or 0: no pings at all.
    timeout_seconds : float or None
        How long an answer may take; None: for ever.
    ping : callable
        Sends a ping with this payload.
    give_up : callable
        Called when an answer did not come in time.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interval_seconds: float | None,
        timeout_seconds: float | None,
        ping: Callable[[bytes], None],
        give_up: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._interval_seconds = interval_seconds
        self._timeout_seconds = timeout_seconds
        self._ping = ping
        self._give_up = give_up
        self._numbers = itertools.count(1)
        self._awaited: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Send the first ping an interval from now."""
        if self._interval_seconds:
            self._schedule(self._interval_seconds, self._send)

    def stop(self) -> None:
        """Send no more pings, wait for no more pongs."""
        self._awaited = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def received(self, payload: bytes) -> None:
        """Take a pong; one that answers no ping under way is passed over."""
        if payload == self._awaited:
            self.stop()
            self.start()

    def _send(self) -> None:
        self._timer = None
        self._awaited = next(self._numbers).to_bytes(4)
        self._ping(self._awaited)
        if self._timeout_seconds is not None:
            self._schedule(self._timeout_seconds, self._give_up)

    def _schedule(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = self._loop.call_later(seconds, call)
