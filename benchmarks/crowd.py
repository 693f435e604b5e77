"""Many viewers of one session in few processes: plain sockets, and of each frame only its length, time and number.

A process serves its viewers from one epoll loop. It keeps, per frame received, when it came, the engine's clock and
the event_id; what was told in `missed` messages is kept with its place, so that it can be held against what is
missing.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import time
import urllib.request
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
BUFFER_BYTES = 1 << 20
SLOW_SECONDS = 0.5
SLOW_BYTES = 20_000
NARROW_BYTES = 128 << 10  # less than a segment of the loopback would stall the sender


@dataclass
class Seen:
    """What one viewer received.

    Attributes
    ----------
    slow : bool
        Whether it read no more than SLOW_BYTES in SLOW_SECONDS.
    received_ns, clock_ns, event_ids : array
        Per frame: wall time, engine clock, event_id.
    told : dict
        Frames missed as told, by the number of frames received before.
    code : int
        Close code; 0 while it is open, -1 where the connection ended without one.
    """

    slow: bool = False
    received_ns: array[int] = field(default_factory=lambda: array("q"))
    clock_ns: array[int] = field(default_factory=lambda: array("q"))
    event_ids: array[int] = field(default_factory=lambda: array("q"))
    told: dict[int, int] = field(default_factory=dict)
    code: int = 0


@dataclass
class Member:
    """One viewer at work."""

    socket: socket.socket
    seen: Seen
    wake_at: float = 0.0
    _rest: bytes = b""
    _header: bytes = b""
    _frame_bytes: int = 0
    _event_at: int = 0
    _clock_at: int = 0

    def take(self, data: bytes) -> None:
        """Go through what one read brought."""
        size = len(self._header) + self._frame_bytes
        if not self._rest and self._header and len(data) == size and data.startswith(self._header):
            self._frame(data, 0)
            return
        data = self._rest + data
        at = 0
        while len(data) - at >= 2:
            length, body = data[at + 1] & 127, at + 2
            if length > 125:
                wide = 2 if length == 126 else 8
                length = int.from_bytes(data[body : body + wide])
                body += wide
            if len(data) < body + length:
                break
            self._message(data, at, body, length)
            at = body + length
        self._rest = data[at:]

    def _message(self, data: bytes, at: int, body: int, length: int) -> None:
        opcode = data[at] & 15
        if opcode == BINARY:
            if length == self._frame_bytes:
                self._frame(data, at)
        elif opcode == TEXT:
            self._text(json.loads(data[body : body + length]))
        elif opcode == PING:
            with contextlib.suppress(ConnectionError):  # what the server still sent is read all the same
                self.socket.send(struct.pack("!BB4x", 0x80 | PONG, 0x80 | length) + data[body : body + length])
        elif opcode == CLOSE:
            self.seen.code = int.from_bytes(data[body : body + 2])

    def _frame(self, data: bytes, at: int) -> None:
        start = at + len(self._header)
        self.seen.received_ns.append(time.time_ns())
        self.seen.clock_ns.append(int.from_bytes(data[start + self._clock_at : start + self._clock_at + 8], "little"))
        self.seen.event_ids.append(int.from_bytes(data[start + self._event_at : start + self._event_at + 8], "little"))

    def _text(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "runtime_config":
            self._frame_bytes = int(message["frame"]["message_bytes"])
            self._header = struct.pack("!BBH", 0x82, 126, self._frame_bytes)
            offsets = {column["name"]: int(column["offset"]) for column in message["frame"]["columns"]}
            self._event_at, self._clock_at = offsets["event_id"], offsets["ts_ns"]
        elif message["type"] == "missed":
            place = len(self.seen.event_ids)
            self.seen.told[place] = self.seen.told.get(place, 0) + int(message["frames"])


def join(port: int, query: str, *, narrow: bool = False) -> socket.socket:
    """Open a viewer's connection, `narrow`: with a small buffer; raises ConnectionError if the server refuses."""
    opened = socket.socket()
    opened.settimeout(30)
    if narrow:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
    opened.connect(("127.0.0.1", port))
    opened.sendall(
        f"GET /v1/vacuum-pressure/stream?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = opened.recv(1)
        if not piece:
            raise ConnectionError("the server ended the connection during the handshake")
        head += piece
    if not head.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(head.decode("latin-1").splitlines()[0])
    return opened


def watch(port: int, query: str, quick: int, slow: int, until: float) -> list[Seen]:
    """Be `quick` viewers that read at once and `slow` ones that do not, until a wall time; what each received."""
    members = [
        Member(join(port, query, narrow=number >= quick), Seen(number >= quick)) for number in range(quick + slow)
    ]
    poll = select.epoll()
    by_fd = {member.socket.fileno(): member for member in members}
    for fd, member in by_fd.items():
        member.socket.setblocking(False)
        poll.register(fd, select.EPOLLIN)
    asleep: list[Member] = []
    while by_fd and time.time() < until:
        for member in [one for one in asleep if time.monotonic() >= one.wake_at]:
            asleep.remove(member)
            poll.register(member.socket.fileno(), select.EPOLLIN)
        for fd, _ in poll.poll(0.05):
            member = by_fd[fd]
            try:
                data = member.socket.recv(SLOW_BYTES if member.seen.slow else BUFFER_BYTES)
            except BlockingIOError:
                continue
            except ConnectionError:
                data = b""
            if not data:
                member.seen.code = member.seen.code or -1
                poll.unregister(fd)
                del by_fd[fd]
                continue
            member.take(data)
            if member.seen.slow:
                member.wake_at = time.monotonic() + SLOW_SECONDS
                asleep.append(member)
                poll.unregister(fd)
    poll.close()
    for member in members:
        member.socket.close()
    return [member.seen for member in members]


def frames_held(port: int, session_id: str) -> np.ndarray:
    """The event_ids of all frames that the server holds of a session, int64[n]: what there was to see."""
    address = f"http://127.0.0.1:{port}/v1/vacuum-pressure/history?session_id={session_id}&fields=pressure"
    parts: list[np.ndarray] = []
    below = ""
    while True:
        with urllib.request.urlopen(f"{address}{below}", timeout=60) as response:  # noqa: S310 - http only
            body = response.read()
        length = int.from_bytes(body[:4], "little")
        head = json.loads(body[4 : 4 + length])
        place = next(column for column in head["columns"] if column["name"] == "event_id")
        parts.insert(0, np.frombuffer(body, np.int64, head["frames"], 4 + length + place["offset"]))
        if head["first"] <= head["oldest"] or not head["frames"]:
            return np.concatenate(parts)
        below = f"&below={head['first']}"


def missed_since(seen: Seen, since: float) -> int:
    """Frames that a viewer missed from a wall time on."""
    return sum(
        frames
        for place, frames in seen.told.items()
        if place >= len(seen.received_ns) or seen.received_ns[place] >= since * 1e9
    )


def unaccounted(crowd: list[Seen], every: np.ndarray) -> list[str]:
    """Where what a viewer missed is not what it was told; empty if all agree.

    `every` holds the event_ids of all frames there were, in order: a gap in one viewer's frames must be as long as it
    was told there, and no gap may go untold.
    """
    wrong = []
    for number, seen in enumerate(crowd):
        ids = np.asarray(seen.event_ids, np.int64)
        ids = ids[ids <= every[-1]]  # frames go on while they are asked for
        places = np.searchsorted(every, ids)
        if len(ids) and (places[-1] >= len(every) or (every[places] != ids).any()):
            wrong.append(f"viewer {number}: a frame that there was not")
            continue
        steps = np.diff(places)
        if len(ids) and (steps < 1).any():
            wrong.append(f"viewer {number}: a frame came twice or out of order")
        for place in sorted({*(np.flatnonzero(steps > 1) + 1).tolist(), *seen.told}):
            if 0 < place < len(ids) and steps[place - 1] - 1 != seen.told.get(place, 0):
                told = seen.told.get(place, 0)
                wrong.append(f"viewer {number}: after frame {place} missed {steps[place - 1] - 1}, was told {told}")
    return wrong
