"""A session's market-by-order events as an Arrow stream, read from the raw DBN file at each scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from vp.kernels.contract import BOOK_ONLY
from vp.query.sources import TIME, ArrowSource

if TYPE_CHECKING:
    from vp.dbn.events import Events
    from vp.dbn.session_reader import SessionReader

CHUNK_ROWS = 1 << 17
ACTIONS = "ACMRTFN"
SIDES = "ABN"
LETTER = pa.dictionary(pa.int8(), pa.string())
SESSION_EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.int64(), nullable=False),
        pa.field("ts_event", TIME, nullable=False),
        pa.field("order_id", pa.uint64(), nullable=False),
        pa.field("price", pa.int64(), nullable=False),
        pa.field("size", pa.uint32(), nullable=False),
        pa.field("flags", pa.uint8(), nullable=False),
        pa.field("action", LETTER, nullable=False),
        pa.field("side", LETTER, nullable=False),
        pa.field("ts_recv", TIME, nullable=False),
        pa.field("sequence", pa.uint32(), nullable=False),
        pa.field("publisher_id", pa.uint16(), nullable=False),
        pa.field("book_only", pa.bool_(), nullable=False),
    ]
)


def session_events(open_reader: Callable[[int], SessionReader]) -> ArrowSource:
    """The events of one instrument in file order, as SESSION_EVENT_SCHEMA.

    What is undefined is as DBN has it: a price of 2^63-1, a size of 2^32-1, a time of -1. `book_only` marks what builds
    the book and is no activity: records of a snapshot, of before the session, and clears outside of it.
    `event_id` counts the instrument's records in the session from 1, as frames do: a frame with event_id n
    stands after the record with event_id n.

    Parameters
    ----------
    open_reader : callable
        Opens the files for one scan, in chunks of so many rows; it reads ts_event, ts_recv and sequence too.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for events, _place in open_reader(CHUNK_ROWS).chunks():
            yield _batch(events, done)
            done += len(events)

    return ArrowSource(SESSION_EVENT_SCHEMA, batches)


def _batch(events: Events, done: int) -> pa.RecordBatch:
    """One chunk, copied: the reader uses its columns again."""
    columns = events.columns
    n = len(events)
    buffers: tuple[np.ndarray | bytes, ...] = (
        np.arange(done + 1, done + n + 1),
        columns.ts_event.copy(),
        columns.order_id.copy(),
        columns.price.copy(),
        columns.size.copy(),
        columns.flags.copy(),
        columns.action.tobytes().translate(_ACTION_CODE),
        columns.side.tobytes().translate(_SIDE_CODE),
        columns.ts_recv.copy(),
        columns.sequence.copy(),
        columns.publisher.copy(),
        np.packbits(columns.clock_ns == BOOK_ONLY, bitorder="little"),
    )
    return pa.RecordBatch.from_arrays(
        [_array(field, n, buffer) for field, buffer in zip(SESSION_EVENT_SCHEMA, buffers, strict=True)],
        schema=SESSION_EVENT_SCHEMA,
    )


def _array(field: pa.Field, length: int, values: np.ndarray | bytes) -> pa.Array:
    """An Arrow array over these bytes. Not by pa.array, which loads pandas where that is installed."""
    buffers = [None, pa.py_buffer(values)]
    if field.type != LETTER:
        return pa.Array.from_buffers(field.type, length, buffers)
    codes = pa.Array.from_buffers(pa.int8(), length, buffers)
    return pa.DictionaryArray.from_arrays(codes, _LETTERS[field.name], safe=False)


def _letters(letters: str) -> pa.Array:
    offsets = np.arange(len(letters) + 1, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters.encode())]
    return pa.Array.from_buffers(pa.string(), len(letters), buffers)


def _code(letters: str) -> bytes:
    """A table for bytes.translate: a letter to its place; the reader lets no others through."""
    code = bytearray(256)
    for i, letter in enumerate(letters):
        code[ord(letter)] = i
    return bytes(code)


_LETTERS = {"action": _letters(ACTIONS), "side": _letters(SIDES)}
_ACTION_CODE = _code(ACTIONS)
_SIDE_CODE = _code(SIDES)
