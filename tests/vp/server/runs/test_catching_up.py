"""When a live session's time counts as running far faster than the wall's."""

from __future__ import annotations

from collections.abc import Iterable

from vp.server.runs.catching_up import GAIN_SECONDS, LASTS_SECONDS, WINDOW_SECONDS, CatchingUp

NS = 10**9
BEGIN_NS = 1_770_388_200 * NS


def told(looks: Iterable[tuple[float, float | None]]) -> list[bool]:
    """What it says at each look: seconds on the wall, and of the session's clock."""
    meter = CatchingUp()
    return [meter.look(now, None if clock is None else BEGIN_NS + round(clock * NS)) for now, clock in looks]


def at(speed: float, seconds: float, start: float = 0.0, clock: float = 0.0) -> list[tuple[float, float]]:
    """Forty looks a second at a session whose time goes so fast."""
    return [(start + n / 40, clock + speed * n / 40) for n in range(round(40 * seconds))]


def test_a_market_as_it_happens_is_of_now_however_late_it_comes() -> None:
    assert not any(told(at(1.0, 5.0)))
    assert not any(told(at(1.0, 5.0, clock=-86_400.0)))
    assert not any(told([(0.0, None), (1.0, None), *at(1.0, 5.0, start=2.0)]))


def test_the_past_comes_at_a_thousand_times_its_pace_until_it_is_caught_up_with() -> None:
    past = at(1000.0, 3.0)
    now = at(1.0, 3.0, start=3.0, clock=3000.0)
    said = told([*past, *now])
    first = said.index(True)
    assert past[first][0] <= 2 * WINDOW_SECONDS
    assert all(said[first : len(past)])
    over = said.index(False, first)
    assert now[over - len(past)][0] - 3.0 <= LASTS_SECONDS + 2 * WINDOW_SECONDS
    assert not any(said[over:])


def test_it_is_over_where_nothing_comes_any_more() -> None:
    stands = [(3.0 + n / 4, 2999.0) for n in range(8)]
    said = told([*at(1000.0, 3.0), *stands])
    assert said[-len(stands) :][-2:] == [False] * 2


def test_it_goes_on_while_a_busy_machine_does_nothing_for_a_while() -> None:
    past = at(1000.0, 3.0)
    nothing = [(3.0 + WINDOW_SECONDS * windows, 2975.0) for windows in (1.1, 2.2, 3.3)]
    later = at(1000.0, 2.0, start=3.0 + 0.85 * LASTS_SECONDS, clock=3000.0)
    said = told([*past, *nothing, *later])
    assert all(said[said.index(True) :])


def test_a_minute_without_an_event_is_not_caught_up_with() -> None:
    """The clock leaps by a minute, as the wall's did."""
    before = at(1.0, 2.0)
    silent = [(2.0 + n / 4, 2.0) for n in range(240)]
    assert not any(told([*before, *silent, *at(1.0, 2.0, start=62.0, clock=62.0)]))


def test_what_a_line_held_back_for_a_few_seconds_is_no_past() -> None:
    held = GAIN_SECONDS - 1.0
    after = [(2.0 + held + n / 400, 2.0 + held * min(1.0, n / 20)) for n in range(400)]
    assert not any(told([*at(1.0, 2.0), *after]))
