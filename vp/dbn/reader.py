"""The market-by-order records of one raw file, or of all of a session, as columns, checked record by record."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.place import Place
from vp.dbn.record_types import RECORD_HEADER_BYTES
from vp.dbn.selection import ACTIONS, NO_LIMIT, SIDES, InstrumentSpan, selection
from vp.dbn.stretches import NOT_YET
from vp.dbn.zstd import DAMAGED_HINT
from vp.errors import DamagedFileError, FileError, TruncatedFileError, UnreadableFileError
from vp.kernels import decode
from vp.kernels.contract import (
    D_DROPPED,
    D_ERROR,
    D_FOREIGN,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    D_UNKNOWN,
    D_WORDS,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    MBO_BYTES,
    RTYPE_MBO,
)
from vp.kernels.decode import TS_EVENT, TS_RECV

COUNTS = [D_OTHER, D_FOREIGN, D_DROPPED, D_UNKNOWN]  # in the order of PassedOver

CHUNK_ROWS = 1 << 16


class Chunk(NamedTuple):
    """A run of events, and where the first of them stands in its file.

    Attributes
    ----------
    events : Events
        Views that hold until the reader's next chunk.
    byte_offset, record_index : int
        Of a record of the file, in uncompressed bytes; no event of the run lies before it.
    passed_over : PassedOver
        Records before it that are no events of the instrument within the window.
    """

    events: Events
    byte_offset: int
    record_index: int
    passed_over: PassedOver


class EventReader:
    """Decodes the events of one instrument of a file, chunk by chunk, into columns that are used again.

    Parameters
    ----------
    file : DbnFile
    instrument : int or sequence of InstrumentSpan
        An instrument id, or the ids that a contract has at their times; below 0: every instrument.
    start_ns, end_ns : int
        The session's window, ns UTC. Records of before it build the book only, those of after it are passed over,
        clear and snapshot records are of the session by the time of their receipt.
    chunk_rows : int
        Most events a chunk.
    wide : bool
        Fill ts_event, ts_recv and sequence too.
    begin : (int, int), optional
        Byte offset and number of the record from which the file counts; what is before it repeats another file.
    is_behind_gap : bool
        Whether records are missing before the file.

    Attributes
    ----------
    begin : (int, int)
        Where the file's records begin.
    records_seen : int
        Whole records of the file read so far, of every type and instrument.
    passed_over : PassedOver
        Those of them that are no events of the instrument within the window.
    last_record_ns : int or None
        When the file's last record was received, whatever its type and instrument, ns UTC; None before the file has
        been read to its end, and where that record does not say.
    """

    def __init__(
        self,
        file: DbnFile,
        instrument: int | Sequence[InstrumentSpan],
        start_ns: int = -NO_LIMIT,
        end_ns: int = NO_LIMIT,
        *,
        chunk_rows: int = CHUNK_ROWS,
        wide: bool = False,
        begin: tuple[int, int] | None = None,
        is_behind_gap: bool = False,
    ) -> None:
        self.file = file
        self.is_behind_gap = is_behind_gap
        self.begin = begin or (file.data_offset, 0)
        self.records_seen = 0
        self.passed_over = PassedOver()
        self.last_record_ns: int | None = None
        spans = (InstrumentSpan(instrument),) if isinstance(instrument, int) else instrument
        self._selection = selection(file.record_lengths(), file.mbo_bytes, spans, start_ns, end_ns)
        self._events = Events.allocate(chunk_rows, wide=wide)

    def chunks(
        self, offset: int | None = None, record_index: int | None = None, passed_over: PassedOver | None = None
    ) -> Iterator[Chunk]:
        """Events in file order; the place of a chunk may be handed in again to read on from there.

        Raises
        ------
        DamagedFileError, TruncatedFileError, ChangedFileError, UnreadableFileError
            With the record's number in the file and its offset in uncompressed bytes.
        """
        base = self.begin[0] if offset is None else offset
        record_index = self.begin[1] if record_index is None else record_index
        cursor = np.zeros(D_WORDS, np.int64)
        cursor[D_RECORDS] = record_index
        self.records_seen = record_index
        self.passed_over = PassedOver(repeated=record_index) if passed_over is None else passed_over
        before = self.passed_over
        cursor[COUNTS] = before.other_types, before.other_instruments, before.outside_window, before.unknown_types
        rows = len(self._events)
        place = base, record_index, self.passed_over
        problem: FileError | None = None
        last: bytes | memoryview = b""  # the last records that stood together
        cut = b""  # what there is of the record that the end of a block cut
        try:
            self.file.check_unchanged()
            with contextlib.closing(self.file.blocks(base)) as blocks:
                for block in blocks:
                    self.file.check_unchanged()
                    missing = max(RECORD_HEADER_BYTES, 4 * cut[0]) - len(cut) if cut else 0
                    for data in (cut + block[:missing], memoryview(block)[missing:]):
                        if not data:
                            continue
                        view = np.frombuffer(data, np.uint8)
                        cursor[D_POSITION] = 0
                        while not self._decode_some(view, cursor, base):
                            yield Chunk(self._events.head(rows), *place)
                            cursor[D_ROWS] = 0
                            place = base + int(cursor[D_POSITION]), self.records_seen, self.passed_over
                        cut = bytes(data[int(cursor[D_POSITION]) :])
                        last = data[: int(cursor[D_POSITION])] or last
                        base += int(cursor[D_POSITION])
            self.file.check_unchanged()
        except OSError as error:
            problem = self._unreadable(error)
        except FileError as error:
            problem = error
            if problem.record_index is None:  # the compressed stream broke off, or the file is another by now
                problem.record_index, problem.byte_offset = self.records_seen, base
        if cursor[D_ROWS]:
            yield Chunk(self._events.head(int(cursor[D_ROWS])), *place)
        if problem is not None:
            raise problem
        if cut:
            raise TruncatedFileError(
                f"{self.file.path.name} ends within record {self.records_seen}, which begins at byte {base}: "
                f"{len(cut)} bytes of it are there.",
                hint=DAMAGED_HINT,
                path=str(self.file.path),
                record_index=self.records_seen,
                byte_offset=base,
            )
        self.last_record_ns = _last_time_ns(last)

    def _decode_some(self, view: np.ndarray, cursor: np.ndarray, base: int) -> bool:
        """Decode on from the cursor; False if the columns are full, True if there is no whole record left."""
        decode.decode_records(view, self._selection, cursor, self._events.columns)
        self.records_seen = int(cursor[D_RECORDS])
        others, foreign, dropped, unknown = cursor[COUNTS].tolist()
        self.passed_over = PassedOver(others, foreign, dropped, unknown, self.passed_over.repeated)
        if cursor[D_ERROR] != DECODE_OK:
            position = int(cursor[D_POSITION])
            raise damage(self.file, int(cursor[D_ERROR]), view, position, base, self.records_seen)
        return int(cursor[D_ROWS]) < len(self._events)

    def _unreadable(self, error: OSError) -> UnreadableFileError:
        return UnreadableFileError(
            f"{self.file.path.name} cannot be read on from record {self.records_seen}: {error.strerror or error}.",
            hint="See to the disk that the lake lies on.",
            path=str(self.file.path),
            record_index=self.records_seen,
        )


class EventSource(Protocol):
    """Where a session's events come from."""

    @property
    def records_seen(self) -> int: ...
    @property
    def passed_over(self) -> PassedOver: ...
    @property
    def arrived_at(self) -> float | None: ...
    @property
    def waiting_since(self) -> float | None: ...
    def start(self) -> Place: ...
    def record_estimate(self) -> int | None: ...
    def is_behind_gap(self, file_index: int, /) -> bool: ...
    def chunks(self, place: Place | None = None, /) -> Iterator[tuple[Events, Place]]: ...
    def keep_decompressed(self, when: threading.Event) -> None: ...


