"""One viewer: does over its connection what vp.server.stream.order decides."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Protocol

from vp.errors import VPError
from vp.server.runs.run import Run
from vp.server.runs.shared_run import WRITE_BYTES, Encoded, SharedRun
from vp.server.stream.cursor import Cursor
from vp.server.stream.messages import Hole
from vp.server.stream.order import (
    Close,
    FindStart,
    MessageOrder,
    SendFrames,
    SendPacked,
    SendText,
    Step,
    Wait,
    refusal,
)
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import NextSession, Snapshot


class Link(Protocol):
    """Where a viewer's messages go (vp.server.net.websocket.WebSocketConnection)."""

    def push(self, packed: memoryview | bytes) -> bool: ...
    async def write(self, packed: memoryview | bytes) -> None: ...
    async def write_text(self, text: str) -> None: ...
    async def write_close(self, code: int, reason: str = "") -> None: ...


class Sessions(Protocol):
    """Where a viewer goes on when its session is over (vp.server.runs.hub.Hub)."""

    def following(self, run: Run) -> NextSession | None: ...
    def move(self, viewer: Viewer, request: StreamRequest) -> Run: ...


async def refuse(link: Link, problem: VPError) -> None:
    """Tell a viewer what is wrong and close."""
    for step in refusal(problem):
        await _say(link, step)


async def _say(link: Link, step: Step) -> None:
    if isinstance(step, SendText):
        await link.write_text(step.text)
    elif isinstance(step, SendPacked):
        await link.write(step.data)
    elif isinstance(step, Close):
        await link.write_close(step.code, step.reason)


class Viewer:
    """Sends a run's frames and messages over a link.

    Parameters
    ----------
    link : Link
    run : Run
    request : StreamRequest
    sessions : Sessions, optional
        Where to go on when the run is over.
    """

    def __init__(self, link: Link, run: Run, request: StreamRequest, sessions: Sessions | None = None) -> None:
        self.link = link
        self.run = run
        self.request = request
        self._sessions = sessions
        self._order = MessageOrder(request, run.id)
        self._awake = asyncio.Event()

    @property
    def cursor(self) -> Cursor:
        """Where the viewer stands; counts what it was sent and what it missed."""
        return self._order.cursor

    def wake(self) -> None:
        """Let the viewer's own task go on."""
        self._awake.set()

    def push(self, now_seconds: float, encoded: Encoded) -> bool:
        """Send what is new at once; False where the viewer's own task has to look.

        `encoded` holds frames as they go out, and is filled for the next viewers.
        """
        encoder, cursor = self._order.encoder, self.cursor
        if now_seconds >= self._order.status_at or encoder is None or self._order.owes_status(self.run.facts):
            return False
        if self._order.owes_gaps(self.run.gaps):
            return False
        if not isinstance(self.run, SharedRun) or self.run.history is None:
            return False
        if self.request.sparse and self.run.is_catching_up:
            return now_seconds < self._order.newest_at
        frames = self.run.history.frames
        if cursor.next == frames.head:
            return True
        key = cursor.next, self.request.fields
        if key not in encoded:
            block = frames.recent(cursor.next, max(1, WRITE_BYTES // frames.frame_bytes))
            if block is None:
                return False
            encoded[key] = block.count, encoder.encode(block.data)
        count, data = encoded[key]
        if not self.link.push(data):
            return False
        cursor.advance(count)
        return cursor.next == frames.head

    async def serve(self) -> None:
        """Send everything from the first progress to the close; ends when the sessions or the viewer do.

        Raises
        ------
        ConnectionLostError
            The viewer has gone.
        ServerFullError
            There is no room for the next session.
        """
        following = await self._serve_run()
        while following is not None:
            assert self._sessions is not None
            request = replace(self.request, dt=following.dt, after=None)
            self.run = self._sessions.move(self, request)
            self.request = request
            self._order = MessageOrder(request, self.run.id, goes_on=True)
            following = await self._serve_run()

    async def _serve_run(self) -> NextSession | None:
        """Send all of one session; the one that follows it, if the stream is to go on."""
        steps = self._order.steps(self._look())
        step: Step | None = next(steps)
        while step is not None:
            await self._do(step)
            try:
                step = steps.send(self._look())
            except StopIteration:
                step = None
        return self._order.told_of

    def _look(self) -> Snapshot:
        """How the run stands; its state is read first, so that what came before its end is seen."""
        run = self.run
        state = run.state
        self._order.session_id = run.id
        return Snapshot(
            now_seconds=time.monotonic(),
            now_ns=time.time_ns(),
            state=state,
            loading=run.loading,
            error=run.error,
            session=run.session,
            facts=run.facts,
            viewers=run.viewers,
            held=run.held(self.cursor.next),
            is_catching_up=run.is_catching_up,
            gaps=run.gaps,
            next_session=self._sessions.following(run) if self._sessions is not None and state.over else None,
        )

    async def _do(self, step: Step) -> None:
        if isinstance(step, SendFrames):
            await self._send_frames(step)
        elif isinstance(step, FindStart):
            await self._find_start(step)
        elif isinstance(step, Wait):
            await self._wait(step)
        else:
            await _say(self.link, step)

    async def _send_frames(self, step: SendFrames) -> None:
        """Send some of the frames in pieces; whole frames, as a ping may come between two pieces."""
        assert self._order.encoder is not None
        block = await self.run.read(step.first, step.count, self._order.encoder)
        if block is None:
            return  # dropped meanwhile; the cursor will jump
        frame_bytes = len(block.data) // block.count
        piece_bytes = max(1, WRITE_BYTES // frame_bytes) * frame_bytes
        for start in range(0, len(block.data), piece_bytes):
            await self.link.write(block.data[start : start + piece_bytes])
        self.cursor.advance(block.count)
        await asyncio.sleep(0)  # let the other viewers have their turn

    async def _find_start(self, step: FindStart) -> None:
        assert isinstance(self.run, SharedRun)
        history = self.run.history
        assert history is not None

        def find() -> tuple[int, int, int | None, Hole | None]:
            after = step.after_event
            position = history.to_join() if after is None else history.after_event(after)
            head = history.frames.head
            first = self._order.first_to_send(position, head)
            if after is None:
                hole = history.hole_before_joining(first)
            elif first > position:
                hole = Hole(after, history.event_id(first))
            else:
                hole = history.hole_behind(after, first)
            return first, head, history.event_id(history.frames.oldest), hole

        self._order.begin_at(*await asyncio.to_thread(find))

    async def _wait(self, step: Wait) -> None:
        """Wait for news; where frames may be pushed meanwhile, among those whom the run pushes them to."""
        if not step.pushable or not isinstance(self.run, SharedRun):
            await self.run.bell.wait()
            return
        self._awake.clear()
        self.run.waiting.add(self)
        try:
            await self._awake.wait()
        finally:
            self.run.waiting.discard(self)
