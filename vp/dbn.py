"""Raw DBN files: their metadata, the instruments they hold, and their records, checked on every read.

Files are read into memory of our own, never mapped: a file that another process truncates is an error, not
a dead process.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Generator, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import databento_dbn
import numpy as np

from kernels import decode
from kernels.contract import (
    D_DROPPED,
    D_ERROR,
    D_FOREIGN,
    D_OTHER,
    D_POSITION,
    D_RECORDS,
    D_ROWS,
    D_WORDS,
    DECODE_ACTION,
    DECODE_LENGTH,
    DECODE_OK,
    DECODE_RTYPE,
    MBO_BYTES,
    RTYPE_MBO,
)
from vp.accounting import PassedOver
from vp.compressed import DAMAGED_HINT, is_compressed, uncompressed
from vp.decompressed import DecompressedFiles
from vp.errors import (
    ChangedFileError,
    DamagedFileError,
    FileError,
    NotDbnError,
    TruncatedFileError,
    UnreadableFileError,
    WrongSchemaError,
)
from vp.events import Events
from vp.read_ahead import read_ahead

BLOCK_BYTES = 32768 * MBO_BYTES  # a whole number of records, so that blocks seldom cut one
LONGEST_RECORD_BYTES = 4 * 255
RECORD_HEADER_BYTES = 16
MAX_INSTRUMENTS = 1 << 16
PRELUDE_BYTES = 8
MAX_METADATA_BYTES = 256 << 20
VERSIONS = (1, 2, 3)
SCHEMA_MIXED = 65535
NO_LIMIT = 2**63 - 1

# Length in bytes of each record type, in DBN versions 1, 2 and 3 where they differ (databento_dbn's definitions).
RECORD_BYTES: dict[int, tuple[int, ...]] = {
    0: (48,),  # trades
    1: (80,),  # mbp-1, tbbo
    10: (368,),  # mbp-10
    18: (40,),  # status
    19: (360, 400, 520),  # definition
    20: (112,),  # imbalance
    21: (80, 320, 320),  # error
    22: (80, 176, 176),  # symbol mapping
    23: (80, 320, 320),  # system
    24: (64, 64, 80),  # statistics
    17: (56,),  # bars, deprecated
    32: (56,),
    33: (56,),
    34: (56,),
    35: (56,),
    36: (56,),
    RTYPE_MBO: (MBO_BYTES,),
    177: (80,),  # cmbp-1
    192: (80,),
    193: (80,),
    194: (80,),
    195: (80,),
    196: (80,),
}
BAR_RTYPES = (17, 32, 33, 34, 35, 36)
ACTIONS = "ACMRTFN"
SIDES = "ABN"


@dataclass(frozen=True)
class Mapping:
    """A raw symbol and the instrument id it had from `start` until `end` (exclusive)."""

    raw_symbol: str
    instrument_id: int
    start: dt.date
    end: dt.date


class DbnFile:
    """One DBN file, compressed or not.

    Parameters
    ----------
    path : Path
    schema : str
        What it must hold; market-by-order records unless told.
    decompressed : DecompressedFiles, optional
        Where decompressed copies are kept.

    Raises
    ------
    NotDbnError, TruncatedFileError, DamagedFileError, WrongSchemaError
    """

    def __init__(self, path: Path, schema: str = "mbo", *, decompressed: DecompressedFiles | None = None) -> None:
        self.path = path
        self._decompressed = decompressed
        self.compressed = is_compressed(path)
        self._opened = _identity(path)
        self.size_bytes = self._opened[1]
        self.version, metadata, self.data_offset = self._read_header()
        self.dataset: str = metadata.dataset
        self.ts_out: bool = bool(metadata.ts_out)
        self.asked_symbols: tuple[str, ...] = tuple(metadata.symbols)
        self.start_ns: int = metadata.start
        try:
            self.mappings = _mappings(metadata)
        except (ValueError, KeyError) as error:  # decoded, and yet no date of any calendar
            raise DamagedFileError(
                f"{path.name} has a header that maps symbols to instruments at no possible time: {error}.",
                hint=DAMAGED_HINT,
                path=str(path),
                byte_offset=PRELUDE_BYTES,
            ) from None
        self.mixed = metadata.schema is None
        if not self.mixed and str(metadata.schema) != schema:
            expected = "mbo (market by order)" if schema == "mbo" else schema
            raise WrongSchemaError(
                f"{path.name} holds the schema {metadata.schema}, expected {expected}.",
                hint=f"Download the {schema} schema for this date.",
                path=str(path),
            )

    def symbols(self) -> list[str]:
        """Raw symbols that the metadata maps to an instrument id, sorted."""
        return sorted({mapping.raw_symbol for mapping in self.mappings})

    def record_estimate(self) -> int | None:
        """How many records the file holds, where its size tells."""
        return None if self.compressed else (self.size_bytes - self.data_offset) // self.mbo_bytes

    def record_lengths(self) -> np.ndarray:
        """Length in words that each record type has in this file: uint8[256], 0 for what it cannot hold.

        Only one is allowed: a damaged length that another version knows would swallow the records behind it.
        A file of the schema mbo holds no bars, which have the length of an order's record.
        """
        lengths = np.zeros(256, np.uint8)
        for rtype in RECORD_BYTES:
            if self.mixed or rtype not in BAR_RTYPES:
                lengths[rtype] = self.record_bytes(rtype) // 4
        return lengths

    def record_bytes(self, rtype: int) -> int:
        """Length of a record of this type in this file, in bytes."""
        lengths = RECORD_BYTES[rtype]
        return lengths[min(self.version, len(lengths)) - 1] + 8 * self.ts_out

    @property
    def mbo_bytes(self) -> int:
        """Length of a market-by-order record in this file."""
        return MBO_BYTES + 8 * self.ts_out

    def blocks(self, offset: int | None = None) -> Generator[bytes]:
        """Uncompressed bytes from `offset` (default: the first record) on, the next ones read by a thread meanwhile.

        Raises
        ------
        TruncatedFileError
            The compressed stream ends within a frame.
        DamagedFileError
            The compressed stream cannot be decompressed.
        """
        return read_ahead(self._read(self.data_offset if offset is None else offset))

    def check_unchanged(self) -> None:
        """See to it that the name still leads to the file that was opened, as it was.

        Raises
        ------
        ChangedFileError
        """
        try:
            unchanged = _identity(self.path) == self._opened
        except OSError:
            unchanged = False
        if not unchanged:
            raise ChangedFileError(
                f"{self.path.name} was replaced, cut or written to while it was being read.",
                hint="Raw files never change: start the session again once the file is whole.",
                path=str(self.path),
            )

    def keep_decompressed(self) -> None:
        """Have a decompressed copy made in the background, where the file is compressed and copies are kept."""
        if self.compressed and self._decompressed is not None:
            self._decompressed.keep(self.path)

    def _read(self, offset: int) -> Iterator[bytes]:
        if self.compressed:
            kept = self._decompressed
            yield from kept.blocks(self.path, offset) if kept else uncompressed(self.path, offset)
            return
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while block := file.read(BLOCK_BYTES):
                yield block

    def _read_header(self) -> tuple[int, Any, int]:
        head = b""
        wanted = PRELUDE_BYTES
        version = 0
        for chunk in self._read(0):
            head += chunk
            if version == 0 and len(head) >= PRELUDE_BYTES:
                if head[:3] != b"DBN":
                    break
                version = head[3]
                if version not in VERSIONS:
                    raise NotDbnError(
                        f"{self.path.name} says it is DBN version {version}, expected 1, 2 or 3.",
                        hint="A newer VP may read it; otherwise the file is damaged: download it again.",
                        path=str(self.path),
                    )
                wanted += int.from_bytes(head[4:8], "little")
                if wanted > MAX_METADATA_BYTES:
                    raise DamagedFileError(
                        f"{self.path.name} states a header of {wanted} bytes at byte 4, more than any file has.",
                        hint=DAMAGED_HINT,
                        path=str(self.path),
                        byte_offset=4,
                    )
            if version and len(head) >= wanted:
                break
        if not head.startswith(b"DBN"):
            raise NotDbnError(
                f"{self.path.name} is no DBN file: it begins with {head[:4]!r}, expected b'DBN'.",
                hint="Put DBN files (.dbn or .dbn.zst) into the lake, not CSV or JSON.",
                path=str(self.path),
            )
        if len(head) < wanted or version == 0:
            raise TruncatedFileError(
                f"{self.path.name} ends at byte {len(head)} within its header of {wanted} bytes.",
                hint=DAMAGED_HINT,
                path=str(self.path),
                byte_offset=len(head),
            )
        try:
            metadata = databento_dbn.Metadata.decode(
                head[:wanted],
                upgrade_policy=databento_dbn.VersionUpgradePolicy.AS_IS,  # type: ignore[arg-type]  # a wrong stub
            )
        except BaseException as error:
            # A damaged header can make the decoder panic, and a panic is no Exception.
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            raise DamagedFileError(
                f"{self.path.name} has a header that cannot be decoded: {error}",
                hint=DAMAGED_HINT,
                path=str(self.path),
                byte_offset=PRELUDE_BYTES,
            ) from None
        return version, metadata, wanted


def _identity(path: Path) -> tuple[int, int, int]:
    """What tells a file from another under its name: inode, size in bytes, time of the last change in ns."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


