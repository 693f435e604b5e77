from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.vp.server.clients import Seen, client, get_json, read_on, read_to_end
from tests.vp.server.hubs import FAST, OWN, Record, endless, in_hub, tiny, until, watch
from tests.vp.server.live_feeds import TinyFeed, TinyRecording
from tests.vp.server.tiny import DEFAULTS, TinySession, even_clocks, preparing, serving, tiny_service
from vp.errors import NoRawFileError, ServerFullError
from vp.server.runs.hub import TICK_SECONDS, Hub, ServerLimits
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.run import Run
from vp.server.runs.session import Session
from vp.server.runs.startup import StartupSession
from vp.server.runs.viewer import Viewer
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import RunState


@pytest.mark.parametrize("request_", [FAST, OWN])
def test_a_viewer_is_told_everything_in_order(request_: StreamRequest) -> None:
    async def body(hub: Hub) -> Record:
        return await watch(hub, request_)

    link = in_hub(body)
    kinds = [kind for kind in link.types if kind not in {"progress", "status", "history"}]
    assert kinds == ["runtime_config", "end"]
    assert link.texts[-1] == {
        "type": "end",
        "frames_sent": 200,
        "frames_missed": 0,
        "clock_ns": str(even_clocks(200)[-1]),
    }
    assert link.closed == (1000, "the session is over")


def test_viewers_with_equal_parameters_share_a_run() -> None:
    async def body(hub: Hub) -> None:
        first = hub.join(DEFAULTS)
        assert hub.join(replace(DEFAULTS, fields=("pressure",))) is first
        assert hub.join(replace(DEFAULTS, throttle_ms=50.0)) is not first
        assert hub.join(replace(DEFAULTS, start_time=None)) is not first
        assert first.viewers == 2

    in_hub(body, endless)


def test_speed_0_is_never_shared() -> None:
    async def body(hub: Hub) -> None:
        assert hub.join(OWN) is not hub.join(OWN)

    in_hub(body, endless)


def test_sessions_that_are_left_while_they_load_count_until_they_have_ended() -> None:
    """Whoever asks and leaves again and again has no more of them at work than who stays."""
    may_end = threading.Event()
    loading: list[StreamRequest] = []

    def slow(request: StreamRequest) -> Session:
        loading.append(request)
        may_end.wait(10)
        return tiny(request)

    async def body(hub: Hub) -> None:
        with pytest.raises(ServerFullError, match="4 sessions that were left are still ending"):
            for _ in range(50):
                hub.enter()
                hub.leave(hub.join(OWN))
        hub.leave(None)
        assert len(loading) == 4
        may_end.set()
        await until(lambda: not any(run.is_alive for run in hub._runs.ending))
        hub.join(OWN)

    in_hub(body, slow, ServerLimits(sessions=2))


def test_two_viewers_of_a_run_get_the_same_bytes() -> None:
    async def body(hub: Hub) -> tuple[Record, Record]:
        first, second = await asyncio.gather(watch(hub, FAST), watch(hub, FAST))
        return first, second

    first, second = in_hub(body)
    assert first.data == second.data
    assert len(first.data) > 200 * 1000


def test_a_run_that_is_over_is_begun_anew() -> None:
    async def body(hub: Hub) -> tuple[Record, Record]:
        return await watch(hub, FAST), await watch(hub, FAST)

    first, second = in_hub(body)
    assert first.data == second.data
    ids = {link.texts[link.types.index("runtime_config")]["session_id"] for link in (first, second)}
    assert len(ids) == 2


def test_the_startup_session_goes_to_the_first_who_asks_for_it() -> None:
    prepared = TinySession(even_clocks(50))

    async def main() -> None:
        startup = StartupSession(FAST, lambda _tell: prepared)
        hub = Hub(preparing(tiny), ServerLimits(), startup)
        hub.start()
        while not startup.done:
            await asyncio.sleep(0.01)
        other = await watch(hub, replace(FAST, throttle_ms=30.0))
        assert other.texts[-1]["frames_sent"] == 200
        first = await watch(hub, replace(FAST, fields=("vacuum",)))
        assert first.texts[-1]["frames_sent"] == 50
        assert "progress" not in first.types
        assert (await watch(hub, FAST)).texts[-1]["frames_sent"] == 200
        await hub.close()

    asyncio.run(main())
    assert prepared.closed


def test_a_startup_session_that_nobody_wanted_is_closed() -> None:
    prepared = TinySession(even_clocks(50))

    async def main() -> None:
        hub = Hub(preparing(tiny), ServerLimits(), StartupSession(FAST, lambda _tell: prepared))
        hub.start()
        await hub.close()

    asyncio.run(main())
    assert prepared.closed


def test_too_many_sessions() -> None:
    async def body(hub: Hub) -> None:
        first = hub.join(DEFAULTS)
        hub.join(OWN)
        with pytest.raises(ServerFullError):
            hub.join(replace(DEFAULTS, throttle_ms=1.0))
        assert hub.join(DEFAULTS) is first  # to join one that runs is always possible

    in_hub(body, endless, ServerLimits(sessions=2))


