"""uvicorn, set up for this application."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from vp.ending_signals import ending_signals
from vp.server.net.descriptors import most_connections
from vp.server.net.http import HttpConnection
from vp.server.net.listener import BACKLOG
from vp.server.net.websocket import WebSocketConnection

INBOUND_BYTES = 4096  # longest message that a viewer may send
GRACE_SECONDS = 2
TAKEN_AT_ONCE = 64  # connections, before those there are have their turn: asyncio takes its backlog in one go
PONG_SECONDS = 60.0  # behind what a slow reader has still to take


class WebServer(uvicorn.Server):
    """A uvicorn server that ends with exit code 0 on SIGINT, SIGTERM and SIGHUP.

    Parameters
    ----------
    app : ASGI application
    log_level : str
        As in vp.settings.forms; requests are logged from debug on, and what clients do wrong from info on.
    """

    def __init__(self, app: ASGIApp, log_level: str = "warning") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=HttpConnection,
                ws=cast(Any, WebSocketConnection),  # a BufferedProtocol, which transports take as well
                ws_max_size=INBOUND_BYTES,
                ws_per_message_deflate=False,
                ws_ping_timeout=PONG_SECONDS,
                lifespan="on",
                backlog=max(1, min(TAKEN_AT_ONCE, most_connections() // 2)),
                log_config=None,
                log_level={"debug": "info", "info": "warning"}.get(log_level, "error"),
                access_log=log_level == "debug",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, with room for as many who wait to be taken as before."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals while serving; unlike uvicorn, do not raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {name: signal.signal(name, self.handle_exit) for name in ending_signals()}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
