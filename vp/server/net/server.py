"""uvicorn, set up for this application."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from vp.server.net.http import HttpConnection
from vp.server.net.websocket import WebSocketConnection

INBOUND_BYTES = 4096
GRACE_SECONDS = 2
PONG_SECONDS = 60.0  # behind what a slow reader has still to take


class WebServer(uvicorn.Server):
    """A uvicorn server that ends with exit code 0 on SIGINT and SIGTERM.

    Parameters
    ----------
    app : Starlette
    log_level : str
        As in vp.settings; requests are logged from debug on, and what clients do wrong from info on.
    inbound_bytes : int
        Longest message that a viewer may send.
    """

    def __init__(self, app: Starlette, log_level: str = "warning", inbound_bytes: int = INBOUND_BYTES) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=HttpConnection,
                ws=WebSocketConnection,
                ws_max_size=inbound_bytes,
                ws_per_message_deflate=False,
                ws_ping_timeout=PONG_SECONDS,
                lifespan="on",
                log_config=None,
                log_level={"debug": "info", "info": "warning"}.get(log_level, "error"),
                access_log=log_level == "debug",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals while serving; unlike uvicorn, do not raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, self.handle_exit) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