def test_a_session_without_viewers_makes_room_for_another() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        idle = hub.join(DEFAULTS)
        hub.leave(idle)
        other = hub.join(replace(DEFAULTS, throttle_ms=1.0))
        assert [entry["session_id"] for entry in hub.describe()] == [other.id]
        await until(lambda: idle.state.over)
        assert idle.state is RunState.STOPPED

    in_hub(body, endless, ServerLimits(sessions=1))


def test_too_many_viewers() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        hub.enter()
        with pytest.raises(ServerFullError):
            hub.enter()
        hub.leave(None)
        hub.enter()

    in_hub(body, limits=ServerLimits(viewers=2))


def test_a_shared_run_outlives_its_last_viewer_for_a_while() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(DEFAULTS)
        hub.leave(run)
        assert hub.join(DEFAULTS) is run
        hub.enter()
        hub.leave(run)
        await until(lambda: run.state is RunState.STOPPED)
        hub.enter()
        assert hub.join(DEFAULTS) is not run

    in_hub(body, endless, ServerLimits(grace_seconds=0.3))


def test_a_viewers_own_run_ends_with_it() -> None:
    async def body(hub: Hub) -> None:
        hub.enter()
        run = hub.join(OWN)
        await until(lambda: run.state is RunState.LIVE)
        hub.leave(run)
        await until(lambda: run.state is RunState.STOPPED)
        assert hub.describe() == []

    in_hub(body, endless)


def test_a_load_that_nobody_waits_for_is_left_off() -> None:
    async def main() -> None:
        hub = Hub(preparing(tiny, seconds=60), ServerLimits())
        hub.start()
        hub.enter()
        run = hub.join(OWN)
        hub.leave(run)
        await until(lambda: run.state is RunState.STOPPED)
        await hub.close()

    asyncio.run(main())


def test_a_session_that_cannot_be_made_tells_its_viewers() -> None:
    def missing(_request: StreamRequest) -> Session:
        raise NoRawFileError("There is no such file.", hint="Look elsewhere.")

    async def body(hub: Hub) -> Record:
        return await watch(hub, FAST)

    link = in_hub(body, missing)
    assert link.texts[-1] == {
        "type": "error",
        "code": "no_raw_file",
        "message": "There is no such file.",
        "hint": "Look elsewhere.",
    }
    assert link.closed == (1008, "no_raw_file")


@pytest.mark.parametrize("request_", [FAST, OWN])
def test_a_session_that_breaks_tells_its_viewers_and_leaves_the_others_alone(
    request_: StreamRequest, caplog: pytest.LogCaptureFixture
) -> None:
    def make(request: StreamRequest) -> Session:
        return TinySession(even_clocks(200), fail_at=100 if request.throttle_ms == 25.0 else -1)

    async def body(hub: Hub) -> tuple[Record, Record]:
        sound = replace(request_, throttle_ms=30.0)
        first, second = await asyncio.gather(watch(hub, request_), watch(hub, sound))
        return first, second

    broken, sound = in_hub(body, make)
    assert broken.texts[-1]["code"] == "error"
    assert "ZeroDivisionError" in broken.texts[-1]["message"]
    assert broken.closed == (1011, "error")
    assert sound.texts[-1]["frames_sent"] == 200
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" not in caplog.text


def test_unknown_fields_are_refused() -> None:
    async def body(hub: Hub) -> Record:
        return await watch(hub, replace(FAST, fields=("pressure", "colour")))

    link = in_hub(body)
    assert link.texts[-1]["code"] == "bad_parameter"
    assert "'colour'" in link.texts[-1]["message"]
    assert "pressure" in link.texts[-1]["hint"]
    assert link.closed == (1008, "bad_parameter")


def test_status_goes_on_in_silence_and_progress_while_loading() -> None:
    silent = even_clocks(2, step_ms=3_600_000.0)

    async def main() -> Record:
        hub = Hub(preparing(lambda _request: TinySession(silent), seconds=1.0), ServerLimits())
        hub.start()
        link = Record()
        hub.enter()
        run = hub.join(DEFAULTS)
        serving = asyncio.create_task(Viewer(link, run, DEFAULTS).serve())
        await until(lambda: link.types.count("status") >= 3)
        serving.cancel()
        await hub.close()
        return link

    link = asyncio.run(main())
    assert link.types.count("progress") >= 2
    statuses = [message for message in link.texts if message["type"] == "status"]
    assert statuses[-1]["frames_sent"] == 1
    assert statuses[-1]["lag_seconds"] == 0
    assert statuses[-1]["viewers"] == 1
    assert statuses[-1]["anomalies"] == {"unknown_order": 3}


def test_closing_the_hub_stops_every_thread() -> None:
    async def main() -> list[Run]:
        hub = Hub(preparing(endless), ServerLimits())
        hub.start()
        runs = [hub.join(DEFAULTS), hub.join(OWN)]
        await until(lambda: all(run.state is RunState.LIVE for run in runs))
        await hub.close()
        return runs

    for run in asyncio.run(main()):
        assert run.state is RunState.STOPPED


