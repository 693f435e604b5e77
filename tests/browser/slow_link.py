"""A network between page and server: as slow as one likes, and cut when one likes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE_BYTES = 4096


class SlowLink:
    """Passes TCP connections on to a port of this machine; `bytes_per_second` bounds what comes back, in sum."""

    def __init__(self, port: int) -> None:
        self.bytes_per_second: float | None = None
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._up = threading.Event()
        self._up.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection at once, and let no other through."""
        self._up.clear()
        while self._open:
            _end(self._open.pop())

    def mend(self) -> None:
        """Let connections through again."""
        self._up.set()

    def close(self) -> None:
        """No more connections."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._up.is_set():
                _end(near)
                continue
            far = socket.socket()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * PIECE_BYTES)  # what waits, waits at the server
            far.connect(self._to)
            self._open += (near, far)
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _begin(self, near: socket.socket, far: socket.socket) -> bool:
        """What there is to do before all is passed on; False: nothing is."""
        return True

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._begin(near, far):
                threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()
                self._pass(near, far, slowly=False)
        _end(near)
        _end(far)

    def _pass(self, source: socket.socket, target: socket.socket, slowly: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE_BYTES):
                if slowly and self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
                target.sendall(data)
        _end(source)
        _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
