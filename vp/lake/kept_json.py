"""Documents kept in the lake's cache as JSON, each with a checksum, and found again by what it is of."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vp.files import most_mode_of, read_bounded, write_whole
from vp.lake.cache_budget import CacheBudget, CacheKind, mark_as_used
from vp.lake.cache_room import Room

MOST_BYTES = 64 << 20

log = logging.getLogger(__name__)


def load_kept(cache: CacheBudget, kind: CacheKind, key: str) -> Any:
    """What was kept under a key; None where there is none to be trusted (with a warning, if it is damaged)."""
    path = _path(cache, kind, key)
    try:
        checksum, _, body = read_bounded(path, MOST_BYTES).decode().partition("\n")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        checksum, body = "unreadable", ""
    if checksum != _checksum(body):
        log.warning("%s of the cached %s is damaged: it is made anew", path.name, kind.name)
        return None
    kept: dict[str, Any] = json.loads(body)
    if kept["key"] != key:
        return None
    mark_as_used(path)
    return kept["value"]


def keep(cache: CacheBudget, kind: CacheKind, key: str, value: Any, sources: Sequence[Path]) -> bool:
    """Keep a value of JSON for whom the files that it is made of are; False where there is no room for it.

    What the system refuses is told to the log.
    """
    body = json.dumps({"key": key, "value": value}, separators=(",", ":"))
    data = f"{_checksum(body)}\n{body}".encode()
    if not Room(cache, kind).make(len(data)):
        return False
    path = _path(cache, kind, key)
    try:
        cache.place(kind)
        write_whole(path, data, most_mode=most_mode_of(*sources))
    except OSError as error:
        log.warning("%s cannot be kept among the cached %s: %s", path.name, kind.name, error.strerror or error)
    return True


def _path(cache: CacheBudget, kind: CacheKind, key: str) -> Path:
    return cache.directory / kind.directory / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _checksum(body: str) -> str:
    return f"vp-sha256:{hashlib.sha256(body.encode()).hexdigest()}"
