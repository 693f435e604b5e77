"""How frames lie in a slot of the spool: field by field, so that a column of many is read without the others."""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import islice, pairwise

import numpy as np


class SlotLayout:
    """Where the fields of the frames in a slot lie.

    Parameters
    ----------
    frame_bytes : int
        Length of one frame.
    cuts : iterable of int
        Where a frame is cut into fields.
    frames : int
        As many fit into a slot.
    """

    def __init__(self, frame_bytes: int, cuts: Iterable[int], frames: int) -> None:
        self.frames = frames
        self._frame_bytes = frame_bytes
        edges = sorted({0, frame_bytes, *(cut for cut in cuts if 0 < cut < frame_bytes)})
        self._fields = [(start, stop - start) for start, stop in pairwise(edges)]

    def empty_slot(self) -> np.ndarray:
        """Room for the bytes of a slot, uint8[frames * frame_bytes]."""
        return mapped_zeros(self.frames, self._frame_bytes).reshape(-1)

    def fill(self, slot: np.ndarray, frames: np.ndarray) -> None:
        """Lay frames, uint8[n, frame_bytes], out in the bytes of a slot; n is `self.frames` at the most."""
        count = len(frames)
        for start, width in self._fields:
            place = slot[start * self.frames : start * self.frames + count * width]
            place.reshape(count, width)[:] = frames[:, start : start + width]

    def read(
        self, read_slot: Callable[[int, int], bytes], first: int, count: int, offset: int, length: int
    ) -> np.ndarray | None:
        """The bytes from `offset` on of `count` frames of a slot, `first` is the first: uint8[count, length].

        `read_slot` reads some bytes (how many is told behind where they begin) of the slot; None where it gives fewer.
        """
        rows = np.empty((count, length), np.uint8)
        begin = bisect_right(self._fields, (offset, self._frame_bytes)) - 1
        for start, width in islice(self._fields, begin, None):
            if start >= offset + length:
                break
            data = read_slot(start * self.frames + first * width, count * width)
            if len(data) < count * width:
                return None
            low, high = max(start, offset), min(start + width, offset + length)
            field = np.frombuffer(data, np.uint8).reshape(count, width)
            rows[:, low - offset : high - offset] = field[:, low - start : high - start]
        return rows


def mapped_zeros(count: int, length: int) -> np.ndarray:
    """Zeros, uint8[count, length], that go back to the system whole: they are no part of the allocator's arenas."""
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    return np.frombuffer(mmap.mmap(-1, count * length, **private), np.uint8).reshape(count, length)
