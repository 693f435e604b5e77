"""A session's input while it is being recorded: read up to where it is whole, and on when there is more."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

import numpy as np

from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.place import Place
from vp.dbn.reader import COUNTS, damage
from vp.dbn.selection import InstrumentSpan, selection
from vp.feed_gap import FeedGap
from vp.kernels import decode
from vp.kernels.contract import D_ERROR, D_POSITION, D_RECORDS, D_ROWS, D_WORDS, DECODE_OK
from vp.kernels.state import Selection
from vp.lake.inputs import RawFile

BLOCK_BYTES = 1 << 20
SHORTEST_RECORD_BYTES = 16


@dataclass(frozen=True)
class GrowingSegment:
    """A segment of a live recording that can be played, as far as it has come.

    Attributes
    ----------
    path : Path
    whole_bytes : int
        What is on the disk and ends with a whole record.
    names : mapping of int to str
        The instruments that the feed has named.
    begins : mapping of int to (byte offset, record index)
        From where an instrument's records are new; left out: from the first on.
    is_behind_gap : bool
        Whether records are missing before it.
    is_finished : bool
        Whether there will be no more.
    """

    path: Path
    whole_bytes: int
    names: Mapping[int, str]
    begins: Mapping[int, tuple[int, int]]
    is_behind_gap: bool
    is_finished: bool


class GrowingInput(Protocol):
    """The recording of a session that goes on."""

    @property
    def is_over(self) -> bool: ...
    @property
    def version(self) -> int: ...
    def segments(self) -> Sequence[GrowingSegment]: ...
    def raw_files(self) -> Sequence[RawFile]: ...
    def counts(self) -> Mapping[str, int]: ...
    def wait(self, seen: int, seconds: float) -> None: ...
    def gaps(self) -> Sequence[FeedGap]: ...
    def arrived_at(self, path: Path, position: int) -> float | None: ...


@dataclass
class _Open:
    """The segment that is being read."""

    file: DbnFile
    handle: FileIO
    selection: Selection
    position: int


class GrowingReader:
    """The events of one contract, as vp.dbn.session_reader.SessionReader gives them; what is not there yet comes later.

    Parameters
    ----------
    recording : GrowingInput
    contract : str
    start_ns, end_ns : int
        The session's window, ns UTC.
    """

    def __init__(self, recording: GrowingInput, contract: str, start_ns: int, end_ns: int) -> None:
        self._recording = recording
        self._contract = contract
        self._window = start_ns, end_ns
        self._index = 0
        self._open: _Open | None = None
        self._cursor = np.zeros(D_WORDS, np.int64)
        self._records_before = 0
        self._repeated = 0
        self._events = Events.allocate(BLOCK_BYTES // SHORTEST_RECORD_BYTES)
        self._block = bytearray(BLOCK_BYTES)  # used again: fresh pages for each block cost as much as reading it
        self._bytes = np.frombuffer(memoryview(self._block).toreadonly(), np.uint8)

    @property
    def records_seen(self) -> int:
        """Whole records read so far, of every segment, type and instrument."""
        return self._records_before + int(self._cursor[D_RECORDS])

    @property
    def passed_over(self) -> PassedOver:
        """Those of them that are no events of the session."""
        others, foreign, dropped, unknown = self._cursor[COUNTS].tolist()
        return PassedOver(others, foreign, dropped, unknown, self._repeated)

    @property
    def arrived_at(self) -> float | None:
        """When the bytes arrived that were read last, in seconds of the monotonic clock; None if not known."""
        reading = self._open
        return None if reading is None else self._recording.arrived_at(reading.file.path, reading.position)

    @property
    def waiting_since(self) -> float | None:
        """When the first of those bytes arrived that are on the disk and have not been read; None: all have been."""
        reading, segments = self._open, self._recording.segments()
        if reading is None or self._index >= len(segments):
            return None
        if reading.position < segments[self._index].whole_bytes:
            return self._recording.arrived_at(reading.file.path, reading.position + 1)
        return None

    def start(self) -> Place:
        """Where it begins: it is always read from there."""
        return Place(0, 0, 0, 0, PassedOver())

    def is_behind_gap(self, file_index: int) -> bool:
        """Whether records are missing before a segment."""
        return self._recording.segments()[file_index].is_behind_gap

    def record_estimate(self) -> int | None:
        """Nobody knows how many records there will be."""
        return None

    def keep_decompressed(self, _when: threading.Event) -> None:
        """Nothing is compressed."""

    def chunks(self, _place: Place | None = None) -> Iterator[tuple[Events, Place]]:
        """Events in order; it ends where there are no more yet, and goes on after that when there are.

        Raises
        ------
        DamagedFileError, OSError
        """
        return _Chunks(self)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.handle.close()
            self._open = None

    def next_chunk(self) -> tuple[Events, Place] | None:
        """The next events; None where there are none yet."""
        while True:
            segments = self._recording.segments()
            if self._index >= len(segments):
                return None
            segment = segments[self._index]
            reading = self._open or self._begin(segment)
            if reading is not None and reading.position < segment.whole_bytes:
                events = self._decode(reading, segment.whole_bytes)
                if len(events):
                    return events, Place(self._index, 0, 0, 0, PassedOver())
            elif segment.is_finished and self._index + 1 < len(segments):
                self._next_segment()
            else:
                return None

    def _begin(self, segment: GrowingSegment) -> _Open | None:
        numbers = sorted(number for number, name in segment.names.items() if name == self._contract)
        if not numbers:
            return None
        try:
            file = DbnFile(segment.path)
            handle = segment.path.open("rb", buffering=0)
        except FileNotFoundError:  # it is just getting its name
            return None
        offset, record = max((segment.begins[n] for n in numbers if n in segment.begins), default=(0, 0))
        spans = [InstrumentSpan(number) for number in numbers]
        chosen = selection(file.record_lengths(), file.mbo_bytes, spans, *self._window)
        self._cursor[D_RECORDS] = record
        self._repeated += record
        self._open = _Open(file, handle, chosen, offset or file.data_offset)
        return self._open

    def _next_segment(self) -> None:
        self.close()
        self._index += 1
        self._records_before += int(self._cursor[D_RECORDS])
        self._cursor[D_RECORDS] = 0

    def _decode(self, reading: _Open, whole_bytes: int) -> Events:
        reading.handle.seek(reading.position)
        wanted = min(BLOCK_BYTES, whole_bytes - reading.position)
        view = self._bytes[: reading.handle.readinto(memoryview(self._block)[:wanted])]
        cursor = self._cursor
        cursor[D_POSITION] = cursor[D_ROWS] = 0
        decode.decode_records(view, reading.selection, cursor, self._events.columns)
        position = int(cursor[D_POSITION])
        if cursor[D_ERROR] != DECODE_OK:
            raise damage(reading.file, int(cursor[D_ERROR]), view, position, reading.position, int(cursor[D_RECORDS]))
        reading.position += position
        return self._events.head(int(cursor[D_ROWS]))


class _Chunks:
    """Chunks as an iterator that may go on after it has ended."""

    def __init__(self, reader: GrowingReader) -> None:
        self._reader = reader

    def __iter__(self) -> _Chunks:
        return self

    def __next__(self) -> tuple[Events, Place]:
        chunk = self._reader.next_chunk()
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def contracts_of(recording: GrowingInput) -> list[str]:
    """The names that a recording has so far, sorted."""
    return sorted({name for segment in recording.segments() for name in segment.names.values()})
