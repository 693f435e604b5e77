"""A result as a person or a program wants it: a table, CSV, JSON lines, Parquet or Arrow."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

import pyarrow as pa

from vp.csv_lines import CsvLines, iso_text
from vp.errors import BadParameterError, QueryError
from vp.logs import printable
from vp.parquet_encoding import parquet_writer

FORMATS = ("table", "csv", "json", "parquet", "arrow")
BINARY = ("parquet", "arrow")
TABLE_ROWS = 100
CELL_WIDTH = 60
UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def format_of(name: str | None, out: str | None) -> str:
    """The format asked for, else the one that the file's ending says, else a table.

    Raises
    ------
    BadParameterError
        The ending says none.
    """
    if name is not None or out is None:
        return name or "table"
    ending = out.rpartition(".")[2].lower()
    if ending not in FORMATS or "." not in out:
        raise BadParameterError(
            f"out was {out[:60]!r}, whose ending names no format.",
            hint=f"End it in .{', .'.join(FORMATS[1:])}, or give --format.",
        )
    return ending


def write(kind: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> int:
    """Write a result in the format `kind`; returns how many rows.

    Raises
    ------
    QueryError
        A column has a type or a value that the format has no form for, such as an infinite date.
    """
    with refusing(kind):
        return _write(kind, schema, batches, file)


@contextlib.contextmanager
def refusing(kind: str) -> Iterator[None]:
    """Raise QueryError where the block meets a value that the format `kind` has no form for."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise QueryError(
            f"The answer cannot be written as {kind}: {said}.",
            hint="Make that column text, for example with column::VARCHAR, or choose another format.",
        ) from None


def _write(kind: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> int:
    if kind == "table":
        return _write_table(schema, batches, file)
    if kind == "json":
        return _write_json(batches, file)
    if kind == "parquet":
        with parquet_writer(file, schema) as writer:
            return _write_each(batches, writer.write_batch)
    if kind == "arrow":
        from pyarrow import ipc  # noqa: PLC0415 - takes longer to load than most queries to run

        with ipc.new_stream(file, schema) as stream:
            return _write_each(batches, stream.write_batch)
    lines = CsvLines(schema)
    file.write(lines.header())
    return _write_each(batches, lambda batch: file.write(lines.lines(batch)))


def _write_each(batches: Iterator[pa.RecordBatch], write_one: Callable[[pa.RecordBatch], Any]) -> int:
    rows = 0
    for batch in batches:
        write_one(batch)
        rows += batch.num_rows
    return rows


def _write_json(batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> int:
    rows = 0
    for batch in batches:
        for row in readable(batch).to_pylist():
            file.write(json_text(row).encode() + b"\n")
        rows += batch.num_rows
    return rows


def json_text(row: dict[str, Any] | list[Any], *, big_integers_as_text: bool = False) -> str:
    """A row of a batch that `readable` has made, as JSON."""
    default = str if big_integers_as_text else _plain
    options: dict[str, Any] = {"default": default, "ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
    try:
        return json.dumps(row, **options)
    except ValueError:  # NaN within a list or a struct; of plain columns `readable` took it out
        return json.dumps(_finite(row), **options)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def readable(batch: pa.RecordBatch, *, big_integers_as_text: bool = False) -> pa.RecordBatch:
    """The batch with times as ISO 8601 text, and numbers as JSON can say them.

    Decimals become floats, whole ones integers; NaN and infinities become null. JavaScript cuts integers beyond
    2^53, so columns of 64 bits or more can become text.
    """
    return pa.RecordBatch.from_arrays(
        [_readable(column, big_integers_as_text) for column in batch.columns], names=batch.schema.names
    )


def _readable(column: pa.Array, big_integers_as_text: bool) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return iso_text(column)
    if pa.types.is_floating(kind):
        from pyarrow import compute as pc  # noqa: PLC0415 - as above

        return pc.if_else(pc.is_finite(column), column, pa.nulls(1, kind)[0])
    if pa.types.is_decimal(kind) and kind.scale:
        return column.cast(pa.float64())
    wide = pa.types.is_decimal(kind) or kind in (pa.int64(), pa.uint64())
    return column.cast(pa.string()) if wide and big_integers_as_text else column


def _plain(value: object) -> object:
    """What JSON has no word for: a whole decimal is a number, anything else its text."""
    return int(value) if isinstance(value, Decimal) else str(value)


def _write_table(schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> int:
    """The first TABLE_ROWS rows in aligned columns, and how many there are."""
    columns: list[list[float | str]] = [[] for _ in schema]
    rows = 0
    for batch in batches:
        if rows < TABLE_ROWS:
            head = batch.slice(0, TABLE_ROWS - rows)
            for shown_before, column in zip(columns, head.columns, strict=True):
                shown_before.extend(v if isinstance(v, float) else _cell(v) for v in _values(column))
        rows += batch.num_rows
    shown = [list(row) for row in zip(*map(_cells, columns), strict=True)]
    right = [_is_number(field.type) for field in schema]
    names = [printable(name) for name in schema.names]
    widths = [max([len(name), *(len(row[i]) for row in shown)]) for i, name in enumerate(names)]
    lines = [names, ["-" * width for width in widths], *shown]
    for line in lines:
        cells = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        )
        file.write(f"{'  '.join(cells).rstrip()}\n".encode())
    more = "" if rows <= TABLE_ROWS else f", the first {TABLE_ROWS} shown; --format csv gives all"
    file.write(f"({rows:,} row{'' if rows == 1 else 's'}{more})\n".encode())
    return rows


def _values(column: pa.Array) -> list[object]:
    """The values of a column for people; without pyarrow.compute, whose loading takes longer than a small answer."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        ending = "" if kind.tz is None else "Z"
        per_second = UNITS_PER_SECOND[kind.unit]
        return [None if at is None else _moment(at, per_second) + ending for at in column.view(pa.int64()).to_pylist()]
    if pa.types.is_decimal(kind) and kind.scale:
        return [None if value is None else float(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def _moment(at: int, per_second: int) -> str:
    """ISO 8601 of nanoseconds."""
    seconds, rest = divmod(at, per_second)
    try:
        second = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    except OverflowError:  # DuckDB's infinity
        return "-infinity" if at < 0 else "infinity"
    return f"{second:%Y-%m-%dT%H:%M:%S}.{rest * (10**9 // per_second):09d}"


def _cells(values: list[float | str]) -> list[str]:
    """A column's cells; its floats have the same decimals throughout, unless one of them needs an exponent."""
    cells = [_cell(value) if isinstance(value, float) else value for value in values]
    numbers = [cell for cell, value in zip(cells, values, strict=True) if isinstance(value, float)]
    if any("e" in cell for cell in numbers):
        return cells
    decimals = max((len(cell.partition(".")[2]) for cell in numbers), default=0)
    return [
        f"{value:.{decimals}f}" if isinstance(value, float) and cell else cell
        for cell, value in zip(cells, values, strict=True)
    ]


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    text = f"{value:.10g}" if isinstance(value, float) else printable(str(value))  # files and strangers name things
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
