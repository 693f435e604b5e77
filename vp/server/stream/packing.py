"""Frame messages with their websocket headers between them, as they lie in memory, on disk and on the socket.

A frame message of a session always has the same length, so its websocket header is a constant, and a block of
frames with their headers between is written in one piece: sending costs no Python per frame.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

import numpy as np

FIN_BINARY = 0x82


class Projector(Protocol):
    """Re-encodes one frame message (vp.model.frames.Projection)."""

    def apply(self, message: Any) -> bytes: ...


def header(length: int) -> bytes:
    """The websocket header of a whole binary message of `length` bytes from a server (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", FIN_BINARY, length)
    if length < 1 << 16:
        return struct.pack("!BBH", FIN_BINARY, 126, length)
    return struct.pack("!BBQ", FIN_BINARY, 127, length)


def pack(messages: np.ndarray) -> np.ndarray:
    """Messages uint8[n, length] with their headers: a new array uint8[n, len(header) + length]."""
    count, length = messages.shape
    head = np.frombuffer(header(length), np.uint8)
    packed = np.empty((count, len(head) + length), np.uint8)
    packed[:, : len(head)] = head
    packed[:, len(head) :] = messages
    return packed


def unpack(data: memoryview, length: int) -> np.ndarray:
    """The messages of `length` bytes in a packed block: uint8[n, length], a view."""
    stride = len(header(length)) + length
    return np.frombuffer(data, np.uint8).reshape(-1, stride)[:, stride - length :]


def project(messages: np.ndarray, projector: Projector, length: int) -> np.ndarray:
    """Messages uint8[n, *] re-encoded, each `length` bytes long: uint8[n, length]."""
    projected = b"".join([projector.apply(message) for message in messages])
    return np.frombuffer(projected, np.uint8).reshape(-1, length)
