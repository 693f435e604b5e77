"""One connection's recording: bytes to the disk first, then a look at what they say."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vp.capture.overlap import OVERLAP_NS, Overlap
from vp.capture.recorded import Recorded, SnapshotProgress, recorded_of
from vp.capture.segment_file import SegmentFile, WriteError
from vp.capture.stream_scan import (
    SKIPPED_RECORDS,
    SLOW_READER,
    Item,
    Orders,
    Refusal,
    StreamScan,
    System,
    is_end_of_replay,
)
from vp.errors import CaptureError

MOST_REFUSALS = 100


@dataclass(frozen=True)
class Beginning:
    """How a connection is to begin.

    Attributes
    ----------
    start_ns : int or None
        From which ts_event the gateway is to replay; None: from now on.
    snapshot : bool
        Whether it is to send the book as it is; not with a start.
    after : Recorded or None
        What it is to go on from.
    must_repeat : mapping of int to sequence of bytes
        The records of that, by instrument, that a replay sends again; of a snapshot it is found out when it comes.
    """

    start_ns: int | None
    snapshot: bool
    after: Recorded | None = None
    must_repeat: Mapping[int, Sequence[bytes]] = field(default_factory=dict, repr=False)


class NotBridgedError(Exception):
    """The replay is over, and does not hold what was recorded last."""


class SkippedRecordsError(Exception):
    """The gateway has left out records, because it was read too slowly."""


class Segment:
    """Takes the bytes of a connection.

    Parameters
    ----------
    beginning : Beginning
    open_file : callable
        `open_file(time_ns)` makes the file; the time is the feed's, None where it does not say.

    Attributes
    ----------
    file : SegmentFile or None
        None until the stream has said something.
    has_market : bool
        Whether there is a market-by-order record.
    is_sound : bool
        Whether it can be played: its snapshot is whole, or it goes on from the one before.
    caught_up : bool
        Whether what comes is of now.
    feed_time_ns : int
        The latest time that the feed told.
    bridged_at_ns : int
        When the feed went on after the break, once that is proven; 0 before.
    is_behind_gap : bool
        Whether what is missing before it will not come.
    brought_market : bool
        Whether the latest bytes did.
    newest : (int, int) or None
        ts_event and ts_recv of the last record that the latest bytes brought, where it is of the market as it happens.
    refusals : deque of Refusal
        The latest errors that the gateway stated.
    slow_warnings : int
    """

    def __init__(self, beginning: Beginning, open_file: Callable[[int | None], SegmentFile]) -> None:
        self.beginning = beginning
        self.scan = StreamScan()
        self.file: SegmentFile | None = None
        self.has_market = False
        self.caught_up = beginning.start_ns is None
        self.is_sound = not beginning.snapshot and not beginning.must_repeat
        self.feed_time_ns = 0
        self.bridged_at_ns = 0
        self.is_behind_gap = False
        self.brought_market = False
        self.newest: tuple[int, int] | None = None
        self.refusals: deque[Refusal] = deque(maxlen=MOST_REFUSALS)
        self.slow_warnings = 0
        self.overlap: Overlap | None = None
        if beginning.must_repeat:
            self.overlap = Overlap(beginning.must_repeat)
        self._open_file = open_file
        self._waiting = bytearray()
        self._first_look = StreamScan()
        self._digest = hashlib.sha256()
        self._unhashed = b""  # of the record that is not whole yet
        self._snapshot = SnapshotProgress()
        self._repeats_from_ns: int | None = None

    def receive(self, data: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises
        ------
        CaptureError
            The disk does not take them; what it took before is looked at all the same.
        FeedDamagedError
            They cannot be a live stream's.
        NotBridgedError, SkippedRecordsError
        """
        if self.file is None:
            self._waiting += data
            first = next(self._first_look.feed(data), None)
            if not self._first_look.records:
                return
            time_ns = first.time_ns if isinstance(first, (System, Refusal)) else None
            self.file = self._open_file(time_ns)
            data, self._waiting = bytes(self._waiting), bytearray()
        problem: WriteError | None = None
        try:
            self.file.write(data)
        except WriteError as error:
            problem = error
            data = memoryview(data)[: error.written]
        self._look(data)
        if problem is not None:
            raise CaptureError(
                f"{self.file.path} could not be written: {problem}; the recording ends at its last whole record.",
                hint="Make room on the disk of the lake, and start again: the recording goes on from there.",
            )

    def finish(self, ended: str) -> tuple[Path, dict[str, Any]] | None:
        """Close the file; returns its path and its line of the manifest, or None where it held nothing and is gone.

        The file still is a `.part`: `name_segment` gives it its name once the line is written. Raises OSError.
        """
        if self.file is None:
            return None
        if not self.has_market:
            self.file.discard()
            return None
        self.file.cut(self.scan.whole_bytes)
        entry = segment_entry(self.file.name, self.scan, self._digest.hexdigest(), ended)
        self.file.close()
        return self.file.path, entry

    def recorded(self) -> Recorded:
        """What a later segment has to go on from."""
        assert self.file is not None
        replayed = self.beginning.start_ns is not None
        return recorded_of(self.file.path, self.scan, replayed=replayed, caught_up=self.caught_up)

    def _look(self, data: bytes | memoryview) -> None:
        before = self.scan.whole_bytes
        self.brought_market, self.newest = False, None
        try:
            for item in self.scan.feed(data):
                self._take(item)
        finally:
            self._hash(data, self.scan.whole_bytes - before)
            self.feed_time_ns = max(self.feed_time_ns, self.scan.clock_ns)
        if self.overlap is not None and self.overlap.is_proven:
            self._bridged()
        if self.beginning.snapshot and not self.is_sound:
            self._judge_snapshot()

    def _hash(self, data: bytes | memoryview, whole_bytes: int) -> None:
        """Take what is whole by the newest bytes into the digest, and keep the rest for the next time."""
        if not whole_bytes:
            self._unhashed += data
            return
        self._digest.update(self._unhashed)
        of_these = whole_bytes - len(self._unhashed)
        self._digest.update(memoryview(data)[:of_these])
        self._unhashed = bytes(memoryview(data)[of_these:])

    def _take(self, item: Item) -> None:
        if isinstance(item, Orders):
            self.has_market = self.brought_market = True
            self.newest = self.scan.newest if self.caught_up and self.is_sound else None
            if self.beginning.snapshot and not self.is_sound:
                self._look_at_snapshot(item)
            if self.overlap is not None and not self.overlap.is_proven:
                self.overlap.feed(item)
        elif isinstance(item, Refusal):
            self.refusals.append(item)
            if item.code == SKIPPED_RECORDS:
                raise SkippedRecordsError
        elif isinstance(item, System):
            self.feed_time_ns = max(self.feed_time_ns, item.time_ns or 0)
            self.slow_warnings += item.code == SLOW_READER
            if is_end_of_replay(item):
                if self.overlap is not None and not self.overlap.is_proven:
                    raise NotBridgedError
                if self.overlap is not None:
                    self._bridged()
                self.caught_up = True

    def _look_at_snapshot(self, orders: Orders) -> None:
        """A snapshot is up to a minute old, and what came since follows it: that may have been recorded before."""
        after = self.beginning.after
        if after is not None and self._repeats_from_ns is None:
            self._repeats_from_ns = self.scan.received_ns[0]
            if self._repeats_from_ns <= after.clock_ns:
                self.overlap = Overlap(after.tail(self._repeats_from_ns))
        self._snapshot.feed(orders, self.scan.names)

    def _judge_snapshot(self) -> None:
        after = self.beginning.after
        if self.overlap is not None and after is not None and self.feed_time_ns > after.clock_ns + OVERLAP_NS:
            self.overlap = None  # what was recorded has not come again
        self.is_sound = self._snapshot.is_whole and self.overlap is None

    def _bridged(self) -> None:
        if not self.bridged_at_ns:
            self.is_sound = True
            self.bridged_at_ns = max(self.feed_time_ns, self.scan.clock_ns)


def instruments_of(overlap: Overlap) -> dict[str, Sequence[int]]:
    """From where each instrument's records are new, as the manifest has it."""
    return {str(number): list(end) for number, end in sorted(overlap.ends.items())}


def segment_entry(name: str, scan: StreamScan, sha256: str, ended: str) -> dict[str, Any]:
    """The line of a finished segment in the manifest."""
    first_ns, last_ns = scan.received_ns
    return {
        "kind": "segment", "file": name, "first_ns": first_ns, "last_ns": last_ns, "records": scan.records,
        "bytes": scan.whole_bytes, "sha256": sha256, "ended": ended,
    }  # fmt: skip
