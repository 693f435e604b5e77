"""A paced session, shared by its viewers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from vp.server.history import History
from vp.server.pacing import NS, Pace
from vp.server.past import Past
from vp.server.protocol import Request
from vp.server.run import Facts, Prepare, Run, Session
from vp.server.stream.packing import header, pack

FRAMES_A_CALL = 64
STEP_NS = 10 * NS
LOOK_SECONDS = 0.25
NOTE_SECONDS = 0.5


Encoded = dict[tuple[int, tuple[str, ...] | None], tuple[int, memoryview]]


class Follower(Protocol):
    """A viewer that has all frames there are and waits for the next (vp.server.viewer.Viewer)."""

    def push(self, now_seconds: float, encoded: Encoded) -> bool: ...
    def wake(self) -> None: ...


class PacedRun(Run):
    """Plays a session against the wall clock and keeps its recent frames.

    The clock starts when the session is ready to play. Between frames the thread sleeps until the next frame
    can be due: a frame comes no sooner than the throttle after the last one, and the records before it do not
    care when they are processed, only in which order.

    A new frame is pushed to all who wait for it in one go, without a task switch for each: hundreds of viewers cost
    little more than their sockets. Only a viewer for which that does not do (its socket is full, a status is due) is
    woken.

    Attributes
    ----------
    waiting : set of Follower
        Belongs to the event loop.
    """

    shared = True

    def __init__(self, request: Request, prepare: Prepare, session: Session | None = None) -> None:
        super().__init__(request, prepare, session)
        self.history: History | None = None
        self.waiting: set[Follower] = set()
        self.observe_lag: Callable[[float], None] | None = None
        self._observed = 0

    def ring(self) -> None:
        """Give those who wait what is new; in the event loop."""
        super().ring()
        now, over = time.monotonic(), self.over
        encoded: Encoded = {}
        for follower in tuple(self.waiting):
            if over or not follower.push(now, encoded):
                self.waiting.discard(follower)
                follower.wake()
        if self.observe_lag is not None and encoded and self.history is not None and self.history.head > self._observed:
            self._observed = self.history.head
            self.observe_lag(self.history.age_seconds(self._observed - 1))

    @property
    def past(self) -> Past | None:
        """What the session has shown so far; None before it plays."""
        if self.history is None or self.session is None:
            return None
        return Past(self.history, self.session.layout)

    def _play(self, session: Session) -> None:
        history = History(len(header(session.layout.message_bytes)) + session.layout.message_bytes)
        self.history = history
        self.state = "live"
        throttle_ns = round(self.request.throttle_ms * 1e6)
        pace = Pace(self._first_ns(session), time.monotonic(), self.request.speed)
        last_frame_ns = pace.clock_ns - throttle_ns
        noted_at = 0.0
        while not session.finished:
            self._check_stop()
            due_ns = session.next_event_ns
            if due_ns is None:
                break
            target_ns = pace.target_ns(time.monotonic())
            batch = session.advance(min(target_ns, due_ns + STEP_NS) + 1, FRAMES_A_CALL)
            if batch.count:
                last_frame_ns = int(batch.ts_ns[-1])
                history.append(pack(batch.buffer), last_frame_ns)
                self.call()
                history.tidy()
            due_ns = session.next_event_ns
            if due_ns is None:
                break
            now = time.monotonic()
            lag = pace.lag_seconds(due_ns, now)
            if now - noted_at >= NOTE_SECONDS:
                self._note(lag)
                noted_at = now
            else:
                facts = self.facts
                self.facts = Facts(session.clock_ns, session.records_done, lag, facts.anomalies, facts.records)
            wait = pace.seconds_until(max(due_ns, last_frame_ns + throttle_ns), now)
            if wait > 0:
                self._stop.wait(min(wait, LOOK_SECONDS))
        self._note(0.0)

    def _rest(self) -> None:
        """Once nobody follows any more, let the frames lie on disk: they may be kept for long."""
        self._stop.wait()
        if self.history is not None:
            self.history.put_away()

    @staticmethod
    def _first_ns(session: Session) -> int:
        """The clock that the pace starts from: the first record to come, not before frames begin."""
        due_ns = session.next_event_ns
        return session.info.emit_from_ns if due_ns is None else max(due_ns, session.info.emit_from_ns)
