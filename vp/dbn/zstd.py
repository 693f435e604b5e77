"""Zstandard-compressed raw files as a stream of uncompressed bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from vp.errors import DamagedFileError, TruncatedFileError

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # magic numbers of frames that hold no data, as pzstd puts before each
SKIPPABLE_HEAD_BYTES = 8  # magic number and length
READ_BYTES = 1 << 18
DAMAGED_HINT = "The file is damaged: download it again."


def is_compressed(path: Path) -> bool:
    """Whether a file begins as a zstandard frame does, one with data or one to skip."""
    with path.open("rb") as file:
        magic = file.read(len(ZSTD_MAGIC))
    return magic == ZSTD_MAGIC or _is_skippable(magic)


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
    started = cut = False
    try:
        while compressed := file.read(READ_BYTES):
            at += len(compressed)
            while compressed:
                if frame.eof or not started:
                    compressed, at = _skip(file, compressed, at)
                    if not compressed:
                        break
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
    except EOFError:
        cut = True
    if cut or (started and not frame.eof):
        raise TruncatedFileError(
            f"{path.name} is cut short: its zstandard frame does not end before the file does, at byte {at}.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=at,
        )


def _is_skippable(head: bytes) -> bool:
    return len(head) >= len(ZSTD_MAGIC) and int.from_bytes(head[:4], "little") in SKIPPABLE


def _skip(file: Any, compressed: bytes, at: int) -> tuple[bytes, int]:
    """What follows the skippable frames that `compressed` begins with, and how far the file has been read.

    Raises
    ------
    EOFError
        The file ends within such a frame.
    """
    while True:
        while len(compressed) < SKIPPABLE_HEAD_BYTES and (more := file.read(READ_BYTES)):
            compressed += more
            at += len(more)
        if not _is_skippable(compressed):
            return compressed, at
        left = SKIPPABLE_HEAD_BYTES + int.from_bytes(compressed[4:8], "little")
        while left > len(compressed):
            left -= len(compressed)
            compressed = file.read(READ_BYTES)
            at += len(compressed)
            if not compressed:
                raise EOFError
        compressed = compressed[left:]