class EventReader:
    """Decodes the events of one instrument of a file, chunk by chunk, into columns that are used again.

    Parameters
    ----------
    file : DbnFile
    instrument_id : int
        Below 0: every instrument.
    start_ns, end_ns : int
        Window of ts_event, ns UTC; clear and snapshot records outside it are kept.
    chunk_rows : int
        Most events a chunk.
    wide : bool
        Fill ts_recv and sequence too.

    Attributes
    ----------
    records_seen : int
        Whole records of the file read so far, of every type and instrument.
    passed_over, chunk_passed_over : PassedOver
        Those of them that are no events of the instrument within the window; the same before the chunk.
    """

    def __init__(
        self,
        file: DbnFile,
        instrument_id: int,
        start_ns: int = -NO_LIMIT,
        end_ns: int = NO_LIMIT,
        *,
        chunk_rows: int = 1 << 16,
        wide: bool = False,
    ) -> None:
        self.file = file
        self.records_seen = 0
        self.passed_over = PassedOver()
        self.chunk_passed_over = PassedOver()
        self._instrument_id = instrument_id
        self._window = (start_ns, end_ns)
        self._columns = Events.allocate(chunk_rows, wide=wide)

    def chunks(
        self, offset: int | None = None, record_index: int = 0, passed_over: PassedOver | None = None
    ) -> Iterator[tuple[Events, int, int]]:
        """Events in file order as (events, byte offset, record index of the chunk's first record in the file).

        `offset` and `record_index` of a chunk, and what was passed over before it, may be handed in again to
        read on from there. The events are views that hold until the next chunk.

        Raises
        ------
        DamagedFileError, TruncatedFileError, ChangedFileError, UnreadableFileError
            With the record's number in the file and its offset in uncompressed bytes.
        """
        cursor = np.zeros(D_WORDS, np.int64)
        cursor[D_RECORDS] = record_index
        self.records_seen = record_index
        self.passed_over = self.chunk_passed_over = passed_over or PassedOver()
        cursor[[D_OTHER, D_FOREIGN, D_DROPPED]] = astuple(self.passed_over)
        lengths = self.file.record_lengths()
        rows = len(self._columns)
        base = self.file.data_offset if offset is None else offset
        chunk_at, chunk_record = base, record_index
        problem: FileError | None = None
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
                        while not self._decode_some(view, lengths, cursor, base):
                            yield self._columns.head(rows), chunk_at, chunk_record
                            cursor[D_ROWS] = 0
                            chunk_at, chunk_record = base + int(cursor[D_POSITION]), self.records_seen
                            self.chunk_passed_over = self.passed_over
                        cut = bytes(data[int(cursor[D_POSITION]) :])
                        base += int(cursor[D_POSITION])
            self.file.check_unchanged()
        except OSError as error:
            problem = self._unreadable(error)
        except FileError as error:
            problem = error
            if problem.record_index is None:  # the compressed stream broke off, or the file is another by now
                problem.record_index, problem.byte_offset = self.records_seen, base
        if cursor[D_ROWS]:
            yield self._columns.head(int(cursor[D_ROWS])), chunk_at, chunk_record
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

    def _decode_some(self, view: np.ndarray, lengths: np.ndarray, cursor: np.ndarray, base: int) -> bool:
        """Decode on from the cursor; False if the columns are full, True if there is no whole record left."""
        _decode(view, lengths, self.file.mbo_bytes, self._instrument_id, self._window, cursor, self._columns)
        self.records_seen = int(cursor[D_RECORDS])
        self.passed_over = PassedOver(*cursor[[D_OTHER, D_FOREIGN, D_DROPPED]].tolist())
        if cursor[D_ERROR] != DECODE_OK:
            raise self._damage(int(cursor[D_ERROR]), view, int(cursor[D_POSITION]), base)
        return int(cursor[D_ROWS]) < len(self._columns)

    def _unreadable(self, error: OSError) -> UnreadableFileError:
        return UnreadableFileError(
            f"{self.file.path.name} cannot be read on from record {self.records_seen}: {error.strerror or error}.",
            hint="See to the disk that the lake lies on.",
            path=str(self.file.path),
            record_index=self.records_seen,
        )

    def _damage(self, error: int, view: np.ndarray, position: int, base: int) -> DamagedFileError:
        length, rtype = int(view[position]), int(view[position + 1])
        if error == DECODE_RTYPE:
            found = f"its record type was {rtype}, which DBN does not have"
        elif error == DECODE_LENGTH:
            expected = self.file.record_bytes(rtype)
            found = f"its length was {4 * length} bytes, expected {expected} for record type {rtype}"
        elif error == DECODE_ACTION:
            found = f"its action was {chr(view[position + 38])!r}, expected one of {ACTIONS}"
        else:
            found = f"its side was {chr(view[position + 39])!r}, expected one of {SIDES}"
        return DamagedFileError(
            f"{self.file.path.name}, record {self.records_seen} at byte {base + position}: {found}.",
            hint=DAMAGED_HINT,
            path=str(self.file.path),
            record_index=self.records_seen,
            byte_offset=base + position,
        )


