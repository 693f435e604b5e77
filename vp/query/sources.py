"""Arrow streams that DuckDB scans: made anew for each scan, so that nothing is read before a query asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa

from vp.errors import VPError

TIME = pa.timestamp("ns", tz="UTC")


class ArrowSource:
    """A table by the Arrow stream interface, which DuckDB, Polars and pyarrow read.

    Parameters
    ----------
    schema : pyarrow.Schema
    batches : callable
        Gives the record batches of one scan, from the first row on.

    Attributes
    ----------
    failure : VPError or None
        What ended the latest scan before its time. DuckDB hands on no more than an error's text, so the error
        itself is kept here.
    was_empty : bool
        Whether the latest scan came to its end without a row.
    """

    def __init__(self, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.failure: VPError | None = None
        self.was_empty = False
        self._batches = batches

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        batches = self._watched()
        first = next(batches, None)  # what cannot be read at all is said now: of later errors DuckDB shows a traceback
        reader = pa.RecordBatchReader.from_batches(self.schema, batches if first is None else chain([first], batches))
        return reader.__arrow_c_stream__(requested_schema)

    def _watched(self) -> Iterator[pa.RecordBatch]:
        self.failure, self.was_empty = None, False
        rows = 0
        try:
            for batch in self._batches():
                rows += batch.num_rows
                yield batch
        except VPError as error:
            self.failure = error
            raise
        self.was_empty = rows == 0


def absent(schema: pa.Schema, reason: Callable[[], VPError]) -> ArrowSource:
    """A table that cannot be read now, of the columns that it would have; a scan raises `reason`."""

    def batches() -> Iterator[pa.RecordBatch]:
        raise reason()

    return ArrowSource(schema, batches)


def one_row(schema: pa.Schema, row: Callable[[], dict[str, object]]) -> ArrowSource:
    """A table of one row, which is found out when a query asks for it."""

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([row()], schema=schema)

    return ArrowSource(schema, batches)
