"""Gateways that mean harm: what they say has no end, and what is held of it has."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.dbn_files import header, symbol_mapping
from vp.capture import connection, stream_scan
from vp.capture.connection import Connection, ConnectionLostError
from vp.capture.stream_scan import StreamScan
from vp.errors import FeedDamagedError

PIECE = b"x" * (64 << 10)
NOTHING: list[connection.Symbols] = []


async def said_before_the_login_failed(first: bytes) -> tuple[int, str]:
    """How many bytes a gateway could say that says no whole line after `first`, and why that was the end."""
    sent = 0

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(first)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(PIECE)
                await writer.drain()
                sent += len(PIECE)

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    one = Connection(("127.0.0.1", port), "db-key", "GLBX.MDP3", 30, lambda _data: None)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionLostError) as caught:
                await one.start(NOTHING, None, snapshot=False)
    finally:
        one.close()
        server.close()
    return sent, caught.value.end.reason


@pytest.mark.parametrize("first", [b"", b"lsg_version=0.7.1\n"])
def test_a_login_without_end_is_left(first: bytes) -> None:
    sent, reason = asyncio.run(said_before_the_login_failed(first))
    assert reason == "the gateway said more than 65,536 bytes during the login"
    assert sent < 32 << 20, "what the system holds, and no more"


def test_a_stream_that_goes_on_naming_instruments_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_scan, "MOST_NAMES", 3)
    names = [symbol_mapping(number, "MNQ.FUT", f"MNQ{number}") for number in range(1, 5)]
    scan = StreamScan()
    list(scan.feed(header(schema=None, symbols={}) + b"".join(names[:3]) + names[2]))
    assert scan.names == {1: "MNQ1", 2: "MNQ2", 3: "MNQ3"}
    with pytest.raises(FeedDamagedError, match="names more than 3 instruments"):
        list(scan.feed(names[3]))
