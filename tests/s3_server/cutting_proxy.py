"""What lies between a program and a store: it can stall, or be cut, after so many bytes either way."""

from __future__ import annotations

import contextlib
import socket
import threading

PIECE_BYTES = 1 << 16


class CuttingProxy:
    """A proxy on loopback.

    Parameters
    ----------
    port : int
        Of the store.
    up_bytes, down_bytes : int, optional
        After so many bytes towards the store, or from it, on a connection or all together, nothing passes any more.
    cuts : bool
        Connections are cut then, and new ones refused; otherwise they stand still.
    """

    def __init__(
        self, port: int, up_bytes: int | None = None, down_bytes: int | None = None, *, cuts: bool = True
    ) -> None:
        self._port = port
        self._left = {"up": up_bytes, "down": down_bytes}
        self._cuts = cuts
        self._lock = threading.Lock()
        self.reached = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def release(self) -> None:
        """Let everything pass on new connections."""
        with self._lock:
            self._left = {"up": None, "down": None}
            self.reached.clear()

    def end(self) -> None:
        """Cut what is open; nothing is accepted any more."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open.append(near)
                if self.reached.is_set() and self._cuts:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open.append(far)
                for way, source, target in (("up", near, far), ("down", far, near)):
                    threading.Thread(target=self._copy, args=(way, source, target), daemon=True).start()

    def _copy(self, way: str, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE_BYTES):
                target.sendall(self._passed(way, data))
                if self.reached.is_set():
                    if not self._cuts:
                        return  # both stay open, and nothing more is read
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _passed(self, way: str, data: bytes) -> bytes:
        with self._lock:
            left = self._left[way]
            if left is None:
                return data
            self._left[way] = max(0, left - len(data))
            if len(data) >= left:
                self.reached.set()
            return data[:left]
