"""Zstandard-compressed raw files as a stream of uncompressed bytes, made in steps of bounded size.

A few bytes of a compressed file can stand for gigabytes. So no step makes more than BLOCK_BYTES, a frame may look back
WINDOW_LOG bits at most, and a file may expand to no more than market data ever does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vp.errors import BadParameterError, DamagedFileError, ExpansionError, TruncatedFileError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # magic numbers of frames that hold no data, as pzstd puts before each
READ_BYTES = 1 << 17
BLOCK_BYTES = 1 << 20
WINDOW_LOG = 26
LEVEL = 3
OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
EXPANSION_VARIABLE = "VP_MAX_EXPANSION"
MAX_EXPANSION = 100.0  # market-by-order files expand to 3 to 6 times their size
FREE_BYTES = 16 << 20  # what any file may expand to, however small it is
DAMAGED_HINT = "The file is damaged: download it again."
WINDOW_HINT = f"{DAMAGED_HINT} One that was compressed with --ultra or --long must be compressed anew without."


def is_compressed(path: Path) -> bool:
    """Whether a file begins as a zstandard frame does, one with data or one to skip."""
    with path.open("rb") as file:
        magic = file.read(len(ZSTD_MAGIC))
    return magic == ZSTD_MAGIC or (len(magic) == len(ZSTD_MAGIC) and int.from_bytes(magic, "little") in SKIPPABLE)


def stated_bytes(head: bytes) -> int | None:
    """What the frame that begins with these bytes, 18 at least, says that it expands to; None where it does not say."""
    try:
        return zstd.get_frame_info(head).decompressed_size
    except zstd.ZstdError:
        return None


def compressing(out: BinaryIO) -> zstd.ZstdFile:
    """A file that compresses what is written to it into `out`, with a checksum; its frame ends when it is closed."""
    parameters = zstd.CompressionParameter
    return zstd.ZstdFile(out, "wb", options={parameters.compression_level: LEVEL, parameters.checksum_flag: 1})


def max_expansion() -> float:
    """How many times its size a compressed file may expand to: the environment's VP_MAX_EXPANSION, or MAX_EXPANSION.

    Raises
    ------
    BadParameterError
    """
    given = os.environ.get(EXPANSION_VARIABLE, "").strip()
    try:
        times = float(given) if given else MAX_EXPANSION
    except ValueError:
        times = 0.0
    if not times >= 1:
        raise BadParameterError(
            f"{EXPANSION_VARIABLE} was {given!r} in the environment, expected a number of at least 1.",
            hint=f"Left out, it is {MAX_EXPANSION:g}.",
        )
    return times


def uncompressed(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Uncompressed bytes of a compressed file from `offset` on, in blocks of BLOCK_BYTES at most.

    Raises
    ------
    TruncatedFileError
        The stream ends within a frame.
    DamagedFileError
        The stream cannot be decompressed.
    ExpansionError
        It expands to more than `max_expansion` times the file's size, and than FREE_BYTES.
    """
    times = max_expansion()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        most = max(FREE_BYTES, times * size)
        made = 0
        for block in blocks(file, path):
            made += len(block)
            if made > most:
                raise ExpansionError(
                    f"{path.name} expands to more than {most:,.0f} bytes from {size:,}, over {times:g} times its "
                    "size; market data expand to 3 to 6 times.",
                    hint=f"It is damaged or made to do harm. If it is neither, set {EXPANSION_VARIABLE} to more.",
                    path=str(path),
                )
            if offset < len(block):
                yield block[offset:] if offset else block
            offset = max(offset - len(block), 0)


def blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Uncompressed bytes of the zstandard frames that follow in an open file, whatever they expand to.

    Raises as `uncompressed`; `path` is what errors name.
    """
    frame = zstd.ZstdDecompressor(options=OPTIONS)
    begun = False
    rest = b""
    at = 0
    while True:
        if frame.eof:
            rest, frame, begun = frame.unused_data, zstd.ZstdDecompressor(options=OPTIONS), False
        if not rest and frame.needs_input:
            rest = file.read(READ_BYTES)
            at += len(rest)
            if not rest:
                break
        begun = True
        try:
            block = frame.decompress(rest, BLOCK_BYTES)
        except zstd.ZstdError as error:
            raise DamagedFileError(
                f"{path.name} cannot be decompressed near byte {at} of the compressed file: {error}",
                hint=WINDOW_HINT if "memory" in str(error) else DAMAGED_HINT,
                path=str(path),
                byte_offset=at,
            ) from None
        rest = b""
        if block:
            yield block
    if begun:
        raise TruncatedFileError(
            f"{path.name} is cut short: its zstandard frame does not end before the file does, at byte {at}.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=at,
        )
