"""Viewers of a real server, by websockets' own client."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.vp.server.tiny import Running


@dataclass
class Seen:
    """What a client received."""

    texts: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    code: int = 0

    def take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.texts.append(json.loads(message))
        else:
            self.frames.append(message)

    def last(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.texts) if message["type"] == kind)

    @property
    def table(self) -> pa.Table:
        """All binary messages in a row, read as one Arrow IPC stream."""
        return pa.ipc.open_stream(b"".join(self.frames)).read_all()

    @property
    def event_ids(self) -> list[int]:
        return [int(number) for number in self.table["event_id"].to_pylist()]


def client(url: str, **options: Any) -> ClientConnection:
    opened: ClientConnection = connect(url, max_size=None, compression=None, close_timeout=2, **options)
    return opened


def read_to_end(url: str) -> Seen:
    seen = Seen()
    with client(url) as websocket:
        read_on(websocket, seen)
    return seen


def read_on(websocket: ClientConnection, seen: Seen, until_frames: int | None = None) -> None:
    """Read until the close, or until so many binary messages are there."""
    try:
        while until_frames is None or len(seen.frames) < until_frames:
            seen.take(websocket.recv(timeout=20))
    except ConnectionClosed as closed:
        seen.code = closed.rcvd.code if closed.rcvd is not None else 0


def get_json(server: Running, path: str) -> Any:
    with urllib.request.urlopen(server.http + path, timeout=10) as response:
        return json.loads(response.read())
