from __future__ import annotations

import numpy as np
import pytest

from tests.vp.server.tiny import LAYOUT, even_clocks, messages
from vp.server.history.frame_store import FrameStore
from vp.server.history.session_history import SessionHistory
from vp.server.stream.packing import pack

FRAMES = 900


@pytest.fixture
def history() -> SessionHistory:
    frames = FrameStore(len(pack(forces(0, 1))[0]), memory_bytes=1 << 16, segment_bytes=1 << 20)
    clocks = even_clocks(FRAMES)
    for start in range(0, FRAMES, 50):
        frames.append(pack(forces(start, start + 50)), int(clocks[start + 49]))
        frames.tidy()
    return SessionHistory(frames, LAYOUT)


def forces(first: int, end: int) -> np.ndarray:
    """Frame messages whose pressure is its own row and event, so that a wrong place shows."""
    made = messages(even_clocks(FRAMES), first, end)
    at = next(column for column in LAYOUT.columns if column.name == "pressure")
    values = (np.arange(first, end)[:, None] * 1.001 + np.arange(101)).astype(np.float32)
    made[:, at.offset : at.offset + at.length_bytes] = values.view(np.uint8)
    return made
