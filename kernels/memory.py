"""Memory for the state of the kernels, laid so that a cell, a group or a row lies on as few cache lines as can be."""

from __future__ import annotations

import numpy as np

LINE_BYTES = 64


def words_on_lines(count: int) -> np.ndarray:
    """int64[count], zeros, whose first word begins a cache line."""
    spacious = np.zeros(count + LINE_BYTES // 8, np.int64)
    first = -spacious.ctypes.data % LINE_BYTES // 8
    return spacious[first : first + count]