class SessionReader:
    """Reads one file behind the other, as if they were one.

    Parameters
    ----------
    readers : sequence of EventReader
        Of the session's files, in the order in which they are read.
    """

    def __init__(self, readers: Sequence[EventReader]) -> None:
        self._readers = tuple(readers)
        self._reader = self._readers[0]
        self._records_before = 0

    @property
    def records_seen(self) -> int:
        """Whole records read so far, of every file, type and instrument."""
        return self._records_before + self._reader.records_seen

    @property
    def passed_over(self) -> PassedOver:
        """Those of them that are no events of the session."""
        return self._reader.passed_over

    @property
    def arrived_at(self) -> float | None:
        """Files have not arrived just now."""
        return None

    @property
    def waiting_since(self) -> float | None:
        """Nothing waits."""
        return None

    @property
    def last(self) -> EventReader:
        """The reader of the last file."""
        return self._readers[-1]

    def start(self) -> Place:
        """Where the first file's records begin."""
        return self._start_of(0, 0, PassedOver())

    def is_behind_gap(self, file_index: int) -> bool:
        """Whether records are missing before a file."""
        return self._readers[file_index].is_behind_gap

    def record_estimate(self) -> int | None:
        """How many records the files hold, where their sizes tell."""
        estimates = [reader.file.record_estimate() for reader in self._readers]
        return None if None in estimates else sum(estimate or 0 for estimate in estimates)

    def chunks(self, place: Place | None = None) -> Iterator[tuple[Events, Place]]:
        """Events in order, each run of them with a place of an input that it begins at or behind.

        A place may be handed in again to read on from there. Events are views that hold until the next run.

        Raises
        ------
        DamagedFileError, TruncatedFileError, ChangedFileError, UnreadableFileError
            As EventReader.chunks.
        """
        place = place or self.start()
        self._records_before = place.records_before
        begin = place
        for index in range(place.file_index, len(self._readers)):
            self._reader = self._readers[index]
            for chunk in self._reader.chunks(begin.byte_offset, begin.record_index, begin.passed_over):
                yield (
                    chunk.events,
                    Place(index, chunk.byte_offset, chunk.record_index, self._records_before, chunk.passed_over),
                )
            if index + 1 < len(self._readers):
                self._records_before += self._reader.records_seen
                begin = self._start_of(index + 1, self._records_before, self._reader.passed_over)

    def _start_of(self, index: int, records_before: int, passed_over: PassedOver) -> Place:
        """Where a file's records begin, behind those of the files before it."""
        offset, record = self._readers[index].begin
        repeated = replace(passed_over, repeated=passed_over.repeated + record)
        return Place(index, offset, record, records_before, repeated)

    def keep_decompressed(self, when: threading.Event) -> None:
        """Have decompressed copies of the files made in the background from a signal on, where copies are kept."""
        for reader in self._readers:
            reader.file.keep_decompressed(when)

    def keep_from(self, place: Place | None) -> None:
        """Have what is read from now on and follows a place kept decompressed; None: the place will be named."""
        if place is None:
            for reader in self._readers:
                reader.file.keep_from(NOT_YET)
        else:
            self._readers[place.file_index].file.keep_from(place.byte_offset)


