from __future__ import annotations

import asyncio
import itertools
import socket

import pytest
from starlette.types import Receive, Scope, Send

from vp.errors import BadParameterError, PortInUseError
from vp.server.net.listener import SEND_BUFFER_BYTES, USER_TIMEOUT_MS, address_of, is_loopback, open_listener
from vp.server.net.server import TAKEN_AT_ONCE, WebServer


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that only begins and ends."""
    assert scope["type"] == "lifespan"
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def test_a_free_port_is_found_and_named() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert address_of(listener, "127.0.0.1") == f"http://127.0.0.1:{port}"
        assert address_of(listener, "0.0.0.0") == f"http://localhost:{port}"
        assert address_of(listener, "::1") == f"http://[::1]:{port}"


def test_connections_inherit_the_bounds() -> None:
    with open_listener("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            held = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert held <= 2 * SEND_BUFFER_BYTES  # Linux doubles it for its own books
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert timeout == USER_TIMEOUT_MS


def test_a_port_in_use_is_said_with_a_way_out() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortInUseError) as caught:
            open_listener("127.0.0.1", port)
    assert str(port) in caught.value.message
    assert "--port" in caught.value.hint


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 300])
def test_a_host_that_is_not_this_machine_is_a_bad_parameter(host: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        open_listener(host, 0)
    assert host in caught.value.message


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_connections_are_taken_a_few_at_a_time_and_many_may_wait() -> None:
    """Those that are there have their turn in between, and a crowd that comes at once finds room to wait."""

    async def body() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        with open_listener("127.0.0.1", 0) as listener:
            server = WebServer(nothing)
            taking = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            port = listener.getsockname()[1]
            crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(4 * TAKEN_AT_ONCE)]
            turns: list[int] = []

            def turn() -> None:
                turns.append(len(server.server_state.connections))
                if turns[-1] < len(crowd):
                    loop.call_soon(turn)

            turn()
            while not turns or turns[-1] < len(crowd):
                await asyncio.sleep(0)
            for one in crowd:
                one.close()
            server.should_exit = True
            await taking
            return len(crowd), max(after - before for before, after in itertools.pairwise(turns))

    waiting, most = asyncio.run(body())
    assert waiting == 4 * TAKEN_AT_ONCE
    assert 0 < most <= TAKEN_AT_ONCE
