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
    from vp.server.opening import Opening
    from vp.server.protocol import Request
    from vp.server.run import Session

DESCRIPTION = """\
Play a session of market-by-order data as pressure and vacuum around the price, live,
to any number of browsers and programs. Without arguments it makes and serves a
generated demonstration session."""

EPILOG = """\
examples:
  {command}
      the demonstration session, at http://127.0.0.1:8002/vacuum-pressure.html
  {command} --product-type future_mbo --symbol ESH4 --dt 2023-12-25 --start-time 18:30
      a session out of the lake, from the evening's opening on
  {command} --speed 10 --port 0
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
    from vp.server.listen import is_loopback, open_listener  # noqa: PLC0415

    raise_descriptor_limit()
    listener = open_listener(values["host"], values["port"])
    with listener:
        if not is_loopback(values["host"]):
            cli.say(
                f"WARNING: {values['host']} can be reached from the network, and nothing asks who is there: "
                f"anyone who can connect can watch and start sessions{' and ask queries' * values['enable_query']}."
            )
        _serve(values, listener, demonstration=demonstration)
    return 0


def _serve(values: dict[str, Any], listener: socket.socket, *, demonstration: bool) -> None:
    """Serve, and say so once the first session is there; raises what kept it from being loaded."""
    from vp.server.app import build_app  # noqa: PLC0415
    from vp.server.listen import address_of  # noqa: PLC0415
    from vp.server.web import WebServer  # noqa: PLC0415

    def ready() -> None:
        cli.started()
        print(f"Vacuum Pressure: {address_of(listener, values['host'])}/vacuum-pressure.html", flush=True)

    def failed() -> None:
        server.should_exit = True

    service, opening = _service(values, ready, failed, demonstration=demonstration)
    server = WebServer(build_app(service), values["log_level"])
    server.run(sockets=[listener])
    if opening.error is not None:
        raise opening.error


def _service(
    values: dict[str, Any], ready: Callable[[], None], failed: Callable[[], None], *, demonstration: bool
) -> tuple[Service, Opening]:
    """What is served, and the session that it begins with, which is loaded with progress on stderr."""
    from vp.compilation import ensure_compiled  # noqa: PLC0415
    from vp.demo import ensure_demo  # noqa: PLC0415
    from vp.lake import Lake  # noqa: PLC0415
    from vp.pipeline import prepare  # noqa: PLC0415
    from vp.progress import TerminalProgress  # noqa: PLC0415
    from vp.server.app import Service  # noqa: PLC0415
    from vp.server.catalogue import list_sessions  # noqa: PLC0415
    from vp.server.hub import Limits  # noqa: PLC0415
    from vp.server.listen import is_loopback  # noqa: PLC0415
    from vp.server.opening import Opening  # noqa: PLC0415
    from vp.server.origin import Gate  # noqa: PLC0415
    from vp.server.protocol import REQUEST_NAMES, Request  # noqa: PLC0415
    from vp.server.run import Loading  # noqa: PLC0415

    defaults = Request(**{name: values[name] for name in REQUEST_NAMES if name in values})

    def prepare_request(request: Request, on_progress: Callable[[ProgressLike], None]) -> Session:
        return prepare(_spec(request, values), on_progress)

    def load(on_progress: Callable[[ProgressLike], None]) -> Session:
        with TerminalProgress() as terminal:

            def tell(progress: ProgressLike) -> None:
                on_progress(progress)
                terminal(progress)

            def tell_share(phase: str) -> Callable[[float], None]:
                return lambda share: tell(Loading(phase, round(100 * share), 100))

            ensure_compiled(tell_share("compile"))
            if demonstration:
                ensure_demo(Lake(values["lake"]).root, tell_share("demo"))
            return prepare_request(defaults, tell)

    opening = Opening(defaults, load, ready, failed)
    asking = None
    if values["enable_query"]:
        from vp.server.question import Asking  # noqa: PLC0415

        asking = Asking(values["lake"], *(values[name] for name in ("symbol", "dt", "start_time", "product_type")))
    service = Service(
        defaults,
        prepare_request,
        opening,
        gate=Gate(is_loopback(values["host"]), frozenset(values["allow_origin"])),
        limits=Limits(viewers=values["max_viewers"], sessions=values["max_sessions"]),
        catalogue=lambda: list_sessions(Lake(values["lake"])),
        asking=asking,
    )
    return service, opening


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


if __name__ == "__main__":
    sys.exit(main())
