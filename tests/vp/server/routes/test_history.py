"""What the server holds, over plain HTTP, against what the websocket sent."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from websockets.sync.client import connect

from tests.vp.server import raw
from tests.vp.server.history.blocks import parse
from tests.vp.server.runs.memory import private_kib
from tests.vp.server.tiny import LAYOUT, START_NS, TinySession, even_clocks, serving, tiny_service
from vp.kernels.contract import SCALAR_COLUMNS
from vp.server.history.export import BLOCK_FRAMES
from vp.server.history.frame_spool import FrameSpool

FRAMES = 900
READERS_MIB = 64  # docs/reliability.md


def get(address: str) -> bytes:
    with urllib.request.urlopen(address) as response:
        body: bytes = response.read()
    return body


def test_history_and_frames_are_what_the_socket_sent() -> None:
    session = TinySession(even_clocks(FRAMES, step_ms=1))
    with serving(tiny_service(lambda _request: session)) as server, connect(server.ws("speed=1000")) as socket:
        config = json.loads(socket.recv())
        while config["type"] != "runtime_config":
            config = json.loads(socket.recv())
        sent: list[bytes] = []
        while len(sent) < FRAMES + 1:
            message = socket.recv()
            if isinstance(message, bytes):
                sent.append(message)
        api = f"{server.http}/v1/vacuum-pressure"
        session_id = config["session_id"]
        head, columns = parse(get(f"{api}/history?session_id={session_id}&before=500&limit=120&fields=vacuum"))
        assert (head["frames"], head["first"]) == (120, 380)
        assert np.array_equal(np.frombuffer(columns["event_id"], "<i8"), np.arange(380, 500))
        head, columns = parse(
            get(f"{api}/history?session_id={session_id}&below={head['first']}&limit=80&fields=vacuum")
        )
        assert np.array_equal(np.frombuffer(columns["event_id"], "<i8"), np.arange(300, 380))
        for nothing in ("below=0", "below=-5", "below=300&after=400", "limit=-1"):
            assert parse(get(f"{api}/history?session_id={session_id}&{nothing}"))[0]["frames"] == 0
        head, columns = parse(get(f"{api}/history?session_id={session_id}&after=76&before=78&exact=1"))
        assert head["frames"] == 1  # a single row is a view of the history's own, read-only memory
        body = get(f"{api}/frames?session_id={session_id}")
        assert body.startswith(b"".join(sent))
        assert pa.ipc.open_stream(body).read_all().num_rows == FRAMES
        from_ns = START_NS + 10_000_000
        address = f"{api}/frames?session_id={session_id}&format=csv&fields=pressure&from_ns={from_ns}"
        with urllib.request.urlopen(address) as response:
            text = response.read()
            name = response.headers["content-disposition"]
        table = pyarrow.csv.read_csv(pa.BufferReader(text))
        assert table.num_rows == FRAMES - 10
        assert table.column_names[:3] == ["ts", "ts_ns", "event_id"]
        assert table.column_names[-101:] == [f"pressure[{k}]" for k in range(-50, 51)]
        assert table["event_id"][0].as_py() == 10
        assert table["ts_ns"][0].as_py() == from_ns
        assert name == 'attachment; filename="MNQH6_2026-02-06_093000-093000.csv"'
        head, columns = parse(get(f"{api}/history?session_id={session_id}&limit=5&fields=none"))
        assert tuple(columns) == SCALAR_COLUMNS
        assert np.array_equal(np.frombuffer(columns["event_id"], "<i8"), np.arange(FRAMES - 5, FRAMES))
        for form, read in (("csv", pyarrow.csv.read_csv), ("arrow", lambda file: pa.ipc.open_stream(file).read_all())):
            body = get(f"{api}/frames?session_id={session_id}&format={form}&fields=none")
            table = read(pa.BufferReader(body))
            readable = ("ts",) if form == "csv" else ()
            assert (tuple(table.column_names), table.num_rows) == ((*readable, *SCALAR_COLUMNS), FRAMES)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("history?session_id=none", 404, "unknown_session"),
        ("history?session=none", 400, "bad_parameter"),
        ("frames?session_id=none&format=xml", 404, "unknown_session"),
    ],
)
def test_a_wrong_request_is_said(query: str, status: int, code: str) -> None:
    service = tiny_service(lambda _request: TinySession(even_clocks(1)))
    with serving(service) as server, pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{server.http}/v1/vacuum-pressure/{query}")
    assert caught.value.code == status
    assert json.loads(caught.value.read())["code"] == code
    caught.value.close()


def test_a_viewer_that_comes_back_gets_what_it_lacks() -> None:
    clocks = even_clocks(FRAMES, step_ms=1)
    clocks[500:] += 2_000_000_000_000  # two seconds at this speed: time to come back in
    session = TinySession(clocks)
    with serving(tiny_service(lambda _request: session)) as server:
        with connect(server.ws("speed=1000")) as socket:
            events: list[int] = []
            session_id = ""
            while len(events) < 500:  # all there is so far: a close with unread frames takes its time
                message = socket.recv()
                if isinstance(message, str):
                    session_id = json.loads(message).get("session_id", session_id)
                elif len(message) == LAYOUT.message_bytes:
                    events.append(event_of(message))
        with connect(server.ws(f"speed=1000&after={session_id}.{events[-1]}")) as socket:
            while len(events) < FRAMES:
                message = socket.recv()
                if isinstance(message, bytes) and len(message) == LAYOUT.message_bytes:
                    events.append(event_of(message))
                elif isinstance(message, str) and json.loads(message)["type"] == "history":
                    assert json.loads(message)["hole"] is False
        assert events == list(range(FRAMES))


def test_a_viewer_that_was_away_for_long_gets_the_newest_and_is_told_of_the_hole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vp.server.stream.order.RESUME_FRAMES", 100)
    clocks = even_clocks(FRAMES, step_ms=1)
    clocks[500:] += 60_000_000_000_000  # a minute at this speed: nothing more comes
    with (
        serving(tiny_service(lambda _request: TinySession(clocks))) as server,
        connect(server.ws("speed=1000")) as first,
    ):
        session_id = ""
        count = 0
        while count < 500:
            message = first.recv()
            if isinstance(message, str):
                session_id = json.loads(message).get("session_id", session_id)
            else:
                count += len(message) == LAYOUT.message_bytes
        for behind, begins, hole in ((399, 400, False), (398, 400, True), (0, 400, True), (480, 481, False)):
            with connect(server.ws(f"speed=1000&after={session_id}.{behind}")) as socket:
                told: dict[str, Any] = {}
                events: list[int] = []
                while not told or len(events) < told["frames"]:
                    message = socket.recv()
                    if isinstance(message, bytes) and len(message) == LAYOUT.message_bytes:
                        events.append(event_of(message))
                    elif isinstance(message, str) and json.loads(message)["type"] == "history":
                        told = json.loads(message)
                assert events == list(range(begins, 500))
                assert told["hole"] is hole
                between = (behind, begins) if hole else (None, None)
                assert (told["hole_after_event_id"], told["hole_before_event_id"]) == between


def test_what_is_held_no_longer_is_told_to_viewers_and_to_who_asks_for_it() -> None:
    """3,000 frames of three seconds, of which memory alone holds half."""
    clocks = even_clocks(3000, step_ms=1)
    clocks[-1] += 60_000_000_000_000  # a minute at this speed: nothing more comes
    service = tiny_service(lambda _request: TinySession(clocks))
    with serving(service) as server, raw.stream(server.port, "speed=1000") as viewer:
        viewer.read_until(raw.BINARY)
        [session_id] = [entry["session_id"] for entry in json.loads(get(f"{server.http}/health"))["sessions"]]
        api = f"{server.http}/v1/vacuum-pressure"
        asked = f"{api}/history?session_id={session_id}&fields=none"
        deadline = time.monotonic() + 20
        while parse(get(f"{asked}&limit=1"))[0]["first"] < 2998:
            assert time.monotonic() < deadline
            time.sleep(0.05)

        def told(query: str) -> tuple[int, bool, int | None, int | None]:
            head, _ = parse(get(f"{asked}&{query}"))
            return head["first"], head["hole"], head["hole_after_event_id"], head["hole_before_event_id"]

        oldest = parse(get(asked))[0]["oldest"]
        assert 1400 < oldest < 2000
        assert told("after=7") == (oldest, True, 7, oldest)
        assert told(f"after={oldest - 2}") == (oldest, True, oldest - 2, oldest)
        assert told(f"after={oldest - 1}") == (oldest, False, None, None)
        assert told("after=7&limit=10") == (2989, False, None, None)  # there is more to be asked for
        for from_ns, header in ((clocks[0], str(oldest)), (clocks[oldest], None)):
            with urllib.request.urlopen(f"{api}/frames?session_id={session_id}&from_ns={from_ns}") as answer:
                assert answer.headers["x-vp-hole-before-event-id"] == header
                assert pa.ipc.open_stream(answer.read()).read_all()["event_id"][0].as_py() == oldest
        with connect(server.ws("speed=1000")) as second:
            while (message := second.recv()) and (isinstance(message, bytes) or '"history"' not in message):
                pass
            history = json.loads(message)
            assert (history["hole"], history["hole_after_event_id"]) == (True, None)
            assert history["hole_before_event_id"] == history["oldest_event_id"] == oldest


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")
def test_forty_readers_that_sip_hold_little_and_keep_nobody_waiting(tmp_path: Path) -> None:
    """Each asks for 150 MiB. What all of them hold is bounded, and who comes after them is answered."""
    session = TinySession(even_clocks(BLOCK_FRAMES + 2000, step_ms=1))
    service = replace(tiny_service(lambda _request: session), spool=FrameSpool(tmp_path, floor_bytes=0))
    with contextlib.ExitStack() as opened, serving(service) as server:
        viewer = opened.enter_context(raw.stream(server.port, "speed=1000"))
        viewer.read_until(raw.BINARY)
        [session_id] = [entry["session_id"] for entry in json.loads(get(f"{server.http}/health"))["sessions"]]
        address = f"/v1/vacuum-pressure/history?session_id={session_id}"
        deadline = time.monotonic() + 30
        while parse(get(f"{server.http}{address}&limit=1&fields=none"))[0]["first"] < BLOCK_FRAMES:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        before = private_kib()
        for _ in range(40):
            stalled = opened.enter_context(socket.socket())
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect(("127.0.0.1", server.port))
            stalled.sendall(f"GET {address}&exact=1&limit={BLOCK_FRAMES} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            stalled.settimeout(10)
            assert stalled.recv(10) == b"HTTP/1.1 2"
        most = 0
        for _ in range(5):
            with urllib.request.urlopen(f"{server.http}{address}&limit=1000&fields=pressure", timeout=2) as answer:
                assert parse(answer.read())[0]["frames"] == 1000
            most = max(most, private_kib())
        assert most - before < READERS_MIB << 10


def event_of(message: bytes) -> int:
    at = next(column.offset for column in LAYOUT.columns if column.name == "event_id")
    return int.from_bytes(message[at : at + 8], "little")
