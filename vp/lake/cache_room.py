"""Room in the lake's cache for a file that is to be written: what is in excess goes first.

That is what nobody has used for long, what killed programs left half written, and as much of what was used longest ago
as the budget, its number of files and the free part of the disk ask for. What programs still write counts too.
"""

from __future__ import annotations

import bisect
import operator
import time
from dataclasses import replace
from pathlib import Path

from vp.files import parts_in, remove_if_possible, sweep
from vp.lake.cache_budget import KINDS, CacheBudget, CacheFile, CacheKind

MOST_FILES = 20_000
MOST_AGE_SECONDS = 90 * 86_400.0
LISTING_SHARE = 50.0
"""So many times as long as it took to make, a listing is believed: listing takes no more of a writer's time."""

monotonic = time.monotonic


class Room:
    """Room for one file, made as the file grows.

    Parameters
    ----------
    budget : CacheBudget
    kind : CacheKind
        Of the file.
    ahead_bytes : int
        As much more is made room for at a time, where there may be as much; 0 for a file whose size is known.
    """

    def __init__(self, budget: CacheBudget, kind: CacheKind, ahead_bytes: int = 0) -> None:
        self._budget, self._kind, self._ahead_bytes = budget, kind, ahead_bytes
        self._made_bytes = -1  # not even for an empty file
        self._listing: _Listing | None = None

    def make(self, bytes_wanted: int, bytes_written: int = 0) -> bool:
        """Take away what must go for the file to have `bytes_wanted`, of which so many are on the disk already.

        False, and nothing is taken away for it, where there is no room however much goes.
        """
        if bytes_wanted <= self._made_bytes:
            return True
        limit_bytes = self._budget.limit_of(self._kind)
        wanted = max(bytes_wanted, min(bytes_wanted + self._ahead_bytes, limit_bytes))
        if self._listing is None or not self._listing.stands():
            self._listing = _Listing(self._budget, self._kind, bytes_written)
        if not self._listing.make_room(wanted, bytes_written):
            return False
        self._made_bytes = wanted
        return True


class _Listing:
    """What a cache holds, of each kind the file used last first, and how much that is, for the writer of one file.

    It stands for a while. What comes to the cache meanwhile is seen by the next one; but nothing goes that was used
    since.
    """

    def __init__(self, budget: CacheBudget, kind: CacheKind, bytes_written: int) -> None:
        began = monotonic()
        self._budget, self._kind = budget, kind
        self._files: dict[CacheKind, list[CacheFile]] = {}
        self._sums: dict[CacheKind, int] = {}
        self._parts: dict[CacheKind, int] = {}
        oldest_seconds = time.time() - MOST_AGE_SECONDS
        for each in KINDS:
            directory = budget.directory / each.directory
            sweep(directory)
            self._parts[each] = sum(_size_bytes(part) for part in parts_in(directory))
            files = sorted(budget.files(each), key=operator.attrgetter("used_seconds"), reverse=True)
            while files and files[-1].used_seconds < oldest_seconds:
                remove_if_possible(files.pop().path)
            self._files[each] = files
            self._sums[each] = sum(file.size_bytes for file in files)
        self._parts[kind] = max(self._parts[kind] - bytes_written, 0)  # without the writer's own
        ended = monotonic()
        self._stands_until = ended + LISTING_SHARE * (ended - began)

    def stands(self) -> bool:
        """Whether it is to be believed still."""
        return monotonic() < self._stands_until

    def make_room(self, bytes_wanted: int, bytes_written: int) -> bool:
        """As Room.make."""
        budget, kind = self._budget, self._kind
        excess_of_kind = self._parts[kind] + bytes_wanted - budget.limit_of(kind)
        excess = sum(self._parts.values()) + bytes_wanted - budget.limit_bytes
        missing = budget.floor_bytes + bytes_wanted - bytes_written - budget.free_bytes()
        if excess_of_kind > 0 or excess > 0 or missing > sum(self._sums.values()):
            return False
        while self._files[kind] and self._sums[kind] + excess_of_kind > 0:
            missing -= self._take_away_oldest(kind)
        while (count := sum(map(len, self._files.values()))) and (
            count >= MOST_FILES or sum(self._sums.values()) + excess > 0 or missing > 0
        ):
            missing -= self._take_away_oldest(*KINDS)
        return True

    def _take_away_oldest(self, *kinds: CacheKind) -> int:
        """Take away what was used longest ago of some kinds, unless it was used since the listing; its bytes."""
        kind = min((kind for kind in kinds if self._files[kind]), key=lambda kind: self._files[kind][-1].used_seconds)
        oldest = self._files[kind].pop()
        used_seconds = _used_seconds(oldest)
        if used_seconds > oldest.used_seconds:
            used = replace(oldest, used_seconds=used_seconds)
            bisect.insort(self._files[kind], used, key=lambda file: -file.used_seconds)
            return 0
        remove_if_possible(oldest.path)
        self._sums[kind] -= oldest.size_bytes
        return oldest.size_bytes


def _used_seconds(file: CacheFile) -> float:
    """When a file was used last; 0 where it is gone."""
    try:
        return file.path.lstat().st_mtime
    except OSError:
        return 0.0


def _size_bytes(path: Path) -> int:
    """The size of a part; 0 where its writer has given it its name meanwhile."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0
