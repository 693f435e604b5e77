"""Market-by-order events as columns: what the decoder fills, the kernels read, and Arrow shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

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
    ts_event, order_id, price : int64[n]
        ns UTC; the unsigned id's bits; 1e-9 units.
    size : uint32[n]
    flags, action, side : uint8[n]
        DBN's flag bits and character codes.
    ts_recv : int64[n or 0], sequence : uint32[n or 0]
        Empty where they were not asked for: book and engine do not need them.
    """

    ts_event: np.ndarray
    order_id: np.ndarray
    price: np.ndarray
    size: np.ndarray
    flags: np.ndarray
    action: np.ndarray
    side: np.ndarray
    ts_recv: np.ndarray
    sequence: np.ndarray

    @classmethod
    def allocate(cls, rows: int, *, wide: bool = False) -> Events:
        """Room for `rows` records; `wide` adds ts_recv and sequence."""
        extra = rows if wide else 0
        return cls(
            np.zeros(rows, np.int64),
            np.zeros(rows, np.int64),
            np.zeros(rows, np.int64),
            np.zeros(rows, np.uint32),
            np.zeros(rows, np.uint8),
            np.zeros(rows, np.uint8),
            np.zeros(rows, np.uint8),
            np.zeros(extra, np.int64),
            np.zeros(extra, np.uint32),
        )

    @classmethod
    def from_records(cls, records: Iterable[tuple[int, str, str, int, int, int, int]]) -> Events:
        """Events from tuples (ts_event, action, side, price, size, order_id, flags)."""
        rows = list(records)
        events = cls.allocate(len(rows))
        for i, (ts_event, action, side, price, size, order_id, flags) in enumerate(rows):
            events.ts_event[i] = ts_event
            events.order_id[i] = order_id - 2**64 if order_id >= 2**63 else order_id
            events.price[i] = price
            events.size[i] = size
            events.flags[i] = flags
            events.action[i] = ord(action)
            events.side[i] = ord(side)
        return events

    def __len__(self) -> int:
        return len(self.ts_event)

    def head(self, rows: int) -> Events:
        """The first `rows` records, as views."""
        return self.slice(0, rows)

    def slice(self, start: int, stop: int) -> Events:
        """Records start to stop, as views."""
        return Events(*(column[start:stop] for column in self._columns()))

    def core(self) -> tuple[np.ndarray, ...]:
        """The seven columns that the kernels take, in their order."""
        return self._columns()[:7]

    def to_arrow(self) -> pa.Table:
        """The events as an Arrow table of EVENT_SCHEMA (copied); only wide events have all columns."""
        names = {i: chr(i) for i in range(128)}
        arrays = [
            pa.array(self.ts_event).cast(EVENT_SCHEMA.field("ts_event").type),
            pa.array(self.order_id.view(np.uint64)),
            pa.array(self.price),
            pa.array(self.size),
            pa.array(self.flags),
            _letters(self.action, names),
            _letters(self.side, names),
        ]
        if len(self.ts_recv) == len(self):
            arrays.append(pa.array(self.ts_recv).cast(EVENT_SCHEMA.field("ts_recv").type))
            arrays.append(pa.array(self.sequence))
        return pa.Table.from_arrays(arrays, schema=pa.schema(list(EVENT_SCHEMA)[: len(arrays)]))

    def _columns(self) -> tuple[np.ndarray, ...]:
        return (
            self.ts_event,
            self.order_id,
            self.price,
            self.size,
            self.flags,
            self.action,
            self.side,
            self.ts_recv,
            self.sequence,
        )


def _letters(codes: np.ndarray, names: dict[int, str]) -> pa.Array:
    found = sorted(set(codes.tolist()))
    index = np.zeros(256, np.int32)
    for i, code in enumerate(found):
        index[code] = i
    dictionary = pa.array([names[code] for code in found], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(index[codes]), dictionary).cast(pa.string())
