from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vp.server.tiny import LAYOUT, START_NS, even_clocks, messages
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.frame_store import MEMORY_BYTES
from vp.server.history.session_history import JOIN_NS, FramesGoneError, SessionHistory
from vp.server.stream.messages import Hole


def test_a_frame_is_found_by_event_and_by_time_in_files_and_memory(history: SessionHistory) -> None:
    for wanted in (0, 1, 49, 50, 313, history.frames.head - 1):
        assert history.after_event(wanted - 1) == wanted
        assert history.from_time(START_NS + wanted * 25_000_000) == wanted
        assert history.from_time(START_NS + wanted * 25_000_000 + 1) == wanted + 1
    assert history.after_event(history.frames.head) == history.frames.head
    assert history.to_join() == 0


def test_a_viewer_joins_ten_minutes_back() -> None:
    history, clocks = long_one(None)
    assert clocks[history.to_join()] == clocks[-1] - JOIN_NS
    assert history.hole_before_joining(history.to_join()) is None


def long_one(spool: FrameSpool | None, memory_bytes: int = MEMORY_BYTES) -> tuple[SessionHistory, np.ndarray]:
    """A history of 700 frames, two seconds apart: 23 minutes."""
    history = SessionHistory.begin(LAYOUT, spool, memory_bytes)
    clocks = even_clocks(700, step_ms=2000)
    for first in range(0, 700, 10):
        history.frames.append(messages(clocks, first, first + 10), int(clocks[first + 9]))
        history.frames.tidy()
    return history, clocks


def test_who_joins_is_told_where_less_than_ten_minutes_are_held() -> None:
    history, clocks = long_one(None, memory_bytes=1 << 20)  # 87 frames: not three minutes
    first = history.to_join()
    assert first == history.frames.oldest
    assert clocks[first] > clocks[-1] - JOIN_NS
    assert history.hole_before_joining(first) == Hole(None, first)


def test_a_session_that_is_younger_than_ten_minutes_lacks_nothing() -> None:
    history = SessionHistory.begin(LAYOUT)
    clocks = even_clocks(50)
    history.frames.append(messages(clocks, 0, 50), int(clocks[-1]))
    assert history.to_join() == 0
    assert history.hole_before_joining(0) is None


def test_what_lay_behind_an_event_and_is_held_no_longer_is_a_hole() -> None:
    history, _ = long_one(None, memory_bytes=1 << 20)
    oldest = history.frames.oldest
    assert 600 < oldest < 700
    assert history.hole_behind(oldest - 2, history.after_event(oldest - 2)) == Hole(oldest - 2, oldest)
    assert history.hole_behind(-1, history.after_event(-1)) == Hole(-1, oldest)
    assert history.hole_behind(oldest - 1, history.after_event(oldest - 1)) is None  # it has the one before
    assert history.hole_behind(oldest + 5, history.after_event(oldest + 5)) is None


def test_what_lay_behind_a_time_and_is_held_no_longer_is_a_hole() -> None:
    history, clocks = long_one(None, memory_bytes=1 << 20)
    oldest = history.frames.oldest
    for ts_ns, hole in ((clocks[0], True), (clocks[oldest - 1], True), (clocks[oldest - 1] + 1, False)):
        found = history.hole_before(int(ts_ns), history.from_time(int(ts_ns)))
        assert found == (Hole(None, oldest) if hole else None)


def test_frames_that_go_while_they_are_read_are_no_shorter_answer(tmp_path: Path) -> None:
    history, _ = long_one(FrameSpool(tmp_path, floor_bytes=0), memory_bytes=1 << 20)
    messages = history.messages(0, 700)
    column = history.column(LAYOUT.columns[0], 0, 700)
    assert len(next(messages)) > 0
    history.frames.close()
    for left in (messages, column):
        with pytest.raises(FramesGoneError):
            list(left)
