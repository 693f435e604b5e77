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
from dataclasses import dataclass, replace
from typing import Any

from vp.capture.backoff import Backoff
from vp.capture.connection import Connection, ConnectionEnd, ConnectionLostError, is_final
from vp.capture.day import CaptureDay, finish_earlier_days
from vp.capture.live_segments import LiveDay
from vp.capture.plan import CapturePlan
from vp.capture.segment import Beginning, NotBridgedError, Segment, SkippedRecordsError
from vp.capture.segment_file import SegmentFile
from vp.capture.stream_scan import (
    CONNECTION_LIMIT,
    INVALID_SUBSCRIPTION,
    REPLAY_AGED_OUT,
    SKIPPED_RECORDS,
    UNKNOWN_SYMBOL,
)
from vp.errors import ApiKeyError, CaptureError, FeedDamagedError
from vp.files import NO_ROOM
from vp.market.session_hours import from_ns

HEARTBEAT_SECONDS = 10
SYNC_SECONDS = 1.0
LOOK_SECONDS = 0.2
DAYS_KEPT = 3
LATE_NS = 5_000_000_000  # after a session's end, for which what is stamped before it may still come

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedNews:
    """Something that happened to the feed, for people.

    Attributes
    ----------
    kind : str
        connecting, recording, break, bridged, gap, warning, session.
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
    now_ns : callable
        The machine's time, ns UTC: for the session that is taken for today's until the feed has told its time.

    Attributes
    ----------
    days : dict of datetime.date to LiveDay
        What it has recorded of the latest DAYS_KEPT sessions, for other threads to read.
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
        self._stopping = asyncio.Event()
        self._attempted_at: float | None = None
        self._has_finished_earlier_days = False
        self._running: _Day | None = None
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
        running = self._running = _Day(self, day, is_first=True)
        tasks = {asyncio.create_task(running.record())}
        try:
            while tasks and not self._stopping.is_set():
                done, tasks = await asyncio.wait(tasks, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if running.is_over and not running.has_successor:
                    later = _Day(self, CaptureDay(self.plan, self.plan.window_at(running.feed_time_ns)), is_first=False)
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

        `state` is connecting, waiting (for the next attempt), snapshot, catching_up or live; `behind_seconds` tells how
        far catching up has to go.
        """
        running = self._running
        segment = None if running is None else running.segment
        time_ns = 0 if running is None else running.feed_time_ns
        if segment is None or segment.file is None:
            state = "waiting" if self._last.kind == "break" else "connecting"
        elif not segment.caught_up:
            state = "catching_up"
        else:
            state = "live" if segment.is_sound else "snapshot"
        clock_ns = 0 if segment is None else segment.scan.clock_ns
        behind_ns = time_ns - clock_ns if state == "catching_up" and clock_ns else 0
        return {
            "state": state,
            "dataset": self.plan.dataset,
            "symbols": self.plan.asked,
            "time_ns": str(time_ns) if time_ns else None,
            "behind_seconds": round(behind_ns / 1e9, 3),
            "breaks": self._counts["break"],
            "gaps": self._counts["gap"],
            "last": self._last.text,
        }

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


class _OtherDayError(Exception):
    """There is something to go on from on the feed's day, which is not this machine's."""


