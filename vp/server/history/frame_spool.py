"""The older frames of all sessions of a server, in one unnamed file: one sum, one descriptor.

The file is cut into slots of one size, and each holds consecutive frames of one session. Where no slot is free and the
file may not grow, a session forgets its oldest ones: first one that is over, the one asked for longest ago, then the
one that holds most. The file has no name, so that nothing stays behind however the process ends.
"""

from __future__ import annotations

import heapq
import logging
import os
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO, Protocol

LIMIT_BYTES = 4_000_000_000
SLOT_BYTES = 1 << 20
FLOOR_BYTES = 1 << 30
RETRY_SECONDS = 5.0

log = logging.getLogger("vp.server")


class Holder(Protocol):
    """Who has frames in a spool (vp.server.history.frame_store.FrameStore); the spool's lock is held at each call."""

    over_since: float | None

    @property
    def slots_held(self) -> int: ...
    def forget_oldest(self) -> int: ...


class FrameSpool:
    """Slots on disk, or none at all.

    Parameters
    ----------
    directory : Path, optional
        Where the file lies; left out, there is no slot.
    limit_bytes : int
        Most bytes of all slots together.
    slot_bytes : int
    floor_bytes : int
        The file does not grow where less than this would stay free on the disk.

    Attributes
    ----------
    lock : threading.Lock
        Held for moves of pointers only, never for input or output; guards what holders know of their slots too.
    """

    def __init__(
        self,
        directory: Path | None = None,
        limit_bytes: int = LIMIT_BYTES,
        *,
        slot_bytes: int = SLOT_BYTES,
        floor_bytes: int = FLOOR_BYTES,
    ) -> None:
        self.slot_bytes = slot_bytes
        self.lock = threading.Lock()
        self._directory = directory
        self._most_slots = limit_bytes // slot_bytes if directory is not None else 0
        self._floor_bytes = floor_bytes
        self._resizing = threading.Lock()
        self._file: IO[bytes] | None = None
        self._slots = 0
        self._free: list[int] = []  # a heap: the lowest are used first, so that the file can be cut short again
        self._holders: list[Holder] = []
        self._grows_from = 0.0
        self._told = False

    @property
    def limit_bytes(self) -> int:
        """Most bytes that the file may have."""
        return self._most_slots * self.slot_bytes

    @property
    def file_bytes(self) -> int:
        """Bytes that the file has, slots that are free now included."""
        with self.lock:
            return self._slots * self.slot_bytes

    def open(self) -> None:
        """Have the file now, so that it is there when no descriptor is to be had any more; raises OSError."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - open as long as the server runs
                prefix=".vp-history-", dir=self._directory, buffering=0
            )
            weakref.finalize(self, self._file.close)

    def keep(self, holder: Holder, data: memoryview) -> int | None:
        """Write into a slot and say into which; None where none is to be had or nothing can be written."""
        for _attempt in range(2):  # what could not be written to new room may find room where the oldest was
            slot, grown = self._take(holder)
            if slot is None:
                return None
            try:
                self._write(slot, data)
            except OSError as error:
                self._tell(error)
                self._grows_from = time.monotonic() + RETRY_SECONDS
                self._return(slot, grown=grown)
            else:
                if self._told and grown:
                    self._told = False
                    log.warning("History is on disk again.")
                return slot
        return None

    def read(self, slot: int, offset: int, size: int) -> bytes:
        """Bytes of a slot, fewer where the file ends; whose they are is to be asked afterwards, not before."""
        assert self._file is not None
        return os.pread(self._file.fileno(), size, slot * self.slot_bytes + offset)

    def add(self, holder: Holder) -> None:
        """Know who has slots; the lock is held."""
        if holder not in self._holders:
            self._holders.append(holder)

    def release(self, holder: Holder) -> None:
        """Take back all slots of who needs none any more."""
        with self.lock:
            while holder.slots_held:
                heapq.heappush(self._free, holder.forget_oldest())
            if holder in self._holders:
                self._holders.remove(holder)

    def free(self, slot: int) -> None:
        """Take back one slot; the lock is held."""
        heapq.heappush(self._free, slot)

    def trim(self) -> None:
        """Cut the file behind the last slot in use. It writes: call it in a thread, never in the event loop."""
        with self._resizing:
            with self.lock:
                used = self._slots
                free = set(self._free)
                while used and used - 1 in free:
                    used -= 1
                if used == self._slots or self._file is None:
                    return
                self._slots = used
                self._free = sorted(slot for slot in free if slot < used)
            try:
                os.ftruncate(self._file.fileno(), used * self.slot_bytes)
            except OSError as error:
                self._tell(error)

    def _take(self, holder: Holder) -> tuple[int | None, bool]:
        """A slot to write to, and whether the file grows by it."""
        with self.lock:
            if self._free:
                return heapq.heappop(self._free), False
        if self._may_grow():
            with self._resizing, self.lock:
                if self._slots < self._most_slots:
                    self._slots += 1
                    return self._slots - 1, True
        with self.lock:
            if self._free:
                return heapq.heappop(self._free), False
            victim = self._victim(holder)
            return (None, False) if victim is None else (victim.forget_oldest(), False)

    def _victim(self, holder: Holder) -> Holder | None:
        """Who forgets its oldest frames for those of `holder`."""
        having = [one for one in self._holders if one.slots_held]
        over = [one for one in having if one.over_since is not None and one is not holder]
        if over:
            return min(over, key=lambda one: one.over_since or 0.0)
        if holder.over_since is not None:  # what is over takes nothing from what goes on
            return holder if holder.slots_held else None
        return max(having, key=lambda one: one.slots_held, default=None)

    def _may_grow(self) -> bool:
        if self._slots >= self._most_slots or time.monotonic() < self._grows_from:
            return False
        try:
            self.open()
            assert self._file is not None
            disk = os.fstatvfs(self._file.fileno())
        except OSError as error:
            self._tell(error)
            self._grows_from = time.monotonic() + RETRY_SECONDS
            return False
        free = disk.f_bavail * disk.f_frsize
        if free >= self._floor_bytes + self.slot_bytes:
            return True
        self._tell(f"only {free >> 20} MiB are free there")
        self._grows_from = time.monotonic() + RETRY_SECONDS
        return False

    def _write(self, slot: int, data: memoryview) -> None:
        assert self._file is not None
        at = slot * self.slot_bytes
        while data:
            written = os.pwrite(self._file.fileno(), data, at)
            at += written
            data = data[written:]

    def _return(self, slot: int, *, grown: bool) -> None:
        """Take back a slot that could not be written."""
        with self._resizing, self.lock:
            if grown and slot == self._slots - 1:
                self._slots -= 1
            else:
                heapq.heappush(self._free, slot)

    def _tell(self, why: object) -> None:
        if not self._told:
            self._told = True
            log.warning("History on disk grows no further, and the oldest frames are forgotten sooner: %s", why)
