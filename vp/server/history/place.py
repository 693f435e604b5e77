"""Where the older frames of sessions go: a stated directory, the lake's cache, or the system's temporary directory.

A directory that lies in memory (tmpfs) is used without being asked for only as far as IN_MEMORY_BYTES.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from pathlib import Path

from vp.errors import HistoryPlaceError
from vp.files import MOUNTS, file_system_of
from vp.server.history.frame_spool import FrameSpool

IN_MEMORY_BYTES = 256 << 20
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "devtmpfs", "hugetlbfs"}

log = logging.getLogger("vp.server")


def open_spool(asked: Path | None, cache_dir: Path, limit_bytes: int) -> FrameSpool:
    """A spool of at most so many bytes in the place for it; without slots where there is none.

    Parameters
    ----------
    asked : Path or None
        The directory that was asked for, which may lie in memory.
    cache_dir : Path
        Of the lake: the place where none was asked for.
    limit_bytes : int

    Raises
    ------
    HistoryPlaceError
        The directory that was asked for cannot be written to.
    """
    if limit_bytes == 0:
        return FrameSpool()
    if asked is not None:
        reason = _refusal(asked)
        if reason is not None:
            raise HistoryPlaceError(
                f"The history directory {asked} cannot be written to: {reason}.",
                hint="Expected a directory on a disk; see to its rights, or name another with --history-directory.",
            )
        return _opened(asked, limit_bytes)
    for directory in (cache_dir, *_temporary_directory()):
        if _refusal(directory) is None:
            return _unasked(directory, limit_bytes)
    log.warning("Neither %s nor the temporary directory can be written to: memory alone holds history.", cache_dir)
    return FrameSpool()


def lies_in_memory(directory: Path, mounts: Path = MOUNTS) -> bool:
    """Whether what is written to a directory stays in memory; False where the system does not tell."""
    return file_system_of(directory, mounts) in MEMORY_FILE_SYSTEMS


def _unasked(directory: Path, limit_bytes: int) -> FrameSpool:
    if not lies_in_memory(directory) or limit_bytes <= IN_MEMORY_BYTES:
        return _opened(directory, limit_bytes)
    log.warning(
        "History goes to %s, which lies in memory: it keeps %d MiB at the most. "
        "--history-directory names a directory on a disk.",
        directory,
        IN_MEMORY_BYTES >> 20,
    )
    return _opened(directory, IN_MEMORY_BYTES)


def _opened(directory: Path, limit_bytes: int) -> FrameSpool:
    spool = FrameSpool(directory, limit_bytes)
    with contextlib.suppress(OSError):  # it is tried again when it is needed
        spool.open()
    return spool


def _temporary_directory() -> list[Path]:
    """The system's, where there is one that can be written to."""
    try:
        return [Path(tempfile.gettempdir())]
    except OSError:
        return []


def _refusal(directory: Path) -> str | None:
    """Why nothing can be written to a directory, which is made where there is none; None if it can."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return None
    except OSError as error:
        return error.strerror or str(error)
