"""The service over HTTP on loopback, with faults to switch on."""

from __future__ import annotations

import base64
import json
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.databento_server.service import RefusedError, Service

DOWNLOAD = "/v0/batch/download/"
PIECE_BYTES = 20_000


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path holds `path`.

    Attributes
    ----------
    path : str
    kind : str
        status: the answer is `status` with `body`, nothing is done. drop: the connection closes, nothing is done. lost:
        all is done, then the connection closes. corrupt: a byte of the data differs. short: half of the data come.
        plain: the range asked for is disregarded. reset: half of the data come, then a TCP reset. hold: all is done,
        but the answer (of data, its second half) waits for Server.release. hang: nothing is done, and the answer waits
        likewise. junk: the answer is `body`. support: files that hold no data alone are listed. piece: 20 KB of the
        data come, then the connection closes. redirect: the answer is at the address `body`.
    times : int
    status : int
    retry_after : str or None
    body : str
    chance : float
        Of befalling a request, by Server.dice.
    """

    path: str
    kind: str
    times: int = 1
    status: int = 500
    retry_after: str | None = None
    body: str = ""
    chance: float = 1.0


class Server(ThreadingHTTPServer):
    """Serves one Service."""

    daemon_threads = True

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        self.faults: list[Fault] = []
        self.dice = random.Random(0)
        self.ranges: list[str] = []
        self.holding = threading.Event()
        self.release = threading.Event()
        service.address = f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, path: str) -> Fault | None:
        """The fault of a request, used up by it."""
        with self.service.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.path in path and self.dice.random() < fault.chance:
                    fault.times -= 1
                    return fault
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed on purpose here."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a GET."""
        parts = urlsplit(self.path)
        self._answer(parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        """Answer a POST with a form."""
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.path, dict(parse_qsl(form)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self, path: str, given: dict[str, str]) -> None:
        service = self.server.service
        with service.lock:
            service.calls[path.removeprefix("/v0/").partition("/download/")[0]] += 1
        fault = self.server.fault(path)
        kind = fault.kind if fault else ""
        if fault and kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(fault.status, json.dumps({"detail": fault.body or f"A fault of {path}"}).encode(), headers)
            return
        if fault and kind == "redirect":
            self._send(302, b"", {"Location": fault.body})
            return
        if kind == "hang":
            self._hold()
        if kind in {"drop", "hang"}:
            self._hang_up()
            return
        given_key = self.headers.get("Authorization", "").removeprefix("Basic ")
        if base64.b64decode(given_key) != f"{service.key}:".encode():
            self._send(401, json.dumps({"detail": {"case": "auth", "message": f"Bad key {self._key(given_key)}",
                                                   "status_code": 401, "docs": None}}).encode())  # fmt: skip
            return
        try:
            if fault and kind == "junk" and (path.startswith(DOWNLOAD) or "get_range" in path):
                self._send(200, fault.body.encode(), {"Content-Type": "text/html"})
                return
            if path.startswith(DOWNLOAD):
                data = service.file(*path.removeprefix(DOWNLOAD).split("/")[1:])
                self._send_data(data, kind)
                return
            method = path.removeprefix("/v0/")
            if method == "timeseries.get_range":
                self._send_data(service.stream(given), kind)
                return
            answer = service.answer(method, given)
            if kind == "support":
                answer = [file for file in answer if file["filename"].endswith(".json")]
            body = json.dumps(answer).encode()
        except RefusedError as error:
            self._send(error.status, json.dumps(error.body).encode())
            return
        if kind == "lost":
            self._hang_up()
            return
        if fault and kind == "junk":
            body = fault.body.encode()
        if kind == "hold":
            self._hold()
        self._send(200, body, {"Content-Type": "text/html"} if body.startswith(b"<") else {})

    @staticmethod
    def _key(given: str) -> str:
        return base64.b64decode(given).decode().removesuffix(":")

    def _send_data(self, data: bytes, kind: str) -> None:
        if kind == "corrupt":
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]
        asked = self.headers.get("Range")
        status, headers = 200, {"Content-Type": "application/octet-stream"}
        if asked and kind != "plain":
            self.server.ranges.append(asked)
            first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data = data[first : last + 1]
            status = 206
        self._send(status, data, headers, kind)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "") -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind not in {"short", "reset", "hold", "piece"}:
            self.wfile.write(body)
            return
        self.wfile.write(body[: PIECE_BYTES if kind == "piece" else len(body) // 2])
        self.wfile.flush()
        if kind == "hold":
            self._hold()
            self.wfile.write(body[len(body) // 2 :])
            return
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        self._hang_up()

    def _hold(self) -> None:
        self.server.holding.set()
        self.server.release.wait(20)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running(key: str) -> Iterator[Server]:
    """A server on a free port of loopback."""
    with Server(Service(key)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()
