"""What a listing of the lake has looked at: whether all of it still stands, and what in it could not be used."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

GRANULARITY_NS = 2_000_000_000  # of times of change, where they are coarsest (FAT)
WRITTEN_STILL_NS = 60_000_000_000  # a file that changed so short a time ago may go on growing
MOST_AGE_NS = 600_000_000_000  # a file can change where no directory tells
MOST_TOLD = 20
Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class PassedOver:
    """An entry of the lake that is not used, by its path, and why."""

    path: Path
    why: str


@dataclass
class Seen:
    """Directories and files that a listing depends on, as they were before they were read.

    Attributes
    ----------
    stamps : dict of Path to Stamp or None
        Device, inode, size and times of change in ns of each (its content's, its rights'); None for what was not there.
    passed_over : list of PassedOver
        The first MOST_TOLD of them.
    passed_over_count : int
    """

    stamps: dict[Path, Stamp | None] = field(default_factory=dict)
    passed_over: list[PassedOver] = field(default_factory=list)
    passed_over_count: int = 0
    _began_ns: int = field(default_factory=time.time_ns)
    _newest_ns: int = 0

    def depend_on(self, path: Path) -> None:
        """Remember a directory or file as it is now."""
        self.stamps.setdefault(path, _stamp(path))

    def found(self, mtime_ns: int) -> None:
        """Take notice of when a file was changed."""
        self._newest_ns = max(self._newest_ns, mtime_ns)

    def pass_over(self, path: Path, error: OSError) -> None:
        """Leave out an entry that the system does not let be looked at."""
        self.passed_over_count += 1
        if len(self.passed_over) < MOST_TOLD:
            self.passed_over.append(PassedOver(path, reason(error)))

    def stands(self) -> bool:
        """Whether a listing made now would find the same, told by a look at each directory and at no file."""
        changed_ns = max((max(stamp[3:]) for stamp in self.stamps.values() if stamp is not None), default=0)
        if changed_ns > self._began_ns - GRANULARITY_NS or self._newest_ns > self._began_ns - WRITTEN_STILL_NS:
            return False  # what came in the same tick of the clock left no trace
        if not 0 <= time.time_ns() - self._began_ns < MOST_AGE_NS:
            return False
        return all(_stamp(path) == stamp for path, stamp in self.stamps.items())


def reason(error: OSError) -> str:
    """What the system says of a directory or file."""
    return error.strerror or str(error)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
