"""The market-by-order records of one raw file as columns, checked record by record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.record_types import RECORD_HEADER_BYTES
from vp.dbn.selection import ACTIONS, NO_LIMIT, SIDES, InstrumentSpan, selection
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
