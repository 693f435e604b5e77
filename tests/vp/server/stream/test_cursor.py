from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vp.server.stream.cursor import LIVE_FRAMES, LIVE_SECONDS, Cursor

LATE = LIVE_SECONDS * 2


def test_a_viewer_of_a_young_session_is_live_at_once() -> None:
    cursor = Cursor(0, 0)
    assert cursor.live
    assert cursor.due(0, 0, LATE) == 0
    assert cursor.due(0, 3, 0.0) == 3
    cursor.advance(3)
    assert (cursor.next, cursor.sent, cursor.missed) == (3, 3, 0)


def test_a_viewer_gets_the_history_first() -> None:
    cursor = Cursor(100, 1000)
    assert not cursor.live
    assert cursor.due(100, 1000, LATE) == 900
    cursor.advance(900)
    assert cursor.due(100, 1001, 0.0) == 1
    assert (cursor.live, cursor.missed) == (True, 0)


def test_a_live_viewer_far_behind_jumps_to_the_newest_frame() -> None:
    cursor = Cursor(0, 0)
    assert cursor.due(0, 50, LATE) == 1
    assert (cursor.next, cursor.missed) == (49, 49)
    cursor.advance(1)
    assert cursor.due(0, 50, LATE) == 0


def test_a_live_viewer_a_little_behind_does_not_jump() -> None:
    cursor = Cursor(0, 0)
    assert cursor.due(0, LIVE_FRAMES, LATE) == LIVE_FRAMES
    assert cursor.missed == 0


def test_many_frames_made_at_once_are_no_reason_to_jump() -> None:
    cursor = Cursor(0, 0)
    assert cursor.due(0, 500, LIVE_SECONDS / 2) == 500
    assert cursor.missed == 0


def test_catching_up_goes_on_while_each_lap_halves_the_distance() -> None:
    cursor = Cursor(0, 1000)
    cursor.advance(1000)
    assert cursor.due(0, 1400, LATE) == 400
    cursor.advance(400)
    assert cursor.due(0, 1550, LATE) == 150
    assert cursor.missed == 0


def test_a_reader_too_slow_to_ever_catch_up_jumps() -> None:
    cursor = Cursor(0, 1000)
    cursor.advance(999)
    assert cursor.due(0, 1900, LATE) == 901  # the lap is not over yet
    cursor.advance(1)
    assert cursor.due(0, 1900, LATE) == 1
    assert cursor.missed == 899
    assert cursor.live


def test_a_short_way_made_at_great_speed_ends_live_and_not_in_a_jump() -> None:
    cursor = Cursor(0, 40)
    cursor.advance(40)
    assert cursor.due(0, 90, LIVE_SECONDS / 2) == 50
    assert cursor.live
    assert cursor.missed == 0


def test_frames_forgotten_meanwhile_are_missed() -> None:
    cursor = Cursor(0, 1000)
    cursor.advance(10)
    assert cursor.due(500, 1000, LATE) == 1
    assert (cursor.next, cursor.missed) == (999, 989)


def test_the_newest_frame_alone_can_be_asked_for() -> None:
    cursor = Cursor(0, 1000)
    assert cursor.newest(1000) == 1
    assert (cursor.next, cursor.missed, cursor.live) == (999, 999, True)
    cursor.advance(1)
    assert cursor.newest(1000) == 0
    assert cursor.newest(1001) == 1
    assert cursor.missed == 999


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60), st.floats(0, 1), st.integers(0, 20)), max_size=60),
)
def test_every_frame_is_sent_or_counted_as_missed_and_the_newest_is_never_missed(
    held: int, steps: list[tuple[int, int, float, int]]
) -> None:
    head = held
    oldest = 0
    cursor = Cursor(0, head)
    for made, taken, waited, forgotten in steps:
        head += made
        oldest = min(oldest + forgotten, head)
        before = cursor.next
        due = cursor.due(oldest, head, waited)
        assert before <= cursor.next <= head
        assert cursor.next < head or cursor.next == before  # a jump never passes the newest
        assert due == head - cursor.next
        cursor.advance(min(taken, due))
        assert cursor.sent + cursor.missed == cursor.next
