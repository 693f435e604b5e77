"""Raw DBN files: their metadata, the instruments they hold, and their bytes, checked on every read.

Files are read into memory of our own, never mapped: a file that another process truncates is an error, not
a dead process.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.header import PRELUDE_BYTES, read_header
from vp.dbn.read_ahead import read_ahead
from vp.dbn.record_types import BAR_RTYPES, RECORD_BYTES
from vp.dbn.symbol_mappings import Mapping, in_header
from vp.dbn.zstd import DAMAGED_HINT, is_compressed, uncompressed
from vp.errors import ChangedFileError, DamagedFileError, WrongSchemaError
from vp.kernels.contract import MBO_BYTES

BLOCK_BYTES = 32768 * MBO_BYTES  # a whole number of records, so that blocks seldom cut one


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
        self.version, metadata, self.data_offset = read_header(path, self._read(0), self.size_bytes)
        self.dataset: str = metadata.dataset
        self.ts_out: bool = bool(metadata.ts_out)
        self.asked_symbols: tuple[str, ...] = tuple(metadata.symbols)
        self.start_ns: int = metadata.start
        self.end_ns: int | None = metadata.end
        try:
            self.mappings: tuple[Mapping, ...] = in_header(metadata)
        except (ValueError, KeyError, OverflowError) as error:  # decoded, and yet no date of any calendar
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

    def keep_decompressed(self, when: threading.Event) -> None:
        """Have a decompressed copy made from a signal on, where the file is compressed and copies are kept."""
        if self.compressed and self._decompressed is not None:
            self._decompressed.keep(self.path, when)

    def keep_from(self, offset: int) -> None:
        """Have what is read from now on and follows this byte kept decompressed, where the file is compressed."""
        if self.compressed and self._decompressed is not None:
            self._decompressed.keep_from(self.path, offset)

    def _read(self, offset: int) -> Iterator[bytes]:
        if self.compressed:
            kept = self._decompressed
            yield from kept.blocks(self.path, offset) if kept else uncompressed(self.path, offset)
            return
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while block := file.read(BLOCK_BYTES):
                yield block


def _identity(path: Path) -> tuple[int, int, int]:
    """What tells a file from another under its name: inode, size in bytes, time of the last change in ns."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
