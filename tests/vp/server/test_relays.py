"""Relays: the bytes of the origin through one server and two, and what becomes of viewers where one of them dies."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.vp.server.clients import Seen, client, get_json, read_on, read_to_end
from tests.vp.server.tiny import DEFAULTS, Running, TinySession, even_clocks, serving, tiny_service
from vp.child_processes import python_command, python_environment
from vp.programs import serve
from vp.programs.relay import relay_service
from vp.server.history import session_history
from vp.server.routes.relayed_catalogue import RelayedCatalogue
from vp.server.runs import relayed_session
from vp.server.runs.upstream_documents import UpstreamDocuments

STEP_MS = 5
FRAMES = 100
VALUES: dict[str, Any] = {
    "host": "127.0.0.1",
    "allow_origin": (),
    "max_viewers": 600,
    "max_sessions": 8,
    "history_directory": None,
    "history_limit_gb": 0.0,
}


@contextlib.contextmanager
def relaying(upstream: Running | int, lake: Path) -> Iterator[Running]:
    """A relay of a server, or of whatever passes on at a port."""
    port = upstream if isinstance(upstream, int) else upstream.port
    values = {**VALUES, "upstream": f"ws://127.0.0.1:{port}", "lake": str(lake)}
    documents = UpstreamDocuments(values["upstream"])
    with serving(relay_service(values, documents, RelayedCatalogue(documents))) as server:
        yield server


def endless(_request: Any) -> TinySession:
    return TinySession(even_clocks(10**6, STEP_MS))


@pytest.fixture
def origin() -> Iterator[Running]:
    with serving(tiny_service(endless)) as server:
        yield server


def watch(server: Running, frames: int = FRAMES, query: str = "") -> Seen:
    """Read so many frames, and the schema before them."""
    seen = Seen()
    with client(server.ws(query)) as websocket:
        read_on(websocket, seen, frames + 1)
        with contextlib.suppress(OSError):
            websocket.socket.shutdown(socket.SHUT_RDWR)  # a close in good order takes seconds
    return seen


def watch_all(servers: tuple[Running, ...], query: str) -> list[Seen]:
    """Viewers of each at the same time."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda server: watch(server, FRAMES, query), servers))


def by_event(seen: Seen) -> dict[int, bytes]:
    return dict(zip(seen.event_ids, seen.frames[1:], strict=True))


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_bytes_are_those_of_the_origin_through_two_relays(origin: Running, tmp_path: Path) -> None:
    with relaying(origin, tmp_path) as near, relaying(near, tmp_path) as far:
        queries = ("", "fields=pressure,vacuum", "fields=none")
        last = watch(far, 2 * FRAMES)  # all that it has, the near one had before
        for query in queries:
            at_origin, at_near, at_far = watch_all((origin, near, far), query)
            ids = {seen.last("runtime_config")["session_id"] for seen in (at_origin, at_near, at_far)}
            assert len(ids) == 1
            assert at_far.frames[0] == at_near.frames[0] == at_origin.frames[0]
            frames = by_event(at_origin)
            for seen in (at_near, at_far):
                shared = by_event(seen).keys() & frames.keys()
                assert len(shared) > FRAMES // 2
                assert all(by_event(seen)[event] == frames[event] for event in shared)
                assert seen.event_ids == list(range(seen.event_ids[0], seen.event_ids[-1] + 1))
        config_here, config_there = last.last("runtime_config"), watch(origin, 1).last("runtime_config")
        assert config_here == config_there
        until(lambda: get_json(far, "/health")["sessions"][0]["hop_seconds"] > 0)
        assert 0 <= last.last("status")["hop_seconds"] < 5
        assert "hop_seconds" not in watch(origin, 1).last("status")
        assert get_json(far, "/health")["sessions"][0]["lag_seconds"] >= 0
        assert get_json(far, "/health")["upstream"] == f"ws://127.0.0.1:{near.port}"
        assert "upstream" not in get_json(origin, "/health")
        until(lambda: get_json(origin, "/health")["viewers"] == 1)  # however many watch behind it
        listed, there = (get_json(server, "/v1/vacuum-pressure/sessions") for server in (far, origin))
        assert listed == there


