"""Event time against the wall clock: what should have happened by now, and how long until the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

NS = 1_000_000_000


@dataclass(frozen=True)
class Pace:
    """Event time runs `speed` times as fast as the wall clock, from an anchor on.

    Attributes
    ----------
    clock_ns : int
        Engine clock at the anchor, ns UTC.
    wall_seconds : float
        Monotonic wall time at the anchor.
    speed : float
        Seconds of event time in a second, above 0; 0 while the clock stands.
    """

    clock_ns: int
    wall_seconds: float
    speed: float

    @property
    def stands(self) -> bool:
        """Whether no time passes."""
        return self.speed == 0

    def target_ns(self, wall_seconds: float) -> int:
        """The engine clock that should be reached at this wall time."""
        return self.clock_ns + round((wall_seconds - self.wall_seconds) * self.speed * NS)

    def seconds_until(self, clock_ns: int, wall_seconds: float) -> float:
        """Wall seconds from `wall_seconds` until `clock_ns` is due; negative when it was due before."""
        if self.stands:
            return math.inf
        due = self.wall_seconds + (clock_ns - self.clock_ns) / NS / self.speed
        return due - wall_seconds

    def lag_seconds(self, next_event_ns: int, wall_seconds: float) -> float:
        """Seconds of event time by which a record that has not been processed yet is overdue."""
        return max(0.0, (self.target_ns(wall_seconds) - next_event_ns) / NS)

    def standing(self, clock_ns: int) -> Pace:
        """The clock stands at `clock_ns` from now on: no time passes, and nothing falls behind."""
        return Pace(clock_ns, self.wall_seconds, 0.0)

    def going(self, wall_seconds: float, speed: float) -> Pace:
        """A standing clock goes on from where it stands."""
        return Pace(self.clock_ns, wall_seconds, speed)
