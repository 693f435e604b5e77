"""What the signal was worth in a session so far, for the page."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vp.errors import VPError
from vp.server.faults import unexpected
from vp.server.routes.history import NO_STORE, held_history, refusal
from vp.server.routes.request_query import RequestQuery
from vp.server.runs.hub import Hub
from vp.study.foresight import block_seconds
from vp.study.running_samples import RunningSamples
from vp.study.samples import MAIN_HORIZON_SECONDS, MAIN_TARGET
from vp.study.track_record import TrackRecord, track_record
from vp.study.verdict import LEAST_BLOCKS

LEAST_SECONDS = 2.0
COMPUTING_SHARE = 0.05  # of the time, at the most, is spent on one session's figures, however many ask


@dataclass(frozen=True)
class _Made:
    """Figures, which sample was the last of them, and until when they are given out without a look."""

    last_ns: int
    body: dict[str, Any]
    holds_until_seconds: float


class TrackRecordRoute:
    """The handler of /track-record.

    Parameters
    ----------
    hub : Hub
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turn = asyncio.Semaphore(1)
        self._made: WeakKeyDictionary[RunningSamples, _Made] = WeakKeyDictionary()  # of sessions that are held
        self._making: dict[RunningSamples, asyncio.Task[_Made]] = {}

    async def answer(self, request: Request) -> Response:
        """The figures of the session that the query names; those who ask meanwhile wait together."""
        try:
            query = RequestQuery(request, ("session_id",))
            session_id = query.text("session_id", "")
            sampler = held_history(self._hub, session_id).sampler
            assert sampler is not None
            samples = sampler.samples
            made = self._made.get(samples)
            if made is None or time.monotonic() > made.holds_until_seconds:
                task = self._making.get(samples) or self._begin(samples)
                made = await asyncio.shield(task)
            return JSONResponse({"session_id": session_id, **made.body}, headers=NO_STORE)
        except VPError as problem:
            return refusal(problem)
        except Exception as error:  # whatever it is, it is told as all others are  # noqa: BLE001
            return refusal(unexpected(error, "The track record"))

    def _begin(self, samples: RunningSamples) -> asyncio.Task[_Made]:
        async def make() -> _Made:
            async with self._turn:
                return await asyncio.to_thread(_make, samples, self._made.get(samples))

        def keep(task: asyncio.Task[_Made]) -> None:
            del self._making[samples]
            if not task.cancelled() and task.exception() is None:
                self._made[samples] = task.result()

        task = self._making[samples] = asyncio.create_task(make())
        task.add_done_callback(keep)
        return task


def _make(running: RunningSamples, before: _Made | None) -> _Made:
    began = time.monotonic()
    samples = running.samples()
    last_ns = int(samples.times_ns[-1]) if len(samples) else 0
    same = before is not None and before.last_ns == last_ns
    body = before.body if before is not None and same else described(track_record(samples))
    now = time.monotonic()
    return _Made(last_ns, body, now + max(LEAST_SECONDS, (now - began) / COMPUTING_SHARE))


def described(record: TrackRecord) -> dict[str, Any]:
    """The figures as JSON has them (docs/protocol.md)."""
    return {
        "horizon_seconds": MAIN_HORIZON_SECONDS,
        "block_seconds": block_seconds(MAIN_TARGET),
        "least_blocks": LEAST_BLOCKS,
        **asdict(record),
        "from_ns": None if record.from_ns is None else str(record.from_ns),
        "until_ns": None if record.until_ns is None else str(record.until_ns),
    }
