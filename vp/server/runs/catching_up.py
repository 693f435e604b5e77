"""Whether a live session's time runs far faster than the clock on the wall: its past comes."""

from __future__ import annotations

WINDOW_SECONDS = 0.25
GAIN_SECONDS = 10.0  # of a window; a line that stood for seconds gives less
LASTS_SECONDS = 1.0  # on a busy machine windows go by in which nothing is done
NS = 1e9


class CatchingUp:
    """Told the session's clock again and again, with the time on the wall.

    How late the session is, is known only as its clock moves: where nothing happens, the clock stands, and its leap
    behind that gains nothing.

    Attributes
    ----------
    is_so : bool
        Whether in a window of WINDOW_SECONDS, LASTS_SECONDS ago at the most, the session has become more than
        GAIN_SECONDS less late.
    """

    def __init__(self) -> None:
        self.is_so = False
        self._began_seconds = float("-inf")
        self._until_seconds = float("-inf")
        self._late_before_seconds: float | None = None
        self._late_seconds: float | None = None
        self._clock_ns: int | None = None

    def look(self, now_seconds: float, clock_ns: int | None) -> bool:
        """Take the session's clock, ns UTC, None before it has any, at a time of any steady clock; `is_so` then."""
        if clock_ns is not None and clock_ns != self._clock_ns:
            self._clock_ns = clock_ns
            self._late_seconds = now_seconds - clock_ns / NS
        if now_seconds - self._began_seconds >= WINDOW_SECONDS:
            before, late = self._late_before_seconds, self._late_seconds
            if before is not None and late is not None and before - late > GAIN_SECONDS:
                self._until_seconds = now_seconds + LASTS_SECONDS
            self.is_so = now_seconds < self._until_seconds
            self._began_seconds, self._late_before_seconds = now_seconds, late
        return self.is_so
