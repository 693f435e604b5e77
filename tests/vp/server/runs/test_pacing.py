from __future__ import annotations

import pytest

from vp.server.runs.pacing import NS, Pace


def test_event_time_runs_as_fast_as_asked() -> None:
    pace = Pace(clock_ns=1_000 * NS, wall_seconds=50.0, speed=2.0)
    assert pace.target_ns(50.0) == 1_000 * NS
    assert pace.target_ns(51.5) == 1_003 * NS


def test_waiting_and_lagging_are_two_sides_of_one_thing() -> None:
    pace = Pace(clock_ns=0, wall_seconds=10.0, speed=4.0)
    assert pace.seconds_until(8 * NS, 10.5) == pytest.approx(1.5)
    assert pace.seconds_until(8 * NS, 13.0) == pytest.approx(-1.0)
    assert pace.lag_seconds(8 * NS, 13.0) == pytest.approx(4.0)
    assert pace.lag_seconds(8 * NS, 11.0) == 0.0


def test_a_great_speed_overflows_nothing() -> None:
    pace = Pace(clock_ns=1_770_336_000 * NS, wall_seconds=0.0, speed=1e6)
    assert pace.target_ns(1e6) > 2**63 - 1  # Python integers: the run bounds what it passes on
