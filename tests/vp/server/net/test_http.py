"""How long a request may take to come, over plain sockets to a server of small applications."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.vp.server.tiny import Running, serving_app
from vp import counters
from vp.server.net import http
from vp.server.net.http import RequestTimes

HEAD = b"%s HTTP/1.1\r\nHost: x\r\n"


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _ignore(_request: Request) -> Response:
    return PlainTextResponse("not read")


async def _slow(_request: Request) -> Response:
    await asyncio.sleep(1.2)
    return PlainTextResponse("at last")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.4)
    routes = [
        Route("/echo", _echo, methods=["POST"]),
        Route("/ignore", _ignore, methods=["POST"]),
        Route("/slow", _slow, methods=["GET", "POST"]),
    ]
    with serving_app(Starlette(routes=routes, middleware=[Middleware(RequestTimes)])) as running:
        yield running


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def read_answer(client: socket.socket) -> bytes:
    """The body of one answer; empty if the connection ends before."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (piece := client.recv(4096)):
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += client.recv(4096)
    except ConnectionResetError:
        return b""
    return body


def trickle(client: socket.socket, piece: bytes = b"x") -> float:
    """Send a little again and again until the server has ended the connection; how long that took."""
    began = time.monotonic()
    try:
        while time.monotonic() < began + 10:
            client.sendall(piece)
            time.sleep(0.05)
    except OSError:
        return time.monotonic() - began
    raise AssertionError("the connection was not ended")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        HEAD % b"GET /slow",
        HEAD % b"POST /echo" + b"Content-Length: 1000000\r\n\r\n",
        HEAD % b"POST /ignore" + b"Content-Length: 1000000\r\n\r\n",
        HEAD % b"POST /missing" + b"Content-Length: 1000000\r\n\r\n",
        HEAD % b"POST /echo" + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_who_says_a_request_little_by_little_is_cut_off(server: Running, begun: bytes) -> None:
    with connect(server) as client:
        client.sendall(begun)
        trickle(client, b"1\r\nx\r\n" if b"chunked" in begun else b"x")


def test_an_answer_may_take_longer_than_a_request(server: Running) -> None:
    with connect(server) as client:
        client.sendall(HEAD % b"GET /slow" + b"\r\n")
        assert read_answer(client) == b"at last"
        client.sendall(HEAD % b"POST /slow" + b"Content-Length: 0\r\n\r\n")
        assert read_answer(client) == b"at last"


def test_a_connection_is_used_again_and_again(server: Running) -> None:
    with connect(server) as client:
        for number in range(8):
            client.sendall(HEAD % b"POST /echo" + b"Content-Length: 1\r\n\r\n%d" % number)
            assert read_answer(client) == b"%d" % number
            client.sendall(HEAD % b"POST /ignore" + b"Content-Length: 4\r\n\r\nbody")
            assert read_answer(client) == b"not read"
            time.sleep(0.1)


def test_requests_may_come_at_once(server: Running) -> None:
    with connect(server) as client:
        client.sendall(2 * (HEAD % b"GET /slow" + b"\r\n"))
        assert [read_answer(client), read_answer(client)] == [b"at last"] * 2


def test_only_so_many_connections_are_taken(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http, "most_connections", lambda: 2)
    before = counters.read("refused").get(("connections",), 0)
    with connect(server) as first, connect(server) as second:
        for client in (first, second):
            client.sendall(HEAD % b"GET /ignore" + b"\r\n")
            assert read_answer(client) == b"Method Not Allowed"
        with connect(server) as third:
            assert read_answer(third) == b""
    assert "connection refused: there are 2 already" in caplog.text
    assert counters.read("refused")["connections",] == before + 1
