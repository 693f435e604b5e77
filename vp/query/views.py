"""The tables that a query sees, and the DuckDB connection that sees them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from vp.errors import NoRecordingError, NoSessionError, VPError
from vp.kernels.contract import UNDEF_PRICE, UNDEF_SIZE
from vp.model.frame_columns import COLUMN_NAMES, frame_schema
from vp.model.order_schema import ORDER_SCHEMA
from vp.model.recording_file import RECORDING_SCHEMA
from vp.query import catalogue
from vp.query.book_orders import Tell, cached_book
from vp.query.events import SESSION_EVENT_SCHEMA
from vp.query.gaps import GAP_SCHEMA, session_gaps
from vp.query.inventory import book_files, raw_files, recording_files
from vp.query.quality import QUALITY_SCHEMA, recorded_quality, replayed_quality
from vp.query.session import SESSION_SCHEMA
from vp.query.sources import ArrowSource, absent

if TYPE_CHECKING:
    from vp.lake.lake import Lake
    from vp.model.recording_file import Recording
    from vp.query.session import ChosenSession

log = logging.getLogger("vp.query")

INVENTORY_VIEWS = ("raw_files", "book_files", "recording_files")
SESSION_VIEWS = ("session", "events", "book", "gaps")
RECORDING_VIEWS = ("recording", "frames", "quality")
SESSIONS_NAMED = 10

# DuckDB truncates, shifts and compares times of microseconds; of nanoseconds it does none of it. So a view has both
# where nanoseconds matter, the readable one under the name given here, and microseconds alone where they do not.
READABLE_TIMES = {
    "events": {"ts_event": "ts", "ts_recv": "recv_ts"},
    "frames": {"ts_ns": "ts"},
    "gaps": {"start_ns": "start_ts", "end_ns": "end_ts"},
    "quality": {"start_ns": "start_ts", "end_ns": "end_ts"},
}
UNDEFINED = {
    "events": {
        "ts_event": "epoch_ns(ts_event) < 0",
        "price": f"price = {UNDEF_PRICE}",
        "size": f"size = {UNDEF_SIZE}",
        "ts_recv": "epoch_ns(ts_recv) < 0",
    },
}


class Views:
    """Named tables for one connection. Nothing of a session is read before a query scans it.

    All of them are always there; a scan of one that has nothing to show raises NoSessionError or NoRecordingError.

    Parameters
    ----------
    lake : Lake
    session : ChosenSession, optional
        What `session`, `events`, `book` and `gaps` are about.
    recording : Recording, optional
        What `recording`, `frames` and `quality` are about.
    build : bool
        Build a cached book that is missing, once it is asked for.
    replay : bool
        Where there is no recording, play the session for `quality`.
    tell : callable, optional
        Told how far building is.
    """

    def __init__(
        self,
        lake: Lake,
        session: ChosenSession | None = None,
        recording: Recording | None = None,
        *,
        build: bool = False,
        replay: bool = True,
        tell: Tell | None = None,
    ) -> None:
        self._session = session
        self.tables: dict[str, Any] = {
            "raw_files": raw_files(lake),
            "book_files": book_files(lake),
            "recording_files": recording_files(lake),
        }
        self._missing_columns = [] if recording is None else sorted({*COLUMN_NAMES} - {*recording.schema.names})
        nameless = partial(_no_session, lake)
        if session is None:
            of_session = (SESSION_SCHEMA, SESSION_EVENT_SCHEMA, ORDER_SCHEMA, GAP_SCHEMA)
            self.tables |= {
                name: absent(schema, nameless) for name, schema in zip(SESSION_VIEWS, of_session, strict=True)
            }
        else:
            self.tables["session"] = session.facts()
            self.tables["events"] = session.events()
            self.tables["book"] = cached_book(session, build=build, tell=tell)
            self.tables["gaps"] = session_gaps(session)
        if recording is None:
            reason = nameless if session is None else partial(_no_recording, session)
            of_recording = (RECORDING_SCHEMA, frame_schema({}), QUALITY_SCHEMA)
            self.tables |= {
                name: absent(schema, reason) for name, schema in zip(RECORDING_VIEWS, of_recording, strict=True)
            }
            if session is not None and replay:
                self.tables["quality"] = replayed_quality(session)
        else:
            self.tables["recording"] = recording.describe()
            self.tables["frames"] = recording.frames()
            self.tables["quality"] = recorded_quality(recording)

    def register(self, connection: duckdb.DuckDBPyConnection, sql: str | None = None) -> None:
        """Make the views known to a connection, and the named queries as table macros.

        Of the named queries those that `sql` can call, None means all: to make them takes as long as a small query. A
        file of sql/ that is no query is told to the log and keeps nothing else from working.
        """
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in self.tables.items():
            register_view(connection, name, table)
        problems = dict(catalogue.broken()) if sql is None else {}
        for query in catalogue.with_called(catalogue.load() if sql is None else catalogue.named_in(sql)):
            try:
                connection.execute(query.macro())
            except duckdb.Error as error:
                problem = " ".join(str(error).split())
                hint = self.hint(problem)
                if not hint:
                    problems[query.name] = problem
                else:
                    connection.execute(query.refusing(f"The query {query.name} cannot be run. {hint}").macro())
        for name, problem in problems.items():
            log.warning("sql/%s.sql cannot be used: %s", name, problem)

    def emptiness(self) -> str | None:
        """A sentence where a query has read the session's events and there are none."""
        events = self.tables["events"]
        if self._session is None or not events.was_empty:
            return None
        return self._session.emptiness()

    def hint(self, problem: str) -> str:
        """What to do about a complaint of DuckDB's that names a column which the recording was made without."""
        missing = [name for name in self._missing_columns if re.search(rf"\b{name}\b", problem)]
        if not missing:
            return ""
        return f"The recording has no column {missing[0]}: record it with {missing[0]} among --fields, or without them."

    def failure(self) -> VPError | None:
        """The error of our own that ended a scan, where one did."""
        failures = (table.failure for table in self.tables.values() if isinstance(table, ArrowSource))
        return next((failure for failure in failures if failure is not None), None)


