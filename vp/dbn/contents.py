"""What a raw file holds, by its own metadata: which names its instruments had when, and how many records each.

Names stand in the header, or among the records as the live feed sends them. Files are identified by path, size and
time of change, and what was found out about one is remembered.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from vp.dbn.file import DbnFile
from vp.dbn.kept_surveys import KeptSurveys
from vp.dbn.record_types import LONGEST_RECORD_BYTES, RTYPE_SYMBOL_MAPPING
from vp.dbn.symbol_mappings import Mapping, StatedMappings
from vp.kernels import survey
from vp.kernels.state import DayCounts
from vp.lake.inputs import RawFile
from vp.market.session_hours import EPOCH

SLOTS = 1 << 16
MAPPINGS_A_CALL = 1 << 10
REMEMBERED_FILES = 4096
DAY_BITS = 20
DAY_OFFSET = 1 << (DAY_BITS - 1)
DAY_MASK = (1 << DAY_BITS) - 1
MAX_DAYS = (dt.date.max - EPOCH.date()).days


@dataclass(frozen=True)
class Survey:
    """What a pass over all records of a file found, up to the first damage.

    Attributes
    ----------
    keys : int64[n]
        Each instrument and UTC day that market-by-order records have (`_key`), ascending.
    counts : int64[n]
        How many.
    mappings : tuple of Mapping
        Those that stand among the records.
    """

    keys: np.ndarray
    counts: np.ndarray
    mappings: tuple[Mapping, ...]

    def by_instrument(self) -> dict[int, int]:
        """Records by instrument id, ascending."""
        ids, first = np.unique(self.keys >> DAY_BITS, return_index=True)
        totals = np.add.reduceat(self.counts, first) if len(first) else first
        return dict(zip(ids.tolist(), totals.tolist(), strict=True))

    def by_date(self, instrument_id: int) -> dict[dt.date, int]:
        """Records of an instrument by UTC day."""
        own = self.keys >> DAY_BITS == instrument_id
        days = (self.keys[own] & DAY_MASK) - DAY_OFFSET
        return dict(zip(map(_date, days.tolist()), self.counts[own].tolist(), strict=True))

    def dates(self) -> list[dt.date]:
        """The UTC days of all records, ascending."""
        return sorted(set(map(_date, np.unique(self.keys & DAY_MASK) - DAY_OFFSET)))


class Contents:
    """What one raw file holds; read as far as it is asked for, once.

    Raises
    ------
    FileError
        When it is made: the header cannot be used. The same as vp.dbn.file.DbnFile.

    Attributes
    ----------
    file : DbnFile
    kept : KeptSurveys or None
        Where surveys are kept on disk.
    """

    def __init__(self, path: Path) -> None:
        self._mtime_ns = path.stat().st_mtime_ns
        self.file = DbnFile(path)
        self.kept: KeptSurveys | None = None

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """The names in the header; where it has none, those among the records, which takes a pass over the file."""
        return self.file.mappings or self.survey.mappings

    @cached_property
    def survey(self) -> Survey:
        """What the records are; takes a pass over the file, unless the cache holds it."""
        identity = self.file.path, self.file.size_bytes, self._mtime_ns
        kept = None if self.kept is None else self.kept.load(*identity)
        if kept is not None:
            return kept
        made = survey_file(self.file)
        if self.kept is not None:
            self.kept.save(*identity, made)
        return made

    def count(self, instrument_id: int, days: frozenset[dt.date]) -> int:
        """Market-by-order records of an instrument that were received on these UTC days."""
        return sum(n for day, n in self.survey.by_date(instrument_id).items() if day in days)

    def instrument_ids(self) -> list[int]:
        """Every instrument id that a market-by-order record has, ascending."""
        return list(self.survey.by_instrument())


def contents_of(raw: RawFile, kept: KeptSurveys | None = None) -> Contents:
    """What a file of the lake holds; remembered as long as the file is the same, its survey on disk where one says."""
    contents = _contents(raw.path, raw.size_bytes, raw.mtime_ns)
    contents.kept = kept or contents.kept
    return contents


@lru_cache(maxsize=REMEMBERED_FILES)
def _contents(path: Path, _size_bytes: int, _mtime_ns: int) -> Contents:
    return Contents(path)


def survey_file(file: DbnFile) -> Survey:
    """Count a file's records by instrument and day, and gather its mappings, up to the first damage."""
    table = DayCounts(*(np.zeros(SLOTS, np.int64) for _ in range(3)))
    places = np.zeros(1 + MAPPINGS_A_CALL, np.int64)
    keys, counts = np.zeros((2, 0), np.int64)
    stated = StatedMappings(file.version, file.record_bytes(RTYPE_SYMBOL_MAPPING))
    carry = b""
    with contextlib.closing(file.blocks()) as blocks:
        for block in blocks:
            data = carry + block if carry else block
            view = np.frombuffer(data, np.uint8)
            position = 0
            while len(view) - position > 0:
                read = int(survey.survey_records(view[position:], table, places))
                for start in (places[1 : 1 + places[0]] + position).tolist():
                    stated.add(data[start : start + 4 * data[start]])
                position += read
                if read == 0:
                    break
                if np.count_nonzero(table.counts) >= SLOTS // 2:
                    keys, counts = _emptied(table, keys, counts)
            carry = data[position:]
            if len(carry) > LONGEST_RECORD_BYTES:
                break
    keys, counts = _emptied(table, keys, counts)
    return Survey(keys, counts, stated.mappings())


def _emptied(table: DayCounts, keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of the table, which is empty afterwards, together with those counted before."""
    ids, days, found = table
    used = np.flatnonzero(found)
    keys = np.concatenate([keys, _key(ids[used], days[used])])
    counts = np.concatenate([counts, found[used]])
    found[:] = 0
    order = np.argsort(keys, kind="stable")
    keys, first = np.unique(keys[order], return_index=True)
    return keys, np.add.reduceat(counts[order], first) if len(first) else counts


def _key(ids: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Instrument ids and days, which lie within 293 years of 1970, as one number each."""
    keys: np.ndarray = ids << DAY_BITS | (days + DAY_OFFSET)
    return keys


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(days=min(max(int(day), -1), MAX_DAYS))
