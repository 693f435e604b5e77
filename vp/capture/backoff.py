"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_SECONDS, MOST_SECONDS = 0.5, 30.0
LEAST_BETWEEN_SECONDS = 1.0  # the gateway takes five connections a second from an address, of all its programs


class Backoff:
    """Doubles from FIRST_SECONDS to MOST_SECONDS, each cut by chance to at least half, as long as nothing succeeds.

    Parameters
    ----------
    scale : float
        1, or less where nobody's gateway is asked too often.
    chance : callable
        From 0 to 1.
    """

    def __init__(self, scale: float = 1.0, chance: Callable[[], float] = random.random) -> None:
        self._scale = scale
        self._chance = chance
        self._failures = 0

    def succeeded(self) -> None:
        """Begin anew: something came."""
        self._failures = 0

    def next_seconds(self, since_last_attempt: float) -> float:
        """How long to wait, where the last attempt began so many seconds ago."""
        whole = min(FIRST_SECONDS * 2.0**self._failures, MOST_SECONDS)
        self._failures = min(self._failures + 1, 10)
        pause = whole * (0.5 + 0.5 * self._chance())
        return self._scale * max(pause, LEAST_BETWEEN_SECONDS - since_last_attempt / max(self._scale, 1e-9), 0.0)
