"""Files that are written whole or not at all, and raw files that are never written over."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import zstandard

from vp.errors import DownloadError

READ_ONLY = 0o444
READ_BYTES = 4 << 20
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in the place of what `path` holds, on disk before it returns; raises OSError.

    Only one program may write a path at a time (Ledger.locked); what a killed one left half done is written over.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def lay_down(temporary: Path, path: Path) -> None:
    """Give a finished file its name, read-only, never over another; raises FileExistsError, OSError."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(READ_ONLY)
    try:
        os.link(temporary, path)  # unlike a rename, this fails where the name is taken
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)
    temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names in a directory survive a loss of power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str:
    """The sha256 of a file in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
            on_bytes(len(block))
    return digest.hexdigest()


def keep_decompressed(path: Path) -> None:
    """Lay the uncompressed file beside a compressed one, unless it is there; raises DownloadError."""
    plain = path.with_name(path.name.removesuffix(".zst"))
    part = path.with_name(f".{plain.name}.part")
    try:
        if not plain.exists():
            with path.open("rb") as compressed, part.open("wb") as out:
                zstandard.ZstdDecompressor().copy_stream(compressed, out)
            lay_down(part, plain)
    except FileExistsError:
        return
    except zstandard.ZstdError as error:
        raise DownloadError(f"{path} cannot be decompressed: {error}.", hint="Move it away and run again.") from error
    except OSError as error:
        raise DownloadError(
            f"{plain} cannot be written: {error.strerror or error}.",
            hint="Free some space or make the directory writable, and run the same command again.",
        ) from error
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
