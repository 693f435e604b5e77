"""How long something takes, again and again: the latest durations, and all of them counted by size."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable

BOUNDS_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
KEPT = 1024


class Durations:
    """One writes, any thread reads.

    Attributes
    ----------
    total_seconds : float
        Of all that were added.
    """

    def __init__(self) -> None:
        self.total_seconds = 0.0
        self._latest: deque[float] = deque(maxlen=KEPT)
        self._counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self._lock = threading.Lock()

    def add(self, seconds: float) -> None:
        """Count one; less than nothing, which clocks that differ make of it, is kept as it is."""
        with self._lock:
            self._latest.append(seconds)
            self._counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
            self.total_seconds += seconds

    def latest(self) -> list[float]:
        """The latest KEPT of them, in seconds."""
        with self._lock:
            return list(self._latest)

    def counts(self) -> list[int]:
        """How many there were up to each of BOUNDS_SECONDS, those below the one before left out, and above the last."""
        with self._lock:
            return list(self._counts)


def summary(durations: Iterable[float]) -> dict[str, float] | None:
    """Median and 99th percentile in milliseconds, as messages have them; None of no durations."""
    ordered = sorted(durations)
    if not ordered:
        return None
    return {f"p{share}_ms": round(1000 * ordered[(len(ordered) - 1) * share // 100], 3) for share in (50, 99)}
