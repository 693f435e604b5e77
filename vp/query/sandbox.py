"""SQL by strangers: a database of its own for each query, in which there is nothing to write to or to read from.

DuckDB knows no rights within itself. So the wall is that there is nothing behind it: the database is in memory,
is thrown away after one query, has no access to files, network or Python, and sees only tables that are handed
in. What it may use of time, memory and rows is limited. That a query is one SELECT is checked too, but only for
the sake of good messages: nothing rests on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from vp.errors import QueryError, QueryLimitError
from vp.query.execution import told
from vp.query.limits import Limits
from vp.query.views import Views, in_memory

BATCH_ROWS = 2048
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Answer:
    """A table, and whether there were more rows than it may have."""

    table: pa.Table
    truncated: bool


def ask(
    views: Views, sql: str, values: Mapping[str, Any] | None = None, limits: Limits | None = None, *, check: bool = True
) -> Answer:
    """The answer to one query over `views`, and nothing else.

    Parameters
    ----------
    views : Views
    sql : str
    values : mapping, optional
        Of the query's parameters.
    limits : Limits, optional
    check : bool
        Whether to refuse what is not one SELECT with a message of its own. The wall stands without it.

    Raises
    ------
    QueryError
        It is not one SELECT, cannot be understood, or tries what the wall does not let through.
    QueryLimitError
        It took more time or memory than it may.
    """
    limits = limits or Limits()
    with walled(views, limits, sql) as connection, told(views):
        if check:
            _check_statement(connection, sql)
        with _interrupted_after(connection, limits):
            relation: duckdb.DuckDBPyRelation | None = connection.sql(sql, params=dict(values) if values else None)
            if relation is None:  # a statement without an answer, where `check` is off
                return Answer(pa.table({}), truncated=False)
            return _collect(relation.to_arrow_reader(BATCH_ROWS), limits)


@contextmanager
def walled(views: Views, limits: Limits, sql: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that sees `views` and the named queries that `sql` can call (None: all); gone when the block ends."""
    with in_memory(_config(limits)) as connection:
        views.register(connection, sql)
        for directory in ("secret", "home", "extension"):  # where they would be tells who runs the server
            connection.execute(f"SET {directory}_directory = '/none'")
        connection.execute(f"SET max_execution_time = {max(1, round(limits.seconds * 1000))}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")  # the last: nothing can be set after it
        yield connection


def _config(limits: Limits) -> dict[str, Any]:
    return {
        "python_enable_replacements": False,
        "allow_community_extensions": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": "",
        "max_temp_directory_size": "0MB",
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": limits.threads,
    }


def _check_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    kinds = [str(statement.type).rpartition(".")[2] for statement in statements]
    if kinds != ["SELECT"]:
        found = " and ".join(kinds) or "nothing"
        raise QueryError(f"Expected one SELECT statement, found {found}.", hint="Ask one question at a time.")


def _collect(reader: pa.RecordBatchReader, limits: Limits) -> Answer:
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch.slice(0, limits.rows - rows))
        rows += batch.num_rows
        size += batch.nbytes
        if size > limits.answer_bytes:
            raise QueryLimitError(
                f"The answer has more than {limits.answer_bytes >> 20} MiB.", hint="Ask for fewer columns or rows."
            )
        if rows > limits.rows:
            return Answer(pa.Table.from_batches(batches, reader.schema), truncated=True)
    return Answer(pa.Table.from_batches(batches, reader.schema), truncated=False)


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """Interrupt the connection once the process has taken what one query may, again and again until it hears.

    DuckDB's max_execution_time knows the clock alone, and not the time in which rows are fetched. The process has
    nothing else to do: the server gives each query one of its own (vp.server.query.pool).
    """
    ended = threading.Event()
    processor_until = time.process_time() + limits.processor_seconds
    until = time.monotonic() + limits.seconds

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            if time.process_time() > processor_until or time.monotonic() > until:
                connection.interrupt()

    watcher = threading.Thread(target=watch, name="watch a query", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
