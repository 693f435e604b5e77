"""Samples of sessions made by hand: what is known at a moment, what came after it, and where neither is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vp.study.made_sessions import session
from vp.kernels.contract import CHANGE_AFTER_PAUSE, CHANGE_VALID
from vp.study.samples import take_samples

RISING = [100.0 + max(0, i - 20) for i in range(120)]  # flat for twenty seconds, then a tick a second
UNKNOWN = np.nan


def test_a_move_is_upward_where_the_mid_rises() -> None:
    taken = take_samples(session(RISING))
    assert taken.targets["5 s"][[0, 15, 16, 20, 60]].tolist() == [0, 0, 1, 5, 5]
    assert taken.targets["next move"][[0, 60]].tolist() == [1, 1]
    falling = take_samples(session([-mid for mid in RISING]))
    assert falling.targets["5 s"][[16, 20]].tolist() == [-1, -5]
    assert falling.targets["next move"][0] == -1


def test_the_past_is_what_was_and_not_what_will_be() -> None:
    taken = take_samples(session(RISING))
    assert taken.features["mid change 2 s"][[20, 21, 22, 60]].tolist() == [0, 1, 2, 2]
    assert taken.features["mid change 10 s"][[9, 10, 25, 60]] == pytest.approx([UNKNOWN, 0, 5, 10], nan_ok=True)


def test_flow_and_volume_of_the_last_seconds() -> None:
    flow = np.cumsum([0] * 50 + [7] + [0] * 69).tolist()
    taken = take_samples(
        session([100.0] * 120, flow=flow, buy_volume=[0.0] * 50 + [9] + [0] * 69, sell_volume=[1] * 120)
    )
    assert taken.features["order flow 2 s"][[49, 50, 51, 52]].tolist() == [0, 7, 7, 0]
    assert taken.features["order flow of ten levels 10 s"][[49, 50, 59, 60]].tolist() == [0, 133, 133, 0]
    assert taken.features["signed volume 10 s"][[49, 50, 59, 60]].tolist() == [-10, -1, -1, -10]
    assert taken.interval["order flow"][[39, 40, 49, 50]].tolist() == [0, 7, 7, 0]


def test_imbalance_and_micro_price_point_to_the_thin_side() -> None:
    taken = take_samples(session([100.0] * 80, bid_size=[30] * 80, ask_size=[10] * 80))
    assert taken.features["queue imbalance"][0] == 0.5
    assert taken.features["micro-price"][0] == pytest.approx((99.5 * 10 + 100.5 * 30) / 40 - 100)
    assert taken.half_spread_ticks[0] == 0.5


def test_a_window_that_leaves_what_is_known_has_no_move() -> None:
    taken = take_samples(session(RISING))
    assert np.isfinite(taken.targets["5 s"]).sum() == 115
    assert np.isfinite(taken.targets["60 s"]).sum() == 60
    assert np.isfinite(taken.targets["10 events"]).sum() == 110
    assert taken.targets["10 events"][20] == 10
    assert np.isnan(taken.targets["next move"][-1])


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ([(0, 1, 100, CHANGE_VALID), (90, 91, 0, 0), (92, 93, 101, CHANGE_VALID)], 85),  # no valid book
        ([(0, 1, 100, CHANGE_VALID), (90, 91, 101, CHANGE_VALID | CHANGE_AFTER_PAUSE)], 85),
    ],
    ids=["no valid book", "a pause"],
)
def test_no_window_reaches_over_the_end_of_a_segment(changes: list[tuple[float, int, float, int]], known: int) -> None:
    taken = take_samples(session([100.0] * 90 + [101.0] * 110, changes))
    moved = taken.targets["5 s"]
    assert np.isfinite(moved[:known]).all()
    assert np.isnan(moved[known:90]).all()
    assert not np.any(moved[np.isfinite(moved)]), "the jump is of no window"
    seconds = (taken.times_ns - taken.times_ns[0]) // 1_000_000_000
    assert not ((seconds >= 90) & (seconds < 150)).any(), "a segment begins with a minute of warmup"
    assert (seconds >= 152).any()


def test_the_first_minute_is_left_out_unless_the_session_was_warm() -> None:
    cold = session(RISING)
    assert len(take_samples(cold)) == 120
    object.__setattr__(cold, "warm_from_ns", -1)
    assert len(take_samples(cold)) == 60


def test_fewer_samples_and_more_columns() -> None:
    taken = take_samples(session(RISING, vacuum_above=[float(i) for i in range(120)]), 5, ("vacuum_above",))
    assert len(taken) == 24
    assert taken.features["vacuum_above"][:3].tolist() == [0, 5, 10]
    assert taken.targets["10 s"][4] == 10
