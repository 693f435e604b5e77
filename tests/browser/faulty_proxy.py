"""A reverse proxy in its own process, late, silent, or refusing: `python -m tests.browser.faulty_proxy PORT`.

It says its address, then takes rules on stdin, a JSON object a line: `delay_seconds` of what comes back on websockets,
`refuse` (the status with which an ending of a path is answered), `silent` (nothing comes back on websockets).
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from typing import Any

PIECE_BYTES = 1 << 16
MOST_PIECES = 4096  # that are on their way
MOST_HEAD_BYTES = 1 << 16
WORDS = {403: "Forbidden", 502: "Bad Gateway"}


class FaultyProxy:
    """The process, for a test."""

    def __init__(self, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.faulty_proxy", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def rules(self, **rules: Any) -> None:
        """These rules hold from now on, and no others."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(rules)}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        """See to it that it has ended."""
        self.process.kill()
        self.process.communicate()


class _Relay:
    def __init__(self, port: int) -> None:
        self.rules: dict[str, Any] = {}
        self._port = port
        self.listener = socket.create_server(("127.0.0.1", 0))

    def accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MOST_HEAD_BYTES:
                data = near.recv(PIECE_BYTES)
                if not data:
                    return
                head += data
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            for ending, status in self.rules.get("refuse", {}).items():
                if path.endswith(ending):
                    text = f"HTTP/1.1 {status} {WORDS[status]}\r\nContent-Type: text/html\r\n"
                    near.sendall(f"{text}Content-Length: 2\r\nConnection: close\r\n\r\nno".encode())
                    return
            upgrade = b"\r\nupgrade:" in head.lower()
            if not upgrade:  # one request a connection: each path is to be seen
                head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
                head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            with socket.create_connection(("127.0.0.1", self._port)) as far:
                far.sendall(head)
                threading.Thread(target=_copy, args=(near, far), daemon=True).start()
                self._return(far, near, upgrade)

    def _return(self, far: socket.socket, near: socket.socket, upgrade: bool) -> None:
        waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(MOST_PIECES)

        def take() -> None:
            data = b"?"
            while data:
                data = b""
                with contextlib.suppress(OSError):
                    data = far.recv(PIECE_BYTES)
                waiting.put((time.monotonic(), data))

        threading.Thread(target=take, daemon=True).start()
        while True:
            came, data = waiting.get()
            while upgrade and self.rules.get("silent"):
                time.sleep(0.05)
            time.sleep(max(0.0, came + float(self.rules.get("delay_seconds", 0)) * upgrade - time.monotonic()))
            if not data:
                return
            near.sendall(data)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _main() -> None:
    relay = _Relay(int(sys.argv[1]))
    threading.Thread(target=relay.accept, daemon=True).start()
    _say(f"http://127.0.0.1:{relay.listener.getsockname()[1]}")
    for line in sys.stdin:
        relay.rules = json.loads(line)
        _say("done")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
