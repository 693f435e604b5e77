"""What a run leaves behind of memory and of frames, while it is watched and when it is over."""

from __future__ import annotations

import asyncio
import gc
import platform
import threading
import time
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.vp.server.hubs import OWN, Record, in_hub, until, watch
from tests.vp.server.live_feeds import TinyFeed, TinyRecording
from tests.vp.server.runs.memory import private_kib
from tests.vp.server.tiny import DEFAULTS, LAYOUT, TinySession, even_clocks
from vp.errors import DamagedFileError
from vp.model.engine import FrameBatch
from vp.server.history.frame_spool import SLOT_BYTES, FrameSpool
from vp.server.history.frame_store import MEMORY_BYTES
from vp.server.runs.hub import Hub
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.live_run import LiveRun
from vp.server.runs.pacing import NS
from vp.server.runs.shared_run import SharedRun
from vp.server.stream.encoding import FrameEncoder
from vp.server.stream.packing import header, unpack
from vp.server.stream.snapshot import RunState

HELD: list[bytes] = []


def test_a_shared_run_holds_no_more_frames_in_memory_than_it_may(tmp_path: Path) -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=1e6))
        assert isinstance(run, SharedRun)
        await until(lambda: run.state is RunState.ENDED)  # nobody has left: nothing was put away for that
        assert run.history is not None
        frames = run.history.frames
        total = (frames.head - frames.oldest) * frames.frame_bytes
        assert frames.head == 4000
        assert total > 2 * MEMORY_BYTES
        assert hub.history_bytes() == frames.disk_bytes > total - MEMORY_BYTES // 2 - 2 * SLOT_BYTES  # the older half
        hub.leave(run)

    spool = FrameSpool(tmp_path, floor_bytes=0)
    in_hub(body, lambda _request: TinySession(even_clocks(4000)), spool=spool)


@dataclass
class Halted(TinySession):
    """A session that stands still where its history begins."""

    reached: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def take_context(self) -> FrameBatch:
        self.reached.set()
        self.may_go_on.wait(10)
        return super().take_context()


def test_viewers_are_told_of_a_session_once_it_has_a_history() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(DEFAULTS)
        await until(session.reached.is_set)
        assert run.state is RunState.LOADING
        session.may_go_on.set()
        await until(lambda: run.state is not RunState.LOADING)
        assert hub.history(run.id) is not None
        assert run.held(0) is not None
        hub.leave(run)

    session = Halted(even_clocks(9))
    in_hub(body, lambda _request: session)


def test_viewers_who_come_together_get_the_same_frames_from_one_place() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=1e6))
        assert isinstance(run, SharedRun)
        await until(lambda: run.state is RunState.ENDED)
        every, few = FrameEncoder(LAYOUT, None), FrameEncoder(LAYOUT, ["pressure"])
        first = await run.read(2, 4, every)
        assert first is not None
        assert await run.read(2, 4, FrameEncoder(LAYOUT, None)) is first
        others = [await run.read(3, 4, every), await run.read(2, 3, every), await run.read(2, 4, few)]
        assert [(one.first, one.count) for one in others if one is not None] == [(3, 4), (2, 3), (2, 4)]
        assert others[2] is not None
        assert len(others[2].data) < len(first.data)
        forgotten = weakref.ref(first)
        del first
        gc.collect()
        assert forgotten() is None  # nobody sends it any more
        hub.leave(run)

    in_hub(body, lambda _request: TinySession(even_clocks(9)))


def test_viewers_who_come_together_have_frames_read_from_disk_once(tmp_path: Path) -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=1e6))
        assert isinstance(run, SharedRun)
        await until(lambda: run.state is RunState.ENDED)
        encoder = FrameEncoder(LAYOUT, None)
        asked = [asyncio.create_task(run.read(2, 4, encoder)) for _ in range(9)]
        await asyncio.sleep(0)
        asked[0].cancel()  # who has begun it leaves: the others get theirs
        blocks = await asyncio.gather(*asked[1:])
        assert blocks[0] is not None
        assert (blocks[0].first, blocks[0].count) == (2, 4)
        assert all(block is blocks[0] for block in blocks)
        hub.leave(run)

    spool = FrameSpool(tmp_path, floor_bytes=0)
    in_hub(body, lambda _request: TinySession(even_clocks(4000)), spool=spool)


@dataclass
class InContext(TinySession):
    """A session whose first three frames are those of before its start."""

    def take_context(self) -> FrameBatch:
        return self.advance(None, 3)


@pytest.mark.parametrize("live", [False, True], ids=["paced", "live"])
def test_frames_of_before_the_start_stay_in_the_history_of_a_session(live: bool) -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=1e6))
        assert isinstance(run, LiveRun) is live
        await until(lambda: run.state is RunState.ENDED)
        history = hub.history(run.id)
        assert history is not None
        assert [history.event_id(n) for n in range(history.frames.oldest, history.frames.head)] == list(range(9))
        hub.leave(run)

    feed = TinyFeed({DEFAULTS.dt: TinyRecording(is_over=True)})
    recordings = LiveRecordings(feed, lambda _request: "MNQ") if live else None
    in_hub(body, lambda _request: InContext(even_clocks(9)), live=recordings)


