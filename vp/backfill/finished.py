"""What outputs say of themselves: whether they are whole, and which work they are of."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from pyarrow import parquet

from vp.files import read_bounded, write_whole
from vp.model.recording_task import DIGEST_KEY

REMEMBERED = ".vp-finished.json"
MOST_BYTES = 64 << 20  # hundreds of thousands of recordings
Stamp = list[int]


class Finished(Protocol):
    """What outputs say of themselves, wherever they lie."""

    def digest(self, out: Path) -> str | None:
        """The digest that an output carries; None where there is no whole one. May be called in several threads."""

    def holds(self, out: Path) -> bool:
        """Whether there is anything at the place of an output."""

    def remember(self) -> None:
        """Keep what was asked for, so that it need not be read the next time."""


def finished_digest(out: Path, key: str = DIGEST_KEY) -> str | None:
    """The digest that a Parquet file carries in its schema; None where there is no whole file with one.

    The metadata of such a file stand at its end: what is cut short has none.
    """
    try:
        metadata = parquet.read_metadata(out).metadata
    except (OSError, pa.ArrowException):
        return None
    found = (metadata or {}).get(key.encode())
    return None if found is None else found.decode("ascii", "replace")


class FinishedOutputs:
    """The digests of a directory's recordings.

    A long recording has megabytes of metadata: what one said is remembered in a file of the directory, and believed as
    long as its size, its time of change and its inode are the same. Without that file all are read again.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / REMEMBERED
        self._known = _read(self._path)
        self._seen: dict[str, tuple[Stamp, str]] = {}

    def digest(self, out: Path) -> str | None:
        """That of a recording; None where there is no whole one. May be called in several threads.

        The stamp is taken before the file is read: one that is replaced meanwhile is read again the next time.
        """
        stamp = _stamp(out)
        if stamp is None:
            return None
        known = self._known.get(out.name)
        digest = known[1] if known is not None and known[0] == stamp else finished_digest(out)
        if digest is not None:
            self._seen[out.name] = stamp, digest
        return digest

    def holds(self, out: Path) -> bool:
        """Whether there is anything at the place of a recording."""
        return os.path.exists(out)  # noqa: PTH110 - False too of a name that no disk takes

    def remember(self) -> None:
        """Keep what was asked for, where it can be kept and is not so already."""
        seen = {**self._known, **self._seen}
        out = self._path.parent
        there = {name: said for name, said in seen.items() if name in self._seen or self.holds(out / name)}
        if there != self._known:
            with suppress(OSError):
                write_whole(self._path, json.dumps(there).encode())


def _stamp(out: Path) -> Stamp | None:
    try:
        status = os.stat(out)  # noqa: PTH116 - half the time of Path.stat
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read(path: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        said: Any = json.loads(read_bounded(path, MOST_BYTES))
        return {str(name): (list(map(int, stamp)), str(digest)) for name, (stamp, digest) in said.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
