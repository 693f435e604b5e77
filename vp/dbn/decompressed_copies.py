"""Decompressed copies of raw files, kept in the lake's cache so that the next start need not decompress.

A copy is made in the background, into a temporary file that gets its name once it is whole. It says which file it
was made of and carries a digest of each of its blocks, checked whenever the block is read; one that is damaged is
thrown away, and the reader goes on with the raw file. So copies may be deleted, cut or scribbled over at any time,
and that costs nothing but time.

Layout: the data, then a footer as JSON, the footer's sha256, its length (8 bytes, little-endian) and MAGIC.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vp import counters
from vp.dbn.zstd import uncompressed
from vp.errors import VPError
from vp.files import most_mode_of, remove_if_possible, written_whole

log = logging.getLogger(__name__)

BLOCK_BYTES = 4 << 20
FORMAT = 1
MAGIC = b"VPBLOCKS"
ENDING = ".blocks"
DIGEST_BYTES = 32
TAIL_BYTES = DIGEST_BYTES + 8 + len(MAGIC)
MAX_FOOTER_BYTES = 64 << 20


_in_progress: dict[Path, Making] = {}
_lock = threading.Lock()


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

    def copy_name(self) -> str:
        """Name of the copy in the cache."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.name.removesuffix('.zst')}_{digest}{ENDING}"


class DamagedCopyError(Exception):
    """A copy is not what was written."""


class DecompressedFiles:
    """The copies in one directory, `limit_bytes` of them at most; the one used longest ago goes first."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self.directory = directory
        self.limit_bytes = limit_bytes

    def blocks(self, raw: Path, offset: int) -> Iterator[bytes]:
        """Uncompressed bytes of the compressed file `raw` from `offset` on, in blocks of any size.

        Raises
        ------
        DamagedFileError, TruncatedFileError
            As vp.dbn.zstd.uncompressed.
        """
        source = Source.of(raw)
        path = self.directory / source.copy_name()
        copy = _open_copy(path, source)
        counters.add("cache", "decompressed", "miss" if copy is None else "hit")
        if copy is not None:
            try:
                for block in copy.blocks(offset):
                    yield block
                    offset += len(block)
            except (DamagedCopyError, OSError) as error:
                log.warning("%s is damaged (%s): it is thrown away, the raw file is read", path.name, error)
                remove_if_possible(path)
            else:
                return
        yield from uncompressed(raw, offset)

    def keep(self, raw: Path) -> None:
        """Make a copy of the compressed file `raw` in the background, unless there is one or it is being made."""
        source = Source.of(raw)
        path = self.directory / source.copy_name()
        with _lock:
            if self.limit_bytes > 0 and path not in _in_progress and not path.exists():
                _in_progress[path] = Making(self, raw, source, path)
                _in_progress[path].start()

    def copies(self) -> list[tuple[Path, int]]:
        """The copies and their sizes in bytes, the one used last first."""
        found = []
        for path in self.directory.glob(f"*{ENDING}"):
            with contextlib.suppress(OSError):  # another process may take it away
                status = path.stat()
                found.append((status.st_mtime_ns, path, status.st_size))
        return [(path, size) for _, path, size in sorted(found, reverse=True)]

    def make_room(self, bytes_wanted: int) -> bool:
        """Take copies away until there is room for this many bytes; False where the limit is below that."""
        if bytes_wanted > self.limit_bytes:
            return False
        total = bytes_wanted
        for path, size in self.copies():
            total += size
            if total > self.limit_bytes:
                remove_if_possible(path)
                total -= size
        return True


class Making(threading.Thread):
    """Decompresses a raw file into a temporary file, which becomes the copy once it is whole."""

    def __init__(self, files: DecompressedFiles, raw: Path, source: Source, path: Path) -> None:
        super().__init__(name=f"decompress {raw.name}", daemon=True)
        self._files, self._raw, self._source, self._path = files, raw, source, path

    def run(self) -> None:
        """Make the copy; what hinders it is logged and costs nothing else."""
        try:
            self._files.directory.mkdir(parents=True, exist_ok=True)
            with written_whole(self._path, most_mode=most_mode_of(self._raw)) as file:
                self._write_footer(file, self._decompress(file))
        except VPError as error:  # the session comes upon it too, and says where
            log.debug("%s is not kept decompressed: %s", self._raw.name, error)
        except OSError as error:
            log.warning("%s is not kept decompressed: %s", self._raw.name, error.strerror or error)
        finally:
            with _lock:
                del _in_progress[self._path]

    def _decompress(self, file: BinaryIO) -> int:
        """Write all uncompressed bytes; returns how many."""
        written = 0
        for block in uncompressed(self._raw):
            if not self._files.make_room(written + len(block)):
                limit = self._files.limit_bytes
                raise OSError(0, f"it takes more than the {limit:,} bytes that such copies may take in all")
            file.write(block)
            written += len(block)
        if Source.of(self._raw) != self._source:
            raise OSError(0, "it has changed meanwhile")
        return written

    def _write_footer(self, file: BinaryIO, written: int) -> None:
        digests = [hashlib.sha256(_read(file, at, BLOCK_BYTES)).hexdigest() for at in range(0, written, BLOCK_BYTES)]
        file.seek(0, os.SEEK_END)
        footer = json.dumps({"source": asdict(self._source), "bytes": written, "sha256": digests}).encode()
        file.write(footer + hashlib.sha256(footer).digest() + len(footer).to_bytes(8, "little") + MAGIC)


class Copy:
    """A copy opened for reading."""

    def __init__(self, file: BinaryIO, size_bytes: int, digests: list[str]) -> None:
        self._file, self._size_bytes, self._digests = file, size_bytes, digests

    def blocks(self, offset: int) -> Iterator[bytes]:
        """Bytes from `offset` on, each block checked.

        Raises
        ------
        DamagedCopyError
            A block is not what was written.
        """
        with self._file:
            while offset < self._size_bytes:
                number, within = divmod(offset, BLOCK_BYTES)
                length = min(BLOCK_BYTES, self._size_bytes - number * BLOCK_BYTES)
                block = _read(self._file, number * BLOCK_BYTES, length)
                if hashlib.sha256(block).hexdigest() != self._digests[number]:
                    raise DamagedCopyError(f"the digest of block {number} does not hold")
                yield block[within:] if within else block
                offset += length - within


def _open_copy(path: Path, source: Source) -> Copy | None:
    """The copy of `source`, or None where there is none to be trusted (with a warning)."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read (%s): the raw file is read", path.name, error.strerror)
        return None
    try:
        footer = _read_footer(file, source)
        os.utime(path)  # it was used just now
        return Copy(file, footer["bytes"], footer["sha256"])
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
