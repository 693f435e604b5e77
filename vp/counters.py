"""Counts of what happens deep inside, for who watches from outside (vp.server.routes.metrics)."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[tuple[str, ...]] = Counter()


def add(*name: str, by: int = 1) -> None:
    """Count something; from any thread. For example add("cache", "book", "hit")."""
    with _lock:
        _counts[name] += by


def read(first: str) -> dict[tuple[str, ...], int]:
    """The counts whose name begins with `first`, by the rest of the name."""
    with _lock:
        return {name[1:]: count for name, count in _counts.items() if name[0] == first}
