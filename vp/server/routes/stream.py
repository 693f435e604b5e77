"""The websocket that frames come on: one viewer from its request to its close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import cast

from starlette.websockets import WebSocket

from vp import counters
from vp.errors import RequestError, VPError
from vp.logs import event
from vp.server.faults import unexpected
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.websocket import EXTENSION, WebSocketConnection
from vp.server.runs.hub import Hub
from vp.server.runs.run import Run
from vp.server.runs.viewer import Viewer, refuse
from vp.server.stream import messages
from vp.server.stream.commands import UnexpectedMessageError, parse_command
from vp.server.stream.request import StreamRequest, parse_stream_request

COMMAND_SECONDS = 0.01  # between two: a key that is held down says thirty a second

log = logging.getLogger("vp.server")


class StreamRoute:
    """The handler of /stream.

    Parameters
    ----------
    hub : Hub
    defaults : callable
        What a viewer gets who asks for nothing in particular.
    judge : callable
        Raises what is wrong with a request by itself; called in a thread, before a session is begun for it.
    """

    def __init__(
        self,
        hub: Hub,
        defaults: Callable[[], StreamRequest],
        judge: Callable[[StreamRequest], None] = lambda _request: None,
    ) -> None:
        self._hub = hub
        self._defaults = defaults
        self._judge = judge

    async def answer(self, websocket: WebSocket) -> None:
        """Serve one viewer, until it leaves, says what is no command or has been told everything."""
        await websocket.accept()
        connection = cast(WebSocketConnection, websocket.scope["extensions"][EXTENSION])
        query = websocket.scope["query_string"].decode("latin-1")  # not websocket.url: that trusts the Host
        joined: asyncio.Future[Viewer] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(self._serve(connection, query, joined))
        reading = asyncio.create_task(self._obey_until_gone(websocket, connection, joined))
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

    async def _serve(self, connection: WebSocketConnection, query: str, joined: asyncio.Future[Viewer]) -> None:
        run: Run | None = None
        viewer: Viewer | None = None
        entered = False
        try:
            self._hub.enter()
            entered = True
            request = self._hub.as_live(parse_stream_request(query, self._defaults()))
            if not self._hub.plays(request):
                await asyncio.to_thread(self._judge, request)  # what cannot be has no claim to a session's place
            run = self._hub.join(request)
            viewer = Viewer(connection, run, request, self._hub)
            self._hub.watch(viewer)
            joined.set_result(viewer)
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
                self._hub.leave(run if viewer is None else viewer.run, viewer)

    async def _obey_until_gone(
        self, websocket: WebSocket, connection: WebSocketConnection, joined: asyncio.Future[Viewer]
    ) -> None:
        """Carry out what the viewer says, until it leaves; raises UnexpectedMessageError at what is no command.

        What comes faster waits in the socket.
        """
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            said = message.get("text")
            command = parse_command(message.get("bytes") or b"" if said is None else said)
            viewer = await joined
            try:
                self._hub.command(viewer.run, command)
            except RequestError as problem:
                await connection.write_text(messages.refused(problem))
            await asyncio.sleep(COMMAND_SECONDS)
