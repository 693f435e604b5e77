"""The columns of a frame: their names, types and widths, and the one Arrow schema that they make."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from vp.errors import BadParameterError, quoted
from vp.kernels.contract import (
    GRID_COLUMNS,
    NULLABLE_COLUMNS,
    QUALITY_BAD_BOOK,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_GAP,
    QUALITY_INCOMPLETE,
    QUALITY_SNAPSHOT,
    SCALAR_COLUMNS,
)

SCALAR_TYPES: dict[str, tuple[pa.DataType, str, int]] = {
    "ts_ns": (pa.timestamp("ns", tz="UTC"), "timestamp_ns", 8),
    "event_id": (pa.int64(), "int64", 8),
    "spot_price": (pa.int64(), "int64", 8),
    "bid_price": (pa.int64(), "int64", 8),
    "ask_price": (pa.int64(), "int64", 8),
    "mid_price": (pa.float64(), "float64", 8),
    "bid_size": (pa.int64(), "int64", 8),
    "ask_size": (pa.int64(), "int64", 8),
    "buy_volume": (pa.int64(), "int64", 8),
    "sell_volume": (pa.int64(), "int64", 8),
    "other_volume": (pa.int64(), "int64", 8),
    "last_price": (pa.int64(), "int64", 8),
    "ofi": (pa.int64(), "int64", 8),
    "state": (pa.int8(), "int8", 1),
    "score": (pa.float32(), "float32", 4),
    "strength": (pa.float32(), "float32", 4),
    "pressure_above": (pa.float32(), "float32", 4),
    "pressure_below": (pa.float32(), "float32", 4),
    "vacuum_above": (pa.float32(), "float32", 4),
    "vacuum_below": (pa.float32(), "float32", 4),
    "book_valid": (pa.bool_(), "bool", 1),
    "quality": (pa.uint8(), "uint8", 1),
}
COLUMN_NAMES: tuple[str, ...] = SCALAR_COLUMNS + GRID_COLUMNS
QUALITY_BITS = {
    "empty_side": QUALITY_EMPTY_SIDE,
    "crossed": QUALITY_CROSSED,
    "snapshot": QUALITY_SNAPSHOT,
    "bad_book": QUALITY_BAD_BOOK,
    "incomplete": QUALITY_INCOMPLETE,
    "gap": QUALITY_GAP,
}
"""The bits of the column `quality`, by what they say."""
EVENT_ID_GRID = "last_event_id"
LISTED_NAMES = 5


def value_bytes(name: str) -> int:
    """Width of one value of the column `name` on the wire."""
    if name in SCALAR_TYPES:
        return SCALAR_TYPES[name][2]
    return 8 if name == EVENT_ID_GRID else 4


def grid_type(name: str, rows: int) -> pa.DataType:
    """Arrow type of the grid column `name`: a fixed-size list of `rows` values."""
    element = pa.int64() if name == EVENT_ID_GRID else pa.float32()
    return pa.list_(pa.field("element", element, nullable=False), rows)


def frame_schema(metadata: dict[str, str], rows: int = 101, grids: Sequence[str] = GRID_COLUMNS) -> pa.Schema:
    """The schema of frames with `rows` grid rows, the grid columns `grids`, and this metadata."""
    fields = [pa.field(name, SCALAR_TYPES[name][0], nullable=name in NULLABLE_COLUMNS) for name in SCALAR_COLUMNS]
    fields += [pa.field(name, grid_type(name, rows), nullable=False) for name in grids]
    return pa.schema(fields, metadata=metadata)


def frame_schema_like(schema: pa.Schema, rows: int, grids: Sequence[str]) -> pa.Schema:
    """A frame schema with the metadata of `schema`, and only the grid columns `grids`."""
    metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    return frame_schema(metadata, rows, grids)


def judge_fields(fields: Sequence[str] | None) -> None:
    """Raise BadParameterError where `fields` names a column that no frame has; None stands for all."""
    unknown = [name for name in dict.fromkeys(fields or ()) if name not in COLUMN_NAMES]
    if unknown:
        more = f" and {len(unknown) - LISTED_NAMES} more" if len(unknown) > LISTED_NAMES else ""
        raise BadParameterError(
            f"fields names {', '.join(quoted(name) for name in unknown[:LISTED_NAMES])}{more}, which no frame has.",
            hint=f"Choose from: {', '.join(GRID_COLUMNS)}; or none, for the scalar columns alone.",
        )
