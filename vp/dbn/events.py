"""Market-by-order events as columns: what the decoder fills, the kernels read, and Arrow shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from vp.kernels.state import Columns

EVENT_SCHEMA = pa.schema(
    [
        pa.field("ts_event", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("order_id", pa.uint64(), nullable=False),
        pa.field("price", pa.int64(), nullable=False),
        pa.field("size", pa.uint32(), nullable=False),
        pa.field("flags", pa.uint8(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
        pa.field("ts_recv", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("sequence", pa.uint32(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Events:
    """Records of one instrument in file order.

    Attributes
    ----------
    columns : Columns
        What the kernels read; ts_recv and sequence are empty where they were not asked for.
    """

    columns: Columns

    @classmethod
    def allocate(cls, rows: int, *, wide: bool = False) -> Events:
        """Room for `rows` records; `wide` adds ts_recv and sequence."""
        extra = rows if wide else 0
        return cls(
            Columns(
                ts_event=np.zeros(rows, np.int64),
                order_id=np.zeros(rows, np.int64),
                price=np.zeros(rows, np.int64),
                size=np.zeros(rows, np.uint32),
                flags=np.zeros(rows, np.uint8),
                action=np.zeros(rows, np.uint8),
                side=np.zeros(rows, np.uint8),
                ts_recv=np.zeros(extra, np.int64),
                sequence=np.zeros(extra, np.uint32),
            )
        )

    @classmethod
    def from_records(cls, records: Iterable[tuple[int, str, str, int, int, int, int]]) -> Events:
        """Events from tuples (ts_event, action, side, price, size, order_id, flags)."""
        rows = list(records)
        events = cls.allocate(len(rows))
        columns = events.columns
        for i, (ts_event, action, side, price, size, order_id, flags) in enumerate(rows):
            columns.ts_event[i] = ts_event
            columns.order_id[i] = order_id - 2**64 if order_id >= 2**63 else order_id
            columns.price[i] = price
            columns.size[i] = size
            columns.flags[i] = flags
            columns.action[i] = ord(action)
            columns.side[i] = ord(side)
        return events

    def __len__(self) -> int:
        return len(self.columns.ts_event)

    def head(self, rows: int) -> Events:
        """The first `rows` records, as views."""
        return self.slice(0, rows)

    def slice(self, start: int, stop: int) -> Events:
        """Records start to stop, as views."""
        return Events(Columns._make(column[start:stop] for column in self.columns))

    def copy(self) -> Events:
        """The same records in memory of their own."""
        return Events(Columns._make(column.copy() for column in self.columns))

    @classmethod
    def concatenate(cls, parts: Sequence[Events]) -> Events:
        """One or more runs of records, one behind the other, in memory of their own."""
        return cls(Columns._make(map(np.concatenate, zip(*(part.columns for part in parts), strict=True))))

    def to_arrow(self) -> pa.Table:
        """The events as an Arrow table of EVENT_SCHEMA (copied); only wide events have all columns."""
        columns = self.columns
        names = {i: chr(i) for i in range(128)}
        arrays = [
            pa.array(columns.ts_event).cast(EVENT_SCHEMA.field("ts_event").type),
            pa.array(columns.order_id.view(np.uint64)),
            pa.array(columns.price),
            pa.array(columns.size),
            pa.array(columns.flags),
            _letters(columns.action, names),
            _letters(columns.side, names),
        ]
        if len(columns.ts_recv) == len(self):
            arrays.append(pa.array(columns.ts_recv).cast(EVENT_SCHEMA.field("ts_recv").type))
            arrays.append(pa.array(columns.sequence))
        return pa.Table.from_arrays(arrays, schema=pa.schema(list(EVENT_SCHEMA)[: len(arrays)]))


def _letters(codes: np.ndarray, names: dict[int, str]) -> pa.Array:
    found = sorted(set(codes.tolist()))
    index = np.zeros(256, np.int32)
    for i, code in enumerate(found):
        index[code] = i
    dictionary = pa.array([names[code] for code in found], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(index[codes]), dictionary).cast(pa.string())
