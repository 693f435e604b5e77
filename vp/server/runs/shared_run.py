"""A run at the pace of the clock, shared by its viewers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from weakref import WeakValueDictionary

from vp.server.history.frame_sampler import FrameSampler
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.frame_store import RETENTION_NS, Block, FrameStore
from vp.server.history.session_history import SessionHistory
from vp.server.runs.control import PlayControl
from vp.server.runs.pacing import NS, Pace
from vp.server.runs.run import Run
from vp.server.runs.session import Batch, Prepare, Session
from vp.server.stream.commands import Step
from vp.server.stream.encoding import FrameEncoder
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import FramesHeld, RunState
from vp.study.running_samples import RunningSamples

FRAMES_A_CALL = 64
STEP_NS = 10 * NS
LOOK_SECONDS = 0.25
NOTE_SECONDS = 0.5
WRITE_BYTES = 128 << 10
READ_BYTES = 1 << 20

Encoded = dict[tuple[int, tuple[str, ...] | None], tuple[int, memoryview]]
"""Frames as they go out, and how many they are, by the first one's sequence number and by the fields wanted."""


FramesWanted = tuple[int, int, tuple[str, ...] | None]
"""Frames that a viewer is to get: the first one's sequence number, how many at the most, and the fields."""


class Follower(Protocol):
    """A viewer that has all frames there are and waits for the next (vp.server.runs.viewer.Viewer)."""

    def push(self, now_seconds: float, encoded: Encoded) -> bool: ...
    def wake(self) -> None: ...


