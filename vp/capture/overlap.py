"""Whether a replay goes on where a recording ended: proven by the recorded records that it sends again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from vp.capture.stream_scan import Orders
from vp.kernels.contract import FLAG_SNAPSHOT, MBO_BYTES

OVERLAP_NS = 5_000_000_000  # of different channels, one may lag behind the other by so much
MOST_COMPARED_RECORDS = 65_536  # of an instrument


class InstrumentOverlap:
    """The records of one instrument that are to come again.

    Parameters
    ----------
    recorded : sequence of bytes
        The last ones that were recorded, oldest first, of those that the replay must hold; at least one.
    """

    def __init__(self, recorded: Sequence[bytes]) -> None:
        self._recorded = list(recorded)
        self._seen: deque[bytes] = deque(maxlen=len(self._recorded))
        self._count = 0
        # Where they repeat themselves, their end could be found in several places.
        self._is_periodic = any(
            self._agrees(self._recorded[: i + 1])
            for i, record in enumerate(self._recorded[:-1])
            if record == self._recorded[-1]
        )

    def feed(self, rows: Iterable[bytes]) -> int | None:
        """How many of the replay's next records are repeated ones; None where that is not known after them.

        It is known where all that the replay has sent of the instrument agrees with the end of what was recorded, or
        all that was recorded with the end of what the replay has sent.
        """
        for taken, row in enumerate(rows, 1):
            self._seen.append(row)
            self._count += 1
            if row == self._recorded[-1] and self._is_end():
                return taken
        return None

    def _is_end(self) -> bool:
        if self._is_periodic and self._count != len(self._recorded):
            return False
        return self._agrees(self._seen)

    def _agrees(self, seen: Sequence[bytes]) -> bool:
        return all(one == other for one, other in zip(reversed(seen), reversed(self._recorded), strict=False))


class Overlap:
    """The same of all instruments of a connection.

    Parameters
    ----------
    recorded : mapping of int to sequence of bytes
        By instrument, as InstrumentOverlap takes them.

    Attributes
    ----------
    ends : dict of int to (byte offset, record index)
        Of the instruments of which it is known, where in the stream their new records begin.
    """

    def __init__(self, recorded: Mapping[int, Sequence[bytes]]) -> None:
        self._instruments = {number: InstrumentOverlap(rows) for number, rows in recorded.items() if rows}
        self._pending = set(self._instruments)
        self.ends: dict[int, tuple[int, int]] = {}

    @property
    def is_proven(self) -> bool:
        """Whether every instrument goes on where it ended."""
        return not self._pending

    @property
    def unproven(self) -> frozenset[int]:
        """The instruments of which it is not known."""
        return frozenset(self._pending)

    def feed(self, orders: Orders) -> None:
        """Take the replay's next records."""
        if not self._pending:
            return
        rows = orders.rows
        for number in np.unique(rows["instrument_id"]).tolist():
            if number not in self._pending:
                continue
            own = np.flatnonzero((rows["instrument_id"] == number) & ((rows["flags"] & FLAG_SNAPSHOT) == 0))
            taken = self._instruments[number].feed(as_bytes(rows[own]))
            if taken is not None:
                index = int(own[taken - 1]) + 1
                offset = orders.byte_offset + index * orders.record_bytes
                self.ends[number] = offset, orders.record_index + index
                self._pending.remove(number)


def as_bytes(rows: np.ndarray) -> list[bytes]:
    """The bytes of each record, without its length: times of sending are asked for or not."""
    data = rows.tobytes()
    bounds = range(0, len(data) + 1, MBO_BYTES)
    return [data[begin + 1 : end] for begin, end in pairwise(bounds)]
