from __future__ import annotations

import errno
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vp.server.history.disk_stretches import PROMISED_NS
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.frame_store import Block, FrameStore

FRAME_BYTES = 16
GROUP = 2
SLOT_BYTES = GROUP * FRAME_BYTES
SECOND = 1_000_000_000
PLENTY = 10_000 * SLOT_BYTES


def frames(first: int, count: int) -> np.ndarray:
    """Frames that hold their own sequence number, and in each of the other fields what tells it and its place."""
    made = np.zeros((count, FRAME_BYTES), np.uint8)
    numbered = np.arange(first, first + count, dtype=np.int64)
    made[:, :8] = numbered.view(np.uint8).reshape(-1, 8)
    made[:, 8:12] = (numbered % 251)[:, None]
    made[:, 12:] = (numbered % 241)[:, None] + np.arange(4)
    return made


def numbers(block: Block | None) -> list[int]:
    """The sequence numbers in a block, all of whose bytes must be right."""
    assert block is not None
    assert len(block.data) == block.count * FRAME_BYTES
    found = np.frombuffer(block.data, np.uint8).reshape(-1, FRAME_BYTES)
    assert np.array_equal(found, frames(block.first, block.count))
    return list(range(block.first, block.first + block.count))


def spool(directory: Path, limit_bytes: int = PLENTY, floor_bytes: int = 0) -> FrameSpool:
    return FrameSpool(directory, limit_bytes, slot_bytes=SLOT_BYTES, floor_bytes=floor_bytes)


def small(where: Path | FrameSpool, **limits: int) -> FrameStore:
    sizes: dict[str, Any] = {"memory_bytes": 4 * FRAME_BYTES, **limits}
    return FrameStore(
        FRAME_BYTES, spool=where if isinstance(where, FrameSpool) else spool(where), cuts=(8, 12), **sizes
    )


def fill(history: FrameStore, count: int, step_ns: int = SECOND, at_once: int = 1) -> None:
    for _ in range(0, count, at_once):
        first = history.head
        history.append(frames(first, at_once), (first + at_once - 1) * step_ns)
        history.tidy()


def test_what_stands_before_each_frame_stands_there_in_memory_and_on_disk(tmp_path: Path) -> None:
    prefix = b"\x82\x0e"
    whole = frames(0, 23)
    whole[:, :2] = np.frombuffer(prefix, np.uint8)
    history = FrameStore(
        FRAME_BYTES, prefix=prefix, spool=spool(tmp_path), cuts=(2, 8, 12), memory_bytes=5 * FRAME_BYTES
    )
    for first in range(0, len(whole), 3):
        history.append(whole[first : first + 3, 2:], first * SECOND)
        history.tidy()
    assert history.disk_bytes > 0
    for _ in range(2):
        assert history.oldest == 0
        for at in range(len(whole)):
            block = history.read(at, 1)
            assert block is not None
            assert bytes(block.data) == whole[at].tobytes()
        history.put_away()  # from now on all of it lies on disk


def held(history: FrameStore, first: int | None = None) -> list[int]:
    """All frames from the oldest on, which must come without a hole."""
    at = history.oldest if first is None else first
    read: list[int] = []
    while at < history.head:
        read += numbers(history.read(at, 100))
        at = read[-1] + 1
    return read


def readable(history: FrameStore) -> int:
    """The oldest frame that can be read still, though it may not be asked for any more."""
    at = history.oldest
    while at and history.read(at - 1, 1) is not None:
        at -= 1
    return at


def test_an_empty_history_holds_nothing(tmp_path: Path) -> None:
    history = small(tmp_path)
    assert (history.oldest, history.head) == (0, 0)
    assert history.recent(0, 5) is None
    assert history.read(0, 5) is None
    assert history.age_seconds(0) == float("inf")


def test_the_newest_frames_are_read_from_memory(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 3)
    assert numbers(history.recent(1, 1)) == [1]
    assert numbers(history.recent(1, 5)) == [1, 2]
    assert history.recent(3, 5) is None
    assert 0 <= history.age_seconds(2) < 60
    assert history.disk_bytes == 0


def test_more_at_once_than_memory_holds(tmp_path: Path) -> None:
    history = small(tmp_path)
    history.append(frames(0, 41), 40 * SECOND)
    assert held(history) == list(range(41))
    assert numbers(history.read(40, 9)) == [40]


def test_older_frames_come_from_one_file_without_a_name(tmp_path: Path) -> None:
    place = spool(tmp_path)
    both = [small(place), small(place)]
    for history in both:
        fill(history, 40)
    assert list(tmp_path.iterdir()) == []
    if sys.platform == "linux":
        opened = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        assert sum(name.startswith(str(tmp_path)) for name in opened) == 1
    for history in both:
        assert history.oldest == 0
        assert history.recent(0, 1) is None
        assert held(history) == list(range(40))
        assert history.age_seconds(0) == float("inf")
    assert place.file_bytes == sum(history.disk_bytes for history in both)


