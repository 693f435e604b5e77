"""A frame is a row: the bytes of a one-row Arrow message on the wire, and where each column lies in them.

Every frame message of a schema has the same length and holds each column at the same offset, so the kernel
writes straight into it, a reader may view the columns in place, and a run of messages is a flat array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from flatbuffers import encode
from flatbuffers.number_types import UOffsetTFlags
from flatbuffers.table import Table

from vp.kernels.cells import ROW_FLOATS
from vp.kernels.contract import (
    AT_GRID,
    AT_GRID_STRIDE,
    AT_LAST_EVENT_ID,
    AT_NULL_COUNT,
    AT_VALIDITY,
    GRID_COLUMNS,
    GRID_FLOATS,
    NULLABLE_COLUMNS,
    PLACES,
    SCALAR_COLUMNS,
)
from vp.kernels.state import FrameBuffer
from vp.kernels.vectors import LANES
from vp.model.arrow_columns import arrow_column, bool_column, nullable_column
from vp.model.frame_columns import EVENT_ID_GRID, SCALAR_TYPES, frame_schema_like, judge_fields, value_bytes


@dataclass(frozen=True)
class ColumnPlace:
    """Where one column lies in a frame message; offsets count from the message's first byte.

    A nullable column's value is present when bit 0 of the byte at `validity_offset` is set.
    """

    name: str
    type: str
    offset: int
    length_bytes: int
    validity_offset: int | None
    null_count_offset: int | None


class FrameLayout:
    """The wire form of one frame schema.

    Attributes
    ----------
    schema : pyarrow.Schema
    schema_message : bytes
        The Arrow IPC schema message that opens a stream.
    message_bytes : int
        Length of every frame message.
    columns : tuple of ColumnPlace
    template : uint8[message_bytes]
        A message whose fixed parts are filled in.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.grids = tuple(name for name in schema.names if name not in SCALAR_TYPES)
        self.rows: int = schema.field(self.grids[0]).type.list_size if self.grids else 0
        self.schema_message: bytes = schema.serialize().to_pybytes()
        message = _sample(schema).serialize().to_pybytes()
        self.message_bytes = len(message)
        self.template = np.frombuffer(message, np.uint8).copy()
        self.columns = _find_columns(schema, message)

    def frame_buffer(self, messages: np.ndarray) -> FrameBuffer:
        """Messages of this layout, uint8[n, message_bytes], as the kernels write frames to them.

        Only for a layout with every column.
        """
        by_name = {column.name: column for column in self.columns}
        places = np.zeros(PLACES, np.int64)
        for i, name in enumerate(SCALAR_COLUMNS):
            places[i] = by_name[name].offset // value_bytes(name)
        grids = [by_name[name].offset // 4 for name in GRID_COLUMNS[:GRID_FLOATS]]
        places[AT_GRID] = grids[0]
        places[AT_GRID_STRIDE] = grids[1] - grids[0]
        assert grids == list(range(grids[0], grids[-1] + 1, grids[1] - grids[0])), "Arrow lays equal columns out alike"
        places[AT_LAST_EVENT_ID] = by_name[EVENT_ID_GRID].offset // 8
        for i, name in enumerate(NULLABLE_COLUMNS):
            places[AT_VALIDITY + i] = by_name[name].validity_offset or 0
            places[AT_NULL_COUNT + i] = (by_name[name].null_count_offset or 0) // 8
        return FrameBuffer(
            messages,
            messages.view(np.int64),
            messages.view(np.float32),
            messages.view(np.float64),
            places,
            new_grid(self.rows),
        )

    def describe(self) -> dict[str, Any]:
        """The `frame` part of runtime_config."""
        return {
            "message_bytes": self.message_bytes,
            "rows": self.rows,
            "columns": [
                {
                    "name": column.name,
                    "type": column.type,
                    "offset": column.offset,
                    "length_bytes": column.length_bytes,
                    "validity_offset": column.validity_offset,
                }
                for column in self.columns
            ],
        }

    def project(self, fields: Sequence[str]) -> Projection:
        """The same frames with only the grid columns `fields` (scalar columns always stay)."""
        judge_fields(fields)
        grids = [name for name in self.grids if name in fields]
        return Projection(self, FrameLayout(frame_schema_like(self.schema, self.rows, grids)))

    def table(self, messages: np.ndarray) -> pa.Table:
        """Frame messages, uint8[n, message_bytes], as an Arrow table of n rows (copied)."""
        arrays = [_column_array(self.schema.field(column.name), column, messages) for column in self.columns]
        return pa.Table.from_arrays(arrays, schema=self.schema)


class Projection:
    """Re-encodes messages of one layout as messages of another that has fewer columns."""

    def __init__(self, source: FrameLayout, layout: FrameLayout) -> None:
        self.layout = layout
        self.identical = source.schema.names == layout.schema.names
        index = np.full(layout.message_bytes, -1, np.int64)
        by_name = {column.name: column for column in source.columns}
        for target in layout.columns:
            origin = by_name[target.name]
            _copy_range(index, target.offset, origin.offset, target.length_bytes)
            if target.validity_offset is not None and origin.validity_offset is not None:
                _copy_range(index, target.validity_offset, origin.validity_offset, 1)
            if target.null_count_offset is not None and origin.null_count_offset is not None:
                _copy_range(index, target.null_count_offset, origin.null_count_offset, 8)
        edges = np.flatnonzero(np.diff(index, prepend=-2) != 1)
        runs = [
            (int(start), int(stop), int(index[start]))
            for start, stop in zip(edges, [*edges[1:], index.size], strict=True)
            if index[start] >= 0
        ]
        self._runs = tuple((slice(a, b), slice(at, at + b - a)) for a, b, at in runs)

    def apply(self, message: Any) -> bytes:
        """One message (any bytes-like of the source's length) as a message of `layout`."""
        if self.identical:
            return bytes(message)
        target = bytearray(self.layout.template)
        source = memoryview(message)
        for to, of in self._runs:
            target[to] = source[of]
        return bytes(target)


def new_grid(rows: int) -> np.ndarray:
    """Room to read `rows` rows into: GRID_FLOATS columns of the rows rounded up to fours, and four rows more."""
    return np.zeros(GRID_FLOATS * (-(-rows // LANES) * LANES) + LANES * ROW_FLOATS)


def first_messages(frames: FrameBuffer, count: int) -> FrameBuffer:
    """The first `count` messages of a buffer, or all where it has fewer."""
    return frames._replace(
        uint8s=frames.uint8s[:count],
        int64s=frames.int64s[:count],
        float32s=frames.float32s[:count],
        float64s=frames.float64s[:count],
    )


def _sample(schema: pa.Schema) -> pa.RecordBatch:
    """One row in which every nullable value is null, so that the message holds room for each validity bitmap."""
    arrays = []
    for field in schema:
        if field.nullable:
            arrays.append(pa.nulls(1, field.type))
        elif pa.types.is_fixed_size_list(field.type):
            values = arrow_column(field.type.value_type, np.zeros(field.type.list_size, np.int64))
            arrays.append(pa.FixedSizeListArray.from_arrays(values, type=field.type))
        else:
            arrays.append(arrow_column(field.type, np.zeros(1, np.int64)))  # as wide as any there is
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _find_columns(schema: pa.Schema, message: bytes) -> tuple[ColumnPlace, ...]:
    """Read from a message's own metadata where its columns lie (Arrow's Message.fbs and Schema.fbs)."""
    metadata_bytes = int.from_bytes(message[4:8], "little")
    metadata = bytearray(message[8 : 8 + metadata_bytes])
    body_at = 8 + metadata_bytes
    root = Table(metadata, encode.Get(UOffsetTFlags.packer_type, metadata, 0))
    batch = Table(metadata, 0)
    root.Union(batch, root.Offset(8))
    nodes_at = batch.Vector(batch.Offset(6))
    buffers_at = batch.Vector(batch.Offset(8))
    node = 0
    buffer = 0

    def buffer_start(number: int) -> int:
        return body_at + int.from_bytes(metadata[buffers_at + 16 * number :][:8], "little")

    places = []
    for field in schema:
        validity = null_count = None
        if field.name in SCALAR_TYPES:
            _, type_name, length = SCALAR_TYPES[field.name]
            if field.nullable:
                validity = buffer_start(buffer)
                null_count = 8 + nodes_at + 16 * node + 8
            data = buffer_start(buffer + 1)
            node += 1
            buffer += 2
        else:
            rows = field.type.list_size
            name = "int64" if field.name == EVENT_ID_GRID else "float32"
            type_name, length = f"{name}[{rows}]", value_bytes(field.name) * rows
            data = buffer_start(buffer + 2)
            node += 2
            buffer += 3
        places.append(ColumnPlace(field.name, type_name, data, length, validity, null_count))
    return tuple(places)


def _copy_range(index: np.ndarray, target: int, source: int, length: int) -> None:
    index[target : target + length] = np.arange(source, source + length)


def column_values(messages: np.ndarray, column: ColumnPlace) -> np.ndarray:
    """The values of one column of frame messages, uint8[n, message_bytes]: [n], or of a grid [n, rows].

    They are copied always: of one message, a column is contiguous where it lies. What is null is 0, a bool a byte.
    """
    name = column.type.partition("[")[0]
    dtype = {"timestamp_ns": "int64", "bool": "uint8"}.get(name, name)
    values = messages[:, column.offset : column.offset + column.length_bytes].copy().view(dtype)
    return values if column.type.endswith("]") else values.reshape(-1)


def _column_array(field: pa.Field, column: ColumnPlace, messages: np.ndarray) -> pa.Array:
    values = column_values(messages, column)
    if column.type == "bool":
        return bool_column(values & 1)
    if pa.types.is_fixed_size_list(field.type):
        flat = arrow_column(field.type.value_type, values.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, type=field.type)
    if column.validity_offset is None:
        return arrow_column(field.type, values)
    return nullable_column(field.type, values, messages[:, column.validity_offset] & 1)
