"""A run of a session that is being recorded: frames as its records arrive."""

from __future__ import annotations

import time

from vp.dbn.growing_input import GrowingInput
from vp.server.runs.session import Prepare, Session
from vp.server.runs.shared_run import FRAMES_A_CALL, LOOK_SECONDS, NOTE_SECONDS, SharedRun
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import RunState


class LiveRun(SharedRun):
    """Plays what there is at full speed, and then whatever comes, at once.

    No clock holds it: the market does. It reads what the recorder has put on the disk, so that what it is behind by
    waits there and nowhere in memory, and a frame is never older than its bytes on the disk.
    """

    def __init__(
        self, request: StreamRequest, prepare: Prepare, recording: GrowingInput, session: Session | None = None
    ) -> None:
        super().__init__(request, prepare, session)
        self._recording = recording

    def _play(self, session: Session) -> None:
        self.state = RunState.LIVE
        noted_at = 0.0
        while True:
            self._check_stop()
            seen, over = self._recording.version, self._recording.is_over
            batch = session.advance(None, FRAMES_A_CALL)
            self._keep(batch)
            now = time.monotonic()
            if now - noted_at >= NOTE_SECONDS:
                self._note(0.0, session.clock_ns)
                noted_at = now
            if batch.count:
                continue
            if over or (session.clock_ns or 0) >= session.info.end_ns:
                break
            self._recording.wait(seen, LOOK_SECONDS)
        self._note(0.0, session.clock_ns)
