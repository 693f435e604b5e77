"""A session's market-by-order events as an Arrow stream, read from the raw DBN file at each scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from vp.query.sources import ArrowSource

if TYPE_CHECKING:
    from vp.dbn import EventReader
    from vp.events import Events

CHUNK_ROWS = 1 << 17
ACTIONS = "ACMRTFN"
SIDES = "ABN"
TIME = pa.timestamp("ns", tz="UTC")
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
    ]
)


def session_events(open_reader: Callable[[int], EventReader]) -> ArrowSource:
    """The events of one instrument in file order, as SESSION_EVENT_SCHEMA.

    `event_id` counts the instrument's records in the session from 1, as frames do: a frame with event_id n
    stands after the record with event_id n.

    Parameters
    ----------
    open_reader : callable
        Opens the file for one scan, in chunks of so many rows; it reads ts_recv and sequence too.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for events, _, _ in open_reader(CHUNK_ROWS).chunks():
            yield _batch(events, done)
            done += len(events)

    return ArrowSource(SESSION_EVENT_SCHEMA, batches)


def _batch(events: Events, done: int) -> pa.RecordBatch:
    """One chunk, copied: the reader uses its columns again."""
    n = len(events)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.arange(done + 1, done + n + 1)),
            pa.array(events.ts_event.copy()).view(TIME),
            pa.array(events.order_id.view(np.uint64).copy()),
            pa.array(events.price.copy()),
            pa.array(events.size.copy()),
            pa.array(events.flags.copy()),
            pa.DictionaryArray.from_arrays(pa.array(_ACTION_INDEX[events.action]), pa.array(list(ACTIONS))),
            pa.DictionaryArray.from_arrays(pa.array(_SIDE_INDEX[events.side]), pa.array(list(SIDES))),
            pa.array(events.ts_recv.copy()).view(TIME),
            pa.array(events.sequence.copy()),
        ],
        schema=SESSION_EVENT_SCHEMA,
    )


def _index(letters: str) -> np.ndarray:
    index = np.zeros(256, np.int8)
    for i, letter in enumerate(letters):
        index[ord(letter)] = i
    return index


_ACTION_INDEX = _index(ACTIONS)
_SIDE_INDEX = _index(SIDES)
