"""What the lake's cache may take: one budget for all kinds of files in it, and the removal of what is in excess.

Whatever writes to the cache asks for room first (vp.lake.cache_room). Reading marks a file as used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LIMIT_BYTES = 12_000_000_000
FLOOR_BYTES = 1 << 30


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
    decompressed_limit_bytes : int, optional
        Of the decompressed copies among them.
    """

    directory: Path
    limit_bytes: int = LIMIT_BYTES
    floor_bytes: int = FLOOR_BYTES
    decompressed_limit_bytes: int | None = None

    def place(self, kind: CacheKind) -> Path:
        """The directory of a kind, made if need be; raises OSError."""
        directory = self.directory / kind.directory
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def limit_of(self, kind: CacheKind) -> int:
        """What all files of a kind may take, bytes."""
        if kind is DECOMPRESSED and self.decompressed_limit_bytes is not None:
            return min(self.limit_bytes, self.decompressed_limit_bytes)
        return self.limit_bytes

    def files(self, *kinds: CacheKind) -> Iterator[CacheFile]:
        """The files of some kinds, or of all; others that lie among them are not the cache's."""
        for kind in kinds or KINDS:
            with suppress(OSError), os.scandir(self.directory / kind.directory) as entries:
                for entry in entries:
                    with suppress(OSError):  # another process may take it away
                        if entry.name.endswith(kind.endings) and not entry.is_dir(follow_symlinks=False):
                            status = entry.stat(follow_symlinks=False)
                            yield CacheFile(Path(entry.path), status.st_size, status.st_mtime)

    def free_bytes(self) -> int:
        """What is free of the disk that the cache lies on, or will."""
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
