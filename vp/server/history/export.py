"""Stretches of a session's history in the forms that leave the server: columns, Arrow and CSV.

All of it may read files: call it in a thread, never in the event loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa

from vp.csv_lines import CsvLines
from vp.model.frames import ColumnPlace
from vp.server.history.session_history import SessionHistory

BLOCK_FRAMES = 16_384
NULL_INT64_BYTES = np.array([np.iinfo(np.int64).max], np.int64).view(np.uint8)
ALIGNMENT = 8
UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")  # in the name of a file, on some system or in a header
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
    """Frames as CSV, a line a frame.

    A grid column has one column a row, `pressure[-50]` on. `ts_ns` is a whole number of nanoseconds, since readers of
    CSV keep no more than microseconds of a time; `ts` before it is the same as ISO 8601 text. Prices are in 1e-9 units.
    """
    wanted = history.layout.grids if fields is None else fields
    projection = history.layout.project(tuple(wanted))
    layout = projection.layout
    empty = _with_readable_time(layout.table(np.zeros((0, layout.message_bytes), np.uint8)))
    middle = layout.rows // 2
    spread = {name: [f"{name}[{i - middle}]" for i in range(layout.rows)] for name in layout.grids}
    lines = CsvLines(empty.schema, spread)
    yield lines.header()
    for messages in history.messages(first, end):
        joined = b"".join([projection.apply(np.ascontiguousarray(message)) for message in messages])
        table = layout.table(np.frombuffer(joined, np.uint8).reshape(len(messages), -1))
        for batch in _with_readable_time(table).to_batches():
            yield lines.lines(batch)


def file_name(history: SessionHistory, first: int, end: int, zone: tzinfo) -> str:
    """What a file of these frames is called, without its ending: MNQH6_2026-02-06_093000-094500.

    Contract and date of the session, then the times of the first and the last frame in `zone`.
    """
    facts = history.layout.schema.metadata or {}
    parts = [facts[name].decode() for name in (b"vp.contract", b"vp.dt") if name in facts]
    if first < end:
        clocks = (history.ts_ns(sequence) for sequence in (first, end - 1))
        times = (datetime.fromtimestamp(clock // 10**9, zone) for clock in clocks if clock is not None)
        parts.append("-".join(f"{time:%H%M%S}" for time in times))
    return "_".join(UNSAFE.sub("-", part) for part in parts if part) or "frames"


def _with_readable_time(table: pa.Table) -> pa.Table:
    """The table with `ts`, of microseconds, and `ts_ns` as a number."""
    at = table.column("ts_ns").combine_chunks()
    number = at.view(pa.int64())
    micros = pa.array(number.to_numpy() // 1000).view(pa.timestamp("us", tz="UTC"))
    place = table.schema.get_field_index("ts_ns")
    field = pa.field("ts_ns", pa.int64(), nullable=False)
    return table.set_column(place, field, number).add_column(place, pa.field("ts", micros.type, nullable=False), micros)
