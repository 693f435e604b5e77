"""The tables that a query sees, and the DuckDB connection that sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from vp.errors import VPError
from vp.query import catalogue
from vp.query.book_orders import Tell, cached_book
from vp.query.inventory import book_files, raw_files, recording_files
from vp.query.sources import ArrowSource

if TYPE_CHECKING:
    from vp.lake.lake import Lake
    from vp.query.recordings import Recording
    from vp.query.session import ChosenSession

INVENTORY_VIEWS = ("raw_files", "book_files", "recording_files")
SESSION_VIEWS = ("session", "events", "book")
RECORDING_VIEWS = ("recording", "frames")


class Views:
    """Named tables for one connection. Nothing of a session is read before a query scans it.

    Parameters
    ----------
    lake : Lake
    session : ChosenSession, optional
        Adds `session`, `events` and `book`.
    recording : Recording, optional
        Adds `recording` and `frames`.
    build : bool
        Build a cached book that is missing, once it is asked for.
    tell : callable, optional
        Told how far that is.
    """

    def __init__(
        self,
        lake: Lake,
        session: ChosenSession | None = None,
        recording: Recording | None = None,
        *,
        build: bool = False,
        tell: Tell | None = None,
    ) -> None:
        self.tables: dict[str, Any] = {
            "raw_files": raw_files(lake),
            "book_files": book_files(lake),
            "recording_files": recording_files(lake),
        }
        if session is not None:
            self.tables["session"] = session.facts()
            self.tables["events"] = session.events()
            self.tables["book"] = cached_book(session, build=build, tell=tell)
        if recording is not None:
            self.tables["recording"] = recording.describe()
            self.tables["frames"] = recording.frames()

    def register(self, connection: duckdb.DuckDBPyConnection, macros: Collection[str] | None = None) -> None:
        """Make the tables known to a connection, and the named queries that read only these as table macros.

        `macros` names those that are needed, None means all: to make them takes as long as a small query.
        """
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in self.tables.items():
            connection.register(name, table)
        for query in catalogue.load().values():
            if set(query.reads) <= self.tables.keys() and (macros is None or query.name in macros):
                connection.execute(query.macro())

    def failure(self) -> VPError | None:
        """The error of our own that ended a scan, where one did."""
        failures = (table.failure for table in self.tables.values() if isinstance(table, ArrowSource))
        return next((failure for failure in failures if failure is not None), None)


def in_memory(config: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
    """A database of its own, in memory."""
    return duckdb.connect(":memory:", config=dict(config or {}))
