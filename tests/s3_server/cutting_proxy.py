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
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.reached.is_set() and self._cuts:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                for way, source, target in (("up", near, far), ("down", far, near)):
                    threading.Thread(target=self._copy, args=(way, source, target), daemon=True).start()

    def _copy(self, way: str, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE_BYTES):
                with self._lock:
                    left = self._left[way]
                    if left is not None:
                        data = data[:left]
                        self._left[way] = left - len(data)
                        if not self._left[way]:
                            self.reached.set()
                target.sendall(data)
                if self.reached.is_set() and self._cuts:
                    break
                if self.reached.is_set():
                    return  # both stay open, and nothing more is read
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
