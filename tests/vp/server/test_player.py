"""A paced session as a player: paused, stepped and resumed by its only viewer, over real files and real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from websockets.sync.client import ClientConnection

from tests.lakes import GOOD
from tests.vp.server import raw
from tests.vp.server.clients import Seen, client, get_json, read_on, read_to_end
from tests.vp.server.hubs import endless
from tests.vp.server.raw import TEXT, frame
from tests.vp.server.tiny import Running, serving, tiny_service
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.server.app import Service
from vp.server.routes.stream import COMMAND_SECONDS
from vp.server.runs.hub import ServerLimits
from vp.server.runs.session import Session
from vp.server.stream.request import StreamRequest

# Events are 250 ms apart, frames a second: of four event ends one makes a frame.
THROTTLE_MS = 1000.0
DEFAULTS = StreamRequest(**GOOD, speed=1.0, throttle_ms=THROTTLE_MS)
NS = 1_000_000_000
# Counted from frame to frame; all other columns are of the moment.
COUNTED = {"buy_volume", "sell_volume", "other_volume", "ofi", "bought", "sold"}


@pytest.fixture(scope="module")
def server(small_lake: Path) -> Iterator[Running]:
    def prepare_request(request: StreamRequest, on_progress: Callable[[Any], None]) -> Session:
        spec = SessionSpec(**GOOD, throttle_ms=request.throttle_ms, lake=str(small_lake))
        return prepare(spec, on_progress)

    with serving(Service(DEFAULTS, prepare_request, limits=ServerLimits(grace_seconds=0.5))) as running:
        yield running


class Player:
    """A viewer that gives commands and takes what comes."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.seen = Seen()

    def say(self, kind: str, **fields: Any) -> None:
        self.websocket.send(json.dumps({"type": kind, **fields}))

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60  # the first one compiles
        while not done():
            assert time.monotonic() < deadline, self.seen.texts[-3:]
            self.seen.take(self.websocket.recv(timeout=60))

    def status(self, **wanted: Any) -> dict[str, Any]:
        """Wait for a status that says so."""

        def says() -> bool:
            told = [text for text in self.seen.texts if text["type"] == "status"]
            return bool(told) and all(told[-1][name] == value for name, value in wanted.items())

        self.until(says)
        return self.seen.last("status")

    def refusal(self) -> dict[str, Any]:
        self.until(lambda: any(text["type"] == "refused" for text in self.seen.texts))
        return self.seen.last("refused")

    @property
    def times_ns(self) -> list[int]:
        return [int(ns) for ns in self.seen.table["ts_ns"].cast(pa.int64()).to_pylist()]


@pytest.fixture
def player(server: Running) -> Iterator[Player]:
    with client(server.ws("alone=yes")) as websocket:
        made = Player(websocket)
        made.until(lambda: len(made.seen.frames) > 1)  # the schema and a frame
        yield made


def test_a_pause_stops_the_clock_and_a_resume_goes_on_from_there(player: Player) -> None:
    player.say("pause")
    stopped = player.status(paused=True)
    frames = len(player.seen.frames)
    player.seen.texts.clear()
    later = player.status(paused=True)  # one of the next second
    player.seen.texts.clear()
    last = player.status(paused=True)
    assert int(last["server_time_ns"]) - int(stopped["server_time_ns"]) > 0.9 * NS
    assert stopped["time_ns"] == later["time_ns"] == last["time_ns"]
    assert stopped["clock_ns"] == last["clock_ns"]
    assert last["lag_seconds"] == 0
    assert len(player.seen.frames) == frames
    player.say("resume")
    player.until(lambda: len(player.seen.frames) == frames + 1)
    goes = player.status(paused=False)
    assert goes["lag_seconds"] < 0.5  # what passed while it stood is not caught up with
    assert int(stopped["time_ns"]) < int(goes["time_ns"]) < int(stopped["time_ns"]) + 2 * NS


def test_a_step_by_frame_is_the_next_frame_of_the_throttle(player: Player) -> None:
    player.say("step", by="frame")
    player.status(paused=True, steps_done=1)
    player.say("step", by="frame", count=3)
    told = player.status(paused=True, steps_done=2)
    times = player.times_ns
    assert [int(gap) for gap in np.diff(times)][-3:] == [NS, NS, NS]
    assert int(told["time_ns"]) == times[-1]
    assert told["frames_sent"] == len(times)  # they came before it


