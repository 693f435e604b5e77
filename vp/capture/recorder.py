"""Recording a live feed for as long as it is wanted: session after session, break after break."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vp.capture.backoff import Backoff
from vp.capture.connection import Connection
from vp.capture.day import CaptureDay, finish_earlier_days
from vp.capture.feed_health import SILENT_SECONDS, FeedHealth, FeedState
from vp.capture.live_segments import LiveDay
from vp.capture.plan import CapturePlan
from vp.capture.segment import Segment
from vp.capture.session_recording import SessionRecording
from vp.errors import VPError

HEARTBEAT_SECONDS = 10
LOOK_SECONDS = 0.2
DAYS_KEPT = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedNews:
    """Something that happened to the feed, for people.

    Attributes
    ----------
    kind : str
        connecting, recording, silent, break, bridged, gap, warning.
    text : str
        A sentence.
    """

    kind: str
    text: str


class Recorder:
    """Records a plan.

    Parameters
    ----------
    plan : CapturePlan
    key : str
    gateway : (str, int) or None
        Host and port; None: Databento's own.
    tell : callable
        Is told the news.
    heartbeat_seconds, patience_seconds : int, float
        As Connection's.
    backoff_scale : float
        As Backoff's.
    silent_seconds : float
        As FeedHealth's.
    now_ns : callable
        The machine's time, ns UTC: for the session that is taken for today's until the feed has told its time.

    Attributes
    ----------
    days : dict of datetime.date to LiveDay
        What it has recorded of the latest DAYS_KEPT sessions, for other threads to read.
    health : FeedHealth
    """

    def __init__(
        self,
        plan: CapturePlan,
        key: str,
        gateway: tuple[str, int] | None,
        tell: Callable[[FeedNews], None],
        *,
        heartbeat_seconds: int = HEARTBEAT_SECONDS,
        patience_seconds: float = 10.0,
        backoff_scale: float = 1.0,
        silent_seconds: float = SILENT_SECONDS,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.plan = plan
        self._key = key
        self._gateway = gateway
        self._tell = tell
        self._heartbeat_seconds = heartbeat_seconds
        self._patience_seconds = patience_seconds
        self._backoff_scale = backoff_scale
        self._now_ns = now_ns
        self.days: dict[dt.date, LiveDay] = {}
        self.health = FeedHealth(silent_seconds)
        self._failure = ""
        self._stopping = asyncio.Event()
        self._attempted_at: float | None = None
        self._has_finished_earlier_days = False
        self._running: SessionRecording | None = None
        self._last = FeedNews("connecting", "")
        self._counts: Counter[str] = Counter()

    def stop(self) -> None:
        """End soon, and well."""
        self._stopping.set()

    async def run(self) -> None:
        """Record until `stop`.

        Raises
        ------
        ApiKeyError
            The gateway refuses the key.
        CaptureError
            The disk cannot take more, or somebody else records the same.
        """
        asyncio.get_running_loop().set_exception_handler(_log_quietly)
        day = CaptureDay(self.plan, self.plan.window_at(self._now_ns()))
        running = self._running = SessionRecording(self, day, is_first=True)
        tasks = {asyncio.create_task(running.record())}
        try:
            while tasks and not self._stopping.is_set():
                done, tasks = await asyncio.wait(tasks, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if running.is_over and not running.has_successor:
                    later = SessionRecording(
                        self, CaptureDay(self.plan, self.plan.window_at(running.feed_time_ns)), is_first=False
                    )
                    running.hand_over_to(later)
                    running = self._running = later
                    tasks.add(asyncio.create_task(running.record()))
        finally:
            self._stopping.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    # What days use.

    async def pause(self, backoff: Backoff) -> bool:
        """Wait until the next attempt may be made; False: the recording is to stop."""
        loop = asyncio.get_running_loop()
        if self._attempted_at is not None:
            seconds = backoff.next_seconds(loop.time() - self._attempted_at)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
        self._attempted_at = loop.time()
        return not self._stopping.is_set()

    def connection(self, receive: Callable[[memoryview], None]) -> Connection:
        """A connection that is not made yet."""
        return Connection(
            self._gateway, self._key, self.plan.dataset, self._heartbeat_seconds, receive,
            patience_seconds=self._patience_seconds,
        )  # fmt: skip

    def say(self, kind: str, text: str) -> None:
        """Tell the news, and log them."""
        news = self._last = FeedNews(kind, self.without_key(text))
        self._counts[kind] += 1
        log.info("%s: %s", news.kind, news.text)
        self._tell(news)

    def without_key(self, text: str) -> str:
        """A text that may repeat what the gateway said."""
        return text.replace(self._key, "(the key)")

    def describe(self) -> dict[str, Any]:
        """The state of the feed, by name; for any thread.

        docs/protocol.md says what each name tells.
        """
        running = self._running
        segment = None if running is None else running.segment
        time_ns = 0 if running is None else running.feed_time_ns
        state = self._state(running, segment)
        clock_ns = 0 if segment is None else segment.scan.clock_ns
        behind_ns = time_ns - clock_ns if state is FeedState.CATCHING_UP and clock_ns else 0
        return {
            "state": state,
            "text": self._failure or self._last.text,
            "dataset": self.plan.dataset,
            "symbols": self.plan.asked,
            "time_ns": str(time_ns) if time_ns else None,
            "behind_seconds": round(behind_ns / 1e9, 3),
            "silent_seconds": round(self.health.silent_seconds, 1),
            "breaks": self._counts["break"],
            "gaps": self._counts["gap"],
            "bytes": self.health.bytes,
            "records": self.health.records,
            "latency": self.health.latency(),
        }

    @property
    def state(self) -> FeedState:
        """The same by itself."""
        running = self._running
        return self._state(running, None if running is None else running.segment)

    def _state(self, running: SessionRecording | None, segment: Segment | None) -> FeedState:
        if self._failure:
            return FeedState.STOPPED
        if running is None or segment is None or segment.file is None:
            return FeedState.GAP if running is not None and running.is_broken else FeedState.CONNECTING
        if not segment.caught_up:
            return FeedState.CATCHING_UP
        if not segment.is_sound:
            return FeedState.SNAPSHOT
        return FeedState.SILENT if self.health.is_silent else FeedState.LIVE

    def fail(self, error: BaseException) -> None:
        """Have others know why it ends, before they see that it does."""
        if not self._failure:
            told = str(error) if isinstance(error, VPError) else f"The recorder failed: {error!r}."
            self._failure = self.without_key(told)

    def show(self, live: LiveDay) -> None:
        """Let others see a session's recording."""
        kept = sorted({**self.days, live.date: live}.items())[-DAYS_KEPT:]
        self.days = dict(kept)

    def finish_earlier_days(self, today: dt.date) -> None:
        """Finish what killed recorders left of other days, once the feed has told which day it is."""
        if not self._has_finished_earlier_days:
            self._has_finished_earlier_days = True
            finish_earlier_days(self.plan, today)

    def backoff(self) -> Backoff:
        """How to wait between attempts."""
        return Backoff(self._backoff_scale)

    def now_ns(self) -> int:
        """The machine's time."""
        return self._now_ns()

    @property
    def is_stopping(self) -> bool:
        """Whether the recording is to end."""
        return self._stopping.is_set()

    async def stopped(self) -> None:
        """Wait for `stop`."""
        await self._stopping.wait()


def run_until_signalled(recorder: Recorder) -> None:
    """Record until SIGINT or SIGTERM; raises as Recorder.run."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # where a loop has no signals, the program is interrupted
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, recorder.stop)
        await recorder.run()

    asyncio.run(run())


def _log_quietly(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    log.debug("asyncio: %s", context.get("message"))
