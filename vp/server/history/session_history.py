"""The frames that a session has made, found by event and by time.

All of it may read files: call it in a thread, never in the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vp.feed_gap import FeedGap
from vp.model.frames import ColumnPlace, FrameLayout
from vp.server.history.disk_stretches import PROMISED_NS
from vp.server.history.frame_sampler import FrameSampler
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.frame_store import MEMORY_BYTES, RETENTION_NS, FrameStore
from vp.server.stream.messages import Hole
from vp.server.stream.packing import header, unpack

JOIN_NS = PROMISED_NS
READ_BYTES = 256 << 10


class FramesGoneError(Exception):
    """Frames were forgotten while they were being read."""


@dataclass
class SessionHistory:
    """The history of one session.

    Attributes
    ----------
    frames : FrameStore
        Its frame messages, which it keeps with their websocket headers.
    layout : FrameLayout
    gaps : callable
        What its feed has not delivered.
    sampler : FrameSampler or None
        Takes samples of all of them, which outlive those that are held no longer; None where nobody asks for any.
    complete_from_ns : int or None
        Since when it lacks nothing, ns UTC; None: since the session's beginning, as frame 0 is its first.
    """

    frames: FrameStore
    layout: FrameLayout
    gaps: Callable[[], Sequence[FeedGap]] = tuple
    sampler: FrameSampler | None = None
    complete_from_ns: int | None = None

    @classmethod
    def begin(
        cls,
        layout: FrameLayout,
        spool: FrameSpool | None = None,
        memory_bytes: int = MEMORY_BYTES,
        *,
        retention_ns: int = RETENTION_NS,
        gaps: Callable[[], Sequence[FeedGap]] = tuple,
        sampler: FrameSampler | None = None,
    ) -> SessionHistory:
        """An empty history of frames of this layout, each column a field of its own on disk."""
        prefix = header(layout.message_bytes)
        frames = FrameStore(
            len(prefix) + layout.message_bytes,
            prefix=prefix,
            spool=spool,
            cuts=[len(prefix) + column.offset for column in layout.columns],
            retention_ns=retention_ns,
            memory_bytes=memory_bytes,
        )
        return cls(frames, layout, gaps, sampler)

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

    def hole_behind(self, event_id: int, first: int) -> Hole | None:
        """What lay between an event and the frame `first`, the first after it that is held, and is held no longer."""
        oldest = self.frames.oldest
        if first > oldest or (oldest == 0 and self.complete_from_ns is None):
            return None
        if oldest == self.frames.head:
            return None
        forgotten = self.event_id(oldest - 1)  # it can be read a little longer than it can be asked for
        if forgotten is not None and forgotten <= event_id:
            return None
        return Hole(event_id, self.event_id(first))

    def hole_before(self, ts_ns: int, first: int) -> Hole | None:
        """What lay between a time and the frame `first`, the first from then on that is held, and is held no longer."""
        if first > self.frames.oldest:
            return None
        if first == 0:
            late = self.complete_from_ns is not None and ts_ns < self.complete_from_ns
            return Hole(None, self.event_id(first)) if late else None
        forgotten = self.ts_ns(first - 1)
        return None if forgotten is not None and forgotten < ts_ns else Hole(None, self.event_id(first))

    def hole_before_joining(self, first: int) -> Hole | None:
        """What a viewer who joins at the frame `first` lacks of the last JOIN_NS."""
        newest = self.ts_ns(self.frames.head - 1)
        return None if newest is None else self.hole_before(newest - JOIN_NS, first)

    def messages(self, first: int, end: int) -> Iterator[np.ndarray]:
        """The frame messages from `first` up to `end`, uint8[n, message_bytes] at a time; raises FramesGoneError."""
        at_once = max(1, READ_BYTES // self.frames.frame_bytes)
        while first < end:
            block = self.frames.read(first, min(end - first, at_once))
            if block is None:
                raise FramesGoneError
            yield unpack(block.data, self.layout.message_bytes)
            first += block.count

    def column(self, place: ColumnPlace, first: int, end: int) -> Iterator[np.ndarray]:
        """The bytes of one column from frame `first` up to `end`, uint8[n, length_bytes], some READ_BYTES at a time.

        Raises FramesGoneError.
        """
        yield from self._bytes(place.offset, place.length_bytes, first, end)

    def validity(self, place: ColumnPlace, first: int, end: int) -> np.ndarray:
        """Which values of a nullable column are there, bool[end - first]; raises FramesGoneError."""
        assert place.validity_offset is not None
        parts = [part[:, 0] & 1 == 1 for part in self._bytes(place.validity_offset, 1, first, end)]
        return np.concatenate([np.zeros(0, np.bool_), *parts])

    def _bytes(self, offset: int, length: int, first: int, end: int) -> Iterator[np.ndarray]:
        at_once = max(1, READ_BYTES // length)
        front = self.frames.frame_bytes - self.layout.message_bytes
        while first < end:
            parts = []
            until = min(end, first + at_once)
            while first < until:
                rows = self.frames.rows(first, until - first, front + offset, length)
                if rows is None:
                    raise FramesGoneError
                parts.append(rows)
                first += len(rows)
            yield parts[0] if len(parts) == 1 else np.concatenate(parts)

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
        place = next(column for column in self.layout.columns if column.name == name)
        front = self.frames.frame_bytes - self.layout.message_bytes
        rows = self.frames.rows(sequence, 1, front + place.offset, 8)
        return None if rows is None else int.from_bytes(rows[0].tobytes(), "little")
