"""One viewer: what it is told, in which order."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from vp.errors import VPError
from vp.server import protocol
from vp.server.cursor import Cursor
from vp.server.history import Block, History
from vp.server.lossless import LosslessRun
from vp.server.paced import Encoded, PacedRun
from vp.server.protocol import CLOSE_GOING_AWAY, CLOSE_NORMAL, Request
from vp.server.run import Run, Session
from vp.server.stream.packing import Projector, header, pack, project, unpack

STATUS_SECONDS = 1.0
RESUME_FRAMES = 4096
WRITE_BYTES = 128 << 10
READ_BYTES = 1 << 20


class Link(Protocol):
    """Where a viewer's messages go (vp.server.net.websocket.WebSocketConnection)."""

    def push(self, packed: memoryview | bytes) -> bool: ...
    async def write(self, packed: memoryview | bytes) -> None: ...
    async def write_text(self, text: str) -> None: ...
    async def write_close(self, code: int, reason: str = "") -> None: ...


async def refuse(link: Link, problem: VPError) -> None:
    """Tell a viewer what is wrong and close."""
    await link.write_text(protocol.error(problem))
    await link.write_close(problem.close_code, problem.code)


class Viewer:
    """Sends a run's frames and messages over a link.

    Attributes
    ----------
    cursor : Cursor
        Where the viewer stands; counts what it was sent and what it missed.
    """

    def __init__(self, link: Link, run: Run, request: Request) -> None:
        self.link = link
        self.run = run
        self.request = request
        self.cursor = Cursor(0, 0)
        self._status_at = 0.0
        self._projector: Projector | None = None
        self._source_bytes = 0
        self._frame_bytes = 0
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Let the viewer's own task go on."""
        self._awake.set()

    def push(self, now_seconds: float, encoded: Encoded) -> bool:
        """Send what is new at once; False where the viewer's own task has to look.

        `encoded` holds frames as they go out, by sequence number and fields, and is filled for the next viewers.
        """
        if now_seconds >= self._status_at or not isinstance(self.run, PacedRun) or self.run.history is None:
            return False
        history, cursor = self.run.history, self.cursor
        if cursor.next == history.head:
            return True
        key = cursor.next, self.request.fields
        if key not in encoded:
            block = history.recent(cursor.next, max(1, WRITE_BYTES // history.frame_bytes))
            if block is None:
                return False
            encoded[key] = block.count, self._encode(block)
        count, data = encoded[key]
        if not self.link.push(data):
            return False
        cursor.advance(count)
        return cursor.next == history.head

    async def serve(self) -> None:
        """Send everything from the first progress to the close; ends when the session or the viewer does.

        Raises
        ------
        ConnectionLostError
            The viewer has gone.
        """
        try:
            await self._wait_until_ready()
            if self.run.session is not None and self.run.state != "failed":
                await self._introduce(self.run.session)
                if isinstance(self.run, PacedRun):
                    await self._follow(self.run)
                elif isinstance(self.run, LosslessRun):
                    await self._take_all(self.run)
            if self.run.error is not None:
                raise self.run.error
        except VPError as problem:
            await refuse(self.link, problem)
            return
        if self.run.state == "stopped":
            await self.link.write_close(CLOSE_GOING_AWAY, "the session was stopped")
            return
        await self._send_status()
        await self.link.write_text(protocol.end(self.cursor.sent, self.cursor.missed, self.run.facts.clock_ns))
        await self.link.write_close(CLOSE_NORMAL, "the session is over")

    async def _wait_until_ready(self) -> None:
        while self.run.state == "loading":
            loading = self.run.loading
            await self.link.write_text(
                protocol.progress(
                    loading.phase, loading.records_done, loading.records_total, loading.records_per_second
                )
            )
            await self.run.bell.wait()

    async def _introduce(self, session: Session) -> None:
        layout = session.layout
        self._source_bytes = layout.message_bytes
        if self.request.fields is not None:
            projection = layout.project(self.request.fields)
            layout = projection.layout
            self._projector = projection
        self._frame_bytes = layout.message_bytes
        config = protocol.runtime_config(self.request, self.run.id, session.info.to_json(), layout.describe())
        await self.link.write_text(config)
        await self.link.write(header(len(layout.schema_message)) + layout.schema_message)

    async def _follow(self, run: PacedRun) -> None:
        """Send a shared session's frames: the history, then each as it comes."""
        while run.history is None and not run.over:
            await run.bell.wait()
        if run.history is None:
            return
        history = run.history
        await self._begin(run, history)
        while True:
            await self._send_status_when_due()
            over = run.over  # looked at first: what came before the end is sent
            cursor = self.cursor
            missed = cursor.missed
            due = cursor.due(history.oldest, history.head, history.age_seconds(cursor.next))
            if cursor.missed > missed:
                await self.link.write_text(protocol.missed(cursor.missed - missed, cursor.missed))
            if due:
                await self._send_held(history, due)
            elif over:
                return
            else:
                await self._wait(run)

    async def _wait(self, run: PacedRun) -> None:
        """Wait among those whom the run pushes frames to, until there is something to look at."""
        self._awake.clear()
        run.waiting.add(self)
        try:
            await self._awake.wait()
        finally:
            run.waiting.discard(self)

    async def _begin(self, run: PacedRun, history: History) -> None:
        """Place the cursor: behind what the viewer has, or the recent history; and say what will come.

        Who was away for long gets RESUME_FRAMES: the rest it fetches from the history, which is faster by far.
        """
        past = run.past
        after = self.request.after
        if past is None:
            return
        resumes = after is not None and after[0] == run.id
        if after is not None and resumes:
            lacking = await asyncio.to_thread(past.after_event, after[1])
            first = max(lacking, history.head - RESUME_FRAMES)
        else:
            lacking = first = await asyncio.to_thread(past.to_join)
        oldest = history.oldest
        hole = resumes and (first > lacking or (oldest > 0 and first == oldest))
        oldest_event = await asyncio.to_thread(past.event_id, oldest) if oldest < history.head else None
        self.cursor = Cursor(first, history.head)
        await self.link.write_text(
            protocol.history(frames=history.head - first, oldest_event_id=oldest_event, hole=hole)
        )

    async def _send_held(self, history: History, due: int) -> None:
        cursor = self.cursor
        block = history.recent(cursor.next, min(due, max(1, WRITE_BYTES // history.frame_bytes)))
        if block is None:
            most = min(due, max(1, READ_BYTES // history.frame_bytes))
            block = await asyncio.to_thread(history.read, cursor.next, most)
        if block is None:
            return  # dropped meanwhile; the cursor will jump
        await self._write(self._encode(block), block.count)
        cursor.advance(block.count)
        if due > block.count:
            await asyncio.sleep(0)  # let the other viewers have their turn

    def _encode(self, block: Block) -> memoryview:
        """Frames as this viewer gets them."""
        if self._projector is None:
            return block.data
        messages = unpack(block.data, self._source_bytes)
        return pack(project(messages, self._projector, self._frame_bytes)).reshape(-1).data

    async def _take_all(self, run: LosslessRun) -> None:
        """Send every frame of a run of the viewer's own."""
        while True:
            await self._send_status_when_due()
            over = run.over
            packed = run.take()
            if packed is not None:
                await self._write(packed.reshape(-1).data, len(packed))
                self.cursor.advance(len(packed))
                await asyncio.sleep(0)
            elif over:
                return
            else:
                await run.bell.wait()

    async def _write(self, data: memoryview, count: int) -> None:
        """Write `count` packed frames in pieces; whole frames, as a ping may come between two pieces."""
        frame_bytes = len(data) // count
        step = max(1, WRITE_BYTES // frame_bytes) * frame_bytes
        for start in range(0, len(data), step):
            await self.link.write(data[start : start + step])

    async def _send_status_when_due(self) -> None:
        now = time.monotonic()
        if now >= self._status_at:
            self._status_at = now + STATUS_SECONDS
            await self._send_status()

    async def _send_status(self) -> None:
        facts = self.run.facts
        await self.link.write_text(
            protocol.status(
                viewers=self.run.viewers,
                lag_seconds=facts.lag_seconds,
                frames_sent=self.cursor.sent,
                frames_missed=self.cursor.missed,
                anomalies=facts.anomalies,
                clock_ns=facts.clock_ns,
                records_done=facts.records_done,
                records=facts.records,
                server_time_ns=time.time_ns(),
            )
        )
