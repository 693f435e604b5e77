"""Arrow columns from and to numpy, of their buffers as Arrow's columnar format lays them out.

pyarrow's own ways import pandas, which takes longer than all else that a warm start does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def arrow_column(of_type: pa.DataType, *buffers: np.ndarray) -> pa.Array:
    """A column without nulls from its buffers; the last is as long as the column."""
    return pa.Array.from_buffers(of_type, len(buffers[-1]), [None, *map(pa.py_buffer, buffers)])


def nullable_column(of_type: pa.DataType, values: np.ndarray, known: np.ndarray) -> pa.Array:
    """A column of values, null where `known`, bool[n], is not."""
    return pa.Array.from_buffers(of_type, len(values), [pa.py_buffer(_bits(known)), pa.py_buffer(values)])


def bool_column(values: np.ndarray) -> pa.Array:
    """A column from bool[n]."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(_bits(values))])


def fixed_width(table: pa.Table, name: str, dtype: type[np.integer[Any]]) -> np.ndarray:
    """A column without nulls as numpy."""
    array = table[name].combine_chunks()
    if not len(array):
        return np.zeros(0, dtype)
    width = np.dtype(dtype).itemsize
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * width)


def _bits(values: np.ndarray) -> np.ndarray:
    return np.packbits(values, bitorder="little")
