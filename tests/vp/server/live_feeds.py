"""A feed and its recordings for runs of frames alone (tests.vp.server.tiny)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vp.dbn.growing_input import GrowingSegment
from vp.durations import Durations
from vp.feed_gap import FeedGap
from vp.lake.inputs import RawFile


@dataclass
class TinyRecording:
    """A recording that says of itself whether it goes on; frames come from elsewhere."""

    is_over: bool = False
    version: int = 0

    def segments(self) -> list[GrowingSegment]:
        return []

    def raw_files(self) -> list[RawFile]:
        return []

    def counts(self) -> dict[str, int]:
        return {}

    def wait(self, seen: int, seconds: float) -> None:
        pass

    def gaps(self) -> tuple[FeedGap, ...]:
        return ()

    def arrived_at(self, path: Path, position: int) -> None:
        return None


@dataclass
class TinyFeed:
    """A feed of some days."""

    recordings: dict[str, TinyRecording]
    state: str = "live"
    states: tuple[str, ...] = ("live", "stopped")
    time_ns: str | None = None
    stages: dict[str, Durations] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        return {"state": self.state, "latency": {}, "time_ns": self.time_ns, "behind_seconds": 0.0}

    def find(self, product_type: str, root: str, date: str) -> TinyRecording | None:
        return self.recordings.get(date)

    def date(self) -> str:
        return max(self.recordings)

    def next_date(self, date: str) -> str | None:
        return min((one for one in self.recordings if one > date), default=None)
