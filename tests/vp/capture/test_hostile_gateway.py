"""Gateways that mean harm: what they say has no end, and what is held of it has."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.dbn_files import header, symbol_mapping
from vp.capture import connection, stream_scan
from vp.capture.connection import Connection, ConnectionLostError
from vp.capture.segment import Beginning, Segment
from vp.capture.segment_file import SegmentFile
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


def test_a_stream_that_comes_byte_by_byte_is_looked_at_once(tmp_path: Path) -> None:
    """Its metadata would be gone through anew with each byte that follows them, before the first record is whole."""
    names = {f"MNQ{number}": number for number in range(1, 2000)}
    record = symbol_mapping(1, "MNQ.FUT", "MNQ1")
    data = header(schema=None, symbols=names) + record
    opened: list[int | None] = []

    def open_file(time_ns: int | None) -> SegmentFile:
        opened.append(time_ns)
        return SegmentFile(tmp_path, "one.dbn")

    segment = Segment(Beginning(None, snapshot=False), open_file)
    decoded = 0

    def decode(*given: Any, **more: Any) -> Any:
        nonlocal decoded
        decoded += 1
        return real.decode(*given, **more)

    real = stream_scan.dbn.Metadata
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            stream_scan, "dbn", SimpleNamespace(**vars(stream_scan.dbn) | {"Metadata": SimpleNamespace(decode=decode)})
        )
        segment.receive(data[: -len(record)])
        for byte in record:
            assert not opened
            segment.receive(bytes([byte]))
    assert opened == [None]
    assert decoded == 2  # at the first look, and by the scan of the whole segment
    assert segment.file is not None
    assert segment.file.path.read_bytes() == data
    segment.file.close()
