"""The frames of sessions that are over, kept for a while for those who still look at them."""

from __future__ import annotations

import time

from vp.server.history.session_history import SessionHistory

KEEP_SECONDS = 1800.0
KEEP_SESSIONS = 16


class RetainedHistories:
    """What is left of sessions that are over, by session id.

    What their frames take on disk is bounded with those of all others (vp.server.history.frame_spool): they go first.

    Parameters
    ----------
    keep_seconds : float
        How long frames stay that nobody asks for.
    keep_sessions : int
        Most sessions kept; the one that was not asked for longest goes first.

    Attributes
    ----------
    let_go : bool
        Whether frames were let go since someone has set this to False.
    """

    def __init__(self, keep_seconds: float = KEEP_SECONDS, keep_sessions: int = KEEP_SESSIONS) -> None:
        self._keep_seconds = keep_seconds
        self._keep_sessions = keep_sessions
        self.let_go = False
        self._kept: dict[str, SessionHistory] = {}  # the one asked for last comes last

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, session_id: str, history: SessionHistory) -> None:
        """Keep the frames of a session; nothing is kept of one that made none."""
        if history.frames.oldest < history.frames.head:
            self._put(session_id, history)
            self.tidy()

    def get(self, session_id: str) -> SessionHistory | None:
        """The frames of a session, which count as asked for now; None if they are not kept."""
        history = self._kept.pop(session_id, None)
        if history is not None:
            self._put(session_id, history)
        return history

    def tidy(self) -> None:
        """Let go what has its time behind it or finds no room."""
        now = time.monotonic()
        for session_id, history in list(self._kept.items()):
            late = now - (history.frames.over_since or now) > self._keep_seconds
            if not late and len(self._kept) <= self._keep_sessions:
                break
            del self._kept[session_id]
            history.frames.close()
            self.let_go = True

    def _put(self, session_id: str, history: SessionHistory) -> None:
        history.frames.over_since = time.monotonic()
        self._kept[session_id] = history
