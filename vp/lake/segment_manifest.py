"""The manifest of a live recording: in which order its segments are read, from where, and what is missing between them.

`<dataset>-<YYYYMMDD>.mbo.segments.jsonl` lies beside the segments, a JSON object a line in the order in which things
happened. `kind` tells what a line is about:

begin
    A connection has begun, and nothing of it is on the disk yet: `file`, `opened_ns`, `replayed` (whether it begins
    with a replay), `after` (the segment that it is to go on from, or null), `symbols`.
overlap
    `file` goes on from the one before: `instruments`, by id `[byte offset, record index]` from which its records are
    new.
set_aside
    `file` is not played: `reason`.
gap
    What the feed has not delivered: `start_ns`, `end_ns` (of the last record before it and of the first one after it),
    `reason`, `bridged` (whether it has been filled by what the feed sent again), and `file`, the segment behind it.
segment
    `file` is finished: `first_ns`, `last_ns` (of receipt), `records`, `bytes`, `sha256`, `ended`.

A line without an end is still being written, or was when its writer was killed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from vp.errors import DamagedFileError, UnreadableFileError
from vp.feed_gap import FeedGap
from vp.files import read_bounded
from vp.lake.inputs import RawFile

GAP_NAMES = ("start_ns", "end_ns", "reason", "bridged")
MOST_BYTES = 16 << 20  # tens of thousands of connections in a day
REMEMBERED_BYTES = 64 << 10  # a longer one is read anew each time
LAST = 2**63 - 1


def manifest_path(directory: Path, dataset: str, date: dt.date) -> Path:
    """Where the manifest of a day lies; `dataset` as names of files write it."""
    return directory / f"{dataset}-{date:%Y%m%d}.mbo.segments.jsonl"


def manifest_date(path: Path, dataset: str) -> dt.date | None:
    """The day that the manifest of a dataset is of, by its name; None where it is no such name."""
    day = path.name.removeprefix(f"{dataset}-").removesuffix(".mbo.segments.jsonl")
    try:
        date = dt.datetime.strptime(day, "%Y%m%d").date()
    except ValueError:
        return None
    return date if manifest_path(path.parent, dataset, date) == path else None


def manifest_beside(raw: RawFile) -> Path:
    """The manifest of the day of a raw file, which need not be there."""
    return manifest_path(raw.path.parent, raw.dataset, raw.date)


@dataclass
class Manifest:
    """What the lines of a manifest say.

    Attributes
    ----------
    begun, finished : dict of str to dict
        Lines of `begin` and `segment`, by segment, in their order.
    begins : dict of str to dict of int to (byte offset, record index)
        By segment and instrument, from where its records are new.
    set_aside : dict of str to str
        Segments that are not played, and why.
    gaps : list of FeedGap
        Lines of `gap`.
    behind_gaps : set of str
        Segments that stand behind one that was not bridged.
    """

    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    finished: dict[str, dict[str, Any]] = field(default_factory=dict)
    begins: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    gaps: list[FeedGap] = field(default_factory=list)
    behind_gaps: set[str] = field(default_factory=set)

    def add(self, entry: dict[str, Any]) -> None:
        """Take a line; raises KeyError, TypeError, ValueError, OverflowError, AttributeError where it is none."""
        kind = entry["kind"]
        if kind == "gap":
            start_ns, end_ns, reason, bridged = (entry[name] for name in GAP_NAMES)
            if not entry["bridged"]:
                self.behind_gaps.add(str(entry.get("file", "")))
            self.gaps.append(FeedGap(_whole(start_ns), _whole(end_ns), str(reason), bool(bridged)))
        elif kind == "begin":
            self.begun[str(entry["file"])] = {"replayed": False, "after": "", **entry}
        elif kind == "segment":
            self.finished[str(entry["file"])] = {"ended": "", **entry}
        elif kind == "overlap":
            instruments = entry["instruments"].items()
            self.begins[str(entry["file"])] = {int(n): (_whole(at), _whole(index)) for n, (at, index) in instruments}
        elif kind == "set_aside":
            self.set_aside[str(entry["file"])] = str(entry["reason"])


def gaps_of(raw_files: Iterable[RawFile], start_ns: int, end_ns: int) -> Iterator[FeedGap]:
    """The gaps that reach into a time, of the days of raw files; raises as read_manifest."""
    for manifest in dict.fromkeys(manifest_beside(raw) for raw in raw_files):
        for gap in read_manifest(manifest).gaps:
            if gap.end_ns >= start_ns and gap.start_ns < end_ns:
                yield gap


def read_manifest(path: Path) -> Manifest:
    """What a manifest says; an empty one where there is none.

    Raises
    ------
    UnreadableFileError, DamagedFileError
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise _unreadable(path, error) from error
    if status.st_size > REMEMBERED_BYTES:
        return _parse(path)
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, _size_bytes: int, _mtime_ns: int) -> Manifest:
    return _parse(path)


def _parse(path: Path) -> Manifest:
    manifest = Manifest()
    for number, line in enumerate(_lines(path), 1):
        try:
            manifest.add(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise DamagedFileError(
                f"Line {number} of {path.name} is no entry of a segment manifest.",
                hint="Expected a JSON object with kind and what a line of its kind holds.",
                path=str(path),
            ) from None
    return manifest


def _lines(path: Path) -> Iterator[bytes]:
    try:
        text = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error
    yield from text.split(b"\n")[:-1]


def _whole(value: Any) -> int:
    """A number of nanoseconds, bytes or records."""
    number = int(value)
    if not 0 <= number <= LAST:
        raise ValueError(value)
    return number


def _unreadable(path: Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(f"{path} cannot be read: {error.strerror}.", path=str(path))
