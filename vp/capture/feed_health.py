"""How a feed is doing: what has come, how late, and for how long nothing has."""

from __future__ import annotations

import enum
import time
from typing import Any

from vp.durations import Durations, summary

SILENT_SECONDS = 30.0
OTHER_TIME_SECONDS = 3600.0
EXCHANGE_TO_DATABENTO, DATABENTO_TO_HERE = "exchange_to_databento", "databento_to_here"


class FeedState(enum.StrEnum):
    """Where a feed is; the values are those of /health."""

    CONNECTING = "connecting"
    SNAPSHOT = "snapshot"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    SILENT = "silent"
    GAP = "gap"
    STOPPED = "stopped"


class FeedHealth:
    """Written by the recorder's thread, read by any.

    Parameters
    ----------
    silent_seconds : float
        Without a record of the market for so long, a feed counts as silent.

    Attributes
    ----------
    bytes, records : int
        That have arrived, of every type.
    stages : dict of str to Durations
        How long the stages of the way take that lie before the arrival, of what comes live.
    """

    def __init__(self, silent_seconds: float = SILENT_SECONDS) -> None:
        self.bytes = 0
        self.records = 0
        self.stages = {name: Durations() for name in (EXCHANGE_TO_DATABENTO, DATABENTO_TO_HERE)}
        self._silent_seconds = silent_seconds
        self._market_at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """For how long nothing of the market has come."""
        return time.monotonic() - self._market_at

    @property
    def is_silent(self) -> bool:
        """Whether that is longer than a market usually is."""
        return self.silent_seconds > self._silent_seconds

    def arrived(self, size: int, records: int, newest: tuple[int, int] | None, now_ns: int) -> None:
        """Count what has arrived.

        Parameters
        ----------
        size, records : int
        newest : (int, int) or None
            ts_event and ts_recv of the last record, where it came live.
        now_ns : int
            The machine's time.
        """
        self.bytes += size
        self.records += records
        if newest is None:
            return
        event_ns, received_ns = newest
        self.stages[EXCHANGE_TO_DATABENTO].add((received_ns - event_ns) / 1e9)
        here_seconds = (now_ns - received_ns) / 1e9
        if abs(here_seconds) < OTHER_TIME_SECONDS:
            self.stages[DATABENTO_TO_HERE].add(here_seconds)

    def market_came(self) -> None:
        """There was a record of the market, a snapshot's or a replay's too."""
        self._market_at = time.monotonic()

    def latency(self) -> dict[str, Any]:
        """By stage, as messages have it."""
        return {name: summary(durations.latest()) for name, durations in self.stages.items()}