def test_one_field_is_read_without_the_others(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 40)
    for offset, length in ((0, 8), (12, 4), (8, 4), (13, 2), (10, 5), (0, 16)):
        for first in (0, 7, 38):
            rows = history.rows(first, 2, offset, length)
            assert rows is not None
            assert np.array_equal(rows, frames(first, len(rows))[:, offset : offset + length])


def test_what_is_older_than_the_retention_is_forgotten(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=20 * SECOND)
    fill(history, 100)
    assert 100 - 20 - GROUP - 2 <= readable(history) <= 100 - 20
    assert history.oldest > readable(history)
    assert held(history) == list(range(history.oldest, 100))


def test_an_answer_that_begins_at_the_oldest_can_be_taken_while_frames_go(tmp_path: Path) -> None:
    history = small(spool(tmp_path, limit_bytes=64 * SLOT_BYTES))
    fill(history, 500)
    at = history.oldest
    assert at - readable(history) >= (500 - at) // 16
    fill(history, 6)
    assert history.oldest > at
    assert numbers(history.read(at, 1)) == [at]


def test_a_leap_in_event_time_leaves_no_hole(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=20 * SECOND)
    fill(history, 30)
    for _ in range(7):
        history.append(frames(history.head, 1), 10_000 * SECOND + history.head)
        history.tidy()
    assert held(history) == list(range(history.oldest, 37))
    assert history.oldest >= 28


def test_all_sessions_together_hold_no_more_than_the_limit(tmp_path: Path) -> None:
    place = spool(tmp_path, limit_bytes=30 * SLOT_BYTES)
    quick, slow = small(place), small(place)
    for _ in range(100):
        fill(quick, 10)
        fill(slow, 1)
        assert place.file_bytes <= 30 * SLOT_BYTES
    assert held(quick) == list(range(quick.oldest, 1000))
    assert held(slow) == list(range(slow.oldest, 100))
    assert abs(quick.slots_held - slow.slots_held) <= 2  # who makes more does not take from who makes less


def test_what_is_over_goes_first_and_of_that_what_was_asked_for_longest_ago(tmp_path: Path) -> None:
    place = spool(tmp_path, limit_bytes=30 * SLOT_BYTES)
    histories = [small(place) for _ in range(3)]
    for history, since in zip(histories, (5.0, 2.0, None), strict=True):
        fill(history, 20)
        history.over_since = since
    assert [history.slots_held for history in histories] == [9, 9, 9]
    fill(histories[2], GROUP * (3 + 9 + 4))
    assert [history.slots_held for history in histories] == [5, 0, 25]
    assert histories[2].oldest == 0


def test_what_is_over_takes_nothing_from_what_goes_on(tmp_path: Path) -> None:
    place = spool(tmp_path, limit_bytes=10 * SLOT_BYTES)
    going, over = small(place), small(place, memory_bytes=100 * FRAME_BYTES)
    fill(going, 20)
    fill(over, 20)
    over.over_since = 1.0
    over.put_away()
    assert (going.slots_held, over.slots_held) == (9, 1)
    assert held(going) == list(range(20))
    assert held(over, over.head - 1) == [19]


def test_what_is_let_go_leaves_the_disk(tmp_path: Path) -> None:
    place = spool(tmp_path)
    first, second = small(place), small(place)
    for _ in range(10):
        fill(first, 2)
        fill(second, 2)
    full = place.file_bytes
    second.close()
    assert (second.oldest, second.disk_bytes, second.read(0, 1)) == (20, 0, None)
    place.trim()
    assert first.disk_bytes <= place.file_bytes < full
    assert held(first) == list(range(20))
    fill(first, 30)
    assert held(first) == list(range(50))
    first.close()
    place.trim()
    assert place.file_bytes == 0


def test_a_slot_that_was_given_away_while_it_was_read_holds_no_frames_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = spool(tmp_path, limit_bytes=4 * SLOT_BYTES)
    history = small(place)
    fill(history, 10)
    at = readable(history)

    def slow(slot: int, offset: int, size: int) -> bytes:
        fill(history, 20)
        return FrameSpool.read(place, slot, offset, size)

    monkeypatch.setattr(place, "read", slow)
    assert history.read(at, 2) is None


def test_a_session_played_fast_writes_no_more_than_what_is_promised_and_a_little_a_second(tmp_path: Path) -> None:
    """A minute of event time in each frame: 10 of them are promised."""
    history = small(tmp_path, freely_bytes=SLOT_BYTES, growth_bytes_per_second=10 * SLOT_BYTES)
    began = time.monotonic()
    fill(history, 600, step_ns=60 * SECOND)
    allowed = 1 + 10 * (time.monotonic() - began)
    promised = PROMISED_NS // (60 * SECOND)
    assert history.head - history.oldest > promised
    assert history.slots_held <= allowed + (promised + 4 + 4) // GROUP + 2
    assert history.slots_held < 60


def _no_space(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, "no space")


