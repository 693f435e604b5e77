"""`python -m vp.serve`: serve a session to browsers and programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vp import cli

if TYPE_CHECKING:
    import socket

    from vp.pipeline import SessionSpec
    from vp.progress import ProgressLike
    from vp.server.app import Service
    from vp.server.protocol import Request
    from vp.server.run import Session

DESCRIPTION = """\
Play a session of market-by-order data as pressure and vacuum around the price, live,
to any number of browsers and programs. Without arguments it makes and serves a
generated demonstration session."""

EPILOG = """\
examples:
  python -m vp.serve
      the demonstration session, at http://127.0.0.1:8002/vacuum-pressure.html
  python -m vp.serve --product-type future_mbo --symbol ESH4 --dt 2023-12-25 --start-time 18:30
      a session out of the lake, from the evening's opening on
  python -m vp.serve --speed 10 --port 0
      ten times as fast, on any free port

Ctrl-C ends it. Exit code 0: ended by Ctrl-C or SIGTERM; 2: what was asked for does not
exist; 1: something could not be used (port, lake, file)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("serve", DESCRIPTION, EPILOG), "serve", arguments)
    cli.configure_logging(values["log_level"], values["log_format"])
    demonstration = cli.choose_session(values)

    from vp.server.http import raise_descriptor_limit  # noqa: PLC0415 - --help is fast
    from vp.server.listen import address_of, is_loopback, open_listener  # noqa: PLC0415

    raise_descriptor_limit()
    listener = open_listener(values["host"], values["port"])
    with listener:
        if not is_loopback(values["host"]):
            cli.say(
                f"WARNING: {values['host']} can be reached from the network, and nothing asks who is there: "
                f"anyone who can connect can watch and start sessions{' and ask queries' * values['enable_query']}."
            )
        service = _prepare_service(values, demonstration=demonstration)
        cli.started()
        print(f"Vacuum Pressure: {address_of(listener, values['host'])}/vacuum-pressure.html", flush=True)
        _serve(service, listener, values["log_level"])
    return 0


def _prepare_service(values: dict[str, Any], *, demonstration: bool) -> Service:
    """Load the session that the server starts with, showing progress."""
    from vp.compilation import ensure_compiled  # noqa: PLC0415
    from vp.demo import ensure_demo  # noqa: PLC0415
    from vp.lake import Lake  # noqa: PLC0415
    from vp.pipeline import prepare  # noqa: PLC0415
    from vp.progress import TerminalProgress  # noqa: PLC0415
    from vp.server.app import Service  # noqa: PLC0415
    from vp.server.catalogue import list_sessions  # noqa: PLC0415
    from vp.server.hub import Limits  # noqa: PLC0415
    from vp.server.listen import is_loopback  # noqa: PLC0415
    from vp.server.origin import Gate  # noqa: PLC0415
    from vp.server.protocol import REQUEST_NAMES, Request  # noqa: PLC0415

    defaults = Request(**{name: values[name] for name in REQUEST_NAMES if name in values})

    def prepare_request(request: Request, on_progress: Callable[[ProgressLike], None]) -> Session:
        return prepare(_spec(request, values), on_progress)

    with TerminalProgress() as progress:
        ensure_compiled(lambda share: progress.share("compiling, the first time only", share))
        if demonstration:
            ensure_demo(Lake(values["lake"]).root, lambda share: progress.share("making demonstration", share))
        session = prepare_request(defaults, progress)
    asking = None
    if values["enable_query"]:
        from vp.server.asking import Asking  # noqa: PLC0415

        asking = Asking(values["lake"], *(values[name] for name in ("symbol", "dt", "start_time", "product_type")))
    return Service(
        defaults,
        prepare_request,
        session,
        gate=Gate(is_loopback(values["host"]), frozenset(values["allow_origin"])),
        limits=Limits(viewers=values["max_viewers"], sessions=values["max_sessions"]),
        catalogue=lambda: list_sessions(Lake(values["lake"])),
        asking=asking,
    )


def _spec(request: Request, values: dict[str, Any]) -> SessionSpec:
    from vp.pipeline import SessionSpec  # noqa: PLC0415

    return SessionSpec(
        product_type=request.product_type,
        symbol=request.symbol,
        dt=request.dt,
        start_time=request.start_time,
        throttle_ms=request.throttle_ms,
        lake=values["lake"],
        decompressed_limit_gb=values["decompressed_limit_gb"],
    )


def _serve(service: Service, listener: socket.socket, log_level: str) -> None:
    from vp.server.app import build_app  # noqa: PLC0415
    from vp.server.web import WebServer  # noqa: PLC0415

    WebServer(build_app(service), log_level).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
