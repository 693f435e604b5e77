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
from vp.server.history.session_history import READ_BYTES, SessionHistory
from vp.server.stream.messages import Hole, described_gap, described_hole

BLOCK_FRAMES = 16_384
NULL_INT64_BYTES = np.array([np.iinfo(np.int64).max], np.int64).view(np.uint8)
ALIGNMENT = 8
UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")  # in the name of a file, on some system or in a header
# Nearly all of their rows are 0; the others count exactly.
VOLUME_GRIDS = ("bought", "sold")
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class ColumnsBlock:
    """Frames as columns: a JSON head and, one after the other, the values of each column.

    Four bytes hold the head's length, little-endian; the head is filled up with spaces to ALIGNMENT. It gives
    `frames` (how many there are), `first` (sequence number of the first), `oldest` (of the oldest that the
    server holds), `hole` (what was asked for and is held no longer), `gaps` (of the session's feed) and per column
    `name`, `type`, `offset` and `length_bytes`; offsets count from the end of the head. Grid values come as `float32`
    where `exact`, else as `bfloat16`: the upper half of a float32, rounded; but for those of VOLUME_GRIDS, which are
    `sparse float32` then (`_Sparse`). A price that is null is the largest int64.

    Parameters
    ----------
    history : SessionHistory
    first, end : int
        Sequence numbers; all of the frames between are held.
    fields : sequence of str
        Grid columns wanted.
    exact : bool
    hole : Hole, optional

    Attributes
    ----------
    length_bytes : int
        Of all pieces together.

    Raises
    ------
    FramesGoneError
        Frames were forgotten meanwhile; `pieces` raises it too.
    """

    def __init__(
        self,
        history: SessionHistory,
        first: int,
        end: int,
        fields: Sequence[str],
        *,
        exact: bool,
        hole: Hole | None = None,
    ) -> None:
        self._history = history
        self._first, self._end = first, end
        wanted = {column.name for column in history.layout.project(tuple(fields)).layout.columns}
        described: list[dict[str, Any]] = []
        self._columns: list[tuple[ColumnPlace, str, _Sparse | None]] = []
        size = 0
        for column in history.layout.columns:
            if column.name not in wanted:
                continue
            kind = _type_in_block(column, exact=exact)
            sparse = _Sparse(history, column, first, end) if kind.startswith("sparse") else None
            length = sparse.length_bytes if sparse is not None else (end - first) * _width(column, kind)
            described.append({"name": column.name, "type": kind, "offset": size, "length_bytes": length})
            self._columns.append((column, kind, sparse))
            size += length + -length % ALIGNMENT
        head = {
            "frames": end - first,
            "first": first,
            "oldest": history.frames.oldest,
            **described_hole(hole),
            "gaps": [described_gap(gap) for gap in history.gaps()],
            "columns": described,
        }
        text = json.dumps(head, separators=(",", ":")).encode()
        text += b" " * (-(4 + len(text)) % ALIGNMENT)
        self._front = len(text).to_bytes(4, "little") + text
        self.length_bytes = len(self._front) + size

    def pieces(self) -> Iterator[bytes]:
        """The block, in pieces of some READ_BYTES."""
        return gathered(self._parts(), READ_BYTES)

    def _parts(self) -> Iterator[bytes]:
        yield self._front
        for column, kind, sparse in self._columns:
            size = 0
            parts = sparse.parts() if sparse is not None else self._values(column, short=kind.startswith("bfloat16"))
            for part in parts:
                size += len(part)
                yield part
            yield bytes(-size % ALIGNMENT)

    def _values(self, column: ColumnPlace, *, short: bool) -> Iterator[bytes]:
        at = self._first
        for rows in self._history.column(column, self._first, self._end):
            if short:
                bits = rows.view(np.uint32)
                yield ((bits + np.uint32(0x8000)) >> np.uint32(16)).astype(np.uint16).tobytes()
            elif column.validity_offset is not None and column.type == "int64":
                there = self._history.validity(column, at, at + len(rows))
                yield np.where(there[:, None], rows, NULL_INT64_BYTES).tobytes()
            else:
                yield rows.tobytes()
            at += len(rows)


def gathered(parts: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of at least `size`, but for the last, and less than that more."""
    held: list[bytes] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count >= size:
            yield b"".join(held)
            held, count = [], 0
    if count:
        yield b"".join(held)


def _type_in_block(column: ColumnPlace, *, exact: bool) -> str:
    """How a column's values are written in a block."""
    if exact or not column.type.startswith("float32["):
        return column.type
    return f"sparse {column.type}" if column.name in VOLUME_GRIDS else column.type.replace("float32", "bfloat16")


def _width(column: ColumnPlace, kind: str) -> int:
    """Bytes that a frame's values take in a block."""
    return column.length_bytes // 2 if kind.startswith("bfloat16") else column.length_bytes


class _Sparse:
    """A grid float32[n, rows] by its values that are not 0.

    How many each frame has, uint8[n]; the row of each, uint8[m]; zeros up to a multiple of 4; the values, float32[m].
    The grid is gone through for each of the three, as it may be far larger than what it comes to.
    """

    def __init__(self, history: SessionHistory, column: ColumnPlace, first: int, end: int) -> None:
        self._history, self._column, self._range = history, column, (first, end)
        counts = [np.count_nonzero(grid, axis=1).astype(np.uint8) for grid in self._grids()]
        self._counts = np.concatenate([np.zeros(0, np.uint8), *counts])
        self._filled = int(self._counts.sum(dtype=np.int64))
        self._filling = -(self._counts.size + self._filled) % 4
        self.length_bytes = self._counts.size + self._filled + self._filling + 4 * self._filled

    def parts(self) -> Iterator[bytes]:
        """What it comes to, part by part."""
        yield self._counts.tobytes()
        for grid in self._grids():
            yield np.nonzero(grid)[1].astype(np.uint8).tobytes()
        yield bytes(self._filling)
        for grid in self._grids():
            yield grid[grid != 0].tobytes()

    def _grids(self) -> Iterator[np.ndarray]:
        for rows in self._history.column(self._column, *self._range):
            yield rows.view(np.float32)


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
