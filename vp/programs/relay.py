"""`vp.serve --upstream`: the sessions of another server, served to viewers of this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vp.errors import RequestError
from vp.programs import command_line as cli
from vp.programs.listening import listening, say_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp.model.progress import ProgressLike
    from vp.server.app import Service
    from vp.server.routes.relayed_catalogue import RelayedCatalogue
    from vp.server.runs.session import Session
    from vp.server.runs.upstream_documents import UpstreamDocuments
    from vp.server.stream.request import StreamRequest

OF_THE_UPSTREAM = ("product_type", "symbol", "dt", "start_time", "file", "live", "enable_query")


class NotRelayedError(RequestError):
    """A relay hands on what its upstream plays: a session of a viewer's own is asked for there."""

    code = "not_relayed"


def serve_relay(values: dict[str, Any]) -> int:
    """Serve what the upstream serves, until a signal ends it; the exit code."""
    from vp.server.app import build_app  # noqa: PLC0415 - --help is fast
    from vp.server.net.server import WebServer  # noqa: PLC0415
    from vp.server.routes.relayed_catalogue import RelayedCatalogue  # noqa: PLC0415
    from vp.server.runs.allocator import keep_little  # noqa: PLC0415
    from vp.server.runs.upstream_documents import UpstreamDocuments  # noqa: PLC0415

    why = "A relay serves the sessions that its upstream serves."
    cli.refuse_beside("--upstream", OF_THE_UPSTREAM, values, why)
    upstream = UpstreamDocuments(values["upstream"])
    catalogue = RelayedCatalogue(upstream)
    keep_little()
    may = "watch sessions, and have the server upstream start them"
    with listening(values["host"], values["port"], may) as listener:
        server = WebServer(build_app(relay_service(values, upstream, catalogue)), values["log_level"])
        say_address(listener, values["host"])
        server.run(sockets=[listener])
    return 0


def relay_service(values: dict[str, Any], upstream: UpstreamDocuments, catalogue: RelayedCatalogue) -> Service:
    """What a relay serves."""
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.server.app import Service  # noqa: PLC0415
    from vp.server.history.place import open_spool  # noqa: PLC0415
    from vp.server.net.listener import is_loopback  # noqa: PLC0415
    from vp.server.net.origin import Gate  # noqa: PLC0415
    from vp.server.runs.hub import ServerLimits  # noqa: PLC0415
    from vp.server.runs.relayed_session import RelayedSession  # noqa: PLC0415
    from vp.settings.forms import BYTES_PER_GB  # noqa: PLC0415

    def prepare(request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> Session:
        return RelayedSession(values["upstream"], request, on_progress)

    asked = None if values["history_directory"] is None else Path(values["history_directory"])
    return Service(
        catalogue.defaults,
        prepare,
        gate=Gate(is_loopback(values["host"]), frozenset(values["allow_origin"])),
        limits=ServerLimits(viewers=values["max_viewers"], sessions=values["max_sessions"]),
        catalogue=catalogue,
        overview=upstream.overview,
        judge=judge,
        spool=open_spool(asked, Lake(values["lake"]).cache_dir, round(values["history_limit_gb"] * BYTES_PER_GB)),
        upstream=catalogue,
    )


def judge(request: StreamRequest) -> None:
    """Raise NotRelayedError where a viewer wants a session of its own."""
    if request.speed == 0 or request.alone:
        raise NotRelayedError(
            "This server hands on what another plays, and gives nobody a session of its own.",
            hint="Ask the server that it gets them from for speed=0 or alone=yes.",
        )
