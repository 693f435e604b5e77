"""The routes: health, the page, the stream, and what the server holds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import vp
from vp import counters
from vp.errors import RequestError, VPError
from vp.logs import event
from vp.server import pages
from vp.server.archive import Archive, Catalogue
from vp.server.asking import QUERY, Endpoint
from vp.server.hub import Hub, Limits
from vp.server.metrics import Metrics
from vp.server.net.backpressure import ConnectionLostError
from vp.server.net.http import RequestTimes
from vp.server.net.origin import Gate, Gatekeeper
from vp.server.net.websocket import EXTENSION, WebSocketConnection
from vp.server.opening import Opening
from vp.server.protocol import Request, parse_request
from vp.server.question import Asking
from vp.server.run import Prepare, Run, unexpected
from vp.server.viewer import Viewer, refuse
from vp.settings import quoted

API = "/v1/vacuum-pressure"
STREAM = f"{API}/stream"
GZIP_LEVEL = 9
# Frames hardly shrink and would wait for it; the websocket is not touched by this at all.
NEVER_GZIPPED = ("application/octet-stream", "application/vnd.apache.arrow.stream")


log = logging.getLogger("vp.server")


class UnexpectedMessageError(RequestError):
    """A viewer said something; the stream goes one way."""

    code = "unexpected_message"


@dataclass(frozen=True)
class Service:
    """What a server serves.

    Attributes
    ----------
    defaults : Request
        What a viewer gets who asks for nothing in particular.
    prepare : callable
        Makes a session from a request.
    opening : Opening, optional
        Loads the session of `defaults` from the start of the server on.
    gate : Gate
        What may come in.
    limits : Limits
    catalogue : callable
        Lists the sessions that can be asked for.
    asking : Asking, optional
        Answers queries; left out, there is no such route.
    """

    defaults: Request
    prepare: Prepare
    opening: Opening | None = None
    gate: Gate = field(default_factory=Gate)
    limits: Limits = field(default_factory=Limits)
    catalogue: Catalogue = list
    asking: Asking | None = None


def build_app(service: Service) -> Starlette:
    """The application, for a vp.server.net.server.WebServer: it writes on the connections of that server directly."""
    hub = Hub(service.prepare, service.limits, service.opening)
    metrics = Metrics(hub)
    archive = Archive(hub, service.defaults, service.catalogue)
    endpoint = Endpoint(service.asking) if service.asking is not None else None
    started = time.monotonic()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        hub.start()
        yield
        if endpoint is not None:
            await endpoint.close()
        await hub.close()

    async def health(_request: HttpRequest) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "ready": hub.ready,
                "version": vp.__version__,
                "uptime_seconds": round(time.monotonic() - started, 3),
                "sessions": hub.describe(),
                "viewers": hub.viewers,
            },
            headers={"cache-control": "no-store"},
        )

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        connection = cast(WebSocketConnection, websocket.scope["extensions"][EXTENSION])
        query = websocket.scope["query_string"].decode("latin-1")  # not websocket.url: that trusts the Host
        serving = asyncio.create_task(_serve(hub, service.defaults, connection, query))
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

    queries = []
    if endpoint is not None:
        queries.append(Route(QUERY, endpoint.answer, methods=["POST"]))
    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", metrics.answer),
            WebSocketRoute(STREAM, stream),
            Route(f"{API}/sessions", archive.sessions),
            Route(f"{API}/history", archive.history),
            Route(f"{API}/frames", archive.frames),
            *queries,
            Route("/", pages.home),
            Route("/{path:path}", pages.page),
        ],
        middleware=[
            Middleware(RequestTimes),
            Middleware(Gatekeeper, gate=service.gate),
            Middleware(GZipMiddleware, compresslevel=GZIP_LEVEL, exclude_content_types=NEVER_GZIPPED),
        ],
        lifespan=lifespan,
    )


async def _serve(hub: Hub, defaults: Request, connection: WebSocketConnection, query: str) -> None:
    """Serve one viewer from its request to its close."""
    run: Run | None = None
    viewer: Viewer | None = None
    entered = False
    try:
        hub.enter()
        entered = True
        request = parse_request(query, defaults)
        run = hub.join(request)
        viewer = Viewer(connection, run, request)
        hub.watch(viewer)
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
            hub.leave(run, viewer)


async def _read_until_gone(websocket: WebSocket) -> None:
    """Wait until the viewer leaves; raises UnexpectedMessageError if it says something instead."""
    message = await websocket.receive()
    if message["type"] != "websocket.disconnect":
        said = message.get("text")
        what = f"{len(message.get('bytes') or b'')} bytes" if said is None else quoted(said)
        raise UnexpectedMessageError(
            f"The stream takes no messages, but {what} came.", hint="What is wanted goes into the address's query."
        )
