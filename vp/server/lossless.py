"""A viewer's own run at speed 0: every frame, as fast as it is taken."""

from __future__ import annotations

import queue
import time

import numpy as np

from vp.server.pacing import NS
from vp.server.protocol import Request
from vp.server.run import Prepare, Run, Session
from vp.server.stream.packing import pack, project

FRAMES_A_BATCH = 64
BATCHES_AHEAD = 2
NOTE_SECONDS = 0.5
LOOK_SECONDS = 0.25
STEP_NS = 60 * NS  # no call may run so long that the end of a viewer goes unseen


class LosslessRun(Run):
    """Runs a session for one viewer, at most BATCHES_AHEAD batches ahead of it; nothing is dropped."""

    def __init__(self, request: Request, prepare: Prepare, session: Session | None = None) -> None:
        super().__init__(request, prepare, session)
        self._batches: queue.Queue[np.ndarray] = queue.Queue(BATCHES_AHEAD)

    def take(self) -> np.ndarray | None:
        """The next frames with their headers, uint8[n, *], or None if there are none yet; in the event loop."""
        try:
            return self._batches.get_nowait()
        except queue.Empty:
            return None

    def _play(self, session: Session) -> None:
        self.state = "live"
        fields = self.request.fields
        projection = session.layout.project(fields) if fields is not None else None
        noted_at = 0.0
        while not session.finished:
            self._check_stop()
            due_ns = session.next_event_ns
            batch = session.advance(None if due_ns is None else due_ns + STEP_NS, FRAMES_A_BATCH)
            if batch.count:
                messages = batch.buffer
                if projection is not None:
                    messages = project(messages, projection, projection.layout.message_bytes)
                self._hand_over(pack(messages))
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
