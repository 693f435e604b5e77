"""Long bodies over real sockets: what they hold, who is ended, and that half of one is never taken for the whole."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.vp.server.tiny import Running, serving_app
from vp import counters
from vp.server.net import backpressure, bodies
from vp.server.net.bodies import PIECE_BYTES, Body, LongResponse, Readers
from vp.server.net.http import RequestTimes

PIECES = 64  # far more than all buffers between server and reader hold
ROOM = 2  # bodies at a time


class Made:
    """How many pieces were made of each body."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    def body(self) -> Body:
        number = len(self.pieces)
        self.pieces.append(0)

        def each() -> Iterator[bytes]:
            for piece in range(PIECES):
                self.pieces[number] += 1
                yield bytes([piece]) * PIECE_BYTES

        return Body(each(), {"content-type": "application/octet-stream"})

    @staticmethod
    def broken() -> Body:
        def each() -> Iterator[bytes]:
            yield bytes(PIECE_BYTES)
            message = "frames have gone"
            raise RuntimeError(message)

        return Body(each(), {"content-type": "application/octet-stream"})

    @staticmethod
    def small() -> Body:
        return Body(iter([b"all of it"]), {"content-type": "text/plain"})


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def server(made: Made, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(bodies, "YOUNG_SECONDS", 0.4)
    monkeypatch.setattr(bodies, "WAITING", 3)
    readers = Readers(ROOM * bodies.STREAM_BYTES)

    def route(make: Callable[[], Body]) -> Callable[[Request], Response]:
        return lambda _request: LongResponse(readers, make)

    routes = [
        Route("/long", route(made.body)),
        Route("/broken", route(made.broken)),
        Route("/small", route(made.small)),
    ]
    with serving_app(Starlette(routes=routes, middleware=[Middleware(RequestTimes)])) as running:
        yield running


def ask(server: Running, path: str) -> socket.socket:
    """Ask, and read nothing yet."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    asking.settimeout(20)
    asking.connect(("127.0.0.1", server.port))
    asking.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    return asking


def sip(reader: socket.socket, ended: threading.Event, piece: int) -> int:
    """Take a little ten times a second; how much it was when the server ended the connection."""
    taken = 0
    while not ended.is_set():
        try:
            got = len(reader.recv(piece))
        except OSError:
            return taken
        if not got:
            return taken
        taken += got
        time.sleep(0.1)
    return taken


def to_the_end(reader: socket.socket) -> int:
    """How much still comes."""
    taken = 0
    try:
        while got := len(reader.recv(1 << 20)):
            taken += got
    except ConnectionResetError:
        pass
    return taken


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def get(server: Running, path: str) -> bytes:
    with urllib.request.urlopen(f"{server.http}{path}", timeout=10) as answer:
        body: bytes = answer.read()
    return body


def test_a_body_comes_whole_and_is_made_as_it_is_taken(server: Running, made: Made) -> None:
    with ask(server, "/long"):
        until(lambda: made.pieces[:1] != [] and made.pieces[0] > 0)
        time.sleep(0.3)
        assert made.pieces[0] < PIECES // 4
    assert get(server, "/long") == b"".join(bytes([piece]) * PIECE_BYTES for piece in range(PIECES))


def test_who_takes_least_makes_room_for_who_waits(server: Running) -> None:
    ended = threading.Event()
    before = counters.read("refused").get(("slow_reader",), 0)
    with ask(server, "/long") as less, ask(server, "/long") as more, ThreadPoolExecutor() as threads:
        sipping = [threads.submit(sip, less, ended, 100), threads.submit(sip, more, ended, 64 << 10)]
        time.sleep(0.8)
        assert get(server, "/small") == b"all of it"
        assert counters.read("refused").get(("slow_reader",), 0) == before + 1
        ended.set()
        taken = [one.result() + to_the_end(reader) for one, reader in zip(sipping, (less, more), strict=True)]
    assert taken[0] < PIECES * PIECE_BYTES < taken[1]


def test_who_takes_enough_is_waited_for(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SLOW_BYTES_PER_SECOND", 100)
    ended = threading.Event()
    taken: list[int] = []
    with ask(server, "/long") as one, ask(server, "/long") as other:
        threads = [
            threading.Thread(target=lambda reader=reader: taken.append(sip(reader, ended, 64 << 10)))
            for reader in (one, other)
        ]
        for thread in threads:
            thread.start()
        with ask(server, "/small") as waits:
            waits.settimeout(1.5)
            with pytest.raises(TimeoutError):
                waits.recv(1)
            assert taken == []
            ended.set()
            for thread in threads:
                thread.join(10)
            one.close()
            waits.settimeout(10)
            assert waits.recv(100).startswith(b"HTTP/1.1 200")


def test_more_than_may_wait_are_told_so(server: Running) -> None:
    with ask(server, "/long"), ask(server, "/long"):
        waiting = [ask(server, "/long") for _ in range(2)]
        time.sleep(0.3)
        refused = [ask(server, "/small") for _ in range(3)]
        answers = [one.recv(1000) for one in refused]
        assert sum(answer.startswith(b"HTTP/1.1 503") for answer in answers) >= 1
        for one in (*waiting, *refused):
            one.close()


def test_who_waits_and_leaves_is_waited_for_by_nobody(server: Running, made: Made) -> None:
    with ask(server, "/long"), ask(server, "/long"):
        until(lambda: len(made.pieces) == ROOM)
        ask(server, "/long").close()
        assert get(server, "/small") == b"all of it"
        assert len(made.pieces) == ROOM


def test_a_body_that_cannot_be_made_to_its_end_does_not_look_whole(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        get(server, "/broken")
    assert [record for record in caplog.records if record.levelno > logging.WARNING] == []
    assert get(server, "/small") == b"all of it"


@pytest.mark.parametrize("reads", [True, False])
def test_a_reader_that_takes_nothing_is_cut_off_and_one_that_is_slow_is_not(
    reads: bool, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backpressure, "STALL_SECONDS", 0.5)
    before = counters.read("refused").get(("stalled",), 0)
    ended = threading.Event()
    with ask(server, "/long") as reader:
        if not reads:
            until(lambda: counters.read("refused").get(("stalled",), 0) == before + 1)
            return
        threading.Timer(1.5, ended.set).start()
        sip(reader, ended, 32 << 10)
        assert ended.is_set()  # and not: the connection has ended
    assert counters.read("refused").get(("stalled",), 0) == before


def test_readers_at_the_end_of_the_server_leave_no_word_in_its_log(
    made: Made, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = Readers(ROOM * bodies.STREAM_BYTES)
    app = Starlette(
        routes=[Route("/long", lambda _request: LongResponse(readers, made.body))],
        middleware=[Middleware(RequestTimes)],
    )
    with serving_app(app, timeout_graceful_shutdown=1) as server:
        taking = [ask(server, "/long") for _ in range(ROOM + 1)]
        until(lambda: len(made.pieces) == ROOM)
    for one in taking:
        one.close()
    said = [record.getMessage() for record in caplog.records if record.levelno > logging.WARNING]
    assert [line for line in said if "Cancel" not in line] == []
