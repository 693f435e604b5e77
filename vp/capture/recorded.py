"""What was recorded last: from where a replay must begin to go on from it, and what it must repeat."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vp.capture.overlap import MOST_COMPARED_RECORDS, OVERLAP_NS, as_bytes
from vp.capture.stream_scan import Orders, StreamScan, is_end_of_replay
from vp.errors import FeedDamagedError
from vp.files import open_to_read
from vp.kernels.contract import FLAG_LAST, FLAG_SNAPSHOT

READ_BYTES = 8 << 20


@dataclass(frozen=True)
class Recorded:
    """The last segment of a recording.

    Attributes
    ----------
    path : Path
        Of the file, which may have got its final name meanwhile.
    whole_bytes, records : int
        How much of it is whole.
    clock_ns : int
        The latest time of a record of the market in it; 0: there is none but those of snapshots.
    marks : list of (byte offset, record index, clock_ns)
        As StreamScan.marks.
    caught_up : bool
        Whether the connection had come to the present: a replay may send one instrument after the other.
    snapshot_ns : int
        When the snapshot was made that it begins with; 0: with none. What was before that, a replay must not repeat.
    """

    path: Path
    whole_bytes: int
    records: int
    clock_ns: int
    marks: list[tuple[int, int, int]] = field(repr=False)
    caught_up: bool = True
    snapshot_ns: int = 0

    @property
    def reached_ns(self) -> int:
        """Up to when nothing is missing."""
        return self.clock_ns or self.snapshot_ns

    def replay_from_ns(self) -> int | None:
        """The ts_event from which a replay goes on from here; None where nothing can prove that it does."""
        if not self.clock_ns:
            return None
        if self.caught_up:
            return max(self.clock_ns - OVERLAP_NS, self.snapshot_ns)
        clocks = self._clocks()
        return min(clocks.values()) - OVERLAP_NS if clocks else None

    def tail(self, start_ns: int) -> dict[int, list[bytes]]:
        """By instrument, the records that a replay from `start_ns` must repeat, the last MOST_COMPARED_RECORDS."""
        # A record's time may lie behind those before it, though not by more than the overlap.
        mark = next((one for one in reversed(self.marks) if one[2] < start_ns - OVERLAP_NS), self.marks[0])
        found: dict[int, deque[bytes]] = {}
        for orders in self._orders(mark):
            rows = orders.rows
            wanted = ((rows["flags"] & FLAG_SNAPSHOT) == 0) & (rows["ts_event"].view(np.uint64) >= np.uint64(start_ns))
            for number in np.unique(rows["instrument_id"][wanted]).tolist():
                own = rows[wanted & (rows["instrument_id"] == number)]
                found.setdefault(number, deque(maxlen=MOST_COMPARED_RECORDS)).extend(as_bytes(own))
        return {number: list(rows) for number, rows in found.items()}

    def _clocks(self) -> dict[int, int]:
        clocks: dict[int, int] = {}
        for orders in self._orders(self.marks[0]):
            rows = orders.rows[(orders.rows["flags"] & FLAG_SNAPSHOT) == 0]
            time = np.minimum(rows["ts_event"].view(np.uint64), rows["ts_recv"].view(np.uint64))
            for number in np.unique(rows["instrument_id"]).tolist():
                latest = int(time[rows["instrument_id"] == number].max())
                clocks[number] = max(clocks.get(number, 0), latest)
        return clocks

    def _orders(self, mark: tuple[int, int, int]) -> Iterator[Orders]:
        scan = StreamScan()
        with self.path.open("rb", buffering=0) as file:
            list(scan.feed(file.read(self.marks[0][0])))
            file.seek(mark[0])
            left = self.whole_bytes - mark[0]
            while left > 0 and (data := file.read(min(READ_BYTES, left))):
                left -= len(data)
                yield from (item for item in scan.feed(data) if isinstance(item, Orders))


class SnapshotProgress:
    """Whether the snapshots that a connection begins with are whole.

    Attributes
    ----------
    is_whole : bool
        That of every instrument is, or its market has gone on.
    """

    def __init__(self) -> None:
        self.is_whole = False
        self._over: set[int] = set()

    def feed(self, orders: Orders, instruments: Collection[int]) -> None:
        """Take the next records of a connection, and the instruments that it has named so far."""
        rows = orders.rows
        over = ((rows["flags"] & FLAG_LAST) != 0) | ((rows["flags"] & FLAG_SNAPSHOT) == 0)
        self._over |= set(np.unique(rows["instrument_id"][over]).tolist())
        self.is_whole = bool(self._over) and self._over >= set(instruments)


@dataclass(frozen=True)
class SegmentContents:
    """What the file of a segment holds, up to its last whole record or the first damage.

    Attributes
    ----------
    scan : StreamScan
    has_market : bool
        Whether there is a market-by-order record.
    caught_up : bool
        Whether its connection came to the present.
    snapshot_is_whole : bool
    """

    scan: StreamScan
    has_market: bool
    caught_up: bool
    snapshot_is_whole: bool


def read_segment(path: Path, *, replayed: bool) -> SegmentContents:
    """Read a segment through; `replayed` says whether its connection began with a replay. Raises OSError."""
    scan = StreamScan()
    snapshot = SnapshotProgress()
    caught_up, has_market = not replayed, False
    with open_to_read(path) as file, suppress(FeedDamagedError):
        while data := file.read(READ_BYTES):
            for item in scan.feed(data):
                caught_up |= is_end_of_replay(item)
                if isinstance(item, Orders):
                    has_market = True
                    if not snapshot.is_whole:
                        snapshot.feed(item, scan.names)
    return SegmentContents(scan, has_market, caught_up, snapshot.is_whole)


def recorded_of(path: Path, scan: StreamScan, *, replayed: bool, caught_up: bool) -> Recorded:
    """What there is to go on from, of a segment that has been read through or as it came."""
    snapshot_ns = 0 if replayed else scan.received_ns[0]
    return Recorded(path, scan.whole_bytes, scan.records, scan.clock_ns, list(scan.marks), caught_up, snapshot_ns)
