"""How far a session is on its way to its first frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

PROGRESS_SECONDS = 0.1


class ProgressLike(Protocol):
    """What tells how far something is."""

    @property
    def phase(self) -> str: ...
    @property
    def records_done(self) -> int: ...
    @property
    def records_total(self) -> int | None: ...
    @property
    def records_per_second(self) -> float: ...


@dataclass(frozen=True)
class Progress:
    """How far a phase is: `decode`, `book` or `warmup`; the total is None where the file does not tell."""

    phase: str
    records_done: int
    records_total: int | None
    records_per_second: float


class ProgressMeter:
    """Tells how far a phase is, a few times a second at the most."""

    def __init__(self, phase: str, total: int | None, tell: Callable[[Progress], None]) -> None:
        self._phase, self._total, self._tell = phase, total, tell
        self._started = self._told = time.monotonic()
        self._first: int | None = None

    def update(self, records: int, *, last: bool = False) -> None:
        """Tell that so many records are done, if it is time or these are the last."""
        now = time.monotonic()
        if self._first is None:
            self._first = records
        if not last and now - self._told < PROGRESS_SECONDS:
            return
        self._told = now
        rate = (records - self._first) / max(now - self._started, 1e-6)
        self._tell(Progress(self._phase, records, self._total, rate))


def ignore_progress(_progress: Progress) -> None:
    """Do nothing with progress."""


def ignore_share(_share: float) -> None:
    """Do nothing with how much is done, 0 to 1."""
