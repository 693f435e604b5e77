"""Opening connections: which session and recording they are about."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from vp.lake.choice import choose
from vp.lake.lake import Lake
from vp.model.recording_file import open_recording
from vp.query.book_orders import Tell
from vp.query.recordings import find_recording
from vp.query.session import ChosenSession
from vp.query.views import Views, in_memory, quoted_name, register_view

if TYPE_CHECKING:
    import duckdb


def choose_session(
    lake: Lake,
    symbol: str | None,
    dt: str | None,
    start_time: str | None = None,
    product_type: str | None = None,
    *,
    bucket: Decimal | None = None,
) -> ChosenSession | None:
    """The session that is named; None where none is.

    Raises
    ------
    BadParameterError
        It is named in part, and the lake leaves a choice about the rest.
    RequestError
        There is no such session.
    """
    if symbol is not None and dt is not None:
        return ChosenSession(lake, symbol, dt, start_time, product_type, bucket=bucket)
    if lake.lone_file is None and all(value is None for value in (symbol, dt, start_time, product_type)):
        return None
    choice = choose(lake, product_type, symbol, dt)
    return ChosenSession(lake, choice.symbol, choice.dt, start_time, choice.product_type, bucket=bucket)


def find_views(
    lake: Lake,
    session: ChosenSession | None,
    recording: str | Path | None = None,
    *,
    look_for_recording: bool = True,
    build: bool = False,
    replay: bool = True,
    tell: Tell | None = None,
) -> Views:
    """The views over a session and a recording: the one in a file, else the lake's newest of the session."""
    found = None
    if recording is not None:
        found = open_recording(Path(recording).expanduser())
    elif session is not None and look_for_recording:
        found = find_recording(session)
    return Views(lake, session, found, build=build, replay=replay, tell=tell)


def open_connection(
    lake: Lake,
    symbol: str | None,
    dt: str | None,
    start_time: str | None,
    product_type: str | None,
    recording: str | Path | None,
    *,
    bucket: Decimal | None,
    build: bool,
) -> duckdb.DuckDBPyConnection:
    """What vp.query.connect does."""
    session = choose_session(lake, symbol, dt, start_time, product_type, bucket=bucket)
    chosen = find_views(lake, session, recording, build=build)
    connection = in_memory()
    try:
        chosen.register(connection)
        if session is None:
            _add_every_session(lake, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _add_every_session(lake: Lake, connection: duckdb.DuckDBPyConnection) -> None:
    """A view of the events of each session the lake holds, in a schema of its product type."""
    for entry in lake.sessions():
        session = ChosenSession(lake, entry.symbol, str(entry.date), product_type=entry.product_type)
        name = f"{entry.symbol.lower()}_{entry.date:%Y%m%d}"
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {entry.product_type}")
        register_view(connection, "events", session.events(), f"{entry.product_type}.{quoted_name(name)}")
