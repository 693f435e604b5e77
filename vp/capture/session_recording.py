"""One session's recording: connect, record, and connect again, with proof or a gap between."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from vp.capture.announcements import Announcements
from vp.capture.connection import Connection, ConnectionEnd, ConnectionLostError, is_final
from vp.capture.day import STOPPED, WHOLE_SESSION, CaptureDay
from vp.capture.segment import Beginning, NotBridgedError, Segment, SkippedRecordsError
from vp.capture.segment_file import SegmentFile
from vp.capture.stream_scan import (
    CONNECTION_LIMIT,
    INVALID_SUBSCRIPTION,
    REPLAY_AGED_OUT,
    SKIPPED_RECORDS,
    UNKNOWN_SYMBOL,
)
from vp.errors import ApiKeyError, CaptureError, FeedDamagedError, VPError
from vp.files import NO_ROOM

if TYPE_CHECKING:
    from vp.capture.recorder import Recorder

SYNC_SECONDS = 1.0
LOOK_SECONDS = 0.2
LATE_NS = 5_000_000_000  # after a session's end, for which what is stamped before it may still come


class _OtherDayError(Exception):
    """There is something to go on from on the feed's day, which is not this machine's."""


class SessionRecording:
    """Records one session, connection after connection, until the next one has taken over.

    Parameters
    ----------
    recorder : Recorder
    day : CaptureDay
    is_first : bool
        Whether it begins as the plan says; a later one begins with a snapshot, or with what it has brought.

    Attributes
    ----------
    feed_time_ns : int
        The latest time that the feed told.
    has_successor : bool
    is_sound : asyncio.Event
        Set once what it records can be played.
    """

    def __init__(self, recorder: Recorder, day: CaptureDay, *, is_first: bool) -> None:
        self.feed_time_ns = 0
        self.has_successor = False
        self.is_sound = asyncio.Event()
        self._recorder = recorder
        self._plan = recorder.plan
        self._day = day
        recorder.show(day.live)
        self._is_first = is_first
        self._successor: SessionRecording | None = None
        self._break_ns = 0  # of the last record before what is missing; 0: nothing is
        self._reason = ""
        self._can_bridge = True
        self._segment: Segment | None = None
        self._announce = Announcements(recorder.plan, recorder.health, recorder.say)

    @property
    def segment(self) -> Segment | None:
        """What the connection that there is brings."""
        return self._segment

    @property
    def is_broken(self) -> bool:
        """Whether something is missing that has not come again."""
        return self._break_ns > 0

    @property
    def is_over(self) -> bool:
        """Whether the feed has come to the session's end."""
        return self.feed_time_ns >= self._day.window.end_ns

    def hand_over_to(self, later: SessionRecording) -> None:
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
        except VPError as error:
            self._recorder.fail(error)
            raise
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
        connection = self._recorder.connection(self._receive)
        self._announce.connecting(beginning)
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
        self._announce.refusals(segment)
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
            self._announce.refusals(segment)
            self._announce.silence(segment)
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
        assert self._segment is not None
        try:
            return self._day.open_file(now_ns, self._segment.beginning)
        except OSError as error:
            raise CaptureError(
                f"No segment can be begun in {self._plan.directories[0]}: {error.strerror or error}.",
                hint="Make room or see to its rights, and start again.",
            ) from error

    def _receive(self, data: memoryview) -> None:
        segment = self._segment
        assert segment is not None
        arrived_at, arrived_ns = time.monotonic(), self._recorder.now_ns()
        records = segment.scan.records
        try:
            segment.receive(data)
        finally:
            health = self._recorder.health
            health.arrived(len(data), segment.scan.records - records, segment.newest, arrived_ns)
            if segment.brought_market:
                health.market_came()
            self.feed_time_ns = max(self.feed_time_ns, segment.feed_time_ns)
            if segment.has_market:
                self._write_down(segment)
            self._day.live.update(segment, arrived_at)

    def _write_down(self, segment: Segment) -> None:
        self._announce.recording(segment)
        if segment.bridged_at_ns and self._break_ns:
            self._day.bridged(segment, self._break_ns, self._reason)
            self._day.live.close_gap(segment.bridged_at_ns, bridged=True)
            self._announce.bridged(self._break_ns, segment.bridged_at_ns)
            self._break_ns = 0
        elif segment.is_sound and self._break_ns and segment.overlap is None:
            end_ns = max(segment.scan.received_ns[0], self._break_ns)
            self._day.gap(segment, self._break_ns, end_ns, self._reason)
            self._day.live.close_gap(end_ns, bridged=False)
            self._announce.missing(self._break_ns, end_ns, self._reason)
            self._break_ns = 0
        if segment.is_sound:
            self._can_bridge = True
            self.is_sound.set()

    def _leave(self, end: ConnectionEnd) -> None:
        """Finish the segment of a connection that is over; raises what ends the recording."""
        segment, self._segment = self._segment, None
        assert segment is not None
        asked = self._recorder.is_stopping or self._is_handed_over()
        reason = STOPPED if self._recorder.is_stopping else WHOLE_SESSION
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
        self._announce.lost(end.reason)

    def _missing_since(self, clock_ns: int, reason: str) -> None:
        if not self._break_ns:
            self._break_ns, self._reason = clock_ns, reason or "the recorder was not running"
            self._day.live.open_gap(self._break_ns, self._reason)


def _sync(file: SegmentFile) -> None:
    with suppress(OSError):  # the next write tells
        file.sync()
