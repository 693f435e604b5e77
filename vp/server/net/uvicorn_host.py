"""What uvicorn is to a connection that it has handed over.

What is private here, and why. uvicorn documents that its option `ws` takes a protocol class, but not how it uses the
class, so that the following is read off its source. It is used here, in vp.server.net.websocket and in
vp.server.net.http alone:

- the constructor's arguments `config`, `server_state`, `app_state` and `_loop`;
- the hand-over of a connection: `connection_made(transport)`, then `data_received(request)` with the request's
  head written anew, then `transport.set_protocol`;
- `config.loaded_app`, `config.asgi_version`; `root_path` and the `ws_*` values are documented settings;
- `server_state.connections`, at whose members uvicorn calls `shutdown()` when it ends, and `server_state.tasks`,
  for which it waits then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, cast

from websockets.http11 import Request

from vp.server.net.asgi import Application, AsgiConversation
from vp.server.net.handshake import websocket_scope

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState


class Member(Protocol):
    """A connection that uvicorn ends when it ends itself."""

    def shutdown(self) -> None: ...


class UvicornHost:
    """The server that a connection belongs to.

    Parameters
    ----------
    config, server_state, app_state
        What uvicorn makes a protocol with.
    loop : AbstractEventLoop

    Attributes
    ----------
    most_message_bytes : int
    ping_interval_seconds, ping_timeout_seconds : float or None
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.most_message_bytes = config.ws_max_size
        self.ping_interval_seconds = config.ws_ping_interval
        self.ping_timeout_seconds = config.ws_ping_timeout
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._loop = loop

    def take(self, member: Member) -> None:
        """Count a connection among those that are ended with the server."""
        self._server_state.connections.add(cast(Any, member))

    def let_go(self, member: Member) -> None:
        """Forget a connection."""
        self._server_state.connections.discard(cast(Any, member))

    def run(
        self,
        conversation: AsgiConversation,
        request: Request,
        transport: asyncio.Transport,
        extensions: dict[str, Any],
    ) -> None:
        """Run the application for a request, in a task that the server waits for at its end."""
        scope = websocket_scope(
            request,
            transport,
            root_path=self._config.root_path,
            asgi_version=self._config.asgi_version,
            state=self._app_state,
            extensions=extensions,
        )
        task = self._loop.create_task(conversation.run(cast(Application, self._config.loaded_app), scope))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)
