"""The websocket that frames come on: one viewer from its request to its close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import cast

from starlette.websockets import WebSocket

from vp import counters
from vp.errors import RequestError, VPError, quoted
from vp.logs import event
from vp.server.faults import unexpected
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.websocket import EXTENSION, WebSocketConnection
from vp.server.runs.hub import Hub
from vp.server.runs.run import Run
from vp.server.runs.viewer import Viewer, refuse
from vp.server.stream.request import StreamRequest, parse_stream_request

log = logging.getLogger("vp.server")


class UnexpectedMessageError(RequestError):
    """A viewer said something; the stream goes one way."""

    code = "unexpected_message"


class StreamRoute:
    """The handler of /stream.

    Parameters
    ----------
    hub : Hub
    defaults : StreamRequest
        What a viewer gets who asks for nothing in particular.
    judge : callable
        Raises what is wrong with a request by itself; called in a thread, before a session is begun for it.
    """

    def __init__(
        self, hub: Hub, defaults: StreamRequest, judge: Callable[[StreamRequest], None] = lambda _request: None
    ) -> None:
        self._hub = hub
        self._defaults = defaults
        self._judge = judge

    async def answer(self, websocket: WebSocket) -> None:
        """Serve one viewer, until it leaves, says something or has been told everything."""
        await websocket.accept()
        connection = cast(WebSocketConnection, websocket.scope["extensions"][EXTENSION])
        query = websocket.scope["query_string"].decode("latin-1")  # not websocket.url: that trusts the Host
        serving = asyncio.create_task(self._serve(connection, query))
        reading = asyncio.create_task(_read_until_gone(websocket))
        try:
            await asyncio.wait({serving, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            reading.cancel()
            _, said = await asyncio.gather(serving, reading, return_exceptions=True)
        if isinstance(said, UnexpectedMessageError):
            counters.add("refused", "message")
            event(log, logging.INFO, "viewer closed", why=said.message)
            with contextlib.suppress(ConnectionLostError):
                await refuse(connection, said)

    async def _serve(self, connection: WebSocketConnection, query: str) -> None:
        run: Run | None = None
        viewer: Viewer | None = None
        entered = False
        try:
            self._hub.enter()
            entered = True
            request = parse_stream_request(query, self._defaults)
            if not self._hub.plays(request):
                await asyncio.to_thread(self._judge, request)  # what cannot be has no claim to a session's place
            run = self._hub.join(request)
            viewer = Viewer(connection, run, request)
            self._hub.watch(viewer)
            await viewer.serve()
        except ConnectionLostError:
            pass
        except VPError as problem:
            with contextlib.suppress(ConnectionLostError):
                await refuse(connection, problem)
        except Exception as error:  # one viewer's fault must stay its own  # noqa: BLE001
            with contextlib.suppress(ConnectionLostError):
                await refuse(connection, unexpected(error, "Serving this viewer"))
        finally:
            if entered:
                self._hub.leave(run, viewer)


async def _read_until_gone(websocket: WebSocket) -> None:
    """Wait until the viewer leaves; raises UnexpectedMessageError if it says something instead."""
    message = await websocket.receive()
    if message["type"] != "websocket.disconnect":
        said = message.get("text")
        what = f"{len(message.get('bytes') or b'')} bytes" if said is None else quoted(said)
        raise UnexpectedMessageError(
            f"The stream takes no messages, but {what} came.", hint="What is wanted goes into the address's query."
        )