def _decode(
    data: np.ndarray,
    lengths: np.ndarray,
    mbo_bytes: int,
    instrument_id: int,
    window: tuple[int, int],
    cursor: np.ndarray,
    columns: Events,
) -> None:
    decode.decode_records(
        data,
        len(data),
        lengths,
        mbo_bytes // 4,
        _VALID_ACTION,
        _VALID_SIDE,
        instrument_id,
        *window,
        cursor,
        *columns.core(),
        columns.ts_recv,
        columns.sequence,
    )


def decode_nothing() -> None:
    """Decode no bytes: has the decoder compiled."""
    nothing = np.frombuffer(b"", np.uint8)
    _decode(
        nothing,
        np.zeros(256, np.uint8),
        MBO_BYTES,
        -1,
        (-NO_LIMIT, NO_LIMIT),
        np.zeros(D_WORDS, np.int64),
        Events.allocate(0),
    )


def read_events(file: DbnFile, instrument_id: int = -1, start_ns: int = -NO_LIMIT, end_ns: int = NO_LIMIT) -> Events:
    """All events of one instrument (below 0: of all), with ts_recv and sequence, in memory of their own."""
    reader = EventReader(file, instrument_id, start_ns, end_ns, wide=True)
    parts = [
        [column.copy() for column in (*events.core(), events.ts_recv, events.sequence)]
        for events, _, _ in reader.chunks()
    ]
    if not parts:
        return Events.allocate(0, wide=True)
    return Events(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def count_by_instrument(file: DbnFile) -> dict[int, int]:
    """Market-by-order records by instrument id, from a pass over the file that stops at damage."""
    ids = np.zeros(MAX_INSTRUMENTS, np.int64)
    counts = np.zeros(MAX_INSTRUMENTS, np.int64)
    carry = b""
    for block in file.blocks():
        data = carry + block if carry else block
        view = np.frombuffer(data, np.uint8)
        position = int(decode.count_instruments(view, len(view), 0, ids, counts))
        carry = data[position:]
        if len(carry) > LONGEST_RECORD_BYTES:
            break
    found = np.flatnonzero(counts)
    return dict(zip(ids[found].tolist(), counts[found].tolist(), strict=True))


def _mappings(metadata: Any) -> tuple[Mapping, ...]:
    found = []
    for raw_symbol, intervals in metadata.mappings.items():
        for interval in intervals:
            symbol = interval["symbol"]
            if symbol.isdigit():
                found.append(Mapping(raw_symbol, int(symbol), interval["start_date"], interval["end_date"]))
    return tuple(found)


def _code_table(letters: str) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    for letter in letters:
        table[ord(letter)] = 1
    return table


_VALID_ACTION = _code_table(ACTIONS)
_VALID_SIDE = _code_table(SIDES)
