"""Connections before they become websockets, bounded in time and number."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
MOST_DESCRIPTORS = 1 << 16

log = logging.getLogger("vp.server")


def raise_descriptor_limit() -> int:
    """Allow this process as many open files as it may have, at most MOST_DESCRIPTORS; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def most_connections() -> int:
    """How many connections there may be: half of the open files, as the histories of sessions need some too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, MOST_DESCRIPTORS)) // 2


class HttpConnection(H11Protocol):
    """uvicorn's HTTP protocol; a client that does not get its request said in REQUEST_SECONDS is cut off."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._most = most_connections()
        self._request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            log.warning("connection refused: there are %d already", self._most)
            transport.abort()
            return
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        if self._request_timer is None:
            self._start_timer()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_timer()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Let the websocket take over."""
        self._cancel_timer()
        super().handle_websocket_upgrade(event)

    def _start_timer(self) -> None:
        self._request_timer = self.loop.call_later(REQUEST_SECONDS, self._cut_off_if_slow)

    def _cancel_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _cut_off_if_slow(self) -> None:
        """Cut off a client whose request is still not complete; the wait for a next one keep-alive bounds."""
        self._request_timer = None
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY} and self.timeout_keep_alive_task is None:
            log.info("connection closed: no whole request in %g s", REQUEST_SECONDS)
            self.transport.abort()
