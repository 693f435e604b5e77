"""Who may speak to the server: which web pages, and under which names of this machine.

A browser lets any page open a websocket to any host and only states the page's origin. So a page must come from
this server or from a site that was allowed when the server was started, or it could read along from elsewhere. And
a page whose own name is made to resolve to this machine counts as the server's own for the browser; therefore a
request must name the server by an address or by a name that it is known to have.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vp import counters
from vp.errors import VPError, quoted
from vp.logs import event
from vp.server.faults import error_body
from vp.server.net.listener import is_loopback

HINT = "Open the page under the address that the server printed at its start, or allow this one with --allow-origin."

log = logging.getLogger("vp.server")


class ForbiddenError(VPError):
    """The request came from a page, or to a name, that was not allowed."""

    code = "forbidden"


def own_names() -> frozenset[str]:
    """The names that this machine has for itself."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({name, short, f"{short}.local"})


@dataclass(frozen=True)
class Gate:
    """What may come in.

    Attributes
    ----------
    loopback_only : bool
        Whether the server listens on a loopback address.
    allow_origins : frozenset of str
        Origins of other sites, normalised (vp.settings.forms.origin). Their names do as names of this server too, for a
        proxy that passes them on.
    names : frozenset of str
        Names of this machine.
    """

    loopback_only: bool = True
    allow_origins: frozenset[str] = frozenset()
    names: frozenset[str] = field(default_factory=own_names)

    def check(self, origin: str | None, host: str | None) -> None:
        """Let a request with these Origin and Host headers pass (None: it has none, so it is no browser's).

        Raises
        ------
        ForbiddenError
        """
        if host is not None and not self._is_own(_host_name(host)):
            raise ForbiddenError(f"The host {quoted(host)} is no name that this server is known by.", hint=HINT)
        if origin is None or origin.lower() in self.allow_origins:
            return
        try:
            parts = urlsplit(origin)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or host is None or parts.netloc.lower() != host.lower():
            raise ForbiddenError(f"A page of {quoted(origin)} may not use this server.", hint=HINT)

    def _is_own(self, name: str | None) -> bool:
        if name is None:
            return False
        if is_loopback(name) or name in self._allowed_names:
            return True
        return not self.loopback_only and (name in self.names or _is_address(name))

    @cached_property
    def _allowed_names(self) -> frozenset[str]:
        return frozenset(urlsplit(origin).hostname or "" for origin in self.allow_origins)


class Gatekeeper:
    """ASGI middleware that answers 403 to what the gate does not let pass, before anything else sees it."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            self._gate.check(_only(scope, b"origin"), _only(scope, b"host"))
        except ForbiddenError as problem:
            counters.add("refused", "origin or host")
            event(log, logging.INFO, "request refused", why=problem.message)
            # For a websocket too: a response may come before the accept.
            await Response(json.dumps(error_body(problem)), 403, media_type="application/json")(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _only(scope: Scope, name: bytes) -> str | None:
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ", ".join(values) if values else None  # two of them are never one that is allowed


def _host_name(host: str) -> str | None:
    """The name in a Host header, in lower case; None if it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != host or "@" in host or parts.path:
        return None
    return parts.hostname


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
