"""Where the mid was at each moment of a session, and within which stretches it was known."""

from __future__ import annotations

import numpy as np

from vp.kernels.contract import (
    CHANGE_AFTER_PAUSE,
    CHANGE_CLOCK,
    CHANGE_EVENT_ENDS,
    CHANGE_FLAGS,
    CHANGE_SPREAD,
    CHANGE_TWICE_MID,
    CHANGE_VALID,
)

NO_SEGMENT = -1
WIDEST_SPREAD = 100  # times the median: beyond, the one side is a stub that nobody means, and the mid no price


class MidPath:
    """The mid from event end to event end.

    A segment is a stretch with a valid book throughout, with quotes that are meant (WIDEST_SPREAD), and without a pause
    (vp.kernels.contract.OPENING_PAUSE_NS).

    Parameters
    ----------
    changes : int64[m, CHANGE_WORDS]
        Of a SamplingEngine, from its first event end on.
    tick_int : int
        In 1e-9 units.
    last_ns : int
        Clock of the last event end, ns UTC: up to there the mid is known.
    event_ends : int
        How many event ends there were.
    """

    def __init__(self, changes: np.ndarray, tick_int: int, last_ns: int, event_ends: int) -> None:
        flags = changes[:, CHANGE_FLAGS]
        valid = flags & CHANGE_VALID != 0
        spreads = changes[:, CHANGE_SPREAD]
        if valid.any():
            valid &= spreads <= WIDEST_SPREAD * np.median(spreads[valid])
        begins = (flags & CHANGE_AFTER_PAUSE != 0) | ~valid | ~np.concatenate([[False], valid[:-1]])
        self.clock_ns = changes[:, CHANGE_CLOCK]
        self.ends = changes[:, CHANGE_EVENT_ENDS]
        self.ticks = np.where(valid, changes[:, CHANGE_TWICE_MID] / (2 * tick_int), np.nan)
        self.segment = np.where(valid, np.cumsum(begins) - 1, NO_SEGMENT)
        self.last_ns = last_ns
        self.event_ends = event_ends
        self._begins = np.flatnonzero(begins)

    def row_at(self, times_ns: np.ndarray) -> np.ndarray:
        """The row that holds at each time, int64[n]: the last change up to it; -1 before the first."""
        return np.searchsorted(self.clock_ns, times_ns, "right") - 1

    def row_after_ends(self, event_ends: np.ndarray) -> np.ndarray:
        """The row that holds after so many event ends."""
        return np.searchsorted(self.ends, event_ends, "right") - 1

    def segment_begin_ns(self, rows: np.ndarray) -> np.ndarray:
        """When the segment of each row began, ns UTC."""
        begins: np.ndarray = self.clock_ns[self._begins[self.segment[rows]]]
        return begins

    def move(self, rows: np.ndarray, later: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Ticks from the mid of `rows` to that of `later`; NaN where not `known`, or in another segment."""
        inside = known & (rows >= 0) & (later >= 0) & (self.segment[rows] == self.segment[later])
        return np.where(inside & (self.segment[rows] != NO_SEGMENT), self.ticks[later] - self.ticks[rows], np.nan)

    def next_move(self, rows: np.ndarray) -> np.ndarray:
        """The sign of the first move after each row; NaN where none follows in its segment."""
        sign: np.ndarray = np.sign(self.move(rows, self.row_of_next(rows), rows + 1 < len(self.ticks)))
        return sign

    def row_of_next(self, rows: np.ndarray) -> np.ndarray:
        """The row of the first change after each row; the last row where none follows."""
        later: np.ndarray = np.minimum(rows + 1, len(self.ticks) - 1)
        return later