@dataclass
class NotedRecording(TinyRecording):
    """Notes what is said of the records done by who has all that there is and waits for more; then it is over."""

    run: LiveRun | None = None
    said: list[int] = field(default_factory=list)

    def wait(self, seen: int, seconds: float) -> None:
        assert self.run is not None
        self.said.append(self.run.describe()["records_done"])
        self.is_over = True


def test_a_session_that_has_caught_up_says_so_at_once() -> None:
    recording = NotedRecording()
    session = Halted(even_clocks(200))  # several batches within the time after which facts are noted again

    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(DEFAULTS)
        assert isinstance(run, LiveRun)
        recording.run = run
        session.may_go_on.set()
        await until(lambda: run.state is RunState.ENDED)
        hub.leave(run)

    recordings = LiveRecordings(TinyFeed({DEFAULTS.dt: recording}), lambda _request: "MNQ")
    in_hub(body, lambda _request: session, live=recordings)
    assert recording.said == [200]


def test_time_goes_on_where_no_record_comes_but_not_past_the_next() -> None:
    """Two frames a minute apart, watched in between and at the end."""

    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=30.0))
        await until(lambda: run.facts.records_done == 1)
        seen = []
        while run.facts.records_done == 1:
            seen.append(run.facts)
            await asyncio.sleep(0.05)
        times = [facts.time_ns for facts in seen if facts.time_ns is not None]
        assert times == sorted(times)
        assert len(set(times)) >= 4
        assert {facts.clock_ns for facts in seen} == {clocks[0]}
        assert clocks[0] <= times[0] < clocks[0] + 20 * NS
        assert clocks[0] + 40 * NS < times[-1] <= clocks[1]
        hub.leave(run)

    clocks = [int(clock) for clock in even_clocks(2, step_ms=60_000.0)]
    in_hub(body, lambda _request: TinySession(even_clocks(2, step_ms=60_000.0)))


@dataclass
class Replayed(TinySession):
    """A session of which two and a half minutes come every fiftieth of a second."""

    def advance(self, until_clock_ns: int | None, max_frames: int) -> FrameBatch:
        time.sleep(0.02)
        return super().advance(until_clock_ns, min(max_frames, 150))


def event_ids(seen: Record) -> list[int]:
    """Of the frames that a viewer was sent, behind the schema."""
    schema_bytes = len(LAYOUT.schema_message)
    frames = unpack(memoryview(seen.data)[schema_bytes + len(header(schema_bytes)) :], LAYOUT.message_bytes)
    at = next(column.offset for column in LAYOUT.columns if column.name == "event_id")
    return np.ascontiguousarray(frames[:, at : at + 8]).view(np.int64).reshape(-1).tolist()


def test_of_a_past_that_comes_a_viewer_may_take_the_newest_now_and_then_while_others_take_all() -> None:
    """Four hours in two seconds: what is told of them, and to whom."""
    clocks = even_clocks(15_000, step_ms=1000.0)
    feed = TinyFeed({DEFAULTS.dt: TinyRecording(is_over=True)}, time_ns=str(clocks[-1]))

    async def body(hub: Hub) -> tuple[Record, Record]:
        return await asyncio.gather(watch(hub, replace(DEFAULTS, sparse=True)), watch(hub, DEFAULTS))

    recordings = LiveRecordings(feed, lambda _request: "MNQ")
    sparse, whole = in_hub(body, lambda _request: Replayed(clocks), live=recordings)
    for seen in (sparse, whole):
        events, end = event_ids(seen), seen.texts[-1]
        assert end["type"] == "end"
        assert end["frames_sent"] == len(events)
        assert end["frames_sent"] + end["frames_missed"] == 15_000
        assert events == sorted(set(events))
        assert events[-1] == 14_999, "the newest is never missed"
    past = [len([event for event in event_ids(seen) if 5000 < event < 14_000]) for seen in (sparse, whole)]
    assert past[1] > 3000  # on a busy machine it may fall behind, and jump
    assert past[0] < past[1] / 10
    told = [text["feed"] for text in sparse.texts if text["type"] == "status" and text["feed"] is not None]
    assert told[0]["state"] == told[-1]["state"] == "live"
    behind = [feed["behind_seconds"] for feed in told if feed["state"] == "catching_up"]
    assert behind == sorted(behind, reverse=True)
    assert behind[0] > 3600


@dataclass
class Unclosable(TinySession):
    """A session that does not let go of what it holds."""

    def close(self) -> None:
        raise OSError(5, "Input/output error")


