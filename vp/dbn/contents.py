"""What a raw file holds, by its own metadata: which names its instruments had when, and how many records each.

Names stand in the header, or among the records as the live feed sends them. Files are identified by path, size and
time of change, and what was found out about one is remembered.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from vp.dbn.file import DbnFile
from vp.dbn.record_types import LONGEST_RECORD_BYTES
from vp.dbn.symbol_mappings import Mapping, among_records
from vp.kernels import survey
from vp.kernels.state import DayCounts
from vp.lake.inputs import RawFile
from vp.market.session_hours import EPOCH

SLOTS = 1 << 16
MAPPINGS_A_CALL = 1 << 10
REMEMBERED_FILES = 4096
MAX_DAYS = (dt.date.max - EPOCH.date()).days


@dataclass(frozen=True)
class Survey:
    """What a pass over all records of a file found, up to the first damage.

    Attributes
    ----------
    counts : dict of (instrument id, UTC day) to int
        Market-by-order records.
    mappings : tuple of Mapping
        Those that stand among the records.
    """

    counts: dict[tuple[int, dt.date], int]
    mappings: tuple[Mapping, ...]


class Contents:
    """What one raw file holds; read as far as it is asked for, once.

    Raises
    ------
    FileError
        When it is made: the header cannot be used. The same as vp.dbn.file.DbnFile.
    """

    def __init__(self, path: Path) -> None:
        self.file = DbnFile(path)

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """The names in the header; where it has none, those among the records, which takes a pass over the file."""
        return self.file.mappings or self.survey.mappings

    @cached_property
    def survey(self) -> Survey:
        """What the records are; takes a pass over the file."""
        return survey_file(self.file)

    def count(self, instrument_id: int, days: frozenset[dt.date]) -> int:
        """Market-by-order records of an instrument that were received on these UTC days."""
        return sum(n for (number, day), n in self.survey.counts.items() if number == instrument_id and day in days)

    def instrument_ids(self) -> list[int]:
        """Every instrument id that a market-by-order record has, ascending."""
        return sorted({number for number, _ in self.survey.counts})


def contents_of(raw: RawFile) -> Contents:
    """What a file of the lake holds; remembered as long as the file is the same."""
    return _contents(raw.path, raw.size_bytes, raw.mtime_ns)


@lru_cache(maxsize=REMEMBERED_FILES)
def _contents(path: Path, _size_bytes: int, _mtime_ns: int) -> Contents:
    return Contents(path)


def survey_file(file: DbnFile) -> Survey:
    """Count a file's records by instrument and day, and gather its mappings, up to the first damage."""
    table = DayCounts(*(np.zeros(SLOTS, np.int64) for _ in range(3)))
    places = np.zeros(1 + MAPPINGS_A_CALL, np.int64)
    total: Counter[tuple[int, int]] = Counter()
    records: list[bytes] = []
    carry = b""
    with contextlib.closing(file.blocks()) as blocks:
        for block in blocks:
            data = carry + block if carry else block
            view = np.frombuffer(data, np.uint8)
            position = 0
            while len(view) - position > 0:
                read = int(survey.survey_records(view[position:], table, places))
                starts = places[1 : 1 + places[0]] + position
                records += [data[start : start + 4 * data[start]] for start in starts.tolist()]
                position += read
                if read == 0:
                    break
                if np.count_nonzero(table.counts) >= SLOTS // 2:
                    total.update(_emptied(table))
            carry = data[position:]
            if len(carry) > LONGEST_RECORD_BYTES:
                break
    total.update(_emptied(table))
    by_day = {(number, _date(day)): count for (number, day), count in total.items()}
    return Survey(by_day, among_records(file.version, records))


def count_by_instrument(file: DbnFile) -> dict[int, int]:
    """Market-by-order records by instrument id, from a pass over the file that stops at damage."""
    counts: Counter[int] = Counter()
    for (number, _), count in survey_file(file).counts.items():
        counts[number] += count
    return dict(counts)


def _emptied(table: DayCounts) -> dict[tuple[int, int], int]:
    """The entries of the table, which is empty afterwards."""
    ids, days, counts = table
    found = np.flatnonzero(counts)
    keys = zip(ids[found].tolist(), days[found].tolist(), strict=True)
    entries = dict(zip(keys, counts[found].tolist(), strict=True))
    counts[:] = 0
    return entries


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(days=min(max(day, -1), MAX_DAYS))
