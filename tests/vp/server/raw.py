"""A websocket client that says exactly what it is told to, right or wrong, over a plain socket."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STREAM = "/v1/vacuum-pressure/stream"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x0f\xf0\x55\xaa"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One frame as a client sends it; `reserved` are the bits RSV1 to RSV3 as a number from 0 to 7."""
    first = fin << 7 | reserved << 4 | opcode
    length = len(payload)
    bit = masked << 7
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    if not masked:
        return head + payload
    pattern = (MASK * (length // 4 + 1))[:length]
    masked_payload = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return head + MASK + masked_payload.to_bytes(length, "big")


@dataclass
class Raw:
    """A connection. `received` holds what came, as (opcode, payload)."""

    socket: socket.socket
    status: int = 0
    body: bytes = b""
    received: list[tuple[int, bytes]] = field(default_factory=list)
    _rest: bytes = b""

    def request(self, path: str = STREAM, headers: Mapping[str, str | None] | None = None) -> int:
        """Ask for the upgrade; the answer's status. A header that is None is left out."""
        sent: dict[str, str | None] = {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        return self.read_status()

    def read_status(self) -> int:
        """Read the answer's head."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            if not piece:
                break
            data += piece
        head, _, self._rest = data.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ")[1]) if head else 0
        self.body = self._rest
        return self.status

    def send(self, *frames: bytes) -> None:
        """Send frames; a server that has closed meanwhile is no fault of the client."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(b"".join(frames))

    def read(self) -> tuple[int, bytes] | None:
        """The next frame, or None at the end of the connection."""
        head = self._take(2)
        if head is None:
            return None
        length = head[1] & 127
        if length > 125:
            extended = self._take(2 if length == 126 else 8)
            assert extended is not None
            length = int.from_bytes(extended)
        payload = self._take(length)
        assert payload is not None
        self.received.append((head[0] & 15, payload))
        return self.received[-1]

    def read_until(self, opcode: int) -> bytes | None:
        """The payload of the next frame of this kind; None if the connection ends before."""
        while (got := self.read()) is not None:
            if got[0] == opcode:
                return got[1]
        return None

    def read_close(self) -> int:
        """The close code that the server sends; 0 if the connection ends without one."""
        payload = self.read_until(CLOSE)
        return struct.unpack("!H", payload[:2])[0] if payload else 0

    def errors(self) -> list[dict[str, Any]]:
        """The `error` messages received."""
        texts = [json.loads(payload) for opcode, payload in self.received if opcode == TEXT]
        return [text for text in texts if text["type"] == "error"]

    def _take(self, count: int) -> bytes | None:
        while len(self._rest) < count:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self._rest += piece
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


@contextlib.contextmanager
def raw(port: int) -> Iterator[Raw]:
    """Connect, without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connected:
        yield Raw(connected)


@contextlib.contextmanager
def stream(port: int, query: str = "") -> Iterator[Raw]:
    """Connect and upgrade."""
    with raw(port) as opened:
        assert opened.request(f"{STREAM}?{query}") == 101
        yield opened
