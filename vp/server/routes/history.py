"""What a page asks for over plain HTTP of the frames that the server still holds."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vp.errors import BadParameterError, RequestError, VPError, quoted
from vp.market.wall_times import NEW_YORK
from vp.server.faults import error_body
from vp.server.history.export import BLOCK_FRAMES, ColumnsBlock, arrow_stream, csv_stream, file_name
from vp.server.history.session_history import SessionHistory
from vp.server.net.bodies import Body, LongResponse, Readers
from vp.server.routes.request_query import LARGEST_INT64, RequestQuery
from vp.server.runs.hub import Hub

NO_STORE = {"cache-control": "no-store"}


class UnknownSessionError(RequestError):
    """The server runs no session of that id, or none that keeps its frames."""

    code = "unknown_session"


class HistoryRoutes:
    """The handlers of /history and /frames.

    Parameters
    ----------
    hub : Hub
    readers : Readers
        Who takes a long body just now.
    """

    def __init__(self, hub: Hub, readers: Readers) -> None:
        self._hub = hub
        self._readers = readers

    async def history(self, request: Request) -> Response:
        """Frames between two events as columns (docs/protocol.md); the newest of them if they are many."""
        try:
            query = RequestQuery(request, ("session_id", "after", "before", "below", "limit", "fields", "exact"))
            history = held_history(self._hub, query.text("session_id", ""))
            after, before = query.integer("after", -1), query.integer("before", LARGEST_INT64)
            limit = min(query.integer("limit", BLOCK_FRAMES), BLOCK_FRAMES)
            asked = query.fields()
            fields = history.layout.grids if asked is None else asked
            history.layout.project(fields)  # an unknown name is said before anything is read
            below = query.integer("below", LARGEST_INT64)
            exact = query.integer("exact", 0) != 0

            def made() -> Body:
                end = max(min(history.after_event(before - 1), below), history.frames.oldest)
                earliest = min(history.after_event(after), end)
                first = min(max(earliest, end - limit), end)
                hole = history.hole_behind(after, first) if first == earliest and limit > 0 else None
                block = ColumnsBlock(history, first, end, fields, exact=exact, hole=hole)
                length = {"content-length": str(block.length_bytes)}
                return Body(block.pieces(), {**NO_STORE, **length, "content-type": "application/octet-stream"})

        except VPError as problem:
            return refusal(problem)
        return LongResponse(self._readers, made)

    async def frames(self, request: Request) -> Response:
        """Frames between two times as a file, Arrow or CSV."""
        try:
            query = RequestQuery(request, ("session_id", "from_ns", "until_ns", "format", "fields"))
            history = held_history(self._hub, query.text("session_id", ""))
            form = query.text("format", "arrow")
            if form not in {"arrow", "csv"}:
                raise BadParameterError(f"format was {quoted(form)}, expected arrow or csv.")
            fields = query.fields()
            history.layout.project(fields or ())
            from_ns, until_ns = query.integer("from_ns", 0), query.integer("until_ns", LARGEST_INT64)
        except VPError as problem:
            return refusal(problem)
        stream, kind = (
            (arrow_stream, "application/vnd.apache.arrow.stream")
            if form == "arrow"
            else (csv_stream, "text/csv; charset=utf-8")
        )
        ending = "arrows" if form == "arrow" else "csv"

        def made() -> Body:
            first = history.from_time(from_ns)
            end = max(first, history.from_time(until_ns))
            hole = history.hole_before(from_ns, first)
            told = {} if hole is None else {"x-vp-hole-before-event-id": str(hole.before_event_id or "")}
            name = file_name(history, first, end, NEW_YORK)
            attached = {"content-disposition": f'attachment; filename="{name}.{ending}"', "content-type": kind}
            return Body(stream(history, first, end, fields), {**NO_STORE, **attached, **told})

        return LongResponse(self._readers, made)


def held_history(hub: Hub, session_id: str) -> SessionHistory:
    """The frames that a session holds; raises UnknownSessionError."""
    history = hub.history(session_id)
    if history is None:
        raise UnknownSessionError(
            f"This server keeps no frames of the session {quoted(session_id)}.",
            hint="runtime_config names a session; speed 0 keeps no frames, others keep them half an hour.",
        )
    return history


def refusal(problem: VPError) -> Response:
    """An error as the websocket words it, with a status that tells whose fault it is."""
    status = 404 if isinstance(problem, UnknownSessionError) else 400 if isinstance(problem, RequestError) else 500
    return JSONResponse(error_body(problem), status, headers=NO_STORE)
