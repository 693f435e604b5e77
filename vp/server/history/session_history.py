"""The frames that a session has made, found by event and by time.

All of it may read files: call it in a thread, never in the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vp.model.frames import FrameLayout
from vp.server.history.frame_store import FrameStore
from vp.server.stream.packing import unpack

JOIN_NS = 600 * 1_000_000_000
READ_FRAMES = 256


@dataclass(frozen=True)
class SessionHistory:
    """The history of one session.

    Attributes
    ----------
    frames : FrameStore
        Its frame messages with their websocket headers.
    layout : FrameLayout
    """

    frames: FrameStore
    layout: FrameLayout

    def after_event(self, event_id: int) -> int:
        """Sequence number of the first frame held whose event_id is above `event_id`; `head` if none is."""
        return self._first("event_id", lambda value: value > event_id)

    def from_time(self, ts_ns: int) -> int:
        """Sequence number of the first frame held at or after `ts_ns`; `head` if none is."""
        return self._first("ts_ns", lambda value: value >= ts_ns)

    def to_join(self) -> int:
        """Where a viewer begins who joins now: JOIN_NS before the newest frame."""
        head = self.frames.head
        newest = self._value("ts_ns", head - 1) if head > self.frames.oldest else None
        return head if newest is None else self.from_time(newest - JOIN_NS)

    def event_id(self, sequence: int) -> int | None:
        """The event_id of a frame; None if it is not held."""
        return self._value("event_id", sequence)

    def ts_ns(self, sequence: int) -> int | None:
        """The clock of a frame, ns UTC; None if it is not held."""
        return self._value("ts_ns", sequence)

    def messages(self, first: int, end: int) -> Iterator[np.ndarray]:
        """The frame messages from `first` up to `end`, uint8[n, message_bytes] at a time; fewer if they go."""
        while first < end:
            block = self.frames.read(first, min(end - first, READ_FRAMES))
            if block is None:
                return
            yield unpack(block.data, self.layout.message_bytes)
            first += block.count

    def _first(self, name: str, reached: Callable[[int], bool]) -> int:
        """Bisect for the first frame whose column satisfies `reached`; the column never falls."""
        low, high = self.frames.oldest, self.frames.head
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
        block = self.frames.read(sequence, 1)
        if block is None:
            return None
        place = next(column for column in self.layout.columns if column.name == name)
        return int.from_bytes(unpack(block.data, self.layout.message_bytes)[0, place.offset :][:8], "little")
