"""The frames of one session: the newest in a ring of memory, older ones in slots on disk, the oldest forgotten.

All frame messages of a session have one length, so the history is a flat sequence: frame n lies in the ring at n times
that length. On disk a slot holds as many frames as fit (slot_layout). One thread appends, any thread reads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from vp.server.history.disk_stretches import FREELY_BYTES, GRACE_SHARE, GROWTH_BYTES_PER_SECOND, DiskAllowance, Stretch
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.slot_layout import SlotLayout, mapped_zeros

RETENTION_NS = 4 * 3600 * 1_000_000_000
MEMORY_BYTES = 16 << 20
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Block:
    """Consecutive frames: `count` of them from sequence number `first` on, one after the other in `data`."""

    first: int
    count: int
    data: memoryview


class FrameStore:
    """The recent frames of a session.

    Parameters
    ----------
    frame_bytes : int
        Length of one frame, with what stands before it.
    prefix : bytes
        What stands before each frame.
    spool : FrameSpool, optional
        Where older frames lie; left out, memory alone holds frames.
    cuts : iterable of int
        Where a frame is cut into fields, which lie apart on disk.
    memory_bytes : int
        Length of the ring.
    retention_ns, freely_bytes, growth_bytes_per_second : int
        What may lie on disk, and for how long (DiskAllowance).

    Attributes
    ----------
    head : int
        Sequence number of the next frame.
    over_since : float or None
        Monotonic time since when nobody has asked for a session that is over; None while it goes on.

    Notes
    -----
    Once frames have been forgotten, `oldest` lies a sixteenth of what is held behind the oldest frame that can still be
    read: an answer that begins there can be taken at leisure before its frames go too.
    """

    def __init__(
        self,
        frame_bytes: int,
        *,
        prefix: bytes = b"",
        spool: FrameSpool | None = None,
        cuts: Iterable[int] = (),
        retention_ns: int = RETENTION_NS,
        memory_bytes: int = MEMORY_BYTES,
        freely_bytes: int = FREELY_BYTES,
        growth_bytes_per_second: int = GROWTH_BYTES_PER_SECOND,
    ) -> None:
        self.frame_bytes = frame_bytes
        self._prefix = np.frombuffer(prefix, np.uint8)
        self.head = 0
        self.over_since: float | None = None
        self._spool = spool if spool is not None else FrameSpool()
        self._lock = self._spool.lock
        self._allowance = DiskAllowance(retention_ns, freely_bytes, growth_bytes_per_second)
        self._ring_frames = max(2, memory_bytes // frame_bytes)
        self._group_frames = max(1, min(self._spool.slot_bytes // frame_bytes, self._ring_frames // 2))
        self._layout = SlotLayout(frame_bytes, cuts, self._group_frames)
        self._ring: np.ndarray | None = None
        self._slot: np.ndarray | None = None  # used again: fresh pages for each would cost as much as the copy
        self._clocks_ns = np.zeros(self._ring_frames, np.int64)
        self._appended_seconds = np.zeros(self._ring_frames)
        self._memory_from = 0  # the ring holds the frames from here on
        self._spooled = 0  # all before it lie on disk, or are forgotten
        self._groups: deque[Stretch] = deque()
        self._tries_from = 0.0
        self._closed = False

    @property
    def oldest(self) -> int:
        """Sequence number of the oldest frame that can be asked for; `head` when there is none."""
        with self._lock:
            low = self._low()
            return low + -(-(self.head - low) // GRACE_SHARE) if low else 0

    @property
    def disk_bytes(self) -> int:
        """Bytes held on disk."""
        return len(self._groups) * self._spool.slot_bytes

    @property
    def slots_held(self) -> int:
        """Slots held on disk."""
        return len(self._groups)

    def forget_oldest(self) -> int:
        """Forget what the oldest slot holds; its number. The spool's lock is held."""
        group = self._groups.popleft()
        slot, group.slot = group.slot, -1
        return slot

    def append(self, frames: np.ndarray, last_ns: int) -> None:
        """Add frames, uint8[n, frame_bytes less the prefix], which are copied. One thread only.

        `last_ns` is the engine clock of the last of them.
        """
        at_once = max(1, self._ring_frames // 2)
        for start in range(0, len(frames), at_once):
            self._append(frames[start : start + at_once], last_ns)

    def tidy(self) -> None:
        """Move what memory has no room for to disk and forget what is too old. The appending thread, after it has told
        the viewers, since this writes files.
        """
        keep = self._ring_frames // 2
        while self.head - self._spooled >= keep + self._group_frames and self._spool_group(self._group_frames):
            pass
        with self._lock:
            while self._groups and self._outlived():
                self._spool.free(self.forget_oldest())

    def put_away(self) -> None:
        """Move to disk what memory holds, as far as it can be; the appending thread, when no more will come."""
        self._tries_from = 0.0
        while self._spooled < self.head:
            if self._closed or not self._spool_group(min(self._group_frames, self.head - self._spooled)):
                return
        with self._lock:
            self._memory_from = self.head
            self._ring = None
        self._slot = None

    def close(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._closed = True
            self._memory_from = self._spooled = self.head
            self._ring = None
        self._spool.release(self)

    def recent(self, first: int, most: int) -> Block | None:
        """Up to `most` frames from `first` on if memory holds them, else None. Reads no file."""
        rows = self._from_ring(first, most, 0, self.frame_bytes)
        return None if rows is None else Block(first, len(rows), rows.reshape(-1).data)

    def read(self, first: int, most: int) -> Block | None:
        """Up to `most` frames from `first` on, from a file if need be; None if they are not held any more."""
        rows = self.rows(first, most, 0, self.frame_bytes)
        return None if rows is None else Block(first, len(rows), rows.reshape(-1).data)

    def rows(self, first: int, most: int, offset: int, length: int) -> np.ndarray | None:
        """The bytes from `offset` on of up to `most` frames from `first` on: uint8[n, length], n at least 1.

        None if they are not held any more. May read files.
        """
        parts: list[np.ndarray] = []
        at, end = first, first + most
        while at < end:
            part = self._from_ring(at, end - at, offset, length)
            if part is None and not parts:
                part = self._from_disk(at, end - at, offset, length)
                if part is not None:
                    return part
            if part is None:
                break
            parts.append(part)
            at += len(part)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def age_seconds(self, sequence: int) -> float:
        """How long ago a frame was appended; infinite when memory does not hold it."""
        with self._lock:
            if self._ring is None or not self._memory_from <= sequence < self.head:
                return float("inf")
            return time.monotonic() - float(self._appended_seconds[sequence % self._ring_frames])

    def _low(self) -> int:
        """The oldest frame that can be read; the lock is held."""
        return self._groups[0].first if self._groups else self._memory_from

    def _append(self, frames: np.ndarray, last_ns: int) -> None:
        count = len(frames)
        while self.head + count - self._spooled > self._ring_frames:
            if not self._spool_group(min(self._group_frames, self.head - self._spooled)):
                self._lose(self.head + count - self._ring_frames)
        if self._ring is None:
            self._ring = mapped_zeros(self._ring_frames, self.frame_bytes)
        with self._lock:  # before a frame is written over nobody may find it any more
            self._memory_from = max(self._memory_from, self.head + count - self._ring_frames)
        start = self.head % self._ring_frames
        before_end = min(count, self._ring_frames - start)
        places = np.arange(self.head, self.head + count) % self._ring_frames
        front = len(self._prefix)
        for rows, new in (
            (self._ring[start : start + before_end], frames[:before_end]),
            (self._ring[: count - before_end], frames[before_end:]),
        ):
            rows[:, :front] = self._prefix
            rows[:, front:] = new
        self._clocks_ns[places] = last_ns
        self._appended_seconds[places] = time.monotonic()
        with self._lock:
            self.head += count

    def _lose(self, until: int) -> None:
        """Give up the frames before `until`, which could not be moved to disk, and all before them: no hole within."""
        with self._lock:
            while self._groups:
                self._spool.free(self.forget_oldest())
            self._spooled = self._memory_from = max(until, self._memory_from)

    def _from_ring(self, first: int, most: int, offset: int, length: int) -> np.ndarray | None:
        """Rows that lie together in the ring, copied."""
        with self._lock:
            ring, low, head = self._ring, self._memory_from, self.head
        if ring is None or not low <= first < head:
            return None
        start = first % self._ring_frames
        count = min(most, head - first, self._ring_frames - start)
        rows = ring[start : start + count, offset : offset + length].copy()
        with self._lock:  # frames that were written over meanwhile are none of these any more
            return rows if first >= self._memory_from else None

    def _from_disk(self, first: int, most: int, offset: int, length: int) -> np.ndarray | None:
        """Rows of one slot."""
        with self._lock:
            index = (first - self._groups[0].first) // self._group_frames if self._groups else -1
            if not 0 <= index < len(self._groups):
                return None
            group = self._groups[index]
            slot = group.slot
        skip = first - group.first
        count = min(most, group.count - skip)
        if count <= 0:
            return None
        rows = self._layout.read(partial(self._spool.read, slot), skip, count, offset, length)
        return rows if group.slot == slot else None  # a slot that was given away meanwhile holds other frames

    def _spool_group(self, count: int) -> bool:
        """Write the next `count` frames to disk; False when it cannot be now."""
        now = time.monotonic()
        if now < self._tries_from:
            return False
        assert self._ring is not None
        places = np.arange(self._spooled, self._spooled + count) % self._ring_frames
        together = places[-1] - places[0] == count - 1
        frames = self._ring[places[0] : places[-1] + 1] if together else self._ring[places]
        if self._slot is None:
            self._slot = self._layout.empty_slot()
        self._layout.fill(self._slot, frames)
        slot = self._spool.keep(self, self._slot.data)
        if slot is None:
            self._tries_from = now + RETRY_SECONDS
            return False
        with self._lock:
            self._groups.append(Stretch(self._spooled, count, slot, int(self._clocks_ns[places[-1]])))
            self._spooled += count
            self._spool.add(self)
            if self._closed:  # meanwhile
                self._spool.free(self.forget_oldest())
        return True

    def _outlived(self) -> bool:
        """Whether the oldest slot holds more than is kept; the lock is held."""
        newest_ns = int(self._clocks_ns[(self.head - 1) % self._ring_frames])
        return self._allowance.is_over(self._groups, self.disk_bytes, newest_ns)