class SharedRun(Run):
    """Plays a session against the wall clock and keeps its recent frames.

    The clock starts when the session is ready to play. Between frames the thread sleeps until the next frame
    can be due: a frame comes no sooner than the throttle after the last one, and the records before it do not
    care when they are processed, only in which order. The context, frames of before the emit boundary, is there from
    the beginning: a viewer who comes gets it as history. While the run is paused the clock stands, and what is stepped
    over brings it to the frame made last.

    A new frame is pushed to all who wait for it in one go, without a task switch for each: hundreds of viewers cost
    little more than their sockets. Only a viewer for which that does not do (its socket is full, a status is due) is
    woken.

    Attributes
    ----------
    history : SessionHistory or None
        What the session has shown so far; None before it is ready.
    spool : FrameSpool or None
        Where its older frames go; None: memory alone holds frames.
    control : PlayControl
        What the only viewer wants of the clock.
    waiting : set of Follower
        Belongs to the event loop.
    """

    shared = True
    retention_ns = RETENTION_NS

    def __init__(self, request: StreamRequest, prepare: Prepare, session: Session | None = None) -> None:
        super().__init__(request, prepare, session)
        self.history: SessionHistory | None = None
        self.spool: FrameSpool | None = None
        self.control = PlayControl()
        self.waiting: set[Follower] = set()
        self.observe_lag: Callable[[float], None] | None = None
        self._in_hand: WeakValueDictionary[FramesWanted, Block] = WeakValueDictionary()
        self._reading: dict[FramesWanted, asyncio.Task[Block | None]] = {}
        self._observed = 0
        self._last_frame_ns = 0
        self._steps_done = 0

    def ring(self) -> None:
        """Give those who wait what is new; in the event loop."""
        super().ring()
        now, over = time.monotonic(), self.state.over
        encoded: Encoded = {}
        for follower in tuple(self.waiting):
            if over or not follower.push(now, encoded):
                self.waiting.discard(follower)
                follower.wake()
        if self.history is None or not encoded:
            return
        frames = self.history.frames
        if frames.head > self._observed:
            self._observed = frames.head
            self._observe(frames.age_seconds(self._observed - 1))

    def _observe(self, seconds: float) -> None:
        """Take how long ago the newest frame was made that all who keep up have now."""
        if self.observe_lag is not None:
            self.observe_lag(seconds)

    def stop(self) -> None:
        """As Run.stop, out of a pause too."""
        super().stop()
        self.control.wake()

    def held(self, next_frame: int) -> FramesHeld | None:
        """All frames that are kept."""
        if self.history is None:
            return None
        frames = self.history.frames
        return FramesHeld(frames.oldest, frames.head, frames.age_seconds(next_frame))

    async def read(self, first: int, most: int, encoder: FrameEncoder) -> Block | None:
        """Frames from memory, or from a file, which is read in a thread.

        Viewers who come together get the same ones: a block that is being read for another viewer, or that it is
        still sending, is theirs too.
        """
        if self.history is None:
            return None
        key = first, most, encoder.fields
        if (in_hand := self._in_hand.get(key)) is not None:
            return in_hand
        frames = self.history.frames
        block = frames.recent(first, min(most, max(1, WRITE_BYTES // frames.frame_bytes)))
        if block is not None:
            return self._encoded(key, block, encoder)
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(frames, key, encoder))
            reading.add_done_callback(lambda _: self._reading.pop(key))
        return await asyncio.shield(reading)  # one of them may leave, the others wait on

    async def _read(self, frames: FrameStore, key: FramesWanted, encoder: FrameEncoder) -> Block | None:
        first, most, _ = key
        block = await asyncio.to_thread(frames.read, first, min(most, max(1, READ_BYTES // frames.frame_bytes)))
        return None if block is None else self._encoded(key, block, encoder)

    def _encoded(self, key: FramesWanted, block: Block, encoder: FrameEncoder) -> Block:
        self._in_hand[key] = encoded = Block(block.first, block.count, encoder.encode(block.data))
        return encoded

    def _hold(self, session: Session) -> None:
        info = session.info
        samples = RunningSamples(info.tick_int, info.emit_from_ns, is_warm=self.request.start_time is not None)
        sampler = FrameSampler(session.layout, samples)
        history = SessionHistory.begin(
            session.layout,
            self.spool,
            retention_ns=self.retention_ns,
            gaps=session.gaps,
            sampler=sampler,
        )
        context = session.take_context()
        if context.count:
            history.frames.append(context.buffer, int(context.ts_ns[-1]))
            sampler.take(context.buffer, int(context.ts_ns[-1]))
        self.history = history

    def _let_go(self) -> None:
        """As Run._let_go; the history, which outlives the run, asks nothing of the session any more either."""
        try:
            super()._let_go()
        finally:
            if self.history is not None and self.session is not None:
                self.history.gaps = self.session.gaps

    def _play(self, session: Session) -> None:
        self.state = RunState.LIVE
        throttle_ns = round(self.request.throttle_ms * 1e6)
        pace = Pace(self._first_ns(session), time.monotonic(), self.request.speed)
        self._last_frame_ns = pace.clock_ns - throttle_ns
        noted_at = 0.0
        while (due_ns := session.next_event_ns) is not None:
            self._check_stop()
            pace = self._heed(pace, due_ns)
            if not pace.stands:
                until_ns = min(pace.target_ns(time.monotonic()), due_ns + STEP_NS) + 1
                self._keep(session.advance(until_ns, FRAMES_A_CALL))
            elif (step := self.control.next_step()) is not None:
                self._make(step, session)
                pace = pace.standing(session.clock_ns or pace.clock_ns)
                self._steps_done += 1
            due_ns = session.next_event_ns
            if due_ns is None:
                break
            now = time.monotonic()
            lag = pace.lag_seconds(due_ns, now)
            reached_ns = min(pace.target_ns(now), due_ns)
            before = self.facts
            if now - noted_at >= NOTE_SECONDS:
                self._note(lag, reached_ns)
                noted_at = now
            self.facts = replace(
                self.facts,
                clock_ns=session.clock_ns,
                time_ns=reached_ns,
                records_done=session.records_done,
                lag_seconds=lag,
                paused=pace.stands,
                steps_done=self._steps_done,
            )
            if self.facts.control != before.control:
                self.call()
            wait = pace.seconds_until(max(due_ns, self._last_frame_ns + throttle_ns), now)
            if wait > 0:
                self.control.wait(min(wait, LOOK_SECONDS))
        self._note(0.0)

    def _heed(self, pace: Pace, due_ns: int) -> Pace:
        """Let the clock stand or go as it is wanted to; `due_ns`: of the next record, which it does not pass."""
        if self.control.paused == pace.stands:
            return pace
        now = time.monotonic()
        return pace.going(now, self.request.speed) if pace.stands else pace.standing(min(pace.target_ns(now), due_ns))

    def _make(self, step: Step, session: Session) -> None:
        """Run on until the frames of a step are made, or the session is over."""
        left = step.count
        while left > 0 and (due_ns := session.next_event_ns) is not None:
            self._check_stop()
            until_ns = due_ns + STEP_NS
            if step.by == "event":
                batch = session.advance_event(until_ns)
            else:
                batch = session.advance(until_ns, min(left, FRAMES_A_CALL))
            left -= batch.count
            self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        """Put new frames where viewers find them."""
        assert self.history is not None
        if batch.count:
            self._last_frame_ns = int(batch.ts_ns[-1])
            self.history.frames.append(batch.buffer, self._last_frame_ns)
            self.call()
            if self.history.sampler is not None:
                self.history.sampler.take(batch.buffer, self._last_frame_ns)
            self.history.frames.tidy()

    def _rest(self) -> None:
        """Once nobody follows any more, let the frames lie on disk: they may be kept for long."""
        self._stop.wait()
        if self.history is not None:
            self.history.frames.put_away()

    def _hand_on(self) -> None:
        if self.history is not None and self.history.sampler is not None:
            self.history.sampler.hand_on()

    @staticmethod
    def _first_ns(session: Session) -> int:
        """The clock that the pace starts from: the first record to come, not before frames begin."""
        due_ns = session.next_event_ns
        return session.info.emit_from_ns if due_ns is None else max(due_ns, session.info.emit_from_ns)
