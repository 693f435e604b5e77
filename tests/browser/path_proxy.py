"""A reverse proxy that has the server under a path: /vp/... goes on to it as /..., websockets too."""

from __future__ import annotations

import re
import socket

from tests.browser.slow_link import SlowLink

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
MOST_HEAD_BYTES = 1 << 16


class PathProxy(SlowLink):
    """Answers what is asked for anywhere else itself, and remembers it."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(port)
        self.astray: list[str] = []
        self._path = path.encode()

    def _begin(self, near: socket.socket, far: socket.socket) -> bool:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MOST_HEAD_BYTES:
            data = near.recv(4096)
            if not data:
                return False
            head += data
        method, target, rest = head.split(b" ", 2)
        if not target.startswith(self._path + b"/"):
            self.astray.append(target.decode())
            near.sendall(NOT_FOUND)
            return False
        if b"\r\nupgrade:" not in rest.lower():  # one request a connection: the next one's path is to be seen too
            rest = re.sub(rb"\r\nconnection:[^\r]*", b"", rest, flags=re.IGNORECASE)
            rest = rest.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        far.sendall(b" ".join([method, target[len(self._path) :], rest]))
        return True
