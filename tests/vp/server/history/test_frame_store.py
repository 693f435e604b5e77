from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vp.server.history import frame_store
from vp.server.history.frame_store import Block, FrameStore

FRAME_BYTES = 16
SECOND = 1_000_000_000


def frames(first: int, count: int) -> np.ndarray:
    """Frames that hold their own sequence number."""
    made = np.zeros((count, FRAME_BYTES), np.uint8)
    made[:, :8] = np.arange(first, first + count, dtype=np.int64).view(np.uint8).reshape(-1, 8)
    return made


def numbers(block: Block | None) -> list[int]:
    """The sequence numbers in a block."""
    assert block is not None
    assert len(block.data) == block.count * FRAME_BYTES
    found = np.frombuffer(block.data, np.int64).reshape(-1, FRAME_BYTES // 8)[:, 0].tolist()
    assert found == list(range(block.first, block.first + block.count))
    return [int(number) for number in found]


def small(tmp_path: Path, **limits: int) -> FrameStore:
    sizes = {"memory_bytes": 4 * FRAME_BYTES, "segment_bytes": 8 * FRAME_BYTES, **limits}
    return FrameStore(FRAME_BYTES, directory=tmp_path, **sizes)


def fill(history: FrameStore, count: int, step_ns: int = SECOND, at_once: int = 1) -> None:
    for _ in range(0, count, at_once):
        first = history.head
        history.append(frames(first, at_once), (first + at_once - 1) * step_ns)
        history.tidy()


def test_an_empty_history_holds_nothing(tmp_path: Path) -> None:
    history = small(tmp_path)
    assert (history.oldest, history.head) == (0, 0)
    assert history.recent(0, 5) is None
    assert history.read(0, 5) is None
    assert history.age_seconds(0) == float("inf")


def test_the_newest_frames_are_read_from_memory(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 3)
    assert numbers(history.recent(1, 5)) == [1]
    assert history.recent(3, 5) is None
    assert 0 <= history.age_seconds(2) < 60


def test_part_of_a_batch_can_be_read(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 4, at_once=4)
    assert numbers(history.recent(1, 2)) == [1, 2]
    assert numbers(history.recent(3, 9)) == [3]


def test_older_frames_come_from_files_without_a_name(tmp_path: Path) -> None:
    history = small(tmp_path)
    fill(history, 40)
    assert history.disk_bytes == 36 * FRAME_BYTES
    assert list(tmp_path.iterdir()) == []
    assert history.oldest == 0
    assert history.recent(0, 1) is None
    read: list[int] = []
    while len(read) < 40:
        read += numbers(history.read(len(read), 5))
    assert read == list(range(40))
    assert history.age_seconds(0) == float("inf")


def test_what_is_older_than_the_retention_is_forgotten_file_by_file(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=20 * SECOND)
    fill(history, 100)
    assert 100 - 20 - 8 <= history.oldest <= 100 - 20
    assert history.read(history.oldest - 1, 1) is None
    assert numbers(history.read(history.oldest, 1)) == [history.oldest]


def test_at_least_the_retention_is_kept(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=20 * SECOND)
    for count in range(1, 200):
        fill(history, 1)
        assert history.oldest <= max(0, count - 21)


def test_a_leap_in_event_time_leaves_no_hole(tmp_path: Path) -> None:
    history = small(tmp_path, retention_ns=20 * SECOND)
    fill(history, 30)
    history.append(frames(30, 1), 10_000 * SECOND)
    history.tidy()
    for _ in range(6):
        history.append(frames(history.head, 1), 10_000 * SECOND + history.head)
        history.tidy()
    read = []
    at = history.oldest
    while at < history.head:
        block = history.read(at, 100)
        read += numbers(block)
        at = read[-1] + 1
    assert read == list(range(history.oldest, history.head))


def test_files_are_bounded_in_size(tmp_path: Path) -> None:
    history = small(tmp_path, disk_bytes=24 * FRAME_BYTES)
    fill(history, 200)
    assert history.disk_bytes <= 24 * FRAME_BYTES
    assert history.oldest > 150


def test_a_full_disk_leaves_what_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    history = small(tmp_path)
    fill(history, 20)
    monkeypatch.setattr(os, "pwrite", _no_space)
    fill(history, 20)
    assert history.oldest == 36
    assert history.disk_bytes == 0
    assert numbers(history.recent(36, 4)) == [36]
    assert numbers(history.read(36, 4)) == [36, 37, 38, 39]
    assert caplog.text.count("memory only") == 1


def _no_space(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, "no space")


def test_no_file_is_begun_on_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_store, "FREE_BYTES", 1 << 62)
    history = small(tmp_path)
    fill(history, 20)
    assert history.disk_bytes == 0
    assert history.oldest == 16


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


class _WatchedFrames(np.ndarray):
    """Frames in whose append, as it takes their size, another thread tries to read."""

    reader: threading.Thread
    waited = False

    @property
    def nbytes(self) -> int:
        self.reader.start()
        self.reader.join(0.3)
        self.waited = self.reader.is_alive()
        return int(super().nbytes)


@pytest.mark.parametrize(
    "read", [lambda store: store.recent(0, 1), lambda store: store.read(0, 1), lambda store: store.oldest]
)
def test_no_reader_sees_half_of_an_append(tmp_path: Path, read: Callable[[FrameStore], object]) -> None:
    store = small(tmp_path)
    fill(store, 1)
    added = frames(1, 1).view(_WatchedFrames)
    added.reader = threading.Thread(target=read, args=(store,))
    store.append(added, SECOND)
    added.reader.join(10)
    assert added.waited
    assert not added.reader.is_alive()


def test_what_is_put_away_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = small(tmp_path, memory_bytes=1 << 20)
    fill(history, 30)
    assert history.disk_bytes == 0
    history.put_away()
    assert history.disk_bytes == 29 * FRAME_BYTES
    assert history.recent(0, 1) is None
    assert [numbers(history.read(at, 1)) for at in (0, 28, 29)] == [[0], [28], [29]]

    full = small(tmp_path, memory_bytes=1 << 20)
    fill(full, 5)
    monkeypatch.setattr(frame_store, "FREE_BYTES", 1 << 62)
    full.put_away()
    assert full.oldest == 0
    assert numbers(full.read(0, 5)) == list(range(5))
