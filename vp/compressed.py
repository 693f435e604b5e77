"""Zstandard-compressed raw files as a stream of uncompressed bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from vp.errors import DamagedFileError, TruncatedFileError

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
READ_BYTES = 1 << 18
DAMAGED_HINT = "The file is damaged: download it again."


def is_compressed(path: Path) -> bool:
    """Whether a file begins as a zstandard frame does."""
    with path.open("rb") as file:
        return file.read(len(ZSTD_MAGIC)) == ZSTD_MAGIC


def uncompressed(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Uncompressed bytes of a compressed file from `offset` on, in blocks of any size.

    Raises
    ------
    TruncatedFileError
        The stream ends within a frame.
    DamagedFileError
        The stream cannot be decompressed.
    """
    with path.open("rb") as file:
        for block in _frames(file, path):
            if offset < len(block):
                yield block[offset:] if offset else block
            offset = max(offset - len(block), 0)


def _frames(file: Any, path: Path) -> Iterator[bytes]:
    """Zstandard frames, one after the other, to bytes; a frame that does not end is an error."""
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    at = 0
    started = False
    try:
        while compressed := file.read(READ_BYTES):
            at += len(compressed)
            while compressed:
                if frame.eof:
                    frame = decompressor.decompressobj()
                chunk = frame.decompress(compressed)
                started = True
                compressed = frame.unused_data if frame.eof else b""
                if chunk:
                    yield chunk
    except zstandard.ZstdError as error:
        raise DamagedFileError(
            f"{path.name} cannot be decompressed near byte {at} of the compressed file: {error}",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=at,
        ) from None
    if started and not frame.eof:
        raise TruncatedFileError(
            f"{path.name} is cut short: its zstandard frame does not end before the file does, at byte {at}.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=at,
        )
