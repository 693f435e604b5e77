"""Files that are written whole or not at all: the one place where a file gets its name.

What is not whole yet lies beside it as `.NAME.XXXXXXXX.part`, locked for as long as its writer lives. A writer that
was killed leaves such a part behind. The next one of the same name finds it unlocked and deletes it; so does one of any
other name in the directory, once nobody has written to the part for an hour.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl

    LOCKS = True
except ImportError:  # no Unix: parts of killed writers stay until they are deleted by hand
    LOCKS = False

ENDING = ".part"
PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")  # eight letters as tempfile draws them
ABANDONED_SECONDS = 3600.0
ABANDONED_SECONDS_WITHOUT_LOCKS = 86_400.0
READ_ONLY = 0o444
COPY_BYTES = 1 << 20
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
FAILED_WRITES = NO_ROOM | {errno.EFBIG, errno.EIO}
"""What a disk answers that cannot take what was written, whatever it was."""
REFUSED_FILES = FAILED_WRITES | {
    errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENOENT, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP,
    errno.EMFILE, errno.EEXIST,
}  # fmt: skip
"""What the system answers about files and disks, and never about connections."""
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


@contextmanager
def written_whole(
    path: Path, *, replace: bool = True, read_only: bool = False, durable: bool = True
) -> Iterator[BinaryIO]:
    """A file to write to that becomes `path`, on disk, when the block ends well, and vanishes when it does not.

    Parameters
    ----------
    path : Path
        In a directory that exists.
    replace : bool
        Take the place of a file that is there; otherwise that one stays, and the new one vanishes.
    read_only : bool
        Nobody may write to it from then on.
    durable : bool
        Wait until it is on the disk; without that a loss of power may leave an empty file.

    Raises
    ------
    OSError
    """
    sweep(path.parent, path.name)
    sweep_abandoned(path.parent)
    temporary, file = _open_part(path)
    remove = weakref.finalize(file, remove_if_possible, temporary)  # at the end of the process too
    try:
        with file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if not LOCKS:  # Windows renames no open file; elsewhere the lock must outlast the rename
                file.close()
            temporary.chmod(READ_ONLY if read_only else 0o666 & ~_umask())
            if replace:
                temporary.replace(path)
            else:
                with suppress(FileExistsError):
                    _name(temporary, path)
    finally:
        remove()
    if durable:
        sync_directory(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in the place of what `path` holds, on disk before it returns; raises OSError."""
    with written_whole(path) as file:
        file.write(data)


def lay_down(temporary: Path, path: Path) -> None:
    """Give a finished file its name, read-only, never over another; raises FileExistsError, OSError."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(READ_ONLY)
    _name(temporary, path)
    temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def sweep(directory: Path, name: str = "") -> None:
    """Delete what writers that are no more left of `name` (left out: of any file) in a directory."""
    if not LOCKS:
        return
    for part in directory.glob(f".{_literal(name) or '*'}.*{ENDING}"):
        _remove_unlocked(part)


def sweep_abandoned(directory: Path) -> None:
    """Delete parts of any name in a directory that nobody writes to: unlocked, and not touched for an hour.

    Other programs' files of another form stay. Where there are no locks, a day must have passed.
    """
    patience = ABANDONED_SECONDS if LOCKS else ABANDONED_SECONDS_WITHOUT_LOCKS
    with suppress(OSError):
        for part in directory.glob(f".*{ENDING}"):
            if PART.fullmatch(part.name) and time.time() - part.lstat().st_mtime > patience:
                _remove_unlocked(part)


def copy_new(source: Path, path: Path) -> None:
    """Copy a file to a place that is free, whole or not at all, read-only; raises FileExistsError, OSError."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with source.open("rb") as original, written_whole(path, replace=False, read_only=True) as copy:
        shutil.copyfileobj(original, copy, COPY_BYTES)


def link_new(source: Path, path: Path) -> None:
    """Make a link to a file at a place that is free: a hard one where it can be; raises FileExistsError, OSError."""
    target = source.resolve(strict=True)
    try:
        os.link(target, path)
    except OSError as error:
        if error.errno not in (*NO_LINKS, errno.EXDEV):
            raise
        path.symlink_to(target)


def _remove_unlocked(part: Path) -> None:
    with suppress(OSError):  # another writer may sweep too
        if not LOCKS:
            part.unlink()
            return
        handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer lives
            part.unlink()
        finally:
            os.close(handle)


def sync_directory(directory: Path) -> None:
    """Make names in a directory survive a loss of power, where the system can."""
    with suppress(OSError):  # some file systems, and Windows, cannot
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_part(path: Path) -> tuple[Path, BinaryIO]:
    """A new part of `path`, locked; one that is swept before it is locked is made again."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=ENDING, dir=path.parent)
        file = os.fdopen(handle, "w+b")
        if not LOCKS:
            return Path(name), file
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return Path(name), file
        file.close()


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name unless it is taken: a link fails then, where a rename would replace."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)


def _literal(name: str) -> str:
    """A name as a glob pattern that it alone matches."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def remove_if_possible(path: Path) -> None:
    """Delete a file as far as that can be done."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
