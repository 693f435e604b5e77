from __future__ import annotations

import pytest

from vp.server.runs.control import PlayControl
from vp.server.runs.pacing import NS, Pace
from vp.server.stream.commands import MOST_STEPS, Pause, Resume, Step, TooManyStepsError


def test_a_step_pauses_and_is_given_once() -> None:
    control = PlayControl()
    control.obey(Step("event", 3))
    control.obey(Step("frame", 1))
    assert control.paused
    assert [control.next_step(), control.next_step(), control.next_step()] == [Step("event", 3), Step("frame", 1), None]


@pytest.mark.parametrize(("command", "paused"), [(Resume(), False), (Pause(), True)])
def test_what_waits_is_forgotten_by_another_command(command: Pause | Resume, paused: bool) -> None:
    control = PlayControl()
    control.obey(Step("frame", 5))
    control.obey(command)
    assert control.next_step() is None
    assert control.paused == paused


def test_as_many_steps_wait_as_may_and_no_more() -> None:
    control = PlayControl()
    control.obey(Step("frame", MOST_STEPS - 1))
    control.obey(Step("event", 1))
    with pytest.raises(TooManyStepsError):
        control.obey(Step("event", 1))
    assert control.next_step() == Step("frame", MOST_STEPS - 1)
    control.obey(Step("event", 2))
    assert [control.next_step(), control.next_step(), control.next_step()] == [Step("event", 1), Step("event", 2), None]


def test_a_clock_that_stands_neither_moves_nor_falls_behind() -> None:
    stands = Pace(1_000 * NS, 50.0, 2.0).standing(1_003 * NS)
    assert stands.stands
    assert stands.target_ns(999.0) == 1_003 * NS
    assert stands.lag_seconds(1_003 * NS, 999.0) == 0.0
    assert stands.seconds_until(1_004 * NS, 60.0) == float("inf")
    goes = stands.going(100.0, 2.0)
    assert not goes.stands
    assert goes.target_ns(101.5) == 1_006 * NS
