"""How a connection ends: the writing side first, and all of it within a bound."""

from __future__ import annotations

import asyncio

LINGER_SECONDS = 1.0


class ConnectionEnd:
    """Ends one connection.

    Parameters
    ----------
    transport : Transport
    loop : AbstractEventLoop

    Attributes
    ----------
    output_ended : bool
        Whether nothing is written any more, and what still comes is thrown away.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.output_ended = False
        self._transport = transport
        self._loop = loop
        self._abort_timer: asyncio.TimerHandle | None = None

    def end_output(self) -> None:
        """Close the writing side only; what still comes is thrown away for a moment.

        A socket that is closed with input unread is reset, and the reset can overtake what was written last.
        """
        self.output_ended = True
        self.abort_after(LINGER_SECONDS)
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def abort_after(self, seconds: float) -> None:
        """Bound how long the end may take."""
        self._stop_timer()
        self._abort_timer = self._loop.call_later(seconds, self._transport.abort)

    def lost(self) -> None:
        """The connection is gone."""
        self._stop_timer()
        self.output_ended = True

    def _stop_timer(self) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
