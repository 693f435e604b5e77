from __future__ import annotations

import numpy as np

from tests.vp.server.history.blocks import parse
from tests.vp.server.history.conftest import bought
from vp.server.history.export import columns_block
from vp.server.history.session_history import SessionHistory


def test_columns_hold_each_frame_once_and_round_to_the_nearest(history: SessionHistory) -> None:
    head, columns = parse(columns_block(history, 100, 700, ["pressure"], exact=False))
    assert head["frames"] == 600
    assert head["first"] == 100
    assert np.array_equal(np.frombuffer(columns["event_id"], "<i8"), np.arange(100, 700))
    assert np.all(np.frombuffer(columns["bid_price"], "<i8") == np.iinfo(np.int64).max)  # null in the template
    short = (np.frombuffer(columns["pressure"], "<u2").astype(np.uint32) << 16).view(np.float32).reshape(600, 101)
    _, exact = parse(columns_block(history, 100, 700, ["pressure"], exact=True))
    full = np.frombuffer(exact["pressure"], "<f4").reshape(600, 101)
    assert full[3, 7] == np.float32(103 * 1.001 + 7)
    assert np.max(np.abs(short - full) / full) <= 2.0**-8


def test_volumes_come_exact_and_take_little_room(history: SessionHistory) -> None:
    block = columns_block(history, 100, 700, ["bought", "sold"], exact=False)
    head, columns = parse(block)
    assert {c["name"]: c["type"] for c in head["columns"] if c["name"] in ("bought", "sold")} == {
        "bought": "sparse float32[101]",
        "sold": "sparse float32[101]",
    }
    counts = np.frombuffer(columns["bought"], np.uint8, 600)
    assert counts.tolist() == [n % 4 for n in range(100, 700)]
    rows = np.frombuffer(columns["bought"], np.uint8, int(counts.sum()), 600)
    values = np.frombuffer(columns["bought"], "<f4", rows.size, -(-(600 + rows.size) // 4) * 4)
    grid = np.zeros((600, 101), np.float32)
    grid[np.repeat(np.arange(600), counts), rows] = values
    assert np.array_equal(grid, bought(100, 700))
    assert len(columns["sold"]) == 600
    _, exact = parse(columns_block(history, 100, 700, ["bought"], exact=True))
    assert np.array_equal(np.frombuffer(exact["bought"], "<f4").reshape(600, 101), grid)
