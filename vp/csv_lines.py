"""Record batches as CSV whose types other programs find out by themselves.

Readers such as Polars take a column's type from its first rows. So a float always has a point or an exponent (a column
of 0, 0, 0.5 is no column of integers), text is always in quotes, a time is ISO 8601, lists and structs are JSON, and a
null is an empty field; but where a column of numbers begins with nulls these are NaN, so that it is still one of
numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa


class CsvLines:
    """Writes batches of one schema, in order.

    Parameters
    ----------
    schema : pyarrow.Schema
    spread : mapping of str to sequence of str
        Columns of fixed-size lists that become one column a value, and what these are called.
    """

    def __init__(self, schema: pa.Schema, spread: Mapping[str, Sequence[str]] | None = None) -> None:
        self._schema = schema
        self._spread = dict(spread or {})
        self._without_value = {field.name for field in schema if field.nullable and _is_number(field.type)}

    def header(self) -> bytes:
        """The first line."""
        names: list[str] = [name for field in self._schema for name in self._spread.get(field.name, (field.name,))]
        return (",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names) + "\n").encode()

    def lines(self, batch: pa.RecordBatch) -> bytes:
        """A line a row.

        Raises
        ------
        pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
            A value has no form as text, such as an infinite date.
        """
        from pyarrow import compute as pc  # noqa: PLC0415 - takes longer to load than most queries to run

        rows: int = batch.num_rows
        if not rows or not batch.num_columns:
            return b"\n" * rows
        columns = [
            self._joined(column, name) if name in self._spread else self._text(column, name)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        fields = [pc.fill_null(column, "").cast(pa.large_string()) for column in columns]
        nothing = pa.scalar("", pa.large_string())
        text = (
            fields[0] if len(fields) == 1 else pc.binary_join_element_wise(*fields, pa.scalar(",", pa.large_string()))
        )
        ended = pc.binary_join_element_wise(text, nothing, pa.scalar("\n", pa.large_string()))
        _, offsets, data = ended.buffers()
        ends = memoryview(offsets).cast("q")
        written: bytes = data.slice(
            ends[ended.offset], ends[ended.offset + len(ended)] - ends[ended.offset]
        ).to_pybytes()
        return written

    def _joined(self, column: pa.Array, name: str) -> pa.Array:
        """The values of each row's list, commas between them."""
        from pyarrow import compute as pc  # noqa: PLC0415 - as above

        texts = pc.fill_null(_text(column.flatten()), "")
        size = len(self._spread[name])
        return pc.binary_join(pa.FixedSizeListArray.from_arrays(texts, size).cast(pa.list_(texts.type)), ",")

    def _text(self, column: pa.Array, name: str) -> pa.Array:
        text = _text(column)
        if name not in self._without_value:
            return text
        valid = column.is_valid().to_pylist()
        leading = valid.index(True) if True in valid else len(valid)
        if leading < len(valid):
            self._without_value.discard(name)
        return pa.concat_arrays([pa.array(["NaN"] * leading, pa.string()), text.slice(leading)]) if leading else text


def iso_text(column: pa.Array) -> pa.Array:
    """A timestamp column as ISO 8601 text, in the digits of its unit; ArrowInvalid for what nanoseconds cannot hold."""
    from pyarrow import compute as pc  # noqa: PLC0415 - as above

    column.cast(pa.timestamp("ns", column.type.tz))  # DuckDB's infinity would be written as a year of five digits
    utc = column.type.tz is not None
    plain = column.cast(pa.timestamp(column.type.unit, tz="UTC" if utc else None))
    return pc.strftime(plain, "%Y-%m-%dT%H:%M:%SZ" if utc else "%Y-%m-%dT%H:%M:%S")


def _text(column: pa.Array) -> pa.Array:
    """The fields of a column, null where it is."""
    from pyarrow import compute as pc  # noqa: PLC0415 - as above

    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_floating(kind):
        text = column.cast(pa.string())
        text = pc.if_else(pc.match_substring_regex(text, r"^-?\d+$"), pc.binary_join_element_wise(text, "0", "."), text)
        return pc.if_else(pc.is_nan(column), "NaN", text)
    if pa.types.is_timestamp(kind):
        return iso_text(column)
    if pa.types.is_nested(kind):
        values = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return _quoted(pa.array(values, pa.string()))
    if pa.types.is_boolean(kind) or _is_number(kind) or pa.types.is_temporal(kind):
        return column.cast(pa.string())
    return _quoted(column.cast(pa.string()))


def _quoted(text: pa.Array) -> pa.Array:
    from pyarrow import compute as pc  # noqa: PLC0415 - as above

    return pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