def test_on_a_full_disk_the_oldest_frames_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file takes no more bytes than it has; what it has may be written over."""
    history = small(tmp_path)
    fill(history, 20)
    full = history.disk_bytes
    written = os.pwrite

    def within(handle: int, data: Any, at: int) -> int:
        return _no_space() if at >= full else written(handle, data, at)

    monkeypatch.setattr(os, "pwrite", within)
    fill(history, 100)
    assert history.disk_bytes == full
    assert held(history) == list(range(history.oldest, 120))
    assert history.oldest > 90
    assert caplog.text.count("grows no further") == 1


def test_a_disk_that_takes_nothing_leaves_what_memory_holds_and_history_begins_anew_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = small(tmp_path)
    fill(history, 20)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", _no_space)
        fill(history, 20)
        assert history.disk_bytes == 0
        assert readable(history) == 36
        assert held(history) == [37, 38, 39]
    monkeypatch.setattr("vp.server.history.frame_store.RETRY_SECONDS", 0.0)
    history._tries_from = history._spool._grows_from = 0.0  # as if the time had passed
    fill(history, 20)
    assert history.disk_bytes > 0
    assert readable(history) <= 38
    assert held(history) == list(range(history.oldest, 60))


def test_a_moment_without_a_disk_costs_little_while_memory_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vp.server.history.frame_store.RETRY_SECONDS", 0.0)
    monkeypatch.setattr("vp.server.history.frame_spool.RETRY_SECONDS", 0.0)
    history = small(tmp_path, memory_bytes=16 * FRAME_BYTES)
    fill(history, 40)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", _no_space)
        fill(history, 4)
    fill(history, 20)
    assert readable(history) <= 4 * GROUP  # each attempt gives up the oldest, for its room
    assert held(history) == list(range(history.oldest, 64))


def test_the_file_does_not_grow_on_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    history = small(spool(tmp_path, floor_bytes=1 << 62))
    fill(history, 20)
    assert history.disk_bytes == 0
    assert readable(history) == 16
    place = spool(tmp_path)
    history = small(place)
    fill(history, 20)
    place._floor_bytes = 1 << 62
    fill(history, 60)
    assert history.disk_bytes == place.file_bytes == 9 * SLOT_BYTES
    assert held(history) == list(range(history.oldest, 80))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set as Linux counts it")
def test_without_a_descriptor_history_waits_for_one(tmp_path: Path) -> None:
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    history = small(tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    try:
        fill(history, 20)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    assert history.disk_bytes == 0
    history._tries_from = history._spool._grows_from = 0.0  # as if the time had passed
    fill(history, 20)
    assert history.disk_bytes > 0
    assert held(history) == list(range(history.oldest, 40))


def test_a_reader_beside_the_writer_sees_whole_frames_in_order(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=50 * SECOND)
    done = threading.Event()

    def write() -> None:
        fill(history, 6000, at_once=3)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    at = 0
    while not (done.is_set() and at >= history.head):
        block = history.recent(at, 64) or history.read(at, 64)
        if block is None:
            at = max(at, history.oldest)
            time.sleep(0.0002)  # the writer needs the interpreter too
        else:
            at = numbers(block)[-1] + 1
    writer.join()
    assert at == 6000


class _Overtaken(np.ndarray):
    """A ring whose reader is overtaken by the writer, just as it begins to copy."""

    history: FrameStore

    def __getitem__(self, key: Any) -> Any:
        history, self.history._ring = self.history, self.view(np.ndarray)
        fill(history, 4)
        return super().__getitem__(key)


def test_frames_that_were_written_over_while_they_were_copied_are_not_given_out(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 4)
    assert history._ring is not None
    overtaken = history._ring.view(_Overtaken)
    overtaken.history = history
    history._ring = overtaken
    assert history.recent(1, 2) is None
    assert numbers(history.recent(5, 2)) == [5, 6]


def test_what_is_given_out_stays_as_it_is(tmp_path: Path) -> None:
    """A slow reader's connection may hold it for long."""
    history = small(tmp_path)
    fill(history, 4)
    block = history.recent(0, 4)
    fill(history, 50)
    assert numbers(block) == [0, 1, 2, 3]


def test_what_is_put_away_is_still_read_and_leaves_memory(tmp_path: Path) -> None:
    history = small(tmp_path, memory_bytes=1 << 20)
    fill(history, 31)
    assert history.disk_bytes == 0
    history.put_away()
    assert history.disk_bytes == 16 * SLOT_BYTES
    assert history.recent(30, 1) is None
    assert held(history) == list(range(31))
    history.put_away()
    assert held(history) == list(range(31))

    full = small(FrameSpool(), memory_bytes=1 << 20)
    fill(full, 5)
    full.put_away()
    assert full.oldest == 0
    assert numbers(full.read(0, 5)) == list(range(5))


def test_a_closed_history_takes_no_slot_any_more(tmp_path: Path) -> None:
    place = spool(tmp_path)
    history = small(place, memory_bytes=1 << 20)
    fill(history, 31)
    history.close()
    history.put_away()
    assert history.disk_bytes == 0
    assert history.read(30, 1) is None
