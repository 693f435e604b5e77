"""Market-by-order events as columns: what the decoder fills and the kernels read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vp.dbn.selection import NO_LIMIT, selection
from vp.errors import BadParameterError
from vp.kernels.contract import D_ERROR, D_POSITION, D_ROWS, D_WORDS, DECODE_OK, MBO_BYTES, MBO_DTYPE, RTYPE_MBO
from vp.kernels.decode import decode_records
from vp.kernels.state import Columns

UNDEFINED_TIME = 2**64 - 1
FIELDS = ("ts_event", "action", "side", "price", "size", "order_id", "flags", "publisher_id", "ts_recv")
DEFAULTS = (1, UNDEFINED_TIME)  # of the last fields
LEAST_FIELDS = len(FIELDS) - len(DEFAULTS)


@dataclass(frozen=True)
class Events:
    """Records of one instrument in file order.

    Attributes
    ----------
    columns : Columns
        What the kernels read; ts_event, ts_recv and sequence are empty where they were not asked for.
    """

    columns: Columns

    @classmethod
    def allocate(cls, rows: int, *, wide: bool = False) -> Events:
        """Room for `rows` records; `wide` adds ts_event, ts_recv and sequence."""
        extra = rows if wide else 0
        return cls(
            Columns(
                clock_ns=np.zeros(rows, np.int64),
                order_id=np.zeros(rows, np.int64),
                price=np.zeros(rows, np.int64),
                size=np.zeros(rows, np.uint32),
                flags=np.zeros(rows, np.uint8),
                action=np.zeros(rows, np.uint8),
                side=np.zeros(rows, np.uint8),
                publisher=np.zeros(rows, np.uint16),
                ts_event=np.zeros(extra, np.int64),
                ts_recv=np.zeros(extra, np.int64),
                sequence=np.zeros(extra, np.uint32),
            )
        )

    @classmethod
    def from_records(
        cls, records: Iterable[tuple[Any, ...]], *, start_ns: int = -NO_LIMIT, end_ns: int = NO_LIMIT
    ) -> Events:
        """Events from tuples (ts_event, action, side, price, size, order_id, flags[, publisher_id[, ts_recv]]).

        Parameters
        ----------
        records : iterable of tuple
            Times in ns UTC as DBN has them (2**64-1: undefined), actions and sides as DBN's letters, prices in 1e-9
            units. The publisher is 1 where it is left out, ts_recv undefined.
        start_ns, end_ns : int
            The session's window: records of before it build the book only, those of after it are left out.

        Raises
        ------
        BadParameterError
            An action or side that DBN does not have.
        """
        rows = [(*row, *DEFAULTS[len(row) - LEAST_FIELDS :]) for row in records]
        data = np.zeros(len(rows), MBO_DTYPE)
        data["length"], data["rtype"] = MBO_BYTES // 4, RTYPE_MBO
        for name, values in zip(FIELDS, zip(*rows, strict=True), strict=False):
            if name in {"action", "side"}:
                data[name] = list(map(ord, values))
            elif MBO_DTYPE[name] == np.int64:
                data[name] = np.array([value % 2**64 for value in values], np.uint64).view(np.int64)
            else:
                data[name] = values
        events = cls.allocate(len(rows))
        cursor = np.zeros(D_WORDS, np.int64)
        kept = selection(np.zeros(256, np.uint8), MBO_BYTES, start_ns=start_ns, end_ns=end_ns)
        data.flags.writeable = False  # as bytes of a file are: the decoder is compiled for one kind
        decode_records(data.view(np.uint8), kept, cursor, events.columns)
        if cursor[D_ERROR] != DECODE_OK:
            row = rows[int(cursor[D_POSITION]) // MBO_BYTES]
            raise BadParameterError(f"action and side were {row[1]!r} and {row[2]!r}, expected letters of DBN.")
        return events.head(int(cursor[D_ROWS]))

    def __len__(self) -> int:
        return len(self.columns.clock_ns)

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
