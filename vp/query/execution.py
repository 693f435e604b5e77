"""Running one query: DuckDB's complaints become errors like all others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from vp.errors import QueryError, QueryLimitError, VPError
from vp.query import catalogue
from vp.query.views import Views

BATCH_ROWS = 1 << 16
LONGEST_MESSAGE = 600


def referenced(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Names of the views that a statement reads, itself or by a named query's macro, as far as it can be parsed."""
    try:
        found = {name.strip('"').lower() for name in connection.get_table_names(sql)}
    except duckdb.Error:  # also where it calls a macro that is not there yet: then every word may be a view
        found = set(re.findall(r"\w+", sql.lower()))
    for query in catalogue.load().values():
        if re.search(rf'\b{query.name}"?\s*\(', sql, re.IGNORECASE):  # it calls it, or only seems to
            found |= set(query.reads)
    return found


@contextmanager
def told(views: Views) -> Iterator[None]:
    """Raise what DuckDB raises as an error of ours, and what our own sources raised as it was."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        own = views.failure()
        if own is not None:
            raise own from None
        told_of = as_query_error(error)
        told_of.hint = views.hint(told_of.message) or told_of.hint
        raise told_of from None


def as_query_error(error: Exception) -> VPError:
    """A complaint of DuckDB's in one sentence."""
    if isinstance(error, duckdb.InterruptException):
        return QueryLimitError("The query took longer than it may.", hint="Ask for less: fewer rows, a shorter time.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryLimitError("The query took more memory than it may.", hint="Ask for less, or group before sorting.")
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"
    hint = "`python -m vp.query --list` lists queries and views."
    if "TIMESTAMPTZ_NS" in text:
        hint = "Take the column of microseconds beside it, such as ts: DuckDB does not reckon with nanoseconds."
    return QueryError(f"The query cannot be run: {text}", hint=hint)


def run(
    connection: duckdb.DuckDBPyConnection, views: Views, sql: str, values: Mapping[str, Any]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The result's schema, and its batches as they are computed.

    Raises
    ------
    QueryError, QueryLimitError, VPError
        Now, or while the batches are read.
    """
    with told(views):
        relation: duckdb.DuckDBPyRelation | None = connection.sql(sql, params=dict(values) or None)
        if relation is None:  # a statement that answers nothing, such as SET
            return pa.schema([]), iter(())
        reader = relation.to_arrow_reader(BATCH_ROWS)
        schema = reader.schema

    def batches() -> Iterator[pa.RecordBatch]:
        with told(views):
            yield from reader

    return schema, batches()
