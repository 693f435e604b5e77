"""What the lake's cache may take: one budget for all kinds of files in it, and the removal of what is in excess.

Whatever writes to the cache asks for room first. Then what nobody has used for long goes, what killed programs left
half written, and as much of what was used longest ago as the budget and the free part of the disk ask for. Reading
marks a file as used.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vp.files import remove_if_possible, sweep

LIMIT_BYTES = 12_000_000_000
FLOOR_BYTES = 1 << 30
MOST_FILES = 20_000
MOST_AGE_SECONDS = 90 * 86_400.0


@dataclass(frozen=True)
class CacheKind:
    """One kind of files in the cache: its directory, and what its files' names end in."""

    name: str
    directory: str
    endings: tuple[str, ...]


BOOKS = CacheKind("books", "vp_book", (".arrow",))
DECOMPRESSED = CacheKind("decompressed", "decompressed", (".blocks", ".exceeds"))
OVERVIEWS = CacheKind("overviews", "overviews", (".json",))
SURVEYS = CacheKind("surveys", "surveys", (".json",))
KINDS = (BOOKS, DECOMPRESSED, OVERVIEWS, SURVEYS)


@dataclass(frozen=True)
class CacheFile:
    """A file of the cache.

    Attributes
    ----------
    path : Path
    size_bytes : int
    used_seconds : float
        When it was made or used last, seconds since 1970.
    """

    path: Path
    size_bytes: int
    used_seconds: float


@dataclass(frozen=True)
class CacheBudget:
    """The cache of one lake.

    Attributes
    ----------
    directory : Path
    limit_bytes : int
        Of all its files together.
    floor_bytes : int
        What stays free of the disk: a cache that would leave less is not written to.
    """

    directory: Path
    limit_bytes: int = LIMIT_BYTES
    floor_bytes: int = FLOOR_BYTES

    def place(self, kind: CacheKind) -> Path:
        """The directory of a kind, made if need be; raises OSError."""
        directory = self.directory / kind.directory
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def make_room(self, bytes_wanted: int, bytes_written: int = 0) -> bool:
        """Take away what must go for a file of `bytes_wanted`, of which so many are on the disk already.

        False, and nothing is taken away for it, where there is no room however much goes.
        """
        files = sorted(self.files(), key=lambda file: file.used_seconds, reverse=True)
        for kind in KINDS:
            sweep(self.directory / kind.directory)
        while files and time.time() - files[-1].used_seconds > MOST_AGE_SECONDS:
            remove_if_possible(files.pop().path)
        total = sum(file.size_bytes for file in files)
        missing = self.floor_bytes + bytes_wanted - bytes_written - self._free_bytes()
        if bytes_wanted > self.limit_bytes or missing > total:
            return False
        while files and (total + bytes_wanted > self.limit_bytes or missing > 0 or len(files) >= MOST_FILES):
            oldest = files.pop()
            remove_if_possible(oldest.path)
            total -= oldest.size_bytes
            missing -= oldest.size_bytes
        return True

    def files(self, *kinds: CacheKind) -> Iterator[CacheFile]:
        """The files of some kinds, or of all; others that lie among them are not the cache's."""
        for kind in kinds or KINDS:
            with suppress(OSError), os.scandir(self.directory / kind.directory) as entries:
                for entry in entries:
                    with suppress(OSError):  # another process may take it away
                        if entry.name.endswith(kind.endings) and not entry.is_dir(follow_symlinks=False):
                            status = entry.stat(follow_symlinks=False)
                            yield CacheFile(Path(entry.path), status.st_size, status.st_mtime)

    def _free_bytes(self) -> int:
        directory = self.directory
        while not directory.exists() and directory != directory.parent:
            directory = directory.parent
        try:
            return shutil.disk_usage(directory).free
        except OSError:
            return 1 << 62  # nobody knows; whoever writes will learn it


def mark_as_used(path: Path) -> None:
    """Let a file count as used just now, where this user may say so."""
    with suppress(OSError):
        os.utime(path)
