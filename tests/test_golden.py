"""Frames of whole sessions, from raw files in a lake, against those that the contract asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.lakes import put
from tests.places import SHARED
from vp.kernels.contract import GRID_COLUMNS, SCALAR_COLUMNS
from vp.model.live_session import LiveSession
from vp.model.parameters import ModelParameters
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

GOLDEN = SHARED / "golden-2"
MANIFEST = GOLDEN / "manifest.json"
CASES: list[dict[str, Any]] = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []
FILES = {"future_mbo": ("MNQ", "glbx-mdp3-20260206.mbo.dbn"), "equity_mbo": ("QQQ", "xnas-itch-20260708.mbo.dbn")}


def session_of(case: dict[str, Any], lake: Path) -> LiveSession:
    """The case's session, ready to make frames, out of a lake with the case's file alone."""
    root, name = FILES[case["product_type"]]
    put(lake, case["product_type"], root, name, (GOLDEN / case["file"]).read_bytes())
    spec = SessionSpec(
        case["product_type"],
        case["symbol"],
        case["dt"],
        case["start_time"],
        throttle_ms=case["throttle_ms"],
        lake=str(lake),
        parameters=ModelParameters.preset(case["parameters"]),
    )
    return prepare(spec)


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A column as float64, or whole numbers as int64 where none is null; lists one after the other, nulls as NaN."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = pa.chunked_array([column.combine_chunks().flatten()])
    values = column.to_pylist()
    if all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    return np.array([np.nan if value is None else value for value in values], np.float64)


@pytest.mark.skipif(not CASES, reason="the golden frames are not beside the checkout")
@pytest.mark.parametrize("case", CASES, ids=[Path(case["frames"]).stem.removesuffix(".frames") for case in CASES])
def test_golden_frames(case: dict[str, Any], tmp_path: Path) -> None:
    session = session_of(case, tmp_path)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < case["first_frames"]:
        parts.append(session.advance(None, 40).buffer.copy())
    session.close()
    got = session.layout.table(np.concatenate(parts)[: case["first_frames"]])
    want = pq.read_table(GOLDEN / case["frames"])

    assert session.info.bucket_int == case["bucket"]
    assert set(want.column_names) == {*SCALAR_COLUMNS, *GRID_COLUMNS} == set(got.column_names)
    for name in want.column_names:
        own, wanted = numbers(got[name]), numbers(want[name])
        if wanted.dtype == np.int64:
            np.testing.assert_array_equal(own, wanted, err_msg=name)
        else:
            np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=1e-6, err_msg=name)
    assert numbers(got["mid_price"]).tolist() == numbers(want["mid_price"]).tolist(), "to the last bit"
