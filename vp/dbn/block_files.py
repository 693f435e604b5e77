"""The form of decompressed copies on disk: blocks of bytes, each with a digest that is checked when it is read.

Layout: the data, then a footer as JSON, the footer's sha256, its length (8 bytes, little-endian) and MAGIC.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vp.files import open_to_read, remove_if_possible
from vp.lake.cache_budget import mark_as_used

log = logging.getLogger(__name__)

BLOCK_BYTES = 4 << 20
FORMAT = 2
MAGIC = b"VPBLOCKS"
ENDING = ".blocks"
DIGEST_BYTES = 32
TAIL_BYTES = DIGEST_BYTES + 8 + len(MAGIC)
MAX_FOOTER_BYTES = 64 << 20


@dataclass(frozen=True)
class Source:
    """The raw file that a copy was made of."""

    name: str
    size_bytes: int
    mtime_ns: int
    format: int = FORMAT

    @classmethod
    def of(cls, raw: Path) -> Source:
        """The file as it is now."""
        status = raw.stat()
        return cls(raw.name, status.st_size, status.st_mtime_ns)

    def stem(self) -> str:
        """What the names of all that is kept of it begin with."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.name.removesuffix('.zst')}_{digest}"

    def copy_name(self) -> str:
        """Name of the copy in the cache."""
        return f"{self.stem()}{ENDING}"

    def stretch_name(self, first: int) -> str:
        """Name of a copy of what follows the byte `first`."""
        return f"{self.stem()}_{first}{ENDING}"


class DamagedCopyError(Exception):
    """A copy is not what was written."""


class Copy:
    """A copy opened for reading: of the uncompressed bytes from `first` up to `end`."""

    def __init__(self, file: BinaryIO, first: int, size_bytes: int, digests: list[str]) -> None:
        self.first, self.end = first, first + size_bytes
        self._file, self._digests = file, digests

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def blocks(self, offset: int) -> Iterator[bytes]:
        """Bytes from `offset` on, each block checked.

        Raises
        ------
        DamagedCopyError
            A block is not what was written.
        """
        size_bytes = self.end - self.first
        at = offset - self.first
        with self._file:
            while at < size_bytes:
                number, within = divmod(at, BLOCK_BYTES)
                length = min(BLOCK_BYTES, size_bytes - number * BLOCK_BYTES)
                block = _read(self._file, number * BLOCK_BYTES, length)
                if hashlib.sha256(block).hexdigest() != self._digests[number]:
                    raise DamagedCopyError(f"the digest of block {number} does not hold")
                yield block[within:] if within else block
                at += length - within


def write_footer(file: BinaryIO, source: Source, size_bytes: int, first: int = 0) -> None:
    """Put behind the bytes of a copy what makes it one."""
    digests = [hashlib.sha256(_read(file, at, BLOCK_BYTES)).hexdigest() for at in range(0, size_bytes, BLOCK_BYTES)]
    file.seek(0, os.SEEK_END)
    stated = {"source": asdict(source), "first": first, "bytes": size_bytes, "sha256": digests}
    footer = json.dumps(stated).encode()
    file.write(footer + hashlib.sha256(footer).digest() + len(footer).to_bytes(8, "little") + MAGIC)


def open_copy(path: Path, source: Source) -> Copy | None:
    """The copy of `source`, or None where there is none to be trusted (with a warning)."""
    try:
        file = open_to_read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read (%s): the raw file is read", path.name, error.strerror)
        return None
    try:
        footer = _read_footer(file, source)
        mark_as_used(path)
        return Copy(file, footer["first"], footer["bytes"], footer["sha256"])
    except (DamagedCopyError, OSError) as error:
        file.close()
        log.warning("%s is damaged (%s): it is made anew", path.name, error)
        remove_if_possible(path)
        return None


def _read_footer(file: BinaryIO, source: Source) -> dict[str, Any]:
    size = os.fstat(file.fileno()).st_size
    tail = _read(file, max(size - TAIL_BYTES, 0), TAIL_BYTES)
    length = int.from_bytes(tail[DIGEST_BYTES : DIGEST_BYTES + 8], "little")
    if len(tail) < TAIL_BYTES or not tail.endswith(MAGIC) or length > min(MAX_FOOTER_BYTES, size - TAIL_BYTES):
        raise DamagedCopyError("its end is not what was written")
    text = _read(file, size - TAIL_BYTES - length, length)
    if hashlib.sha256(text).digest() != tail[:DIGEST_BYTES]:
        raise DamagedCopyError("the digest of its footer does not hold")
    footer: dict[str, Any] = json.loads(text)
    if footer["source"] != asdict(source):
        raise DamagedCopyError("it was made of another file")
    return footer


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    """Bytes from a place in a file on."""
    file.seek(at)
    return file.read(length)
