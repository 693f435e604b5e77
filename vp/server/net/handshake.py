"""The opening of a websocket: what an application is told of the request, and how it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from vp.server.net.asgi import HeaderPairs, Scope

BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def websocket_scope(
    request: Request,
    transport: asyncio.BaseTransport,
    *,
    root_path: str,
    asgi_version: str,
    state: MutableMapping[str, Any],
    extensions: MutableMapping[str, Any],
) -> Scope:
    """What an application is told of a websocket that asks to be opened.

    Header values are Latin-1, as websockets reads them.
    """
    raw_path, _, query = request.path.partition("?")
    offered = request.headers.get_all("Sec-WebSocket-Protocol")
    return {
        "type": "websocket",
        "asgi": {"version": asgi_version, "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws" if transport.get_extra_info("sslcontext") is None else "wss",
        "server": _address(transport.get_extra_info("sockname")),
        "client": _address(transport.get_extra_info("peername")),
        "root_path": root_path,
        "path": root_path + unquote(raw_path),
        "raw_path": (root_path + raw_path).encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [
            (name.lower().encode("ascii"), value.encode("latin-1", "surrogateescape"))
            for name, value in request.headers.raw_items()
        ],
        "subprotocols": [token.strip() for value in offered for token in value.split(",")],
        "state": dict(state),
        "extensions": {"websocket.http.response": {}, **extensions},
    }


def _address(known: Any) -> tuple[str, int] | None:
    return (str(known[0]), int(known[1])) if isinstance(known, tuple) and len(known) >= 2 else None


def refusal_response(status: int, headers: HeaderPairs, body: bytes) -> Response:
    """The response of an application that does not accept, with what HTTP asks for beside it."""
    sent = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])
    sent.setdefault("Date", formatdate(usegmt=True))
    sent.setdefault("Connection", "close")
    sent.setdefault("Content-Length", str(len(body)))
    sent.setdefault("Content-Type", "text/plain; charset=utf-8")
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return Response(status, phrase, sent, body)
