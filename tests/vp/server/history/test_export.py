from __future__ import annotations

import numpy as np

from tests.vp.server.history.blocks import parse
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
