"""Arrow columns of numpy buffers against pyarrow's own ways, which import pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from tests.vp.model.made_frames import QUOTES, frames_of
from vp.model.arrow_columns import arrow_column, bool_column, fixed_width, nullable_column


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_columns_are_those_that_pyarrow_makes(count: int) -> None:
    rng = np.random.default_rng(count)
    values, known = rng.integers(-5, 5, count), rng.random(count) > 0.3
    assert arrow_column(pa.int64(), values).equals(pa.array(values))
    assert bool_column(known).equals(pa.array(known))
    column = nullable_column(pa.int64(), values, known)
    column.validate(full=True)
    assert column.equals(pa.array(values, mask=~known))
    assert column.null_count == count - known.sum()
    table = pa.table({"column": pa.chunked_array([arrow_column(pa.int64(), values), arrow_column(pa.int64(), values)])})
    assert fixed_width(table, "column", np.int64).tolist() == [*values, *values]
    assert fixed_width(table.slice(count // 2), "column", np.int64).tolist() == [*values, *values][count // 2 :]


def test_prices_of_a_side_that_is_empty_are_null_in_a_table() -> None:
    frames = frames_of(QUOTES)
    assert frames[0]["ask_price"] is None or frames[0]["bid_price"] is None
    assert frames[-1]["bid_price"] < frames[-1]["ask_price"]


def test_frames_become_columns_without_pandas() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    assert said == ["3", "True", "False"]


PROGRAM = """
import sys
import numpy as np
from vp.model.frames import FrameLayout
from vp.model.frame_columns import frame_schema
layout = FrameLayout(frame_schema({}))
table = layout.table(np.zeros((3, layout.message_bytes), np.uint8))
print(len(table), table["bid_price"].null_count == 3, "pandas" in sys.modules)
"""
