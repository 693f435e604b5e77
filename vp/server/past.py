"""Stretches of a session's history, found by event and by time, and put in the forms that leave the server.

All of it may read files: call it in a thread, never in the event loop.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from vp.frames import SCALAR_TYPES, FrameLayout
from vp.server.history import History
from vp.server.stream.packing import unpack

JOIN_NS = 600 * 1_000_000_000
READ_FRAMES = 256
BLOCK_FRAMES = 16_384
NULL_INT64_BYTES = np.array([np.iinfo(np.int64).max], np.int64).view(np.uint8)
ALIGNMENT = 8
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


@dataclass(frozen=True)
class Past:
    """The history of one session, by event and by time."""

    history: History
    layout: FrameLayout

    def after_event(self, event_id: int) -> int:
        """Sequence number of the first frame held whose event_id is above `event_id`; `head` if none is."""
        return self._first("event_id", lambda value: value > event_id)

    def from_time(self, ts_ns: int) -> int:
        """Sequence number of the first frame held at or after `ts_ns`; `head` if none is."""
        return self._first("ts_ns", lambda value: value >= ts_ns)

    def to_join(self) -> int:
        """Where a viewer begins who joins now: JOIN_NS before the newest frame."""
        head = self.history.head
        newest = self._value("ts_ns", head - 1) if head > self.history.oldest else None
        return head if newest is None else self.from_time(newest - JOIN_NS)

    def event_id(self, sequence: int) -> int | None:
        """The event_id of a frame; None if it is not held."""
        return self._value("event_id", sequence)

    def messages(self, first: int, end: int) -> Iterator[np.ndarray]:
        """The frame messages from `first` up to `end`, uint8[n, message_bytes] at a time; fewer if they go."""
        while first < end:
            block = self.history.read(first, min(end - first, READ_FRAMES))
            if block is None:
                return
            yield unpack(block.data, self.layout.message_bytes)
            first += block.count

    def _first(self, name: str, reached: Callable[[int], bool]) -> int:
        """Bisect for the first frame whose column satisfies `reached`; the column never falls."""
        low, high = self.history.oldest, self.history.head
        while low < high:
            middle = (low + high) // 2
            value = self._value(name, middle)
            if value is None:  # dropped meanwhile: what is older is gone as well
                low = middle + 1
            elif reached(value):
                high = middle
            else:
                low = middle + 1
        return low

    def _value(self, name: str, sequence: int) -> int | None:
        block = self.history.read(sequence, 1)
        if block is None:
            return None
        place = next(column for column in self.layout.columns if column.name == name)
        return int.from_bytes(unpack(block.data, self.layout.message_bytes)[0, place.offset :][:8], "little")


def columns_block(past: Past, first: int, end: int, fields: Sequence[str], *, exact: bool) -> memoryview:
    """Frames as columns: a JSON head and, one after the other, the values of each column.

    Four bytes hold the head's length, little-endian; the head is filled up with spaces to ALIGNMENT. It gives
    `frames` (how many there are), `first` (sequence number of the first), `oldest` (of the oldest that the
    server holds) and per column `name`, `type`, `offset` and `length_bytes`; offsets count from the end of
    the head. Grid values come as `float32` where `exact`, else as `bfloat16`: the upper half of a float32,
    rounded. A price that is null is the largest int64.
    """
    layout = past.layout.project(tuple(fields)).layout
    described: list[dict[str, Any]] = []
    size = 0
    for column in layout.columns:
        short = column.type.startswith("float32[") and not exact
        length = (column.length_bytes // 2 if short else column.length_bytes) * (end - first)
        described.append(
            {
                "name": column.name,
                "type": column.type.replace("float32", "bfloat16") if short else column.type,
                "offset": size,
                "length_bytes": length,
            }
        )
        size += length + -length % ALIGNMENT
    head = {"frames": end - first, "first": first, "oldest": past.history.oldest, "columns": described}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % ALIGNMENT)
    block = np.zeros(4 + len(text) + size, np.uint8)
    block[: 4 + len(text)] = np.frombuffer(len(text).to_bytes(4, "little") + text, np.uint8)
    body = block[4 + len(text) :]
    if first == end:
        return block.data
    columns = [body[entry["offset"] :][: entry["length_bytes"]].reshape(end - first, -1) for entry in described]
    count = _fill_columns(past, first, end, columns, [column.name for column in layout.columns])
    if count < end - first:  # the oldest went meanwhile, and with it all that was asked for from there on
        return columns_block(past, first, first + count, fields, exact=exact)
    return block.data


def _fill_columns(past: Past, first: int, end: int, columns: list[np.ndarray], names: list[str]) -> int:
    """Write frames into `columns`, uint8[end - first, *] each; the number of frames that there were."""
    by_name = {column.name: column for column in past.layout.columns}
    at = 0
    for messages in past.messages(first, end):
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


def arrow_stream(past: Past, first: int, end: int, fields: Sequence[str] | None) -> Iterator[bytes]:
    """Frames as an Arrow IPC stream: the messages of the websocket, bit for bit."""
    projection = past.layout.project(tuple(fields)) if fields is not None else None
    yield (projection.layout if projection is not None else past.layout).schema_message
    for messages in past.messages(first, end):
        if projection is None:
            yield np.ascontiguousarray(messages).tobytes()
        else:
            yield b"".join([projection.apply(np.ascontiguousarray(message)) for message in messages])
    yield ARROW_END


def csv_stream(past: Past, first: int, end: int, fields: Sequence[str] | None) -> Iterator[bytes]:
    """Frames as CSV: a header, then a line a frame; a grid column has one column a row, `pressure[-50]` on."""
    wanted = past.layout.grids if fields is None else fields
    projection = past.layout.project(tuple(wanted))
    empty = np.zeros((0, projection.layout.message_bytes), np.uint8)
    yield _csv(projection.layout.table(empty), header=True)
    for messages in past.messages(first, end):
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
