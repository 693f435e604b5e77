"""The frames of sessions that are over, kept for a while for those who still look at them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vp.server.history.session_history import SessionHistory

KEEP_SECONDS = 1800.0
KEEP_SESSIONS = 16
KEEP_BYTES = 8 << 30


@dataclass
class _Kept:
    """One session's frames, and when someone last asked for them."""

    history: SessionHistory
    asked_seconds: float


class RetainedHistories:
    """What is left of sessions that are over, by session id.

    Parameters
    ----------
    keep_seconds : float
        How long frames stay that nobody asks for.
    keep_sessions : int
        Most sessions kept.
    keep_bytes : int
        Most bytes on disk of all of them together. What was not asked for longest goes first.
    """

    def __init__(
        self,
        keep_seconds: float = KEEP_SECONDS,
        keep_sessions: int = KEEP_SESSIONS,
        keep_bytes: int = KEEP_BYTES,
    ) -> None:
        self._keep_seconds = keep_seconds
        self._keep_sessions = keep_sessions
        self._keep_bytes = keep_bytes
        self._kept: dict[str, _Kept] = {}  # the one asked for last comes last

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def disk_bytes(self) -> int:
        """Bytes on disk of all of them together."""
        return sum(kept.history.frames.disk_bytes for kept in self._kept.values())

    def put(self, session_id: str, history: SessionHistory) -> None:
        """Keep the frames of a session; nothing is kept of one that made none."""
        if history.frames.oldest < history.frames.head:
            self._kept[session_id] = _Kept(history, time.monotonic())
            self.tidy()

    def get(self, session_id: str) -> SessionHistory | None:
        """The frames of a session, which count as asked for now; None if they are not kept."""
        kept = self._kept.pop(session_id, None)
        if kept is None:
            return None
        kept.asked_seconds = time.monotonic()
        self._kept[session_id] = kept
        return kept.history

    def tidy(self) -> None:
        """Let go what has its time behind it or finds no room."""
        now = time.monotonic()
        held_bytes = self.disk_bytes
        for session_id, kept in list(self._kept.items()):
            late = now - kept.asked_seconds > self._keep_seconds
            if not late and len(self._kept) <= self._keep_sessions and held_bytes <= self._keep_bytes:
                break
            held_bytes -= kept.history.frames.disk_bytes
            del self._kept[session_id]