def in_memory(config: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
    """A database of its own, in memory."""
    return duckdb.connect(":memory:", config=dict(config or {}))


def register_view(connection: duckdb.DuckDBPyConnection, name: str, table: Any, place: str | None = None) -> None:
    """Make a table known as the view `name`, with readable times and nulls for what is undefined.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    name : str
        One of Views.tables.
    table : object
        With an Arrow schema, as DuckDB scans it.
    place : str, optional
        Where the view is to lie instead, quoted as SQL wants it.
    """
    source = f"{place or name} as read"
    connection.register(source, table)
    columns = ", ".join(_view_columns(name, table.schema))
    made_of = quoted_name(source)
    connection.execute(f"CREATE OR REPLACE VIEW {place or name} AS SELECT {columns} FROM {made_of}")  # noqa: S608


def quoted_name(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _view_columns(view: str, schema: pa.Schema) -> Iterator[str]:
    readable = READABLE_TIMES.get(view, {})
    undefined = UNDEFINED.get(view, {})
    for field in schema:
        name = quoted_name(field.name)
        value = f"CASE WHEN {undefined[field.name]} THEN NULL ELSE {name} END" if field.name in undefined else name
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            yield f"make_timestamptz(epoch_ns({value}) // 1000) AS {readable.get(field.name, name)}"
        if field.name in readable or not (pa.types.is_timestamp(field.type) and field.type.unit == "ns"):
            yield f"{value} AS {name}"


def _no_session(lake: Lake) -> NoSessionError:
    held = lake.sessions()
    if not held:
        return NoSessionError(
            f"The query reads a session, none is named, and {lake.root} holds none.",
            hint="docs/downloading.md tells how to fill a lake.",
        )
    listed = ", ".join(f"{entry.product_type} {entry.symbol} {entry.date}" for entry in held[:SESSIONS_NAMED])
    more = f" and {len(held) - SESSIONS_NAMED:,} more" if len(held) > SESSIONS_NAMED else ""
    first = held[0]
    return NoSessionError(
        f"The query reads a session, and none is named; {lake.root} holds {listed}{more}.",
        hint=f'Name one: connect({str(lake.root)!r}, symbol="{first.symbol}", dt="{first.date}"), '
        f"or --symbol {first.symbol} --dt {first.date}.",
    )


def _no_recording(session: ChosenSession) -> NoRecordingError:
    return NoRecordingError(
        f"The query reads a recording, and there is none of {session.symbol} {session.dt} "
        f"in {session.lake.recordings_dir}.",
        hint="Make one with `python -m vp.record --out`, or name it with --recording.",
    )
