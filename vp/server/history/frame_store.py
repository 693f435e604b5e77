"""The frames of one session, newest in memory, older ones in temporary files, oldest forgotten.

All frame messages of a session have one length, so the history is a flat sequence: frame n of a segment lies at
n times that length. One thread appends, any thread reads. A segment file has no name in the file system, so
nothing stays behind however the process ends.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import time
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RETENTION_NS = 4 * 3600 * 1_000_000_000
MEMORY_BYTES = 16 << 20
SEGMENT_BYTES = 32 << 20
DISK_BYTES = 8 << 30
FREE_BYTES = 1 << 30

log = logging.getLogger("vp.server")


@dataclass(frozen=True)
class Block:
    """Consecutive frames: `count` of them from sequence number `first` on, one after the other in `data`."""

    first: int
    count: int
    data: memoryview


@dataclass(frozen=True)
class _Chunk:
    """What one append brought; never changed after."""

    first: int
    count: int
    data: memoryview
    last_ns: int
    appended_seconds: float


@dataclass
class _Segment:
    """A stretch of the sequence in an unnamed file; the last reference closes it, so no reader loses it."""

    first: int
    fd: int
    count: int = 0
    last_ns: int = 0

    def __del__(self) -> None:
        os.close(self.fd)


class FrameStore:
    """The recent frames of a session.

    Parameters
    ----------
    frame_bytes : int
        Length of one frame.
    retention_ns : int
        Frames at least this recent, in event time, are kept (within `disk_bytes`).
    memory_bytes, segment_bytes, disk_bytes : int
        Bytes held in memory, per file, and in all files together. No file is begun where it would leave less
        than FREE_BYTES free on the disk: then the oldest frames go.
    directory : Path, optional
        Where the unnamed files lie; the system's temporary directory if left out.
    """

    def __init__(
        self,
        frame_bytes: int,
        *,
        retention_ns: int = RETENTION_NS,
        memory_bytes: int = MEMORY_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        disk_bytes: int = DISK_BYTES,
        directory: Path | None = None,
    ) -> None:
        self.frame_bytes = frame_bytes
        self.head = 0
        self._retention_ns = retention_ns
        self._memory_bytes = memory_bytes
        self._segment_bytes = segment_bytes
        self._disk_bytes = disk_bytes
        self._directory = directory or Path(tempfile.gettempdir())
        self._chunks: deque[_Chunk] = deque()
        self._chunk_bytes = 0
        self._segments: deque[_Segment] = deque()
        self._lock = threading.Lock()  # held for pointer moves only, never for input or output
        self._spools = True

    @property
    def oldest(self) -> int:
        """Sequence number of the oldest frame held; `head` when there is none."""
        with self._lock:
            if self._segments:
                return self._segments[0].first
            return self._chunks[0].first if self._chunks else self.head

    @property
    def disk_bytes(self) -> int:
        """Bytes held in files."""
        with self._lock:
            return sum(segment.count for segment in self._segments) * self.frame_bytes

    def append(self, frames: np.ndarray, last_ns: int) -> None:
        """Add frames, uint8[n, frame_bytes]; the array is the history's from here on. One thread only.

        `last_ns` is the engine clock of the last of them.
        """
        count = len(frames)
        chunk = _Chunk(self.head, count, frames.reshape(-1).data, last_ns, time.monotonic())
        with self._lock:
            self._chunks.append(chunk)
            self._chunk_bytes += frames.nbytes
            self.head += count

    def tidy(self) -> None:
        """Move what memory has no room for to disk and drop what is too old. The appending thread, after
        it has told the viewers, since this writes files.
        """
        while self._chunk_bytes > self._memory_bytes and len(self._chunks) > 1:
            chunk = self._chunks[0]
            spooled = chunk.last_ns >= self._forget_before_ns() and self._spool(chunk)
            with self._lock:
                if not spooled:
                    self._segments.clear()  # what is held must stay without a hole
                self._chunks.popleft()
                self._chunk_bytes -= chunk.data.nbytes
        with self._lock:
            while self._segments and (
                self._segments[0].last_ns < self._forget_before_ns()
                or sum(s.count for s in self._segments) * self.frame_bytes > self._disk_bytes
            ):
                self._segments.popleft()

    def put_away(self) -> None:
        """Move to disk what memory holds, as far as it can be; the appending thread, when no more will come."""
        while len(self._chunks) > 1 and self._spool(self._chunks[0]):
            with self._lock:
                self._chunk_bytes -= self._chunks.popleft().data.nbytes

    def recent(self, first: int, most: int) -> Block | None:
        """Up to `most` frames from `first` on if memory holds them, else None. Reads no file."""
        with self._lock:
            chunk = self._chunk_of(first)
        if chunk is None:
            return None
        skip = first - chunk.first
        count = min(most, chunk.count - skip)
        start = skip * self.frame_bytes
        return Block(first, count, chunk.data[start : start + count * self.frame_bytes])

    def read(self, first: int, most: int) -> Block | None:
        """Up to `most` frames from `first` on, from a file if need be; None if they are not held any more."""
        with self._lock:
            segment = next((s for s in self._segments if s.first <= first < s.first + s.count), None)
            held = segment.count if segment is not None else 0
        if segment is None:
            return self._join(first, most)
        skip = first - segment.first
        count = min(most, held - skip)
        data = os.pread(segment.fd, count * self.frame_bytes, skip * self.frame_bytes)
        whole = len(data) // self.frame_bytes
        return Block(first, whole, memoryview(data)[: whole * self.frame_bytes]) if whole else None

    def age_seconds(self, sequence: int) -> float:
        """How long ago a frame was appended; infinite when memory does not hold it."""
        with self._lock:
            chunk = self._chunk_of(sequence)
        return time.monotonic() - chunk.appended_seconds if chunk is not None else float("inf")

    def _join(self, first: int, most: int) -> Block | None:
        """As `recent`, over as many chunks as it takes: a paced session appends a frame or two at once."""
        parts = []
        at = first
        while at < first + most:
            block = self.recent(at, first + most - at)
            if block is None:
                break
            parts.append(block.data)
            at += block.count
        if not parts:
            return None
        return Block(first, at - first, parts[0] if len(parts) == 1 else memoryview(b"".join(parts)))

    def _chunk_of(self, sequence: int) -> _Chunk | None:
        if not self._chunks or not self._chunks[0].first <= sequence < self.head:
            return None
        if sequence >= self._chunks[-1].first:  # viewers are nearly always at the newest
            return self._chunks[-1]
        return self._chunks[bisect_right(self._chunks, sequence, key=lambda chunk: chunk.first) - 1]

    def _forget_before_ns(self) -> int:
        return self._chunks[-1].last_ns - self._retention_ns if self._chunks else 0

    def _spool(self, chunk: _Chunk) -> bool:
        """Write a chunk to the newest segment; False when it could not be."""
        if not self._spools:
            return False
        try:
            segment = self._segments[-1] if self._segments else None
            if segment is None or segment.count * self.frame_bytes >= self._segment_bytes:
                segment = self._new_segment(chunk.first)
            at = segment.count * self.frame_bytes
            view = chunk.data
            while view:
                written = os.pwrite(segment.fd, view, at)
                at += written
                view = view[written:]
        except OSError as error:
            self._spools = False
            log.warning("History is kept in memory only: %s", error)
            return False
        with self._lock:
            segment.count += chunk.count
            segment.last_ns = chunk.last_ns
        return True

    def _new_segment(self, first: int) -> _Segment:
        handle, name = tempfile.mkstemp(prefix="vp-history-", dir=self._directory)
        Path(name).unlink()
        segment = _Segment(first, handle)
        disk = os.fstatvfs(handle)
        free = disk.f_bavail * disk.f_frsize
        with self._lock:
            if free < FREE_BYTES + self._segment_bytes:
                if not self._segments:
                    raise OSError(errno.ENOSPC, f"{free >> 20} MiB free", str(self._directory))
                self._segments.popleft()
            self._segments.append(segment)
        return segment