def test_a_step_by_event_is_the_next_event_end(player: Player) -> None:
    player.say("step", by="frame")
    player.status(steps_done=1)
    before = player.seen.event_ids[-1]
    for _ in range(5):
        player.say("step", by="event")
    told = player.status(paused=True, steps_done=6)
    assert player.seen.event_ids[-6:] == [before + n for n in range(6)]
    assert set(np.diff(player.times_ns)[-5:]) == {NS // 4}
    assert int(told["time_ns"]) == player.times_ns[-1]


def test_pauses_and_steps_by_frame_change_no_bit(server: Running) -> None:
    plain = read_to_end(server.ws("speed=1000"))
    with client(server.ws("speed=20")) as websocket:
        player = Player(websocket)
        for command in ({}, {"by": "frame", "count": 7}, {"by": "frame"}):
            player.say("step", **command)
        player.status(steps_done=3)
        assert 9 <= len(player.seen.frames) - 1 <= 25
        player.say("resume")
        player.until(lambda: len(player.seen.frames) > 30)
        player.say("pause")
        player.status(paused=True)
        player.say("step", count=5)
        player.say("resume")
        read_on(websocket, player.seen)
    assert player.seen.frames == plain.frames
    assert len(plain.frames) > 50
    assert player.seen.code == 1000


def test_steps_by_event_leave_all_that_is_due_as_it_is(server: Running) -> None:
    plain = read_to_end(server.ws("speed=1000")).table
    with client(server.ws("speed=20")) as websocket:
        player = Player(websocket)
        player.say("step", by="event", count=2)
        player.say("step")
        player.status(steps_done=2)
        player.say("resume")
        player.until(lambda: len(player.seen.frames) > 12)
        player.say("step", by="event", count=9)
        player.status(steps_done=3)
        player.say("resume")
        read_on(websocket, player.seen)
    stepped = player.seen.table
    ids, regular = stepped["event_id"].to_pylist(), plain["event_id"].to_pylist()
    between = [event_id for event_id in ids if event_id not in set(regular)]
    assert len(between) >= 6
    assert ids == sorted(set(ids))
    assert set(regular) <= set(ids)
    kept = stepped.take([ids.index(event_id) for event_id in regular])
    for name in plain.schema.names:
        if name not in COUNTED:
            assert kept[name].equals(plain[name]), name
    counted = [ids.index(event_id) for event_id in regular if event_id - 1 not in between]
    assert counted
    for name in sorted(COUNTED):
        rows = [regular.index(ids[row]) for row in counted]
        assert stepped.take(counted)[name].equals(plain.take(rows)[name]), name
    assert sum(stepped["ofi"].to_pylist()) == sum(plain["ofi"].to_pylist()) != 0


def test_a_session_that_others_watch_is_not_one_viewers_to_command(server: Running) -> None:
    with ExitStack() as clients:
        first, second = (Player(clients.enter_context(client(server.ws("speed=2")))) for _ in range(2))
        first.status(viewers=2)
        second.say("pause")
        told = second.refusal()
        ids = [first.seen.last("runtime_config")["session_id"]]
        assert (told["code"], told["type"]) == ("not_alone", "refused")
        assert "2 viewers" in told["message"]
        assert "alone=yes" in told["hint"]
        first.seen.texts.clear()
        assert first.status()["paused"] is False
        second.websocket.close()
        first.status(viewers=1)
        first.say("pause")
        first.status(paused=True)
        # It is the first one's own by now: who comes gets another.
        third = Player(clients.enter_context(client(server.ws("speed=2"))))
        third.until(lambda: len(third.seen.frames) > 1)
        ids.append(third.seen.last("runtime_config")["session_id"])
        assert ids[0] != ids[1]
        assert third.status()["paused"] is False
        # But for who comes back to it.
        last = first.seen.event_ids[-1]
        first.websocket.close()
        back = Player(clients.enter_context(client(server.ws(f"speed=2&after={ids[0]}.{last}"))))
        assert back.status(paused=True)["viewers"] == 1
        assert back.seen.last("runtime_config")["session_id"] == ids[0]
        assert back.seen.last("history")["frames"] == 0
        back.say("resume")
        back.until(lambda: len(back.seen.frames) > 1)
        assert back.seen.event_ids[0] > last


def test_a_session_of_ones_own_is_joined_by_nobody(server: Running) -> None:
    with client(server.ws("alone=yes")) as one, client(server.ws()) as two, client(server.ws("alone=1")) as three:
        players = [Player(each) for each in (one, two, three)]
        for player in players:
            assert player.status()["viewers"] == 1
        assert len({player.seen.last("runtime_config")["session_id"] for player in players}) == 3


def test_a_session_that_is_asked_for_held_stands_before_its_first_frame_and_is_ones_own(server: Running) -> None:
    with client(server.ws("held=yes")) as one, client(server.ws()) as two:
        held, other = Player(one), Player(two)
        held.status(paused=True)
        assert len(held.seen.frames) == 1  # the schema
        other.until(lambda: len(other.seen.frames) > 2)
        assert len({each.seen.last("runtime_config")["session_id"] for each in (held, other)}) == 2
        held.say("step", count=1)
        held.until(lambda: len(held.seen.frames) == 2)
        assert held.seen.event_ids[0] == other.seen.event_ids[0]
        held.say("resume")
        held.status(paused=False)


def test_speed_0_has_no_clock(server: Running) -> None:
    with client(server.ws("speed=0")) as websocket:
        player = Player(websocket)
        player.say("pause")
        read_on(websocket, player.seen)
    assert player.seen.last("refused")["code"] == "not_paced"
    assert player.seen.code == 1000
    assert player.seen.last("end")["frames_missed"] == 0


def test_a_paused_session_that_nobody_watches_ends(server: Running) -> None:
    with client(server.ws("alone=yes&throttle_ms=30")) as websocket:
        player = Player(websocket)
        player.say("pause")
        player.status(paused=True)
        wanted = player.seen.last("runtime_config")["session_id"]
        states = {entry["session_id"]: entry["paused"] for entry in get_json(server, "/health")["sessions"]}
        assert states[wanted] is True
    deadline = time.monotonic() + 10
    while any(entry["session_id"] == wanted for entry in get_json(server, "/health")["sessions"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_said_while_loading_is_done_before_the_first_frame() -> None:
    with serving(tiny_service(endless, load_seconds=0.5)) as server, client(server.ws()) as websocket:
        player = Player(websocket)
        player.say("pause")
        player.status(paused=True)
        assert len(player.seen.frames) == 1  # the schema
        player.say("step", count=2)
        player.status(steps_done=1)
        assert player.seen.event_ids == [0, 1]


def test_a_flood_of_commands_waits_in_its_socket() -> None:
    with serving(tiny_service(endless)) as server, client(server.ws("throttle_ms=30")) as other:
        beside = Player(other)
        beside.until(lambda: len(beside.seen.frames) > 1)
        flood = frame(TEXT, b'{"type":"pause"}') + frame(TEXT, b'{"type":"step"}')
        began = time.monotonic()
        with raw.stream(server.port) as flooding:
            flooding.socket.setblocking(False)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while sent < 100_000_000:
                    sent += flooding.socket.send(flood * 1000)
            assert sent < 100_000_000
            count = len(beside.seen.frames)
            beside.until(lambda: len(beside.seen.frames) > count + 40)
            ids = beside.seen.event_ids
            assert ids == list(range(len(ids)))
            sessions = get_json(server, "/health")["sessions"]
            stepped = next(entry for entry in sessions if entry["paused"])["records_done"]
            assert 0 < stepped < 5 + (time.monotonic() - began) / COMMAND_SECONDS / 2  # every other one is a step


@pytest.mark.skipif(sys.platform != "linux", reason="what is unread is told by /proc/net/tcp")
def test_commands_that_wait_are_not_even_read() -> None:
    """Read ahead, a quarter of a megabyte of them would be ten thousand messages in memory, of each of 500 viewers."""
    flood = frame(TEXT, b'{"type":"resume"}') * 8000
    with serving(tiny_service(endless)) as server, raw.stream(server.port) as flooding:
        flooding.socket.sendall(flood)
        give_up = time.monotonic() + 10
        while _unread_bytes(flooding.socket) == len(flood):
            assert time.monotonic() < give_up
            time.sleep(0.001)
        time.sleep(0.3)  # it has begun to read, and takes them one after the other
        read = len(flood) - _unread_bytes(flooding.socket)
        assert 0 < read < 16_000, read


def _unread_bytes(client_socket: socket.socket) -> int:
    """What a client has sent and its peer on this machine has not read, wherever the system holds it."""
    ports = f"{client_socket.getsockname()[1]:04X}", f"{client_socket.getpeername()[1]:04X}"
    unread = 0
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        ends = local.partition(":")[2], remote.partition(":")[2]
        unsent, unread_here = (int(size, 16) for size in queues.split(":"))
        unread += unsent * (ends == ports) + unread_here * (ends == ports[::-1])
    return unread


def test_steps_beyond_what_may_wait_are_refused_and_those_before_are_made() -> None:
    with serving(tiny_service(endless)) as server, client(server.ws("fields=none")) as websocket:
        player = Player(websocket)
        for _ in range(20):
            player.say("step", count=1000)
        assert player.refusal()["code"] == "too_many_steps"
        player.status()

        def answered() -> Any:
            made = int(player.seen.last("status")["steps_done"])
            return made + sum(text["type"] == "refused" for text in player.seen.texts)

        player.until(lambda: answered() == 20)
        made = player.seen.last("status")
        assert made["frames_sent"] + made["frames_missed"] == 1000 * made["steps_done"]


@pytest.mark.parametrize("said", ['{"type":"stop"}', '{"type":"step","count":1001}', '{"type":"step","by":"tick"}'])
def test_what_is_no_command_ends_the_stream(said: str) -> None:
    with serving(tiny_service(endless)) as server, client(server.ws()) as websocket:
        seen = Seen()
        websocket.send(said)
        read_on(websocket, seen)
    assert (seen.code, seen.last("error")["code"]) == (1008, "unexpected_message")
