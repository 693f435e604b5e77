"""Many viewers, some of which stop reading: the small form of scripts/load_test.py."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks import crowd
from benchmarks.crowd import Seen, frames_held, join, unaccounted, watch
from tests.vp.server.clients import get_json
from tests.vp.server.tiny import TinySession, even_clocks, serving, tiny_service
from vp.server.net import backpressure, listener
from vp.server.stream import cursor

QUICK, SLOW, STALLED = 40, 3, 5


def test_stalled_and_slow_viewers_cost_the_others_nothing_and_are_told_the_truth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cursor, "LIVE_SECONDS", 1.0)
    monkeypatch.setattr(crowd, "SLOW_SECONDS", 0.05)
    monkeypatch.setattr(backpressure, "STALL_SECONDS", 1.5)
    service = tiny_service(lambda _request: TinySession(even_clocks(10**6, step_ms=5)))
    with serving(service) as server, ThreadPoolExecutor() as threads:
        watching = threads.submit(watch, server.port, "speed=1", QUICK, SLOW, time.time() + 6)
        stalled = [join(server.port, "speed=1") for _ in range(STALLED)]
        deadline = time.monotonic() + 5
        while (there := get_json(server, "/health")["viewers"]) < QUICK + SLOW + STALLED:
            assert time.monotonic() < deadline, there
            time.sleep(0.05)
        deadline = time.monotonic() + 30
        while get_json(server, "/health")["viewers"] == there and not watching.done():
            time.sleep(0.05)
        viewers = watching.result()
        while get_json(server, "/health")["viewers"]:
            assert time.monotonic() < deadline, "stalled viewers are still there"
            time.sleep(0.05)
        session_id = get_json(server, "/health")["sessions"][0]["session_id"]
        held = frames_held(server.port, session_id)
        for one in stalled:
            one.close()

    assert unaccounted(viewers, held) == []
    quick = [seen for seen in viewers if not seen.slow]
    assert [seen.code for seen in viewers] == [0] * (QUICK + SLOW)
    assert all(not seen.told for seen in quick)
    assert min(len(seen.event_ids) for seen in quick) > 600
    assert all(sum(seen.told.values()) > 100 for seen in viewers if seen.slow)


def test_what_is_not_told_is_found() -> None:
    every = np.arange(0, 100, 10)

    def seen(ids: list[int], told: dict[int, int]) -> Seen:
        viewer = Seen(told=told)
        viewer.event_ids.extend(ids)
        return viewer

    assert unaccounted([seen([0, 10, 20, 50], {3: 2})], every) == []
    assert len(unaccounted([seen([0, 10, 20, 50], {})], every)) == 1
    assert len(unaccounted([seen([0, 10, 20, 50], {3: 1})], every)) == 1
    assert len(unaccounted([seen([0, 10, 20, 50], {2: 2})], every)) == 2
    assert len(unaccounted([seen([0, 20, 10], {1: 1})], every)) == 1
    assert len(unaccounted([seen([0, 5], {})], every)) == 1


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such timeout")
def test_a_slow_viewer_outlives_the_systems_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes some of what waits for it all the time, but never as much at once as the sender holds ready."""
    monkeypatch.setattr(listener, "USER_TIMEOUT_MS", 700)
    monkeypatch.setattr(cursor, "LIVE_SECONDS", 1.0)
    monkeypatch.setattr(crowd, "SLOW_SECONDS", 0.1)
    service = tiny_service(lambda _request: TinySession(even_clocks(10**6, step_ms=2)))
    with serving(service) as server:
        viewers = watch(server.port, "speed=1", 0, SLOW, time.time() + 8)
    assert [seen.code for seen in viewers] == [0] * SLOW
    assert all(seen.told for seen in viewers)
