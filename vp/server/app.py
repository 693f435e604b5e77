"""The application: every route, and what stands in front of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

import vp
from vp.server.faults import in_the_loop
from vp.server.history.frame_spool import FrameSpool
from vp.server.net.bodies import Readers
from vp.server.net.headers import SafeHeaders
from vp.server.net.http import RequestTimes
from vp.server.net.origin import Gate, Gatekeeper
from vp.server.query.endpoint import QUERY, QueryEndpoint
from vp.server.query.request import QueryContext
from vp.server.routes import page_files
from vp.server.routes.history import HistoryRoutes
from vp.server.routes.metrics import Metrics
from vp.server.routes.overview import MakeOverview, OverviewRoute
from vp.server.routes.page_script import page_script
from vp.server.routes.sessions import Catalogue, Listing, SessionsRoute
from vp.server.routes.stream import StreamRoute
from vp.server.routes.track_record import TrackRecordRoute
from vp.server.runs.hub import Hub, ServerLimits
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.session import Prepare
from vp.server.runs.startup import StartupSession
from vp.server.stream.messages import API
from vp.server.stream.request import StreamRequest

if TYPE_CHECKING:
    from vp.server.routes.relayed_catalogue import RelayedCatalogue  # whose HTTP client is the relays' alone

GZIP_LEVEL = 9
# Frames hardly shrink and would wait for it; the websocket is not touched by this at all.
NEVER_GZIPPED = ("application/octet-stream", "application/vnd.apache.arrow.stream")


@dataclass(frozen=True)
class Service:
    """What a server serves.

    Attributes
    ----------
    defaults : StreamRequest
        What a viewer gets who asks for nothing in particular.
    prepare : callable
        Makes a session from a request.
    judge : callable
        Raises what is wrong with a request by itself, before anything is begun for it.
    startup : StartupSession, optional
        Loads the session of `defaults` from the start of the server on.
    gate : Gate
        What may come in.
    limits : ServerLimits
    catalogue : callable
        Lists the sessions that can be asked for.
    overview : callable, optional
        Makes the overview of a session (vp.server.routes.overview); left out, there is no such route.
    queries : QueryContext, optional
        Answers queries; left out, there is no such route.
    spool : FrameSpool, optional
        Where older frames of sessions go; left out, memory alone holds frames.
    live : LiveRecordings, optional
        The sessions that are being recorded.
    upstream : RelayedCatalogue, optional
        The server whose sessions are handed on: `prepare` makes a RelayedSession.
    """

    defaults: StreamRequest
    prepare: Prepare
    startup: StartupSession | None = None
    gate: Gate = field(default_factory=Gate)
    limits: ServerLimits = field(default_factory=ServerLimits)
    catalogue: Catalogue = Listing
    overview: MakeOverview | None = None
    queries: QueryContext | None = None
    judge: Callable[[StreamRequest], None] = lambda _request: None
    spool: FrameSpool | None = None
    live: LiveRecordings | None = None
    upstream: RelayedCatalogue | None = None

    def current_defaults(self) -> StreamRequest:
        """What a viewer gets who asks for nothing in particular now."""
        if self.upstream is not None:
            return self.upstream.defaults
        date = None if self.live is None else self.live.feed.date()
        return self.defaults if date is None else replace(self.defaults, dt=date)


def build_app(service: Service) -> Starlette:
    """The application, for a vp.server.net.server.WebServer: it writes on the connections of that server directly.

    Raises
    ------
    PageScriptError
        The page cannot be put together; better said at the start than to the first who opens it.
    """
    page_script(page_files.WEB)
    hub = Hub(
        service.prepare,
        service.limits,
        service.startup,
        service.spool,
        service.live,
        relays=service.upstream is not None,
    )
    readers = Readers()
    history = HistoryRoutes(hub, readers)
    sessions = SessionsRoute(service.catalogue, service.current_defaults, readers)
    queries = QueryEndpoint(service.queries, readers) if service.queries is not None else None
    overview = OverviewRoute(service.overview, service.current_defaults) if service.overview is not None else None
    started = time.monotonic()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(in_the_loop)
        hub.start()
        yield
        if queries is not None:
            await queries.close()
        if overview is not None:
            await overview.close()
        await hub.close()

    async def health(_request: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "ready": hub.ready,
                "version": vp.__version__,
                "uptime_seconds": round(time.monotonic() - started, 3),
                "server_time_ns": str(time.time_ns()),
                "sessions": hub.describe(),
                "viewers": hub.viewers,
                **({} if service.live is None else {"feed": service.live.feed.describe()}),
                **({} if service.upstream is None else {"upstream": service.upstream.address}),
            },
            headers={"cache-control": "no-store"},
        )

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", Metrics(hub, None if service.live is None else service.live.feed).answer),
            WebSocketRoute(f"{API}/stream", StreamRoute(hub, service.current_defaults, service.judge).answer),
            Route(f"{API}/sessions", sessions.answer),
            Route(f"{API}/history", history.history),
            Route(f"{API}/frames", history.frames),
            Route(f"{API}/track-record", TrackRecordRoute(hub).answer),
            *([Route(f"{API}/overview", overview.answer)] if overview is not None else []),
            *([Route(QUERY, queries.answer, methods=["POST"])] if queries is not None else []),
            Route("/", page_files.home),
            Route("/{path:path}", page_files.page),
        ],
        middleware=[
            Middleware(RequestTimes),
            Middleware(SafeHeaders),
            Middleware(Gatekeeper, gate=service.gate),
            Middleware(GZipMiddleware, compresslevel=GZIP_LEVEL, exclude_content_types=NEVER_GZIPPED),
        ],
        lifespan=lifespan,
    )