def damage(
    file: DbnFile, error: int, view: np.ndarray, position: int, base: int, record_index: int
) -> DamagedFileError:
    """What to say of a record that the decoder does not take, at `position` of what was read from byte `base` on."""
    length, rtype = int(view[position]), int(view[position + 1])
    if error == DECODE_RTYPE:
        found = f"its record type was {rtype}, which DBN does not have"
    elif error == DECODE_LENGTH:
        expected = file.record_bytes(rtype)
        found = f"its length was {4 * length} bytes, expected {expected} for record type {rtype}"
    elif error == DECODE_ACTION:
        found = f"its action was {chr(view[position + 38])!r}, expected one of {ACTIONS}"
    else:
        found = f"its side was {chr(view[position + 39])!r}, expected one of {SIDES}"
    return DamagedFileError(
        f"{file.path.name}, record {record_index} at byte {base + position}: {found}.",
        hint=DAMAGED_HINT,
        path=str(file.path),
        record_index=record_index,
        byte_offset=base + position,
    )


def _last_time_ns(records: bytes | memoryview) -> int | None:
    """When the last of some whole records was received, or else made."""
    position = at = 0
    while at < len(records):
        position = at
        at += 4 * records[at]
    fields = (TS_RECV, TS_EVENT) if at and records[position + 1] == RTYPE_MBO else (TS_EVENT,)
    times = (int.from_bytes(records[position + field : position + field + 8], "little") for field in fields)
    return next((time for time in times if 0 < time < NO_LIMIT), None)


def decode_nothing() -> None:
    """Decode no bytes: has the decoder compiled."""
    nothing = np.frombuffer(b"", np.uint8)
    sound = selection(np.zeros(256, np.uint8), MBO_BYTES)
    decode.decode_records(nothing, sound, np.zeros(D_WORDS, np.int64), Events.allocate(0).columns)


def read_events(file: DbnFile, instrument_id: int = -1, start_ns: int = -NO_LIMIT, end_ns: int = NO_LIMIT) -> Events:
    """All events of one instrument (below 0: of all), with ts_event, ts_recv and sequence, in memory of their own."""
    reader = EventReader(file, instrument_id, start_ns, end_ns, wide=True)
    parts = [chunk.events.copy() for chunk in reader.chunks()]
    return Events.concatenate(parts) if parts else Events.allocate(0, wide=True)
