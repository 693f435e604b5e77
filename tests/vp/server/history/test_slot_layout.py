"""Frames in a slot, field by field."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vp.server.history.slot_layout import SlotLayout

FRAME_BYTES = 48
CUTS = st.one_of(
    st.sets(st.integers(0, FRAME_BYTES), max_size=12), st.integers(1, FRAME_BYTES).map(lambda n: range(0, 48, n))
)


def numbered(count: int) -> np.ndarray:
    """Frames of which no two bytes that are mixed up easily are the same, uint8[count, FRAME_BYTES]."""
    return (np.arange(count)[:, None] * 53 + np.arange(FRAME_BYTES) * 5 + 1).astype(np.uint8)


@given(cuts=CUTS, room=st.integers(1, 9), data=st.data())
def test_each_byte_lies_in_its_field_behind_those_of_the_frames_before(
    cuts: set[int], room: int, data: st.DataObject
) -> None:
    frames = numbered(data.draw(st.integers(1, room)))
    layout = SlotLayout(FRAME_BYTES, cuts, room)
    slot = layout.empty_slot()
    layout.fill(slot, frames)
    begins = sorted({0, *(cut for cut in cuts if 0 < cut < FRAME_BYTES)})
    for start, stop in zip(begins, [*begins[1:], FRAME_BYTES], strict=True):
        for index, frame in enumerate(frames):
            at = start * room + index * (stop - start)
            assert slot[at : at + stop - start].tobytes() == frame[start:stop].tobytes()


@given(cuts=CUTS, data=st.data())
def test_any_part_of_any_frames_is_read_from_the_fields_that_hold_it_alone(cuts: set[int], data: st.DataObject) -> None:
    frames = numbered(7)
    layout = SlotLayout(FRAME_BYTES, cuts, len(frames))
    slot = layout.empty_slot()
    layout.fill(slot, frames)
    first = data.draw(st.integers(0, len(frames) - 1))
    count = data.draw(st.integers(1, len(frames) - first))
    offset = data.draw(st.integers(0, FRAME_BYTES - 1))
    length = data.draw(st.integers(1, FRAME_BYTES - offset))
    read = []

    def read_slot(at: int, size: int) -> bytes:
        read.append((at, size))
        return slot[at : at + size].tobytes()

    found = layout.read(read_slot, first, count, offset, length)
    assert found is not None
    assert found.tobytes() == frames[first : first + count, offset : offset + length].tobytes()
    inner = [cut for cut in {0, FRAME_BYTES, *cuts} if offset < cut < offset + length]
    assert len(read) == len(inner) + 1


def test_what_lies_no_longer_there_is_no_frame() -> None:
    layout = SlotLayout(FRAME_BYTES, (8,), 4)
    assert layout.read(lambda _at, size: bytes(size - 1), 0, 4, 0, 16) is None
