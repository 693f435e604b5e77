"""A run of a session that another server plays: its frames handed on as they come, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from vp.server.history.session_history import JOIN_NS
from vp.server.runs.relayed_session import RelayedSession
from vp.server.runs.session import Session
from vp.server.runs.shared_run import SharedRun
from vp.server.stream.snapshot import RunState


class RelayedRun(SharedRun):
    """Keeps and hands on what comes. No clock holds it: the upstream's does.

    It has the id that its session has at the upstream, so that a viewer of another relay can go on here. Its history
    begins where the upstream let it join.
    """

    def _hold(self, session: Session) -> None:
        relayed = cast(RelayedSession, session)
        self.id = relayed.id
        self.facts = replace(self.facts, hop_seconds=relayed.hop_seconds)  # said from the first status on
        super()._hold(session)

    def _play(self, session: Session) -> None:
        relayed = cast(RelayedSession, session)
        history = self.history
        assert history is not None
        self.state = RunState.LIVE
        status: Mapping[str, Any] | None = None
        has_joined = False
        while not relayed.finished:
            self._check_stop()
            batch = relayed.advance()
            if relayed.begins_late and history.complete_from_ns is None:
                history.complete_from_ns = 0  # not from the session's beginning; nothing of what it joined is missing
            self._keep(batch)
            if relayed.begins_late and not has_joined and history.frames.head >= relayed.frames_at_once:
                history.complete_from_ns = self._last_frame_ns - JOIN_NS  # so far the upstream's history goes
                has_joined = True
            if relayed.status is not status or relayed.is_lost:
                status = relayed.status
                self._note(relayed.lag_seconds, relayed.time_ns)
                self.facts = replace(
                    self.facts,
                    paused=bool(status.get("paused", False)),
                    steps_done=int(status.get("steps_done", 0)),
                    hop_seconds=relayed.hop_seconds,
                    feed=status.get("feed"),
                )
        self._note(relayed.lag_seconds, relayed.time_ns)
