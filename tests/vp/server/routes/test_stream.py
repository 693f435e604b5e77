"""A real server and real websocket clients, over sessions of frames alone."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.vp.server.clients import Seen, client, get_json, read_on, read_to_end
from tests.vp.server.tiny import DEFAULTS, LAYOUT, Running, TinySession, even_clocks, serving, tiny_service
from vp.kernels.contract import SCALAR_COLUMNS
from vp.server.net import backpressure
from vp.server.runs.hub import ServerLimits
from vp.server.runs.session import Session
from vp.server.stream import cursor
from vp.server.stream.request import StreamRequest


@contextmanager
def tiny_server(frames: int, step_ms: float = 25.0, **options: Any) -> Iterator[Running]:
    def make(_request: StreamRequest) -> Session:
        return TinySession(even_clocks(frames, step_ms))

    with serving(tiny_service(make, **options)) as server:
        yield server


def test_messages_come_in_order_and_the_frames_are_one_arrow_stream() -> None:
    with tiny_server(300, load_seconds=0.6) as server:
        seen = read_to_end(server.ws("speed=20"))

    kinds = [message["type"] for message in seen.texts]
    assert kinds[0] == "progress"
    assert kinds.index("runtime_config") < kinds.index("status")
    assert kinds.count("progress") == kinds.index("runtime_config") >= 2
    assert kinds[-2:] == ["status", "end"]
    assert seen.code == 1000
    assert seen.frames[0] == LAYOUT.schema_message
    config = seen.last("runtime_config")
    assert {len(frame) for frame in seen.frames[1:]} == {config["frame"]["message_bytes"]}
    assert config["frame"] == LAYOUT.describe()
    assert seen.event_ids == list(range(300))
    assert seen.table["ts_ns"].cast(pa.int64()).to_pylist() == even_clocks(300).tolist()
    assert seen.last("end") == {
        "type": "end",
        "frames_sent": 300,
        "frames_missed": 0,
        "clock_ns": str(even_clocks(300)[-1]),
    }


def test_columns_can_be_viewed_in_place() -> None:
    with tiny_server(50) as server:
        seen = read_to_end(server.ws("speed=0"))
    places = {column["name"]: column for column in seen.last("runtime_config")["frame"]["columns"]}
    at = places["event_id"]["offset"]
    assert [int.from_bytes(frame[at : at + 8], "little") for frame in seen.frames[1:]] == list(range(50))


def test_a_second_viewer_gets_the_history_and_then_the_same_bytes() -> None:
    with tiny_server(400) as server, ThreadPoolExecutor() as threads, client(server.ws("speed=10")) as early:
        first = Seen()
        read_on(early, first, until_frames=150)
        rest = threads.submit(read_on, early, first)
        late = threads.submit(read_to_end, server.ws("speed=10"))
        other = threads.submit(read_to_end, server.ws("speed=10&fields=vacuum"))
        bare = threads.submit(read_to_end, server.ws("speed=10&fields=none"))
        second, narrow, scalars = late.result(), other.result(), bare.result()
        rest.result()

    assert len(first.frames) == 401
    assert second.frames == first.frames
    assert second.last("runtime_config")["session_id"] == first.last("runtime_config")["session_id"]
    assert narrow.event_ids == first.event_ids
    assert narrow.table.schema.names[-1] == "vacuum"
    assert len(narrow.frames[5]) == narrow.last("runtime_config")["frame"]["message_bytes"] < len(first.frames[5])
    assert scalars.event_ids == first.event_ids
    assert tuple(scalars.table.schema.names) == SCALAR_COLUMNS
    assert scalars.table.equals(first.table.select(list(SCALAR_COLUMNS)))
    assert len(scalars.frames[5]) == scalars.last("runtime_config")["frame"]["message_bytes"]
    assert second.last("status")["frames_missed"] == 0


def test_a_slow_viewer_misses_frames_and_is_told_and_the_others_do_not_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cursor, "LIVE_SECONDS", 1.0)
    frames = 3500
    with tiny_server(frames, step_ms=1.0) as server:
        slow = Seen()
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        narrow.connect(("127.0.0.1", server.port))
        url = server.ws("throttle_ms=1")
        with client(url, sock=narrow, max_queue=1) as behind, ThreadPoolExecutor() as threads:
            beside = threads.submit(read_to_end, url)
            time.sleep(2.5)
            read_on(behind, slow)
            quick = beside.result()

    assert quick.event_ids == list(range(frames))
    assert quick.last("end")["frames_missed"] == 0
    got = slow.event_ids
    assert got == sorted(set(got))
    assert got[-1] == frames - 1
    end = slow.last("end")
    assert end["frames_sent"] == len(got) < frames
    assert end["frames_missed"] == frames - len(got)
    assert slow.last("status")["frames_missed"] == end["frames_missed"]


def test_speed_0_waits_for_its_reader_and_drops_nothing() -> None:
    frames = 4000
    with tiny_server(frames) as server, client(server.ws("speed=0"), max_queue=1) as websocket:
        seen = Seen()
        read_on(websocket, seen, until_frames=10)
        time.sleep(0.7)
        read_on(websocket, seen)
    assert seen.event_ids == list(range(frames))
    assert seen.last("end")["frames_missed"] == 0


def test_a_viewer_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "STALL_SECONDS", 0.5)
    with tiny_server(100_000) as server, client(server.ws("speed=0"), max_queue=1):
        assert get_json(server, "/health")["viewers"] == 1
        deadline = time.monotonic() + 15
        while get_json(server, "/health")["viewers"]:
            assert time.monotonic() < deadline, "the stalled viewer is still there"
            time.sleep(0.1)
        assert get_json(server, "/health")["sessions"] == []


def test_health() -> None:
    with tiny_server(1000) as server:
        before = get_json(server, "/health")
        assert before["status"] == "ok"
        assert before["version"]
        assert before["uptime_seconds"] >= 0
        assert int(before["server_time_ns"]) == pytest.approx(time.time_ns(), abs=5e9)
        assert (before["sessions"], before["viewers"]) == ([], 0)
        with client(server.ws("symbol=MNQH6&throttle_ms=50")) as websocket:
            read_on(websocket, Seen(), until_frames=3)
            (session,) = get_json(server, "/health")["sessions"]
    assert (session["symbol"], session["throttle_ms"], session["viewers"]) == ("MNQH6", 50.0, 1)
    assert session["state"] == "live"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_is_refused_before_the_handshake(origin: str) -> None:
    with tiny_server(10) as server:
        with pytest.raises(InvalidStatus) as refused, client(server.ws(), origin=Origin(origin)):
            pass
        assert refused.value.response.status_code == 403
        with client(server.ws("speed=0"), origin=Origin(server.http)) as websocket:
            assert json.loads(websocket.recv(timeout=10))


def test_a_bad_request_is_answered_and_closed_with_1008() -> None:
    with tiny_server(10) as server:
        seen = read_to_end(server.ws("colour=red"))
    assert [message["type"] for message in seen.texts] == ["error"]
    assert seen.texts[0]["code"] == "bad_parameter"
    assert seen.texts[0]["hint"]
    assert seen.code == 1008


def test_a_full_server_is_left_with_1013() -> None:
    with tiny_server(1000, limits=ServerLimits(viewers=1)) as server, client(server.ws()) as inside:
        inside.recv(timeout=10)
        seen = read_to_end(server.ws())
    assert seen.texts[-1]["code"] == "server_full"
    assert seen.code == 1013


def test_a_viewer_that_says_something_is_told_that_nothing_is_taken() -> None:
    with tiny_server(200) as server:
        with client(server.ws("speed=10")) as listening, client(server.ws("speed=10")) as talking:
            seen, told = Seen(), Seen()
            talking.send('{"type":"stop"}')
            read_on(talking, told)
            listening.ping().wait(5)
            read_on(listening, seen)
        assert (told.code, told.last("error")["code"]) == (1008, "unexpected_message")
        assert seen.event_ids == list(range(200))
        with client(server.ws("throttle_ms=30")) as websocket:
            seen = Seen()
            websocket.send("x" * 5000)
            read_on(websocket, seen)
            assert seen.code == 1009


def test_a_viewer_that_leaves_is_forgotten() -> None:
    with tiny_server(1000, limits=ServerLimits(grace_seconds=0.2)) as server:
        with client(server.ws()) as websocket:
            read_on(websocket, Seen(), until_frames=3)
        deadline = time.monotonic() + 10
        while get_json(server, "/health")["sessions"]:
            assert time.monotonic() < deadline, "the session still runs"
            time.sleep(0.05)


def test_a_server_that_stops_says_so() -> None:
    seen = Seen()
    with ExitStack() as clients:
        with tiny_server(10_000) as server:
            watching = clients.enter_context(client(server.ws()))
            clients.enter_context(client(server.ws("speed=0"), max_queue=1))  # reads nothing
            read_on(watching, seen, until_frames=5)
        read_on(watching, seen)
    assert seen.code == 1001


def test_other_addresses_are_not_there() -> None:
    with tiny_server(10) as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(server.http + "/missing", timeout=10)
        caught.value.close()
        assert caught.value.code == 404
        with pytest.raises(InvalidStatus) as refused, client(f"ws://127.0.0.1:{server.port}/v2/stream"):
            pass
        assert refused.value.response.status_code == 403


def test_the_sessions_own_throttle_is_part_of_the_key() -> None:
    with tiny_server(100_000) as server, client(server.ws()) as one, client(server.ws("throttle_ms=30")) as two:
        first, second = Seen(), Seen()
        read_on(one, first, until_frames=2)
        read_on(two, second, until_frames=2)
        assert first.last("runtime_config")["session_id"] != second.last("runtime_config")["session_id"]
        assert len(get_json(server, "/health")["sessions"]) == 2
    assert replace(DEFAULTS, throttle_ms=30.0).session != DEFAULTS.session
