from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from tests.vp.server.test_hub import FAST, endless, in_hub, until, watch
from tests.vp.server.tiny import DEFAULTS, LAYOUT, even_clocks, messages
from vp.server.history import History
from vp.server.hub import Hub, Limits
from vp.server.paced import PacedRun
from vp.server.past import Past
from vp.server.shelf import Shelf
from vp.server.stream.packing import pack


def past(frames: int = 20, memory_bytes: int = 1) -> Past:
    clocks = even_clocks(frames)
    packed = pack(messages(clocks, 0, frames))
    history = History(packed.shape[1], memory_bytes=memory_bytes)
    for i in range(frames):
        history.append(packed[i : i + 1], int(clocks[i]))
        history.tidy()
    return Past(history, LAYOUT)


def test_what_nobody_asked_for_goes_and_what_is_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    shelf = Shelf(keep_seconds=10)
    held = past()
    shelf.put("first", held)
    shelf.put("second", past())
    now = 108.0
    assert shelf.get("first") is held
    now = 111.0
    shelf.tidy()
    assert shelf.get("second") is None
    assert shelf.get("first") is held
    now = 121.5
    shelf.tidy()
    assert len(shelf) == 0


def test_there_are_bounds_in_sessions_and_in_bytes() -> None:
    shelf = Shelf(keep_sessions=2)
    for name in "abc":
        shelf.put(name, past())
    assert [shelf.get(name) is not None for name in "abc"] == [False, True, True]
    on_disk = past().history.disk_bytes
    assert on_disk > 0
    shelf = Shelf(keep_bytes=on_disk + 1)
    shelf.put("a", past())
    shelf.put("b", past())
    assert [shelf.get(name) is not None for name in "ab"] == [False, True]


def test_a_session_without_frames_is_not_kept() -> None:
    shelf = Shelf()
    shelf.put("empty", Past(History(16), LAYOUT))
    assert len(shelf) == 0


def test_a_session_that_is_over_keeps_its_frames_for_a_while() -> None:
    async def body(hub: Hub) -> None:
        link = await watch(hub, FAST)
        session_id = link.texts[link.types.index("runtime_config")]["session_id"]
        await until(lambda: not hub.running(session_id))
        kept = hub.past(session_id)
        assert kept is not None
        assert kept.history.head - kept.history.oldest == 200
        assert kept.event_id(199) == 199

    in_hub(body)


def test_so_does_one_that_everybody_left_and_one_that_had_to_make_room() -> None:
    async def body(hub: Hub) -> None:
        left = []
        for throttle_ms in (25.0, 30.0):
            hub.enter()
            run = hub.join(replace(DEFAULTS, throttle_ms=throttle_ms))
            assert isinstance(run, PacedRun)
            await until(lambda run=run: run.past is not None and run.past.history.head > 3)  # type: ignore[misc]
            hub.leave(run)
            left.append(run.id)
        await until(lambda: not any(hub.running(session_id) for session_id in left))
        assert all(hub.past(session_id) is not None for session_id in left)

    in_hub(body, endless, Limits(sessions=1, grace_seconds=0.3))


def test_and_loses_them_when_its_time_is_over() -> None:
    async def body(hub: Hub) -> None:
        link = await watch(hub, FAST)
        session_id = link.texts[link.types.index("runtime_config")]["session_id"]
        await until(lambda: not hub.running(session_id))
        await asyncio.sleep(0.6)  # two looks of the hub at its shelf
        assert hub.past(session_id) is None

    in_hub(body, limits=Limits(keep_seconds=0.0))