def test_a_viewer_of_a_dead_relay_goes_on_at_another_without_a_hole(origin: Running, tmp_path: Path) -> None:
    with relaying(origin, tmp_path) as other:
        watch(other, 1)
        with relaying(origin, tmp_path) as dying:
            before = watch(dying)
        session, event = before.last("runtime_config")["session_id"], before.event_ids[-1]
        after = watch(other, FRAMES, f"after={session}.{event}")
        assert after.last("runtime_config")["session_id"] == session
        assert after.last("history")["hole"] is False
        assert [*before.event_ids, *after.event_ids] == list(range(before.event_ids[0], after.event_ids[-1] + 1))


def test_a_relay_that_came_late_says_what_it_never_had(
    origin: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = watch(origin, 10)
    session = first.last("runtime_config")["session_id"]
    watch(origin, 3 * FRAMES)
    monkeypatch.setattr(session_history, "JOIN_NS", 10 * STEP_MS * 1_000_000)
    with relaying(origin, tmp_path) as late:
        seen = watch(late)
        begins = seen.event_ids[0]
        assert begins > FRAMES
        again = watch(late, FRAMES, f"after={session}.{5}")
        history = again.last("history")
        assert history["hole"] is True
        assert (history["hole_after_event_id"], history["hole_before_event_id"]) == (5, again.event_ids[0])
        assert FRAMES < again.event_ids[0] <= begins
        assert watch(late, 1, f"after={session}.{begins}").last("history")["hole"] is False
        assert seen.last("history")["hole"] is False


def test_a_relay_that_saw_the_beginning_lacks_nothing(tmp_path: Path) -> None:
    with serving(tiny_service(endless)) as origin, relaying(origin, tmp_path) as relay:
        seen = watch(relay)
        assert seen.event_ids[0] == 0
        assert watch(relay, 1).last("history")["hole"] is False


class Wire:
    """Passes connections on to a port, and cuts them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.refuses = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                try:
                    there = None if self.refuses else socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    there = None
                if there is None:
                    here.close()
                    continue
                self._open += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._shut(source, sink)
        source.close()  # its other thread has it as the sink alone, and learns of it

    def _shut(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self._shut(*self._open)
        self._open.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()


@pytest.fixture
def wire(origin: Running) -> Iterator[Wire]:
    made = Wire(origin.port)
    yield made
    made.close()


def test_a_lost_connection_is_made_anew_and_nothing_is_missing(wire: Wire, tmp_path: Path) -> None:
    with relaying(wire.port, tmp_path) as relay:
        seen = Seen()
        with client(relay.ws()) as websocket:
            read_on(websocket, seen, FRAMES)
            wire.refuses = True
            wire.cut()
            until(lambda: any("out of reach" in one for one in get_json(relay, "/health")["sessions"][0]["notices"]))
            wire.refuses = False
            read_on(websocket, seen, 6 * FRAMES)
            wire.cut()
            read_on(websocket, seen, 9 * FRAMES)
        assert seen.event_ids == list(range(seen.event_ids[0], seen.event_ids[-1] + 1))
        assert [text for text in seen.texts if text["type"] == "missed"] == []
        assert get_json(relay, "/health")["sessions"][0]["notices"] == []


def test_what_stays_away_ends_the_session_in_a_sentence(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relayed_session, "GIVE_UP_SECONDS", 0.5)
    with relaying(wire.port, tmp_path) as relay, client(relay.ws()) as websocket:
        seen = Seen()
        read_on(websocket, seen, 2)
        wire.refuses = True
        wire.cut()
        read_on(websocket, seen)
        assert seen.code == 1011
        assert seen.last("error")["code"] == "upstream"


def test_an_origin_that_begins_another_session_ends_the_old_one(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(contextlib.ExitStack())
        origin = first.enter_context(serving(tiny_service(endless)))
        wire = Wire(origin.port)
        stack.callback(wire.close)
        relay = stack.enter_context(relaying(wire.port, tmp_path))
        seen = Seen()
        with client(relay.ws()) as websocket:
            read_on(websocket, seen, 10)
            second = stack.enter_context(serving(tiny_service(endless)))
            wire._target = second.port
            wire.cut()
            read_on(websocket, seen)
        assert seen.code == 1001
        session = seen.last("runtime_config")["session_id"]
        again = watch(relay, 5, f"after={session}.{seen.event_ids[-1]}")
        assert again.last("runtime_config")["session_id"] != session


def test_the_end_and_errors_are_the_origins(tmp_path: Path) -> None:
    short = replace(DEFAULTS, symbol="MNQM6")

    def make(request: Any) -> TinySession:
        return TinySession(even_clocks(50), fail_at=20 if request.symbol == short.symbol else -1)

    with serving(tiny_service(make)) as origin, relaying(origin, tmp_path) as relay:
        whole = read_to_end(relay.ws("speed=10"))
        assert whole.code == 1000
        assert whole.event_ids == list(range(50))
        end = whole.last("end")
        assert end["frames_sent"] == 50
        assert end["clock_ns"] == str(int(even_clocks(50)[-1]))
        broken = read_to_end(relay.ws("speed=10&symbol=MNQM6"))
        there = read_to_end(origin.ws("speed=10&symbol=MNQM6"))
        assert broken.code == there.code == 1011
        assert {**broken.last("error")} == {**there.last("error")}


def test_a_session_of_ones_own_is_to_be_had_at_the_origin(origin: Running, tmp_path: Path) -> None:
    with relaying(origin, tmp_path) as relay:
        for query in ("speed=0", "alone=yes"):
            seen = read_to_end(relay.ws(query))
            assert seen.code == 1008
            assert seen.last("error")["code"] == "not_relayed"
        with client(relay.ws()) as websocket:
            websocket.send('{"type":"pause"}')
            seen = Seen()
            until_refused = time.monotonic() + 10
            while not any(text["type"] == "refused" for text in seen.texts):
                assert time.monotonic() < until_refused
                seen.take(websocket.recv(timeout=5))
        assert seen.last("refused")["code"] == "not_paced"


def test_history_over_http_is_held_by_the_relay(origin: Running, tmp_path: Path) -> None:
    with relaying(origin, tmp_path) as relay:
        seen = watch(relay, 50)
        session = seen.last("runtime_config")["session_id"]
        address = f"{relay.http}/v1/vacuum-pressure/frames?session_id={session}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            stream = answer.read()
        for frame in seen.frames[1:]:
            assert frame in stream
        assert np.frombuffer(seen.frames[1], np.uint8).size == len(seen.frames[2])


def test_the_program_serves_an_upstream_and_ends_by_a_signal(origin: Running, tmp_path: Path) -> None:
    options = ("--upstream", f"ws://127.0.0.1:{origin.port}", "--port", "0", "--lake", str(tmp_path))
    program = subprocess.Popen(
        python_command("-m", "vp.serve", *options),
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        address = program.stdout.readline()
        port = int(address.rpartition(":")[2].partition("/")[0])
        seen, there = watch_all((Running(port), origin), "")
        assert by_event(seen).items() & by_event(there).items()
    finally:
        program.send_signal(signal.SIGTERM)
        _, told = program.communicate(timeout=30)
    assert program.returncode == 0, told
    assert told == ""


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--upstream", "ws://127.0.0.1:1"), 1, "127.0.0.1:1"),
        (("--upstream", "http://127.0.0.1:8002"), 2, "ws://"),
        (("--upstream", "ws://127.0.0.1:8002/?a=b"), 2, "ws://"),
        (("--upstream", "ws://127.0.0.1:8002", "--symbol", "MNQ"), 2, "--symbol"),
        (("--upstream", "ws://127.0.0.1:8002", "--live"), 2, "--live"),
    ],
)
def test_what_cannot_be_an_upstream_is_said_in_a_sentence(
    options: tuple[str, ...], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main([*options, "--port", "0", "--lake", str(tmp_path)]) == code
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert says in said
    assert "Traceback" not in said
