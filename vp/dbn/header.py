"""The header of a DBN file: read, bounded and decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import databento_dbn

from vp.dbn.zstd import DAMAGED_HINT
from vp.errors import DamagedFileError, NotDbnError, TruncatedFileError

PRELUDE_BYTES = 8
VERSIONS = (1, 2, 3)
MAX_HEADER_BYTES = 256 << 20
FREE_HEADER_BYTES = 4 << 20  # what the header of any file may take, however small the file is
MAX_HEADER_EXPANSION = 8  # headers are short beside the records, and expand as others do
SYMBOL_LENGTH_AT = 53  # of version 2 and later
LEAST_SYMBOL_BYTES = 22  # what version 1 has; with less, millions of names would fit into a small header


class Header(NamedTuple):
    """A decoded header.

    Attributes
    ----------
    version : int
    metadata : databento_dbn.Metadata
    data_offset : int
        Where the records begin, in uncompressed bytes.
    """

    version: int
    metadata: Any
    data_offset: int


def read_header(path: Path, blocks: Iterator[bytes], size_bytes: int) -> Header:
    """Read and decode the header of a file.

    Parameters
    ----------
    path : Path
        For messages.
    blocks : iterator of bytes
        The uncompressed bytes; read as far as the header goes.
    size_bytes : int
        Of the file, compressed or not.

    Raises
    ------
    NotDbnError, TruncatedFileError, DamagedFileError
    """
    head = bytearray()
    wanted = PRELUDE_BYTES
    version = 0
    for block in blocks:
        head += block[: wanted - len(head)] if version else block
        if version == 0 and len(head) >= PRELUDE_BYTES:
            if head[:3] != b"DBN":
                break
            version = head[3]
            wanted = _length(path, version, head, size_bytes)
        if version and len(head) >= wanted:
            break
    if not head:
        raise NotDbnError(f"{path.name} is empty, expected a DBN file.", hint=DAMAGED_HINT, path=str(path))
    if not head.startswith(b"DBN"):
        raise NotDbnError(
            f"{path.name} is no DBN file: it begins with {bytes(head[:4])!r}, expected b'DBN'.",
            hint="Put DBN files (.dbn or .dbn.zst) into the lake, not CSV or JSON.",
            path=str(path),
        )
    if len(head) < wanted or version == 0:
        raise TruncatedFileError(
            f"{path.name} ends at byte {len(head)} within its header of {wanted} bytes.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=len(head),
        )
    return Header(version, _decoded(path, version, bytes(head[:wanted])), wanted)


def _length(path: Path, version: int, head: bytearray, size_bytes: int) -> int:
    """How long a header is, prelude included, by the prelude."""
    if version not in VERSIONS:
        raise NotDbnError(
            f"{path.name} says it is DBN version {version}, expected 1, 2 or 3.",
            hint="A newer VP may read it; otherwise the file is damaged: download it again.",
            path=str(path),
        )
    length = PRELUDE_BYTES + int.from_bytes(head[4:PRELUDE_BYTES], "little")
    most = max(FREE_HEADER_BYTES, min(MAX_HEADER_BYTES, MAX_HEADER_EXPANSION * size_bytes))
    if length > most:
        raise DamagedFileError(
            f"{path.name} states a header of {length} bytes at byte 4, more than any file of its size has.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=4,
        )
    return length


def _decoded(path: Path, version: int, head: bytes) -> Any:
    symbol_bytes = int.from_bytes(head[SYMBOL_LENGTH_AT : SYMBOL_LENGTH_AT + 2], "little")
    if version > 1 and symbol_bytes < LEAST_SYMBOL_BYTES:
        raise DamagedFileError(
            f"{path.name} states symbols of {symbol_bytes} bytes at byte {SYMBOL_LENGTH_AT}, expected 71.",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=SYMBOL_LENGTH_AT,
        )
    try:
        return databento_dbn.Metadata.decode(
            head,
            upgrade_policy=databento_dbn.VersionUpgradePolicy.AS_IS,  # type: ignore[arg-type]  # a wrong stub
        )
    except BaseException as error:
        # A damaged header can make the decoder panic, and a panic is no Exception.
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise DamagedFileError(
            f"{path.name} has a header that cannot be decoded: {error}",
            hint=DAMAGED_HINT,
            path=str(path),
            byte_offset=PRELUDE_BYTES,
        ) from None
