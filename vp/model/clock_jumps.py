"""Leaps of a session's clock that the records behind them contradict: a stamp that is not true, and yet believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vp.kernels.contract import CLOCK_UNKNOWN
from vp.market.session_hours import as_et

JUMP_NS = 60_000_000_000  # what stands behind a record and is older than it by more is no matter of order
REMEMBERED = 4


@dataclass
class ClockJump:
    """The clock went from one time to another, and records behind are stamped earlier.

    Attributes
    ----------
    from_ns : int or None
        ns UTC; None where there was no clock before.
    to_ns : int
    records_behind : int
        How many came since that are more than JUMP_NS older than `to_ns`.
    """

    from_ns: int | None
    to_ns: int
    records_behind: int

    def __str__(self) -> str:
        began = "began at" if self.from_ns is None else f"jumped from {as_et(self.from_ns)} to"
        count = f"{self.records_behind:,} record{'s' * (self.records_behind != 1)}"
        return f"The session's clock {began} {as_et(self.to_ns)}, and {count} behind it are stamped earlier."


class ClockJumps:
    """The jumps of a session, the first REMEMBERED of them by time."""

    def __init__(self) -> None:
        self.found: list[ClockJump] = []
        self.more = 0
        self._to_ns: int | None = None
        self._leap: tuple[int | None, int] | None = None  # the last step of the clock that could prove to be one

    def look(self, clocks: np.ndarray, before_ns: int | None, after_ns: int | None, out_of_order: int) -> None:
        """Look at records that have been processed.

        Parameters
        ----------
        clocks : int64[n]
            What they brought the clock to, as Columns.clock_ns has it.
        before_ns, after_ns : int or None
            The clock before and after them.
        out_of_order : int
            How many of them were older than the clock.
        """
        leapt = after_ns is not None and (before_ns is None or after_ns - before_ns > JUMP_NS)
        if not leapt and out_of_order == 0:
            return
        stamped = clocks[clocks > CLOCK_UNKNOWN]
        if len(stamped) == 0:
            return
        least = CLOCK_UNKNOWN if before_ns is None else before_ns
        reached = np.maximum(np.maximum.accumulate(stamped), least)
        late = reached - stamped > JUMP_NS
        for to_ns in np.unique(reached[late]).tolist():
            self._count(
                to_ns, self._came_from(reached, to_ns, before_ns), int(np.count_nonzero(late & (reached == to_ns)))
            )
        last = int(reached[-1])
        if last != before_ns:
            self._leap = self._came_from(reached, last, before_ns), last

    def sentences(self) -> list[str]:
        """What a person should know of them."""
        return [*map(str, self.found), *([f"So it did {self.more:,} times more."] if self.more else [])]

    def _came_from(self, reached: np.ndarray, to_ns: int, before_ns: int | None) -> int | None:
        first = int(np.searchsorted(reached, to_ns))
        if first > 0:
            return int(reached[first - 1])
        if to_ns == before_ns:  # it was reached in an earlier run of records
            return self._leap[0] if self._leap is not None and self._leap[1] == to_ns else None
        return before_ns

    def _count(self, to_ns: int, from_ns: int | None, records: int) -> None:
        if self.found and self.found[-1].to_ns == to_ns:
            self.found[-1].records_behind += records
        elif len(self.found) < REMEMBERED:
            self.found.append(ClockJump(from_ns, to_ns, records))
        elif self._to_ns != to_ns:
            self.more += 1
        self._to_ns = to_ns