class _Day:
    """One session at work."""

    def __init__(self, recorder: Recorder, day: CaptureDay, *, is_first: bool) -> None:
        self.feed_time_ns = 0
        self.has_successor = False
        self.is_sound = asyncio.Event()
        self._recorder = recorder
        self._plan = recorder.plan
        self._day = day
        recorder.show(day.live)
        self._is_first = is_first
        self._successor: _Day | None = None
        self._break_ns = 0  # of the last record before what is missing; 0: nothing is
        self._reason = ""
        self._can_bridge = True
        self._segment: Segment | None = None
        self._told: set[str] = set()
        self._wrote_begin = False

    @property
    def segment(self) -> Segment | None:
        """What the connection that there is brings."""
        return self._segment

    @property
    def is_over(self) -> bool:
        """Whether the feed has come to the session's end."""
        return self.feed_time_ns >= self._day.window.end_ns

    def hand_over_to(self, later: _Day) -> None:
        """End once the next session's recording has begun."""
        self._successor = later
        self.has_successor = True

    async def record(self) -> None:
        """Connect, record, and connect again."""
        backoff = self._recorder.backoff()
        if self._day.last is not None:
            self._missing_since(self._day.last.reached_ns, self._day.ended)
        try:
            while not self._is_handed_over() and await self._recorder.pause(backoff):
                try:
                    end = await self._connect()
                    end = replace(end, reason=self._recorder.without_key(end.reason))
                except CaptureError as error:
                    with suppress(OSError):  # of a full disk too; the next start finishes what this one cannot
                        assert self._segment is not None
                        self._day.finish(self._segment, error.message.removesuffix("."))
                    raise
                if self._segment is not None and self._segment.has_market:
                    backoff.succeeded()
                self._leave(end)
        finally:
            self._day.close()

    def _beginning(self) -> Beginning:
        last = self._day.last
        if self._break_ns and last is not None and self._can_bridge:
            start_ns = last.replay_from_ns()
            must_repeat = {} if start_ns is None else last.tail(start_ns)
            if must_repeat:  # without that nothing could be proven
                return Beginning(start_ns, snapshot=False, after=last, must_repeat=must_repeat)
        if self._break_ns or not self._is_first:
            if self._plan.has_snapshots:
                return Beginning(None, snapshot=True, after=last if self._break_ns else None)
            return Beginning(None if self._break_ns else self._day.window.start_ns, snapshot=False)
        start_ns = self._plan.start_ns(self._day.window)
        return Beginning(start_ns, snapshot=start_ns is None)

    async def _connect(self) -> ConnectionEnd:
        """One connection, to its end."""
        beginning = self._beginning()
        segment = self._segment = Segment(beginning, self._open_file)
        self._wrote_begin = False
        connection = self._recorder.connection(self._receive)
        how = "with the book as it is" if beginning.snapshot else "from now on"
        if beginning.start_ns is not None:
            how = (
                "from the beginning of the week" if not beginning.start_ns else f"from {_clock(beginning.start_ns)} on"
            )
        self._recorder.say("connecting", f"{', '.join(self._plan.asked)} of {self._plan.dataset}, {how}.")
        try:
            await connection.start(self._plan.symbols, beginning.start_ns, snapshot=beginning.snapshot)
        except ConnectionLostError as error:
            return error.end
        watching = asyncio.create_task(self._watch(connection))
        try:
            end = await connection.ended()
        except NotBridgedError:
            self._can_bridge = False
            end = ConnectionEnd("the replay does not hold what was recorded last")
        except SkippedRecordsError:
            end = ConnectionEnd("the gateway left out records, because it was read too slowly")
        except _OtherDayError:
            end = ConnectionEnd("the feed is at another day than this machine")
        except FeedDamagedError as error:
            end = ConnectionEnd(error.message.removesuffix("."))
        finally:
            watching.cancel()
            connection.close()
            with suppress(asyncio.CancelledError):
                await watching
        return self._end_with(segment, end)

    def _end_with(self, segment: Segment, end: ConnectionEnd) -> ConnectionEnd:
        """The end, as the error tells it that the gateway stated before."""
        fatal = next((one for one in segment.refusals if one.code not in {UNKNOWN_SYMBOL, SKIPPED_RECORDS}), None)
        self._tell_refusals(segment)
        if fatal is None or self._recorder.is_stopping:
            return end
        if fatal.code == REPLAY_AGED_OUT or (fatal.code == INVALID_SUBSCRIPTION and segment.beginning.start_ns):
            self._can_bridge = False
        wait = ", and waits for another to end" if fatal.code == CONNECTION_LIMIT else ""
        return ConnectionEnd(f"the gateway said: {fatal.text}{wait}", fatal.code, is_final(fatal.code))

    async def _watch(self, connection: Connection) -> None:
        """Sync what is written, and close the connection when it is no longer wanted."""
        loop = asyncio.get_running_loop()
        synced_at = loop.time()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._recorder.stopped(), LOOK_SECONDS)
            segment = self._segment
            assert segment is not None
            self._tell_refusals(segment)
            if self._recorder.is_stopping or self._is_handed_over():
                connection.close()
                return
            if segment.file is not None and loop.time() - synced_at >= SYNC_SECONDS:
                await asyncio.to_thread(_sync, segment.file)
                synced_at = loop.time()

    def _is_handed_over(self) -> bool:
        later = self._successor
        return (
            later is not None
            and later.is_sound.is_set()
            and (max(self.feed_time_ns, later.feed_time_ns) >= self._day.window.end_ns + LATE_NS)
        )

    def _open_file(self, time_ns: int | None) -> SegmentFile:
        now_ns = time_ns or self._recorder.now_ns()
        if self._is_first and self._day.last is None and not self._break_ns:
            window = self._plan.window_at(now_ns)
            if window != self._day.window:  # the machine's own clock says another day than the feed's
                self._day.close()
                self._recorder.days.pop(self._day.date, None)
                self._day = CaptureDay(self._plan, window)
                self._recorder.show(self._day.live)
                if self._day.last is not None:
                    self._missing_since(self._day.last.reached_ns, self._day.ended)
                    raise _OtherDayError
        self._recorder.finish_earlier_days(self._day.date)
        try:
            return self._day.open_file(now_ns)
        except OSError as error:
            raise CaptureError(
                f"No segment can be begun in {self._plan.directories[0]}: {error.strerror or error}.",
                hint="Make room or see to its rights, and start again.",
            ) from error

    def _receive(self, data: memoryview) -> None:
        segment = self._segment
        assert segment is not None
        try:
            segment.receive(data)
        finally:
            self.feed_time_ns = max(self.feed_time_ns, segment.feed_time_ns)
            if segment.has_market:
                self._write_down(segment)
            self._day.live.update(segment)

    def _write_down(self, segment: Segment) -> None:
        if not self._wrote_begin:
            self._wrote_begin = True
            self._day.begun(segment)
            assert segment.file is not None
            self._recorder.say("recording", f"to {segment.file.path}")
        if segment.bridged_at_ns and self._break_ns:
            self._day.bridged(segment, self._break_ns, self._reason)
            until = _clock(segment.bridged_at_ns)
            self._recorder.say("bridged", f"What was missing from {_clock(self._break_ns)} to {until} has come again.")
            self._break_ns = 0
        elif segment.is_sound and self._break_ns and segment.overlap is None:
            end_ns = max(segment.scan.received_ns[0], self._break_ns)
            self._day.gap(segment, self._break_ns, end_ns, self._reason)
            self._recorder.say(
                "gap", f"From {_clock(self._break_ns)} to {_clock(end_ns)} the feed is missing: {self._reason}."
            )
            self._break_ns = 0
        if segment.is_sound:
            self._can_bridge = True
            self.is_sound.set()

    def _leave(self, end: ConnectionEnd) -> None:
        """Finish the segment of a connection that is over; raises what ends the recording."""
        segment, self._segment = self._segment, None
        assert segment is not None
        asked = self._recorder.is_stopping or self._is_handed_over()
        reason = "the recorder was stopped" if self._recorder.is_stopping else "the session was over"
        reason = reason if asked else end.reason
        try:
            self._day.finish(segment, reason)
        except OSError as error:
            what = "is full" if error.errno in NO_ROOM else f"fails ({error.strerror})"
            raise CaptureError(
                f"The disk of {self._plan.directories[0]} {what}; the recording ends at its last whole record.",
                hint="Make room, and start again: the recording goes on from there.",
            ) from error
        if asked:
            return
        if segment.has_market and self._day.last is not None:
            self._missing_since(self._day.last.reached_ns, end.reason)
        if end.is_final:
            raise ApiKeyError(
                f"The gateway refuses the key of DATABENTO_API_KEY: {end.reason}.",
                hint="Look in Databento's portal at the key and what it may do, and start again.",
            )
        self._recorder.say("break", f"{end.reason[:1].upper()}{end.reason[1:]}.")

    def _missing_since(self, clock_ns: int, reason: str) -> None:
        if not self._break_ns:
            self._break_ns, self._reason = clock_ns, reason or "the recorder was not running"

    def _tell_refusals(self, segment: Segment) -> None:
        for refusal in list(segment.refusals):
            if refusal.text not in self._told:
                self._told.add(refusal.text)
                self._recorder.say("warning", f"The gateway says: {refusal.text}.")


def run_until_signalled(recorder: Recorder) -> None:
    """Record until SIGINT or SIGTERM; raises as Recorder.run."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # where a loop has no signals, the program is interrupted
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, recorder.stop)
        await recorder.run()

    asyncio.run(run())


def _sync(file: SegmentFile) -> None:
    with suppress(OSError):  # the next write tells
        file.sync()


def _clock(time_ns: int) -> str:
    return f"{from_ns(time_ns):%Y-%m-%d %H:%M:%S} UTC"


def _log_quietly(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    log.debug("asyncio: %s", context.get("message"))