def test_what_is_wrong_with_a_request_costs_no_session_its_place() -> None:
    """One session may run; it has no viewer when somebody asks for what there is not."""
    judged: list[StreamRequest] = []

    def judge(request: StreamRequest) -> None:
        judged.append(request)
        if request.symbol == "NOPE":
            raise NoRawFileError("There is none.")

    service = replace(tiny_service(endless, limits=ServerLimits(sessions=1, grace_seconds=60)), judge=judge)
    with serving(service) as server:
        with client(server.ws()) as websocket:
            read_on(websocket, Seen(), until_frames=2)
        (before,) = get_json(server, "/health")["sessions"]
        refused = read_to_end(server.ws("symbol=NOPE"))
        assert (refused.texts[-1]["code"], refused.code) == ("no_raw_file", 1008)
        with client(server.ws("fields=none")) as websocket:
            read_on(websocket, Seen(), until_frames=2)
        (after,) = get_json(server, "/health")["sessions"]
    assert after["session_id"] == before["session_id"]
    assert [request.symbol for request in judged] == ["MNQH6", "NOPE"]  # who joins needs no judging


NEXT_DAY = "2026-02-07"


def in_live_hub(body: Callable[[Hub], Any], feed: TinyFeed, limits: ServerLimits | None = None) -> None:
    """Run `await body(hub)` in a hub that is begun with the session of DEFAULTS."""

    async def main() -> None:
        startup = StartupSession(DEFAULTS, lambda _tell: tiny(DEFAULTS))
        live = LiveRecordings(feed, lambda _request: "MNQ")
        hub = Hub(preparing(tiny), limits or ServerLimits(grace_seconds=0.0), startup, live=live)
        hub.start()
        try:
            await body(hub)
        finally:
            await hub.close()

    asyncio.run(main())


def test_a_live_run_begins_with_the_server_and_goes_on_without_viewers() -> None:
    """Whoever comes shares it, at whatever speed and alone or not; what is seen by other settings ends as others do."""

    async def body(hub: Hub) -> None:
        await until(lambda: len(hub.runs) == 1 and hub.runs[0].state is RunState.LIVE)
        (run,) = hub.runs
        assert run.viewers == 0
        hub.enter()
        assert hub.join(replace(DEFAULTS, speed=10.0, alone=True, fields=())) is run
        hub.enter()
        other = hub.join(replace(DEFAULTS, throttle_ms=50.0))
        assert other is not run
        for left in (run, other):
            hub.leave(left)
        await until(lambda: hub.runs == [run])
        await asyncio.sleep(3 * TICK_SECONDS)
        assert hub.runs == [run]
        assert run.state is RunState.LIVE

    in_live_hub(body, TinyFeed({DEFAULTS.dt: TinyRecording()}))


def test_the_next_session_begins_when_the_one_before_ends_whether_or_not_anybody_watches() -> None:
    async def body(hub: Hub) -> None:
        await until(lambda: len(hub.runs) == 1 and hub.runs[0].state is RunState.LIVE)
        (first,) = hub.runs
        assert hub.following(first) is None
        feed.recordings[NEXT_DAY] = TinyRecording()
        feed.recordings[DEFAULTS.dt].is_over = True
        await until(lambda: [run.request.dt for run in hub.runs] == [NEXT_DAY])
        assert hub.history(first.id) is not None

    feed = TinyFeed({DEFAULTS.dt: TinyRecording()})
    in_live_hub(body, feed)


def test_a_viewer_goes_on_with_the_next_session_and_is_counted_once() -> None:
    async def body(hub: Hub) -> None:
        watching = asyncio.create_task(watch(hub, DEFAULTS))
        await until(lambda: len(hub.runs) == 1 and hub.runs[0].viewers == 1 and hub.totals().frames_sent >= 200)
        feed.recordings[NEXT_DAY] = TinyRecording()
        feed.recordings[DEFAULTS.dt].is_over = True
        await until(lambda: [(run.request.dt, run.viewers) for run in hub.runs] == [(NEXT_DAY, 1)])
        feed.recordings.pop(DEFAULTS.dt)
        feed.recordings[NEXT_DAY].is_over = True
        link = await watching
        kinds = [kind for kind in link.types if kind in {"runtime_config", "next_session", "end"}]
        assert kinds == ["runtime_config", "next_session", "runtime_config", "end"]
        assert link.closed == (1000, "the session is over")
        assert [hub.viewers, hub.totals().frames_sent] == [0, 400]

    feed = TinyFeed({DEFAULTS.dt: TinyRecording()})
    in_live_hub(body, feed)


def test_where_room_is_needed_the_servers_own_live_run_goes_last() -> None:
    async def body(hub: Hub) -> None:
        await until(lambda: len(hub.runs) == 1)
        (own,) = hub.runs
        other = hub.join(replace(DEFAULTS, throttle_ms=50.0))
        other.viewers, other.idle_since = 0, asyncio.get_running_loop().time()
        third = hub.join(replace(DEFAULTS, throttle_ms=75.0))
        assert set(hub.runs) == {own, third}

    in_live_hub(body, TinyFeed({DEFAULTS.dt: TinyRecording()}), ServerLimits(sessions=2))