def test_a_session_that_ends_badly_tells_the_log_and_its_viewers_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=1e6))
        await until(lambda: run.state is RunState.ENDED)
        hub.leave(run)
        run.stop()
        await asyncio.to_thread(run.join, 10)

    with caplog.at_level("WARNING"):
        in_hub(body, lambda _request: Unclosable(even_clocks(9)))
    (record,) = [record for record in caplog.records if record.threadName and record.threadName.startswith("vp-run")]
    assert "session ended badly" in record.getMessage()
    assert record.exc_info is None


class Book:
    """Something large that a call has at hand."""


@dataclass
class Failing(TinySession):
    """A session that fails in a call which has something large at hand, and not by its first fault."""

    expected: bool = True
    held: list[weakref.ref[Book]] = field(default_factory=list)

    def advance(self, until_clock_ns: int | None, max_frames: int) -> FrameBatch:
        book = Book()
        self.held.append(weakref.ref(book))
        batches: dict[str, FrameBatch] = {}
        try:
            return batches["none"]
        except KeyError as error:
            if self.expected:
                raise DamagedFileError("The file is damaged.", path="x") from error
            raise ValueError(id(book)) from error


@pytest.mark.parametrize("expected", [True, False])
def test_an_error_that_is_kept_holds_nothing_of_what_failed(expected: bool) -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        gc.disable()
        try:
            run = hub.join(DEFAULTS)
            await until(lambda: run.state is RunState.FAILED)
            run.stop()
            await asyncio.to_thread(run.join, 10)
            assert run.error is not None
            assert ("unexpectedly" in run.error.message) != expected
            assert [book() for book in session.held] == [None]
        finally:
            gc.enable()
        hub.leave(run)

    session = Failing(even_clocks(9), expected=expected)
    in_hub(body, lambda _request: session)


@pytest.mark.parametrize("speed", [0.0, 1e6])
@pytest.mark.parametrize("end", [RunState.ENDED, RunState.FAILED, RunState.STOPPED])
def test_a_run_that_is_over_holds_no_more_of_its_session_than_what_it_was(end: RunState, speed: float) -> None:
    """Its book may be the largest thing there is, and a run is kept for as long as somebody looks at its frames."""
    made: list[weakref.ref[TinySession]] = []

    def prepare(_request: object) -> TinySession:
        session = Failing(even_clocks(9)) if end is RunState.FAILED else TinySession(even_clocks(9))
        if end is RunState.STOPPED:
            session = Slow(even_clocks(10**4))
        made.append(weakref.ref(session))
        return session

    async def body(hub: Hub) -> None:
        hub.enter()
        gc.disable()
        try:
            run = hub.join(replace(DEFAULTS, speed=speed))
            if end is RunState.STOPPED:
                await until(lambda: run.state is RunState.LIVE)
                run.stop()
            await until(lambda: run.state is end)
            await asyncio.to_thread(run.join, 10)
            assert [session() for session in made] == [None]
            assert run.session is not None
            assert run.describe()["contract"] == run.session.info.contract
            assert run.session.layout is LAYOUT
            assert run.gaps == ()
        finally:
            gc.enable()
        hub.leave(run)

    in_hub(body, prepare)


@dataclass
class Slow(TinySession):
    """A session that needs longer for each frame than passes between two."""

    def advance(self, until_clock_ns: int | None, max_frames: int) -> FrameBatch:
        time.sleep(0.02)
        return super().advance(until_clock_ns, min(max_frames, 1))


def test_a_session_that_falls_behind_says_by_how_much() -> None:
    """A frame every 0.1 s of event time at speed 20 is due in 5 ms and takes 20: of four seconds three are lost."""

    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(replace(DEFAULTS, speed=20.0))
        await until(lambda: run.facts.records_done >= 40)
        behind = run.facts.lag_seconds
        assert behind > 40 * 0.2  # 40 frames took 0.8 s at the least, in which 16 s should have passed, and 4 have
        assert run.describe()["lag_seconds"] == pytest.approx(behind, abs=1.0)
        hub.leave(run)

    in_hub(body, lambda _request: Slow(even_clocks(400, step_ms=100.0)))


@dataclass
class Fragmented(TinySession):
    """A session of many blocks, between which a few outlive it."""

    blocks: list[bytes] = field(default_factory=lambda: [bytes(2000) for _ in range(100_000)])

    def close(self) -> None:
        HELD.extend(self.blocks[::500])
        self.blocks.clear()
        super().close()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has malloc_trim")
def test_a_run_that_is_over_gives_its_memory_back() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(OWN)
        await until(lambda: run.state is RunState.LIVE)
        before = private_kib()
        hub.leave(run)
        await asyncio.to_thread(run.join, 10)
        gc.collect()
        assert private_kib() < before - 50_000
        assert len(HELD) == 200

    in_hub(body, lambda _request: Fragmented(even_clocks(10**6)))
    HELD.clear()
