"""How frames lie in a slot of the spool: field by field, so that a column of many is read without the others."""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import groupby, islice, pairwise

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
        runs = [list(run) for _, run in groupby(self._fields, key=lambda field: field[1])]
        self._runs = [(run[0][0], len(run), run[0][1]) for run in runs]

    def empty_slot(self) -> np.ndarray:
        """Room for the bytes of a slot, uint8[frames * frame_bytes]."""
        return mapped_zeros(self.frames, self._frame_bytes).reshape(-1)

    def fill(self, slot: np.ndarray, frames: np.ndarray) -> None:
        """Lay frames, uint8[n, frame_bytes], out in the bytes of a slot; n is `self.frames` at the most.

        Fields of one length that lie side by side are copied at once: after each copy the interpreter's lock has to be
        waited for.
        """
        count = len(frames)
        for start, fields, width in self._runs:
            stop = start + fields * width
            places = slot[start * self.frames : stop * self.frames].reshape(fields, self.frames, width)
            places[:, :count] = frames[:, start:stop].reshape(count, fields, width).transpose(1, 0, 2)

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
