"""Files that are written whole or not at all: the one place where a file gets its name.

What is not whole yet lies beside it as `.NAME.XXXXXXXX.part`, locked for as long as its writer lives: a lock goes with
its process, whatever number that had and whichever container it ran in. A writer that was killed leaves such a part
behind. Whoever next writes anything into the directory finds it unlocked and deletes it; on file systems that other
machines may write to, whose locks need not be seen here, only once nobody has written to the part for a day.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl

    LOCKS = True
except ImportError:  # no Unix: parts of killed writers stay until they are deleted by hand
    LOCKS = False

ENDING = ".part"
PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")  # eight letters as tempfile draws them
ABANDONED_SECONDS = 86_400.0
OWN_FILE_SYSTEMS = {
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "tmpfs", "vfat", "xfs",
    "zfs",
}  # fmt: skip
"""Of this machine alone: what is locked here is seen by all who can write there."""
MOUNTS = Path("/proc/self/mountinfo")
EVERYONE = 0o666
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
    path: Path, *, replace: bool = True, most_mode: int = EVERYONE, durable: bool = True
) -> Iterator[BinaryIO]:
    """A file to write to that becomes `path`, on disk, when the block ends well, and vanishes when it does not.

    Parameters
    ----------
    path : Path
        In a directory that exists.
    replace : bool
        Take the place of a file that is there; otherwise that one stays, and the new one vanishes.
    most_mode : int
        Who may read and write it, as far as the umask lets them; READ_ONLY: nobody writes to it from then on.
    durable : bool
        Wait until it is on the disk; without that a loss of power may leave an empty file.

    Raises
    ------
    OSError
    """
    sweep(path.parent)
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
            temporary.chmod(most_mode & ~_umask())
            if replace:
                temporary.replace(path)
            else:
                with suppress(FileExistsError):
                    _name(temporary, path)
    finally:
        remove()
    if durable:
        sync_directory(path.parent)


def write_whole(path: Path, data: bytes, *, most_mode: int = EVERYONE) -> None:
    """Put `data` in the place of what `path` holds, on disk before it returns; raises OSError."""
    with written_whole(path, most_mode=most_mode) as file:
        file.write(data)


def open_to_read(path: Path) -> BufferedReader:
    """A file to read from; only a file: a pipe would be waited for, and a device need not end. Raises OSError."""
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return file


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """All that a file holds when it is opened, which anyone may have put there; raises OSError, of a longer one too."""
    with open_to_read(path) as file:  # read() makes room for all that it may read
        data = file.read(min(os.fstat(file.fileno()).st_size, most_bytes) + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes:,} bytes", str(path))
    return data


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hexadecimal; raises OSError."""
    with open_to_read(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def most_mode_of(*sources: Path) -> int:
    """What is made of these files may be read and written by whom each of them may be; raises OSError."""
    mode = EVERYONE
    for source in sources:
        mode &= source.stat().st_mode
    return mode


def lay_down(temporary: Path, path: Path) -> None:
    """Give a finished file its name, read-only, never over another; raises FileExistsError, OSError."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(READ_ONLY & ~_umask())
    _name(temporary, path)
    temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def sweep(directory: Path) -> None:
    """Delete what writers that are no more left in a directory; files of another form are other programs'."""
    patience = 0.0 if LOCKS and is_of_this_machine(directory) else ABANDONED_SECONDS
    for part in parts_in(directory):
        with suppress(OSError):  # another writer may sweep too
            if time.time() - part.lstat().st_mtime >= patience:
                remove_part(part)


def parts_in(directory: Path) -> list[Path]:
    """What is not whole yet, or never will be, in a directory; none where it cannot be read."""
    try:
        return [directory / name for name in os.listdir(directory) if PART.fullmatch(name)]  # noqa: PTH208
    except OSError:
        return []


def remove_part(part: Path) -> bool:
    """Delete a part unless its writer lives, as far as a lock tells; whether it is gone. Raises OSError."""
    if not LOCKS:
        part.unlink()
        return True
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)  # no link, no pipe
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return False
        if not try_lock(handle):  # its writer lives
            return False
        part.unlink()  # locked: a writer that has made it just now finds it gone, and makes another
    finally:
        os.close(handle)
    return True


def lock(handle: int) -> None:
    """Lock what is open, once nobody else holds it, for as long as it is; nothing without LOCKS. Raises OSError."""
    if LOCKS:
        fcntl.flock(handle, fcntl.LOCK_EX)


def try_lock(handle: int) -> bool:
    """As `lock`, without waiting; False where another holds it. Raises OSError."""
    try:
        if LOCKS:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made if need be, once nobody else does; raises OSError."""
    with path.open("a") as file:
        lock(file.fileno())
        yield


def is_of_this_machine(directory: Path, mounts: Path = MOUNTS) -> bool:
    """Whether no other machine can write to a directory; False where the system does not tell."""
    return file_system_of(directory, mounts) in OWN_FILE_SYSTEMS


def file_system_of(directory: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a directory lies on, as Linux names it; "" where the system does not tell."""
    try:
        device = directory.stat().st_dev
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        mounted, _, source = line.partition(" - ")
        if mounted.split()[2:3] == [wanted] and source.split()[:1]:
            return source.split()[0]
    return ""


def copy_new(source: Path, path: Path) -> None:
    """Copy a file to a place that is free, whole or not at all, read-only, for those who may read the file.

    Raises
    ------
    FileExistsError, OSError
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    mode = READ_ONLY & most_mode_of(source)
    with open_to_read(source) as original, written_whole(path, replace=False, most_mode=mode) as copy:
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
        lock(handle)
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


def open_own(path: str, flags: int) -> int:
    """Open a file whose name is known beforehand, for `open`'s `opener`: never what a link at its place leads to."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), EVERYONE)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


def remove_if_possible(path: Path) -> None:
    """Delete a file as far as that can be done."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
