"""A viewer's own run at speed 0: every frame, as fast as it is taken."""

from __future__ import annotations

import queue
import time

import numpy as np

from vp.server.history.frame_store import Block
from vp.server.runs.pacing import NS
from vp.server.runs.run import Run
from vp.server.runs.session import Prepare, Session
from vp.server.stream.encoding import FrameEncoder
from vp.server.stream.packing import pack
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import FramesHeld, RunState

FRAMES_A_BATCH = 64
BATCHES_AHEAD = 2
NOTE_SECONDS = 0.5
LOOK_SECONDS = 0.25
STEP_NS = 60 * NS  # no call may run so long that the end of a viewer goes unseen


class LosslessRun(Run):
    """Runs a session for one viewer, at most BATCHES_AHEAD batches ahead of it; nothing is dropped."""

    def __init__(self, request: StreamRequest, prepare: Prepare, session: Session | None = None) -> None:
        super().__init__(request, prepare, session)
        self._batches: queue.Queue[np.ndarray] = queue.Queue(BATCHES_AHEAD)
        self._given = 0
        self._batch: np.ndarray | None = None

    def held(self, next_frame: int) -> FramesHeld:  # noqa: ARG002 - the batches come in order
        """The batch that is next, if it is there yet; it has not waited as long as its viewer is the one waited for."""
        if self._batch is None:
            try:
                self._batch = self._batches.get_nowait()
            except queue.Empty:
                return FramesHeld(self._given, self._given, 0.0)
        return FramesHeld(self._given, self._given + len(self._batch), 0.0)

    async def read(self, first: int, most: int, encoder: FrameEncoder) -> Block | None:  # noqa: ARG002
        """The whole batch, which the run's thread has encoded already."""
        batch, self._batch = self._batch, None
        if batch is None:
            return None
        self._given += len(batch)
        return Block(first, len(batch), batch.reshape(-1).data)

    def _play(self, session: Session) -> None:
        self.state = RunState.LIVE
        encoder = FrameEncoder(session.layout, self.request.fields)
        noted_at = 0.0
        while not session.finished:
            self._check_stop()
            due_ns = session.next_event_ns
            batch = session.advance(None if due_ns is None else due_ns + STEP_NS, FRAMES_A_BATCH)
            if batch.count:
                packed = encoder.encode(pack(batch.buffer).reshape(-1).data)
                self._hand_over(np.frombuffer(packed, np.uint8).reshape(batch.count, -1))
            now = time.monotonic()
            if now - noted_at >= NOTE_SECONDS:
                self._note(0.0)
                noted_at = now
        self._note(0.0)

    def _hand_over(self, packed: np.ndarray) -> None:
        while True:
            try:
                self._batches.put(packed, timeout=LOOK_SECONDS)
            except queue.Full:
                self._check_stop()
            else:
                self.call()
                return
