"""Arrow streams that DuckDB scans: made anew for each scan, so that nothing is read before a query asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from vp.errors import VPError


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
    """

    def __init__(self, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.failure: VPError | None = None
        self._batches = batches

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self._watched())
        return reader.__arrow_c_stream__(requested_schema)

    def _watched(self) -> Iterator[pa.RecordBatch]:
        self.failure = None
        try:
            yield from self._batches()
        except VPError as error:
            self.failure = error
            raise


def one_row(schema: pa.Schema, row: Callable[[], dict[str, object]]) -> ArrowSource:
    """A table of one row, which is found out when a query asks for it."""

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([row()], schema=schema)

    return ArrowSource(schema, batches)
