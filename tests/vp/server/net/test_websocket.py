"""The server's own websocket protocol under small applications of every make, over plain sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.vp.server import raw
from tests.vp.server.raw import BINARY, CLOSE, PING, PONG, TEXT, frame
from tests.vp.server.tiny import serving_app
from vp.server.net import connection_end
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.websocket import EXTENSION, WebSocketConnection

NORMAL = frame(CLOSE, b"\x03\xe8")


def app(endpoint: Callable[[WebSocket], Any]) -> Starlette:
    return Starlette(routes=[WebSocketRoute("/{path:path}", endpoint)])


async def _listen(websocket: WebSocket) -> None:
    await websocket.accept()
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def test_an_application_is_told_what_was_asked_for() -> None:
    told: dict[str, Any] = {}

    async def endpoint(websocket: WebSocket) -> None:
        told.update(websocket.scope)
        await websocket.accept("second", [(b"X-Answer", b"\xe9")])
        await websocket.close(4000, "enough")

    routes = Starlette(routes=[Mount("/mounted", app(endpoint))])
    with serving_app(routes, root_path="") as server, raw.raw(server.port) as client:
        headers = {"Sec-WebSocket-Protocol": "first, second", "X-Question": "\xe9"}
        path = "/mounted/a%20b?c=%2F"
        assert client.request(path, headers) == 101
        assert client.read() == (CLOSE, (4000).to_bytes(2) + b"enough")
        address = client.socket.getsockname()
    assert told["path"] == "/mounted/a b"
    assert told["raw_path"] == b"/mounted/a%20b"
    assert told["query_string"] == b"c=%2F"
    assert (told["scheme"], told["http_version"], told["asgi"]["spec_version"]) == ("ws", "1.1", "2.4")
    assert told["client"] == address
    assert told["server"] == ("127.0.0.1", server.port)
    assert told["subprotocols"] == ["first", "second"]
    assert (b"x-question", b"\xe9") in told["headers"]
    assert isinstance(told["extensions"][EXTENSION], WebSocketConnection)


def test_the_handshake_carries_what_the_application_adds() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept("second", [(b"X-Answer", b"\xe9")])

    with serving_app(app(endpoint)) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
    lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines  # RFC 6455, 1.3
    assert b"Sec-WebSocket-Protocol: second" in lines
    assert b"X-Answer: \xe9" in lines


async def _returns(_websocket: WebSocket) -> None:
    """Neither accepts nor refuses."""


async def _refuses(websocket: WebSocket) -> None:
    await websocket.close()


async def _refuses_in_words(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("not today", 418, {"X-Why": "tea"}))


async def _fails(_websocket: WebSocket) -> None:
    raise ZeroDivisionError


async def _begins_a_refusal(websocket: WebSocket) -> None:
    await websocket.send({"type": "websocket.http.response.start", "status": 403, "headers": []})


@pytest.mark.parametrize(
    ("endpoint", "status", "body"),
    [
        (_returns, 500, b""),
        (_refuses, 403, b""),
        (_refuses_in_words, 418, b"not today"),
        (_fails, 500, b""),
        (_begins_a_refusal, 500, b""),
    ],
)
def test_an_application_that_does_not_accept_is_answered_for(
    endpoint: Callable[[WebSocket], Any], status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_app(app(endpoint)) as server, raw.raw(server.port) as client:
        assert client.request("/") == status
        while piece := client.socket.recv(4096):
            client.body += piece
        assert client.body == body
    assert ("ZeroDivisionError" in caplog.text) == (endpoint is _fails)


async def _accepts_and_fails(websocket: WebSocket) -> None:
    await websocket.accept()
    raise ZeroDivisionError


async def _accepts_and_returns(websocket: WebSocket) -> None:
    await websocket.accept()


async def _sends_and_closes(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("é")
    await websocket.send_bytes(b"\xff")
    await websocket.close(4001, "done")


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (_accepts_and_fails, [(CLOSE, b"\x03\xf3")]),
        (_accepts_and_returns, [(CLOSE, b"\x03\xe8")]),
        (_sends_and_closes, [(TEXT, "é".encode()), (BINARY, b"\xff"), (CLOSE, (4001).to_bytes(2) + b"done")]),
    ],
)
def test_an_application_that_accepts_is_closed_behind(
    endpoint: Callable[[WebSocket], Any], expected: list[tuple[int, bytes]]
) -> None:
    with serving_app(app(endpoint)) as server, raw.raw(server.port) as client:
        assert client.request("/") == 101
        while client.read() is not None:
            if client.received[-1][0] == CLOSE:
                client.send(frame(CLOSE, client.received[-1][1]))
        assert client.received == expected


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (NORMAL, (1000, "")),
        (frame(CLOSE, (4002).to_bytes(2) + b"bye"), (4002, "bye")),
        (frame(CLOSE), (1005, "")),
        (frame(3, b"x"), (1002, "invalid opcode")),
        (b"", (1006, "")),
    ],
)
def test_an_application_is_told_once_how_its_peer_ended(ending: bytes, expected: tuple[int, str]) -> None:
    told: list[Any] = []
    over = threading.Event()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise ZeroDivisionError
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        message = await receive()
        told.append((message["code"], message["reason"]))
        with pytest.raises(ConnectionLostError):
            await send({"type": "websocket.send", "text": "too late"})
        over.set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                told.append(await receive())

    with serving_app(endpoint, lifespan="off") as server, raw.raw(server.port) as client:
        assert client.request("/") == 101
        client.send(ending)
        if not ending:
            client.socket.close()
        assert over.wait(10)
    assert told == [expected]


def test_a_peer_that_answers_pings_stays_and_one_that_does_not_is_left() -> None:
    impatient: dict[str, Any] = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.5}
    with (
        serving_app(app(_listen), **impatient) as server,
        raw.raw(server.port) as quick,
        raw.raw(server.port) as silent,
        raw.raw(server.port) as wrong,
    ):
        assert quick.request("/") == silent.request("/") == wrong.request("/") == 101
        assert wrong.read_until(PING) is not None
        wrong.send(frame(PONG, b"of another ping"))
        until = time.monotonic() + 1.5
        answered = 0
        while time.monotonic() < until:
            payload = quick.read_until(PING)
            assert payload is not None
            quick.send(frame(PONG, b"of another ping"), frame(PONG, payload))
            answered += 1
        assert answered > 3
        assert silent.read_close() == 1011
        assert [opcode for opcode, _ in silent.received] == [PING, CLOSE]  # no second ping before a pong
        assert wrong.read_close() == 1011
        assert [opcode for opcode, _ in wrong.received] == [PING, CLOSE]


def test_a_peer_that_closes_and_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the system's timeout nor keepalive would free it: it has closed, and is waited for by nobody."""
    monkeypatch.setattr(connection_end, "LINGER_SECONDS", 0.3)
    lost = threading.Event()
    connection_lost = WebSocketConnection.connection_lost

    def told(self: WebSocketConnection, exc: Exception | None) -> None:
        connection_lost(self, exc)
        lost.set()

    monkeypatch.setattr(WebSocketConnection, "connection_lost", told)

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        connection: WebSocketConnection = websocket.scope["extensions"][EXTENSION]
        assert connection.push(bytes(8 << 20))
        await websocket.receive()

    with serving_app(app(endpoint)) as server, socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", server.port))
        client = raw.Raw(stalled)
        assert client.request("/") == 101
        client.send(NORMAL)
        assert lost.wait(5)


