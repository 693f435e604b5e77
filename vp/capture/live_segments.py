"""What a recorder has on the disk so far, for who plays it while it grows."""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vp.capture.segment import Segment
from vp.capture.segment_file import PART_ENDING
from vp.capture.stream_scan import StreamScan
from vp.dbn.contents import Contents
from vp.dbn.growing_input import GrowingSegment
from vp.errors import FileError
from vp.feed_gap import FeedGap
from vp.lake.inputs import SOURCES, RawFile
from vp.lake.names import parse_name

MOST_ARRIVALS = 8192
MOST_GAPS = 1000


@dataclass
class _Known:
    """A segment, and whether it can be played."""

    segment: GrowingSegment
    is_sound: bool


@dataclass
class LiveDay:
    """The recording of one session; written by the recorder's thread and read by others.

    Attributes
    ----------
    date : datetime.date
    is_over : bool
        Whether nothing more will come.
    version : int
        Grows with each change.
    """

    date: dt.date
    is_over: bool = False
    version: int = 0
    _known: dict[str, _Known] = field(default_factory=dict)
    _gaps: tuple[FeedGap, ...] = ()
    _arrivals: list[tuple[str, int, float]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def segments(self) -> list[GrowingSegment]:
        """Those that can be played, in order."""
        with self._news:
            return [one.segment for _, one in sorted(self._known.items()) if one.is_sound]

    def raw_files(self) -> list[RawFile]:
        """The same as files of the lake."""
        return [_raw(one) for one in self.segments()]

    def counts(self) -> Mapping[str, int]:
        """Market-by-order records by contract, as far as they can be counted now."""
        found: Counter[str] = Counter()
        for one in self.segments():
            try:
                counts = Contents(one.path).survey.by_instrument()
            except (FileError, OSError):  # it is just getting its name
                continue
            for number, count in counts.items():
                found[one.names.get(number, str(number))] += count
        return found

    def wait(self, seen: int, seconds: float) -> None:
        """Wait until `version` is another than the one seen, or a time has passed."""
        with self._news:
            self._news.wait_for(lambda: self.version != seen, seconds)

    def gaps(self) -> Sequence[FeedGap]:
        """The latest MOST_GAPS of the session, in order, the last perhaps open; the same object until that changes."""
        with self._news:
            return self._gaps

    def had_gaps(self, gaps: Sequence[FeedGap]) -> None:
        """Take those that an earlier recorder wrote down."""
        with self._news:
            self._gaps = tuple(gaps[-MOST_GAPS:])

    def open_gap(self, start_ns: int, reason: str) -> None:
        """Nothing comes any more since a time."""
        with self._news:
            self._gaps = (*self._gaps, FeedGap(start_ns, 0, reason, bridged=False))[-MOST_GAPS:]
            self._tell()

    def close_gap(self, end_ns: int, *, bridged: bool) -> None:
        """The feed goes on, with or without what was missing."""
        with self._news:
            if self._gaps and not self._gaps[-1].end_ns:
                self._gaps = (*self._gaps[:-1], replace(self._gaps[-1], end_ns=end_ns, bridged=bridged))
            self._tell()

    def arrived_at(self, path: Path, position: int) -> float | None:
        """When the bytes of a segment up to `position` were all there, in seconds of the monotonic clock.

        None where that was before this recorder began. Of more than the last MOST_ARRIVALS pieces it is not known any
        more: the time is that of the oldest known.
        """
        name = path.name.removesuffix(PART_ENDING)
        with self._news:
            arrivals = self._arrivals
            at = bisect_left(arrivals, (name, position, 0.0))
            found = arrivals[at] if at < len(arrivals) else None
        return found[2] if found is not None and found[0] == name else None

    def update(self, segment: Segment, arrived_at: float) -> None:
        """Take how far a segment has come, with what arrived at a time of the monotonic clock."""
        if segment.file is None:
            return
        scan = segment.scan
        with self._news:
            self._arrivals.append((segment.file.name, scan.whole_bytes, arrived_at))
            if len(self._arrivals) >= MOST_ARRIVALS:
                del self._arrivals[: MOST_ARRIVALS // 2]
        begins = {} if segment.overlap is None else dict(segment.overlap.ends)
        growing = GrowingSegment(
            segment.file.path, scan.whole_bytes, dict(scan.names), begins, segment.is_behind_gap, is_finished=False
        )
        self._put(growing, segment.is_sound and segment.has_market)

    def finish(
        self, path: Path, contents: StreamScan, begins: Mapping[int, tuple[int, int]], is_behind_gap: bool
    ) -> None:
        """Take a segment that is whole and can be played."""
        names = dict(contents.names)
        self._put(GrowingSegment(path, contents.whole_bytes, names, begins, is_behind_gap, is_finished=True), True)

    def drop(self, name: str) -> None:
        """Take away a segment that will not be played."""
        with self._news:
            self._known.pop(name, None)

    def end(self) -> None:
        """Nothing more will come."""
        with self._news:
            self.is_over = True
            self._tell()

    def _put(self, segment: GrowingSegment, is_sound: bool) -> None:
        with self._news:
            self._known[segment.path.name.removesuffix(PART_ENDING)] = _Known(segment, is_sound)
            self._tell()

    def _tell(self) -> None:
        self.version += 1
        self._news.notify_all()


def _raw(segment: GrowingSegment) -> RawFile:
    name = parse_name(segment.path.name.removesuffix(PART_ENDING))
    assert name is not None
    return RawFile(segment.path, SOURCES[0], name, segment.whole_bytes, 0)
