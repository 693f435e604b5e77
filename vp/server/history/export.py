"""Stretches of a session's history in the forms that leave the server: columns, Arrow and CSV.

All of it may read files: call it in a thread, never in the event loop.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from vp.model.frames import SCALAR_TYPES, ColumnPlace
from vp.server.history.session_history import SessionHistory

BLOCK_FRAMES = 16_384
NULL_INT64_BYTES = np.array([np.iinfo(np.int64).max], np.int64).view(np.uint8)
ALIGNMENT = 8
# Nearly all of their rows are 0; the others count exactly.
VOLUME_GRIDS = ("bought", "sold")
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def columns_block(history: SessionHistory, first: int, end: int, fields: Sequence[str], *, exact: bool) -> memoryview:
    """Frames as columns: a JSON head and, one after the other, the values of each column.

    Four bytes hold the head's length, little-endian; the head is filled up with spaces to ALIGNMENT. It gives
    `frames` (how many there are), `first` (sequence number of the first), `oldest` (of the oldest that the
    server holds) and per column `name`, `type`, `offset` and `length_bytes`; offsets count from the end of
    the head. Grid values come as `float32` where `exact`, else as `bfloat16`: the upper half of a float32,
    rounded; but for those of VOLUME_GRIDS, which are `sparse float32` then (`_sparse`). A price that is null is the
    largest int64.
    """
    layout = history.layout.project(tuple(fields)).layout
    values = []
    for column in layout.columns:
        short = _type_in_block(column, exact=exact).startswith("bfloat16")
        width = column.length_bytes // 2 if short else column.length_bytes
        values.append(np.empty((end - first, width), np.uint8))
    count = _fill_columns(history, first, end, values, [column.name for column in layout.columns])
    if count < end - first:  # the oldest went meanwhile, and with it all that was asked for from there on
        return columns_block(history, first, first + count, fields, exact=exact)
    described: list[dict[str, Any]] = []
    parts: list[np.ndarray] = []
    size = 0
    for column, filled in zip(layout.columns, values, strict=True):
        kind = _type_in_block(column, exact=exact)
        part = (_sparse(filled) if kind.startswith("sparse") else filled).reshape(-1)
        described.append({"name": column.name, "type": kind, "offset": size, "length_bytes": part.size})
        parts += [part, np.zeros(-part.size % ALIGNMENT, np.uint8)]
        size += part.size + -part.size % ALIGNMENT
    head = {"frames": end - first, "first": first, "oldest": history.frames.oldest, "columns": described}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % ALIGNMENT)
    front = np.frombuffer(len(text).to_bytes(4, "little") + text, np.uint8)
    return np.concatenate([front, *parts]).data


def _type_in_block(column: ColumnPlace, *, exact: bool) -> str:
    """How a column's values are written in a block."""
    if exact or not column.type.startswith("float32["):
        return column.type
    return f"sparse {column.type}" if column.name in VOLUME_GRIDS else column.type.replace("float32", "bfloat16")


def _sparse(grid: np.ndarray) -> np.ndarray:
    """A grid float32[n, rows] (as uint8[n, 4 * rows]) by its values that are not 0: uint8.

    How many each frame has, uint8[n]; the row of each, uint8[m]; zeros up to a multiple of 4; the values, float32[m].
    """
    cells = grid.view(np.float32)
    frame, row = np.nonzero(cells)
    counts = np.bincount(frame, minlength=len(cells)).astype(np.uint8)
    filling = np.zeros(-(counts.size + row.size) % 4, np.uint8)
    return np.concatenate([counts, row.astype(np.uint8), filling, cells[frame, row].view(np.uint8)])


def _fill_columns(history: SessionHistory, first: int, end: int, columns: list[np.ndarray], names: list[str]) -> int:
    """Write frames into `columns`, uint8[end - first, *] each; the number of frames that there were."""
    by_name = {column.name: column for column in history.layout.columns}
    at = 0
    for messages in history.messages(first, end):
        until = at + len(messages)
        for target, name in zip(columns, names, strict=True):
            place = by_name[name]
            data = messages[:, place.offset : place.offset + place.length_bytes]
            if place.validity_offset is not None and place.type == "int64":
                target[at:until] = data
                target[at:until][messages[:, place.validity_offset] & 1 == 0] = NULL_INT64_BYTES
            elif target.shape[1] < place.length_bytes:
                bits = np.ascontiguousarray(data).view(np.uint32)
                target[at:until] = ((bits + np.uint32(0x8000)) >> np.uint32(16)).astype(np.uint16).view(np.uint8)
            else:
                target[at:until] = data
        at = until
    return at


def arrow_stream(history: SessionHistory, first: int, end: int, fields: Sequence[str] | None) -> Iterator[bytes]:
    """Frames as an Arrow IPC stream: the messages of the websocket, bit for bit."""
    projection = history.layout.project(tuple(fields)) if fields is not None else None
    yield (projection.layout if projection is not None else history.layout).schema_message
    for messages in history.messages(first, end):
        if projection is None:
            yield np.ascontiguousarray(messages).tobytes()
        else:
            yield b"".join([projection.apply(np.ascontiguousarray(message)) for message in messages])
    yield ARROW_END


def csv_stream(history: SessionHistory, first: int, end: int, fields: Sequence[str] | None) -> Iterator[bytes]:
    """Frames as CSV: a header, then a line a frame; a grid column has one column a row, `pressure[-50]` on."""
    wanted = history.layout.grids if fields is None else fields
    projection = history.layout.project(tuple(wanted))
    empty = np.zeros((0, projection.layout.message_bytes), np.uint8)
    yield _csv(projection.layout.table(empty), header=True)
    for messages in history.messages(first, end):
        joined = b"".join([projection.apply(np.ascontiguousarray(message)) for message in messages])
        rows = np.frombuffer(joined, np.uint8).reshape(len(messages), -1)
        yield _csv(projection.layout.table(rows), header=False)


def _csv(table: pa.Table, *, header: bool) -> bytes:
    names: list[str] = []
    columns: list[Any] = []
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name in SCALAR_TYPES:
            names.append(name)
            columns.append(column)
            continue
        rows = column.type.list_size
        grid = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, rows)
        names += [f"{name}[{i - rows // 2}]" for i in range(rows)]
        columns += [pa.array(np.ascontiguousarray(grid[:, i])) for i in range(rows)]
    sink = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=header, quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns, names=names), sink, options)
    return sink.getvalue()
