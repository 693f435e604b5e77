"""What strangers may do to a real server, over plain sockets: each is turned away, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.vp.server import raw
from tests.vp.server.raw import BINARY, CLOSE, PING, PONG, TEXT, frame
from tests.vp.server.tiny import DEFAULTS, Running, TinySession, even_clocks, preparing, serving
from vp.server.app import Service
from vp.server.net import http
from vp.server.net.origin import Gate
from vp.server.runs.hub import ServerLimits

GATE = Gate(allow_origins=frozenset({"https://trade.example"}), names=frozenset())
ORDERLY = frame(CLOSE, b"\x03\xe8")
BIG = 4097


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    prepare = preparing(lambda _request: TinySession(even_clocks(10**6)))
    with serving(Service(DEFAULTS, prepare, gate=GATE, limits=ServerLimits(viewers=20, sessions=3))) as running:
        yield running


@pytest.fixture(autouse=True)
def _unharmed(server: Running, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each: nothing above info was logged, and the server still serves."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    with urllib.request.urlopen(f"{server.http}/health", timeout=10) as response:
        assert json.load(response)["status"] == "ok"
    with raw.stream(server.port, "speed=1000") as viewer:
        assert viewer.read_until(BINARY) is not None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 101),
        ({"Host": "localhost:1"}, 101),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1\r\nHost: evil.example"}, 400),
        ({"Host": None}, 400),
        ({"Origin": "http://127.0.0.1"}, 101),
        ({"Origin": "http://127.0.0.1:5174"}, 403),
        ({"Origin": "https://trade.example"}, 101),
        ({"Origin": "https://trade.example", "Host": "trade.example"}, 101),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1\r\nOrigin: http://evil.example"}, 400),
        ({"Origin": "\xff\xfe"}, 403),
        ({"Sec-WebSocket-Version": "12"}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"X": "x" * 20_000}, 400),
        ({"X": "x" * 200_000}, 400),
    ],
    ids=lambda value: str(value)[:60],
)
def test_handshake(server: Running, headers: dict[str, str | None], expected: int) -> None:
    with raw.raw(server.port) as client:
        assert client.request(headers=headers) == expected
        if expected == 403:
            assert json.loads(client.body)["code"] == "forbidden"


@pytest.mark.parametrize("path", ["/health", "/v1/vacuum-pressure/history?session_id=1", "/vacuum-pressure.html", "/"])
def test_a_foreign_name_gets_no_plain_answer_either(server: Running, path: str) -> None:
    with raw.raw(server.port) as client:
        client.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: evil.example:{server.port}\r\n\r\n".encode())
        assert client.read_status() == 403


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
API = "/v1/vacuum-pressure"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/health", {}, 200),
        ("/metrics", {}, 200),
        (f"{API}/sessions", {}, 200),
        (f"{API}/history?session_id=1", {}, 404),
        (f"{API}/frames?colour=red", {}, 400),
        ("/", {}, 307),
        ("/vacuum-pressure.html", {}, 200),
        ("/nothing.html", {}, 404),
        ("/health", {"Host": "evil.example"}, 403),
        (raw.STREAM, {**UPGRADE, "Origin": "http://evil.example"}, 403),
    ],
)
def test_nothing_is_taken_for_another_kind_of_file(
    server: Running, path: str, headers: dict[str, str], status: int
) -> None:
    with contextlib.closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert answer.headers.get_all("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_all("referrer-policy") == ["no-referrer"]


@pytest.mark.parametrize(
    ("query", "code", "close"),
    [
        ("colour=red", "bad_parameter", 1008),
        ("speed=-1", "bad_parameter", 1008),
        ("speed=nan", "bad_parameter", 1008),
        ("speed=1&speed=2", "bad_parameter", 1008),
        ("fields=nothing", "bad_parameter", 1008),
        ("throttle_ms=" + "9" * 500, "bad_parameter", 1008),
        ("symbol=%ff", "bad_parameter", 1008),
        ("a" * 5000, "bad_parameter", 1008),
    ],
    ids=lambda value: str(value)[:30],
)
def test_requests(server: Running, query: str, code: str, close: int) -> None:
    with raw.stream(server.port, query) as client:
        assert client.read_close() == close
        (error,) = client.errors()
        assert error["code"] == code
        assert len(error["message"]) < 300


@pytest.mark.parametrize(
    ("sent", "close"),
    [
        ([frame(TEXT, b'{"type":"stop"}')], 1008),
        ([frame(TEXT, b"{")], 1008),
        ([frame(TEXT)], 1008),
        ([frame(TEXT, b"x" * (BIG - 1))], 1008),
        ([frame(BINARY, b"\x00\xff")], 1008),
        ([frame(TEXT, b"x" * BIG)], 1009),
        ([frame(BINARY, b"x" * 1_000_000)], 1009),
        ([frame(TEXT, b"x" * 3000, fin=False), frame(0, b"x" * 3000)], 1009),
        ([frame(TEXT, b"\xff\xfe")], 1007),
        ([frame(TEXT, b"x", masked=False)], 1002),
        ([frame(3, b"x")], 1002),
        ([frame(TEXT, b"x", fin=False)] + [frame(0, fin=False)] * 500, 1008),
        ([frame(PING)] * 5000, 1008),
        ([frame(PONG, b"x")] * 5000, 1008),
        ([ORDERLY], 1000),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_viewer_may_not_say(server: Running, sent: list[bytes], close: int) -> None:
    with raw.stream(server.port, "throttle_ms=50") as client:
        client.send(*sent)
        assert client.read_close() == close
        client.send(ORDERLY)
        assert client.read() is None


def test_a_message_is_repeated_in_the_error_in_part(server: Running) -> None:
    with raw.stream(server.port) as client:
        client.send(frame(TEXT, b"stop" * 500))
        assert client.read_close() == 1008
        (error,) = client.errors()
        assert error["code"] == "unexpected_message"
        assert "stopstop" in error["message"]
        assert len(error["message"]) < 200


def test_a_few_pings_are_answered(server: Running) -> None:
    with raw.stream(server.port, "throttle_ms=50") as client:
        for number in range(20):
            client.send(frame(PING, b"%d" % number))
            assert client.read_until(PONG) == b"%d" % number


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_client_that_does_not_get_on_with_it_is_cut_off(
    server: Running, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.3)
    with raw.raw(server.port) as client:
        client.socket.sendall(said)
        assert _ended(client)


def _ended(client: raw.Raw) -> bool:
    """Wait until the server has ended the connection; a TimeoutError if it does not."""
    try:
        while client.socket.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_too_many_viewers_and_sessions_are_told_so(server: Running) -> None:
    open_ones = []
    try:
        for number in range(3):
            client = raw.Raw(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            open_ones.append(client)
            assert client.request(f"{raw.STREAM}?throttle_ms={60 + number}") == 101
            client.read_until(TEXT)
        with raw.stream(server.port, "throttle_ms=70") as fourth:
            assert fourth.read_close() == 1013
            assert fourth.errors()[0]["code"] == "server_full"
        for _ in range(17):
            client = raw.Raw(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            open_ones.append(client)
            assert client.request(f"{raw.STREAM}?throttle_ms=60") == 101
            client.read_until(TEXT)
        with raw.stream(server.port, "throttle_ms=60") as late:
            assert late.read_close() == 1013
            assert "20 viewers" in late.errors()[0]["message"]
    finally:
        for client in open_ones:
            client.send(ORDERLY)
            client.socket.close()


def test_too_many_connections_are_cut_off(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(http, "most_connections", lambda: 0)
        with raw.raw(server.port) as client:
            assert _ended(client)
    assert [record.getMessage() for record in caplog.records] == ["connection refused: there are 0 already"]
    caplog.clear()
