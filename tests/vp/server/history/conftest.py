from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vp.server.tiny import LAYOUT, even_clocks, messages
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.session_history import SessionHistory

FRAMES = 900


@pytest.fixture
def history(tmp_path: Path) -> SessionHistory:
    began = SessionHistory.begin(LAYOUT, FrameSpool(tmp_path, floor_bytes=0), memory_bytes=1 << 16)
    frames = began.frames
    clocks = even_clocks(FRAMES)
    for start in range(0, FRAMES, 50):
        frames.append(forces(start, start + 50), int(clocks[start + 49]))
        frames.tidy()
    return began


def forces(first: int, end: int) -> np.ndarray:
    """Frame messages whose pressure is its own row and event, so that a wrong place shows."""
    made = messages(even_clocks(FRAMES), first, end)
    at = next(column for column in LAYOUT.columns if column.name == "pressure")
    values = (np.arange(first, end)[:, None] * 1.001 + np.arange(101)).astype(np.float32)
    made[:, at.offset : at.offset + at.length_bytes] = values.view(np.uint8)
    at = next(column for column in LAYOUT.columns if column.name == "bought")
    made[:, at.offset : at.offset + at.length_bytes] = bought(first, end).view(np.uint8)
    return made


def bought(first: int, end: int) -> np.ndarray:
    """Volumes float32[n, 101]: frame n has n % 4 rows with one, none of which a shorter float could hold."""
    grid = np.zeros((end - first, 101), np.float32)
    for n in range(first, end):
        for row in range(n % 4):
            grid[n - first, (7 * n + 31 * row) % 101] = 100_001 + n
    return grid
