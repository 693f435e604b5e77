from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from tests.vp.server.hubs import FAST, endless, in_hub, until, watch
from tests.vp.server.tiny import DEFAULTS, LAYOUT, even_clocks, messages
from vp.server.history.retention import RetainedHistories
from vp.server.history.session_history import SessionHistory
from vp.server.runs.hub import Hub, ServerLimits
from vp.server.runs.shared_run import SharedRun


def history(frames: int = 20) -> SessionHistory:
    clocks = even_clocks(frames)
    made = SessionHistory.begin(LAYOUT)
    made.frames.append(messages(clocks, 0, frames), int(clocks[-1]))
    return made


def running(hub: Hub) -> set[str]:
    return {run.id for run in hub.runs}


def test_what_nobody_asked_for_goes_and_what_is_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    retained = RetainedHistories(keep_seconds=10)
    held = history()
    retained.put("first", held)
    retained.put("second", history())
    now = 108.0
    assert retained.get("first") is held
    now = 111.0
    retained.tidy()
    assert retained.get("second") is None
    assert retained.get("first") is held
    now = 121.5
    retained.tidy()
    assert len(retained) == 0


def test_no_more_sessions_are_kept_than_may_be() -> None:
    retained = RetainedHistories(keep_sessions=2)
    kept = [history() for _ in range(3)]
    for name, one in zip("abc", kept, strict=True):
        retained.put(name, one)
    assert [retained.get(name) is not None for name in "abc"] == [False, True, True]
    assert [one.frames.read(19, 1) is not None for one in kept] == [False, True, True]
    assert retained.let_go


def test_what_was_asked_for_last_is_the_last_to_make_room_on_disk() -> None:
    retained = RetainedHistories()
    kept = [history() for _ in range(2)]
    for name, one in zip("ab", kept, strict=True):
        assert one.frames.over_since is None
        retained.put(name, one)
    retained.get("a")
    since = [one.frames.over_since for one in kept]
    assert since[0] is not None
    assert since[1] is not None
    assert since[0] > since[1]


def test_a_session_without_frames_is_not_kept() -> None:
    retained = RetainedHistories()
    retained.put("empty", SessionHistory.begin(LAYOUT))
    assert len(retained) == 0


def test_a_session_that_is_over_keeps_its_frames_for_a_while() -> None:
    async def body(hub: Hub) -> None:
        link = await watch(hub, FAST)
        session_id = link.texts[link.types.index("runtime_config")]["session_id"]
        await until(lambda: session_id not in running(hub))
        kept = hub.history(session_id)
        assert kept is not None
        assert kept.frames.head - kept.frames.oldest == 200
        assert kept.event_id(199) == 199

    in_hub(body)


def test_so_does_one_that_everybody_left_and_one_that_had_to_make_room() -> None:
    async def body(hub: Hub) -> None:
        left = []
        for throttle_ms in (25.0, 30.0):
            hub.enter()
            run = hub.join(replace(DEFAULTS, throttle_ms=throttle_ms))
            assert isinstance(run, SharedRun)
            await until(lambda run=run: run.history is not None and run.history.frames.head > 3)  # type: ignore[misc]
            hub.leave(run)
            left.append(run.id)
        await until(lambda: running(hub).isdisjoint(left))
        assert all(hub.history(session_id) is not None for session_id in left)

    in_hub(body, endless, ServerLimits(sessions=1, grace_seconds=0.3))


def test_and_loses_them_when_its_time_is_over() -> None:
    async def body(hub: Hub) -> None:
        link = await watch(hub, FAST)
        session_id = link.texts[link.types.index("runtime_config")]["session_id"]
        await until(lambda: session_id not in running(hub))
        await asyncio.sleep(0.6)  # two looks of the hub at its retained
        assert hub.history(session_id) is None

    in_hub(body, limits=ServerLimits(keep_seconds=0.0))
