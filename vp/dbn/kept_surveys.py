"""Surveys of raw files kept in the lake's cache: a root without a contract asks for one of every file of its day."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vp import counters
from vp.dbn.symbol_mappings import Mapping
from vp.files import most_mode_of, write_whole
from vp.lake.cache_budget import SURVEYS, CacheBudget, mark_as_used

if TYPE_CHECKING:
    from vp.dbn.contents import Survey

FORMAT_VERSION = 1
MOST_ENTRIES = 1 << 16  # of a survey that is kept; one of more takes as long to read as to make

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptSurveys:
    """The surveys in one cache."""

    budget: CacheBudget

    def load(self, path: Path, size_bytes: int, mtime_ns: int) -> Survey | None:
        """The survey of a file; None where there is none to be trusted (with a warning, if it is damaged)."""
        from vp.dbn.contents import Survey  # noqa: PLC0415 - who makes surveys keeps them by way of this module

        key = _key(path, size_bytes, mtime_ns)
        place = self._place(key)
        try:
            checksum, _, body = place.read_text("utf-8").partition("\n")
        except (OSError, ValueError):
            counters.add("cache", "survey", "miss")
            return None
        counters.add("cache", "survey", "hit")
        if checksum != _checksum(body):
            log.warning("the survey %s is damaged: it is made anew", place.name)
            return None
        kept: dict[str, Any] = json.loads(body)
        if kept["key"] != key:
            return None
        mark_as_used(place)
        keys, counts = (np.array(kept[name], np.int64) for name in ("keys", "counts"))
        return Survey(keys, counts, tuple(Mapping(**mapping) for mapping in kept["mappings"]))

    def save(self, path: Path, size_bytes: int, mtime_ns: int, survey: Survey) -> None:
        """Keep a survey, where there is room."""
        if len(survey.keys) + len(survey.mappings) > MOST_ENTRIES:
            return
        key = _key(path, size_bytes, mtime_ns)
        mappings = [asdict(mapping) for mapping in survey.mappings]
        told = {"key": key, "keys": survey.keys.tolist(), "counts": survey.counts.tolist(), "mappings": mappings}
        body = json.dumps(told, separators=(",", ":"))
        data = f"{_checksum(body)}\n{body}".encode()
        if not self.budget.make_room(len(data)):
            return
        try:
            self.budget.place(SURVEYS)
            write_whole(self._place(key), data, most_mode=most_mode_of(path))
        except OSError as error:
            log.warning("the survey of %s cannot be kept: %s", path.name, error.strerror or error)

    def _place(self, key: list[str | int]) -> Path:
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
        return self.budget.directory / SURVEYS.directory / f"{digest}.json"


def _key(path: Path, size_bytes: int, mtime_ns: int) -> list[str | int]:
    """By its whole path: files of the same name, size and time may lie under several roots."""
    return [str(path.absolute()), size_bytes, mtime_ns, FORMAT_VERSION]


def _checksum(body: str) -> str:
    return f"vp-sha256:{hashlib.sha256(body.encode()).hexdigest()}"
