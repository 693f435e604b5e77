"""A run of a session that is being recorded: frames as its records arrive."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from vp.dbn.growing_input import GrowingInput
from vp.durations import Durations, summary
from vp.server.runs.catching_up import CatchingUp
from vp.server.runs.session import Feed, Prepare, Session
from vp.server.runs.shared_run import LOOK_SECONDS, NOTE_SECONDS, SharedRun
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import RunState

RETENTION_NS = 24 * 3600 * 1_000_000_000  # all of a session, as long as there is room on the disk
CATCHING_UP_FRAMES = 256  # at once: a few milliseconds of work, beside which what is done once each time is little
SLOW_SECONDS = 2.0
FEED_LIVE, FEED_CATCHING_UP = "live", "catching_up"  # of vp.capture.feed_health.FeedState
HERE_TO_FRAME, FRAME_TO_WIRE = "here_to_frame", "frame_to_wire"


class LiveRun(SharedRun):
    """Plays what there is at full speed, and then whatever comes, at once.

    No clock holds it: the market does. It reads what the recorder has put on the disk, so that what it is behind by
    waits there and nowhere in memory, and a frame is never older than its bytes on the disk.

    Attributes
    ----------
    stages : dict of str to Durations
        How long the stages of the way take that lie behind the arrival, of what came since the past was caught up with.
    """

    retention_ns = RETENTION_NS

    def __init__(
        self,
        request: StreamRequest,
        prepare: Prepare,
        recording: GrowingInput,
        feed: Feed,
        session: Session | None = None,
    ) -> None:
        super().__init__(request, prepare, session)
        self.stages = {HERE_TO_FRAME: Durations(), FRAME_TO_WIRE: Durations()}
        self._recording = recording
        self._feed = feed
        self._caught_up_at: float | None = None

    def describe(self) -> dict[str, Any]:
        """As Run.describe, with the latency of its stages."""
        return {**super().describe(), "latency": self._latency()}

    def _latency(self) -> dict[str, Any]:
        return {name: summary(durations.latest()) for name, durations in self.stages.items()}

    def _observe(self, seconds: float) -> None:
        super()._observe(seconds)
        if self._caught_up_at is not None:
            self.stages[FRAME_TO_WIRE].add(seconds)

    def _play(self, session: Session) -> None:
        self.state = RunState.LIVE
        noted_at = 0.0
        catching_up = CatchingUp()
        while True:
            self._check_stop()
            seen, over = self._recording.version, self._recording.is_over
            gaps = self.gaps
            batch = session.advance(None, CATCHING_UP_FRAMES)
            now = time.monotonic()
            arrived_at = session.arrived_at
            if batch.count and arrived_at is not None and arrived_at > (self._caught_up_at or now):
                self.stages[HERE_TO_FRAME].add(now - arrived_at)
            was_catching_up = self.is_catching_up
            self.is_catching_up = catching_up.look(now, session.clock_ns)
            self._keep(batch)
            if now - noted_at >= NOTE_SECONDS or self._feed_state() != self.facts.feed_state:
                self._note_live(session, now)
                noted_at = now
            if self.gaps is not gaps or (was_catching_up and not self.is_catching_up):
                self.call()
            if batch.count:
                continue
            if self._caught_up_at is None:
                self._caught_up_at = now
                self._hand_on()
            self.facts = replace(self.facts, clock_ns=session.clock_ns, records_done=session.records_done)
            if over or (session.clock_ns or 0) >= session.info.end_ns:
                break
            self._recording.wait(seen, LOOK_SECONDS)
        self.is_catching_up = False
        self._note_live(session, time.monotonic())

    def _feed_state(self) -> str:
        """The state of the feed as it is seen here: what is recorded already may not have come to its end in frames."""
        state = self._feed.state
        return FEED_CATCHING_UP if self.is_catching_up and state == FEED_LIVE else state

    def _note_live(self, session: Session, now: float) -> None:
        """Leave the facts of this moment; a change of the feed's state is told at once."""
        since = session.waiting_since
        lag = 0.0 if since is None or self._caught_up_at is None else now - since
        before = self.facts.feed_state
        self._note(lag, session.clock_ns)
        told = {**self._feed.describe(), "state": self._feed_state()}
        if self.is_catching_up and told["time_ns"] and session.clock_ns is not None:
            told["behind_seconds"] = round(max(0, int(told["time_ns"]) - session.clock_ns) / 1e9, 3)
        feed = {**told, "latency": {**told["latency"], **self._latency()}}
        slow = (
            f"The engine is {lag:.0f} seconds behind the feed; what waits lies on the disk, and nothing is lost.",
        ) * (lag > SLOW_SECONDS)
        self.facts = replace(self.facts, feed=feed, notices=(*slow, *self.facts.notices))
        if self.facts.feed_state != before:
            self.call()
