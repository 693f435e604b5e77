"""`python -m vp.serve`: serve a session to browsers and programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vp.errors import BadParameterError, RequestError
from vp.programs import command_line as cli
from vp.programs.listening import listening, say_address
from vp.programs.relay import serve_relay

if TYPE_CHECKING:
    import socket

    from vp.capture.live_segments import LiveDay
    from vp.capture.recorder_thread import RecorderThread
    from vp.model.progress import ProgressLike
    from vp.model.session import SessionSpec
    from vp.server.app import Service
    from vp.server.runs.session import Session
    from vp.server.runs.startup import StartupSession
    from vp.server.stream.request import StreamRequest

LOOK_SECONDS = 0.05
SWITCH_SECONDS = 0.0005  # that one thread may keep the others waiting: recorder, engine and sockets take turns

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
  {command} --upstream ws://origin.example:8002 --host 0.0.0.0
      the sessions of another server, for viewers of this one
  {command} --live --symbol MNQ
      the market as it happens, recorded on the way (DATABENTO_API_KEY is the key)

Ctrl-C ends it. Exit code 0: ended by Ctrl-C or SIGTERM; 2: what was asked for does not
exist; 1: something could not be used (port, lake, file)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("serve", DESCRIPTION, EPILOG), "serve", arguments)
    cli.configure_logging(values["log_level"], values["log_format"])
    values["parameters"] = cli.model_parameters(values)
    symbols = [symbol for symbol in values["symbol"] or () if symbol]
    values["symbol"] = symbols[0] if symbols else None
    if values["upstream"] is not None:
        return serve_relay({**values, "symbol": symbols})
    if values["live"]:
        return _serve_live(values, symbols)
    if len(symbols) > 1:
        raise BadParameterError("Several symbols are given, and --live is not.", hint="Without it, give one.")
    demonstration = cli.choose_session(values)  # the last, as it may look into a file

    from vp.model.found_session import judge  # noqa: PLC0415 - --help is fast

    judge(_spec(_defaults(values), values), look=not demonstration)
    with _listening(values) as listener:
        _serve(values, listener, demonstration=demonstration)
    return 0


def _listening(values: dict[str, Any]) -> AbstractContextManager[socket.socket]:
    may = f"watch and start sessions{' and ask queries' * values['enable_query']}"
    return listening(values["host"], values["port"], may)


def _serve_live(values: dict[str, Any], symbols: Sequence[str]) -> int:
    """Record the feed, and serve the session that it is recorded into."""
    from vp.capture.plan import plan  # noqa: PLC0415 - --help is fast
    from vp.capture.recorder import Recorder  # noqa: PLC0415
    from vp.capture.recorder_thread import RecorderThread  # noqa: PLC0415
    from vp.databento_key import key_of_environment  # noqa: PLC0415
    from vp.lake.lake import Lake  # noqa: PLC0415

    cli.refuse_beside("--live", ("dt", "file"), values, "The feed says which day it is.")
    values["product_type"] = values["product_type"] or "future_mbo"
    lake = Lake(values["lake"], values["products"])
    chosen = plan(lake, values["product_type"], symbols, values["dataset"], values["live_from"])
    key = key_of_environment()
    sys.setswitchinterval(SWITCH_SECONDS)
    with _listening(values) as listener:
        values["speed"] = 1.0  # the market has one
        recorder = RecorderThread(
            Recorder(chosen, key, values["gateway"], lambda news: cli.say(f"{news.kind}: {news.text}"))
        )
        recorder.start()
        try:
            values["dt"] = str(chosen.window_at(time.time_ns()).dates.first)  # until the feed says which day it is
            _serve(values, listener, demonstration=False, recorder=recorder)
        finally:
            recorder.stop()
    if recorder.error is not None:
        raise recorder.error
    return 0


def _first_day(recorder: RecorderThread, on_wait: Callable[[], None]) -> LiveDay:
    """The session that is being recorded, once the feed has sent something of it; raises what ended the recorder."""
    while (day := recorder.day()) is None:
        if recorder.error is not None:
            raise recorder.error
        on_wait()
        time.sleep(LOOK_SECONDS)
    return day


def _serve(
    values: dict[str, Any], listener: socket.socket, *, demonstration: bool, recorder: RecorderThread | None = None
) -> None:
    """Serve, and say so once the first session is there; raises what kept it from being loaded."""
    from vp.server.app import build_app  # noqa: PLC0415
    from vp.server.net.server import WebServer  # noqa: PLC0415
    from vp.server.runs.allocator import keep_little  # noqa: PLC0415

    def ready() -> None:
        say_address(listener, values["host"])

    def failed() -> None:
        server.should_exit = True

    keep_little()
    service, startup = _service(values, ready, failed, demonstration=demonstration, recorder=recorder)
    server = WebServer(build_app(service), values["log_level"])
    if recorder is not None:
        recorder.on_failure = lambda: cli.say(f"error: {recorder.describe()['text']} What there is, is served on.")
    server.run(sockets=[listener])
    if startup.error is not None:
        raise startup.error


def _service(
    values: dict[str, Any],
    ready: Callable[[], None],
    failed: Callable[[], None],
    *,
    demonstration: bool,
    recorder: RecorderThread | None = None,
) -> tuple[Service, StartupSession]:
    """What is served, and the session that it begins with, which is loaded with progress on stderr."""
    from vp.dbn.contracts import belongs  # noqa: PLC0415
    from vp.dbn.growing_input import contracts_of  # noqa: PLC0415
    from vp.dbn.opened_lake import open_lake  # noqa: PLC0415
    from vp.demo.session import ensure_demo  # noqa: PLC0415
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.model.compilation import ensure_compiled  # noqa: PLC0415
    from vp.model.found_session import judge  # noqa: PLC0415
    from vp.model.overview import GrowingOverviews, overview  # noqa: PLC0415
    from vp.model.pipeline import prepare, prepare_growing  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415
    from vp.server.app import Service  # noqa: PLC0415
    from vp.server.faults import tell_below  # noqa: PLC0415
    from vp.server.history.place import open_spool  # noqa: PLC0415
    from vp.server.net.listener import is_loopback  # noqa: PLC0415
    from vp.server.net.origin import Gate  # noqa: PLC0415
    from vp.server.routes.sessions import SessionCatalogue, live_session  # noqa: PLC0415
    from vp.server.runs.hub import ServerLimits  # noqa: PLC0415
    from vp.server.runs.live_recordings import LiveRecordings  # noqa: PLC0415
    from vp.server.runs.startup import StartupSession  # noqa: PLC0415
    from vp.server.stream.snapshot import Loading  # noqa: PLC0415
    from vp.settings.forms import BYTES_PER_GB  # noqa: PLC0415

    tell_below(Lake(values["lake"]).root)
    defaults = _defaults(values)
    lake = Lake(values["lake"], values["products"])
    growing_overviews = GrowingOverviews()

    def root_of(request: StreamRequest) -> str | None:
        try:
            return lake.products.find(request.product_type, request.symbol).root
        except RequestError:  # it will be told by who judges the request
            return None

    def recording_of(request: StreamRequest) -> LiveDay | None:
        if recorder is None:
            return None
        root = root_of(request)
        return None if root is None else recorder.find(request.product_type, root, request.dt)

    def prepare_request(request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> Session:
        recording = recording_of(request)
        if recording is None:
            return prepare(_spec(request, values), on_progress)
        return prepare_growing(_spec(request, values), recording, on_progress)

    def make_overview(request: StreamRequest, check: Callable[[], None]) -> dict[str, Any]:
        spec = _spec(replace(request, start_time=None), values)
        recording = recording_of(request)
        return overview(spec, check) if recording is None else growing_overviews.now(spec, recording, check)

    def live_sessions() -> list[dict[str, Any]]:
        if recorder is None:
            return []
        return [
            live_session(
                product.product_type,
                product.root,
                live.raw_files()[-1],
                [name for name in contracts_of(live) if belongs(lake.products, product, name)],
            )
            for live in recorder.live_days
            for product in recorder.plan.products
        ]

    def judge_request(request: StreamRequest) -> None:
        judge(_spec(request, values), look=recording_of(request) is None)

    def load(on_progress: Callable[[ProgressLike], None]) -> Session:
        with TerminalProgress() as terminal:

            def tell(progress: ProgressLike) -> None:
                on_progress(progress)
                terminal(progress)

            def tell_share(phase: str) -> Callable[[float], None]:
                return lambda share: tell(Loading(phase, round(100 * share), 100))

            ensure_compiled(tell_share("compile"), demonstration=demonstration)
            if demonstration:
                ensure_demo(Lake(values["lake"]).root, tell_share("demo"))
            request = defaults
            if recorder is not None:
                first = _first_day(recorder, lambda: on_progress(Loading("connect")))
                request = startup.request = replace(defaults, dt=str(first.date))
            session = prepare_request(request, tell)
            nothing = session.emptiness() if session.finished and recorder is None else None
            if nothing is not None:
                cli.say(f"WARNING: {nothing}")
            for notice in session.notices():
                cli.say(f"WARNING: {notice}")
            return session

    startup = StartupSession(defaults, load, ready, failed)
    asked = None if values["history_directory"] is None else Path(values["history_directory"])
    spool = open_spool(asked, Lake(values["lake"]).cache_dir, round(values["history_limit_gb"] * BYTES_PER_GB))
    queries = None
    if values["enable_query"]:
        from vp.server.query.request import QueryContext  # noqa: PLC0415
        from vp.session import SessionName  # noqa: PLC0415

        session = SessionName(values["product_type"], values["symbol"], values["dt"], values["start_time"])
        bucket = None if values["bucket"] is None else str(values["bucket"])
        queries = QueryContext(values["lake"], session, products=values["products"], file=values["file"], bucket=bucket)
    service = Service(
        defaults,
        prepare_request,
        startup,
        gate=Gate(is_loopback(values["host"]), frozenset(values["allow_origin"])),
        limits=ServerLimits(viewers=values["max_viewers"], sessions=values["max_sessions"]),
        catalogue=SessionCatalogue(
            lambda: open_lake(values["lake"], values["products"], values["file"]), live_sessions
        ),
        overview=make_overview,
        queries=queries,
        judge=judge_request,
        spool=spool,
        live=None if recorder is None else LiveRecordings(recorder, root_of),
    )
    return service, startup


def _defaults(values: dict[str, Any]) -> StreamRequest:
    """What a viewer gets who asks for nothing in particular."""
    from vp.server.stream.request import REQUEST_NAMES, StreamRequest  # noqa: PLC0415

    return StreamRequest(**{name: values[name] for name in REQUEST_NAMES if name in values})


def _spec(request: StreamRequest, values: dict[str, Any]) -> SessionSpec:
    from vp.model.session import SessionSpec  # noqa: PLC0415

    return SessionSpec(
        product_type=request.product_type,
        symbol=request.symbol,
        dt=request.dt,
        start_time=request.start_time,
        throttle_ms=request.throttle_ms,
        bucket=request.bucket,
        lake=values["lake"],
        products=values["products"],
        file=values["file"],
        decompressed_limit_gb=values["decompressed_limit_gb"],
        cache_limit_gb=values["cache_limit_gb"],
        parameters=request.parameters,
        context_minutes=values["context_minutes"] if request.speed > 0 else 0.0,
    )


if __name__ == "__main__":
    sys.exit(main())