def test_a_server_that_ends_closes_what_is_open_and_refuses_what_is_not(caplog: pytest.LogCaptureFixture) -> None:
    began = threading.Event()

    async def undecided(_websocket: WebSocket) -> None:
        began.set()
        await asyncio.Event().wait()

    routes = Starlette(routes=[WebSocketRoute("/open", _listen), WebSocketRoute("/undecided", undecided)])
    with raw.Raw(socket.socket()).socket as first, raw.Raw(socket.socket()).socket as second:
        with serving_app(routes) as server:
            first.connect(("127.0.0.1", server.port))
            second.connect(("127.0.0.1", server.port))
            open_one, waiting = raw.Raw(first), raw.Raw(second)
            assert open_one.request("/open") == 101
            asking = threading.Thread(target=waiting.request, args=("/undecided",))
            asking.start()
            assert began.wait(10)
        asking.join(10)
        assert waiting.status == 500
        assert open_one.read_close() == 1001
        assert open_one.received[-1][1][2:] == b"the server is shutting down"
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_stream_of_empty_pieces_takes_no_memory_and_a_message_arrives_whole() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(json.dumps(await websocket.receive(), default=list))

    with serving_app(app(endpoint)) as server, raw.raw(server.port) as client:
        assert client.request("/") == 101
        client.send(frame(BINARY, b"ab", fin=False), *[frame(0, fin=False)] * 50, frame(0, b"c"))
        text = client.read_until(TEXT)
        assert text is not None
        assert json.loads(text)["bytes"] == [97, 98, 99]


def test_what_a_faulty_application_sends_is_logged_and_closes_only_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.send", "text": "before the handshake"})

    with (
        caplog.at_level(logging.ERROR),
        serving_app(endpoint, lifespan="off") as server,
        raw.raw(server.port) as client,
    ):
        assert client.request("/") == 500
    assert "'websocket.send' while the websocket was connecting" in caplog.text
