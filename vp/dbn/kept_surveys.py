"""Surveys of raw files kept in the lake's cache: a root without a contract asks for one of every file of its day."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vp import counters
from vp.dbn.symbol_mappings import Mapping
from vp.lake.cache_budget import SURVEYS, CacheBudget
from vp.lake.kept_json import keep, load_kept

if TYPE_CHECKING:
    from vp.dbn.contents import Survey

FORMAT_VERSION = 2
MOST_ENTRIES = 1 << 16  # of a survey that is kept; one of more takes as long to read as to make


@dataclass(frozen=True)
class KeptSurveys:
    """The surveys in one cache."""

    budget: CacheBudget

    def load(self, path: Path, size_bytes: int, mtime_ns: int) -> Survey | None:
        """The survey of a file; None where there is none to be trusted (with a warning, if it is damaged)."""
        from vp.dbn.contents import Survey  # noqa: PLC0415 - who makes surveys keeps them by way of this module

        kept = load_kept(self.budget, SURVEYS, _key(path, size_bytes, mtime_ns))
        counters.add("cache", "survey", "miss" if kept is None else "hit")
        if kept is None:
            return None
        keys, counts = (np.array(kept[name], np.int64) for name in ("keys", "counts"))
        return Survey(keys, counts, tuple(Mapping(**mapping) for mapping in kept["mappings"]))

    def save(self, path: Path, size_bytes: int, mtime_ns: int, survey: Survey) -> None:
        """Keep a survey, where there is room."""
        if len(survey.keys) + len(survey.mappings) > MOST_ENTRIES:
            return
        mappings = [asdict(mapping) for mapping in survey.mappings]
        told = {"keys": survey.keys.tolist(), "counts": survey.counts.tolist(), "mappings": mappings}
        keep(self.budget, SURVEYS, _key(path, size_bytes, mtime_ns), told, [path])


def _key(path: Path, size_bytes: int, mtime_ns: int) -> str:
    """By its whole path: files of the same name, size and time may lie under several roots."""
    return json.dumps([str(path.absolute()), size_bytes, mtime_ns, FORMAT_VERSION])
