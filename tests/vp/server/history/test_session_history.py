from __future__ import annotations

from tests.vp.server.tiny import LAYOUT, START_NS, even_clocks, messages
from vp.server.history.frame_store import FrameStore
from vp.server.history.session_history import JOIN_NS, SessionHistory
from vp.server.stream.packing import pack


def test_a_frame_is_found_by_event_and_by_time_in_files_and_memory(history: SessionHistory) -> None:
    for wanted in (0, 1, 49, 50, 313, history.frames.head - 1):
        assert history.after_event(wanted - 1) == wanted
        assert history.from_time(START_NS + wanted * 25_000_000) == wanted
        assert history.from_time(START_NS + wanted * 25_000_000 + 1) == wanted + 1
    assert history.after_event(history.frames.head) == history.frames.head
    assert history.to_join() == 0


def test_a_viewer_joins_ten_minutes_back() -> None:
    frames = FrameStore(len(pack(messages(even_clocks(1), 0, 1))[0]))
    clocks = even_clocks(700, step_ms=2000)
    frames.append(pack(messages(clocks, 0, 700)), int(clocks[-1]))
    history = SessionHistory(frames, LAYOUT)
    assert clocks[history.to_join()] == clocks[-1] - JOIN_NS
