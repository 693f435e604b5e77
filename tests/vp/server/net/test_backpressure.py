"""Who is cut off for taking too little, over real sockets with small buffers."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.vp.server import raw
from tests.vp.server.raw import BINARY
from tests.vp.server.tiny import serving_app
from vp import counters
from vp.server.net import backpressure
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.websocket import EXTENSION, WebSocketConnection

MESSAGE_BYTES = 4 << 20  # more than all buffers hold


@pytest.mark.parametrize("reads", [True, False])
def test_a_slow_reader_gets_everything_and_one_that_takes_nothing_is_cut_off(
    reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backpressure, "STALL_SECONDS", 0.6)
    ended: list[str] = []
    over = threading.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        connection: WebSocketConnection = websocket.scope["extensions"][EXTENSION]
        try:
            await connection.write_binary(bytes(MESSAGE_BYTES))
            await connection.drain()
            ended.append("taken")
        except ConnectionLostError:
            ended.append("cut off")
        over.set()

    before = counters.read("refused").get(("stalled",), 0)
    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    with serving_app(app) as server, socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        narrow.settimeout(20)
        narrow.connect(("127.0.0.1", server.port))
        client = raw.Raw(narrow)
        assert client.request("/") == 101
        until = time.monotonic() + 2.0
        while reads and time.monotonic() < until:  # for more than three times as long as one may take nothing
            client._rest += narrow.recv(16 << 10)
            time.sleep(0.03)
        if reads:
            assert ended == []  # the server still waits for its reader
            assert client.read() == (BINARY, bytes(MESSAGE_BYTES))
        assert over.wait(20)
    assert ended == ["taken" if reads else "cut off"]
    assert counters.read("refused").get(("stalled",), 0) == before + (not reads)
