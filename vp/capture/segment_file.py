"""The file of a segment while it is written, and the manifest's own."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from vp.errors import CaptureError
from vp.files import lay_down, link_new, sync_directory, try_lock

PART_ENDING = ".part"


class WriteError(Exception):
    """A segment could not take all bytes: `written` of them are in it, which end anywhere."""

    def __init__(self, error: OSError, written: int) -> None:
        super().__init__(error.strerror or str(error))
        self.error = error
        self.written = written


class SegmentFile:
    """A segment that is being written, as `<name>.part`, locked.

    Parameters
    ----------
    directory : Path
    name : str
        What it will be called.

    Raises
    ------
    OSError
        It cannot be made, or there is one.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.path = directory / f"{name}{PART_ENDING}"
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        lock(self._handle)

    def write(self, data: bytes | memoryview) -> None:
        """Put bytes behind those that are there; raises WriteError."""
        view = memoryview(data)
        written = 0
        try:
            while written < len(view):
                written += os.write(self._handle, view[written:])
        except OSError as error:
            raise WriteError(error, written) from error

    def sync(self) -> None:
        """Have what was written survive a loss of power; raises OSError."""
        os.fsync(self._handle)

    def cut(self, whole_bytes: int) -> None:
        """Cut what is behind the last whole record; raises OSError."""
        os.ftruncate(self._handle, whole_bytes)

    def discard(self) -> None:
        """Have it vanish: it holds nothing of the market."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave it as it is, for the next start to finish."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def name_segment(part: Path, directories: Sequence[Path]) -> Path:
    """Give a finished `.part` its name, read-only, and links to it in the other directories; raises OSError."""
    final = part.with_name(part.name.removesuffix(PART_ENDING))
    if final.exists():  # a writer was killed between the two names
        part.unlink()
    else:
        lay_down(part, final)
    for other in directories:
        if other != final.parent and not (other / final.name).exists():
            link_new(final, other / final.name)
            sync_directory(other)
    return final


class ManifestFile:
    """The manifest of one day in every directory that a recording is for; one process writes to it at a time.

    Parameters
    ----------
    paths : sequence of Path

    Raises
    ------
    CaptureError
        Somebody else records this.
    OSError
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._handles: list[int] = []
        self._paths = paths
        try:
            for path in paths:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
                self._handles.append(handle)
                if not lock(handle):
                    self._refuse(path)
                self._cut_torn_line(handle)
        except BaseException:
            self.close()
            raise

    def append(self, *entries: dict[str, Any]) -> None:
        """Add lines, on disk before this returns; raises OSError."""
        text = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
        for handle in self._handles:
            os.write(handle, text)
            os.fsync(handle)

    def close(self) -> None:
        """Let others write; a manifest that says nothing goes."""
        for handle, path in zip(self._handles, self._paths, strict=False):
            if not os.fstat(handle).st_size:
                path.unlink(missing_ok=True)
            os.close(handle)
        self._handles.clear()

    @staticmethod
    def _refuse(path: Path) -> NoReturn:
        raise CaptureError(
            f"Another recorder writes to {path}.", hint="One at a time records a symbol: stop the other."
        )

    @staticmethod
    def _cut_torn_line(handle: int) -> None:
        size = os.lseek(handle, 0, os.SEEK_END)
        begin = max(size - (1 << 16), 0)
        os.lseek(handle, begin, os.SEEK_SET)
        tail = os.read(handle, size - begin)
        os.ftruncate(handle, begin + tail.rfind(b"\n") + 1)
        os.lseek(handle, 0, os.SEEK_END)


def lock(handle: int) -> bool:
    """Keep others from writing to an open file, as far as the system can; False where another holds it."""
    try:
        return try_lock(handle)
    except OSError:
        return False
