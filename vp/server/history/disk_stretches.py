"""The frames of a session that lie on disk: stretches of them in slots, and when the oldest has outlived its use."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

PROMISED_NS = 600 * 1_000_000_000
FREELY_BYTES = 256 << 20
GROWTH_BYTES_PER_SECOND = 8 << 20
GRACE_SHARE = 16  # of what is held, so much may still be read by who asked for it in time


@dataclass
class Stretch:
    """A stretch of the sequence in a slot; the slot is -1 once it is forgotten."""

    first: int
    count: int
    slot: int
    last_ns: int


class DiskAllowance:
    """How long frames may lie on disk, and how much room they may take.

    Parameters
    ----------
    retention_ns : int
        Frames older than this, in event time, are forgotten.
    freely_bytes, growth_bytes_per_second : int
        So much may lie on disk at once, and as fast may that become more, by the clock on the wall; the frames of
        PROMISED_NS may in any case. A session played a thousand times as fast as it happened would otherwise take
        gigabytes in seconds.
    """

    def __init__(self, retention_ns: int, freely_bytes: int, growth_bytes_per_second: int) -> None:
        self._retention_ns = retention_ns
        self._freely_bytes = freely_bytes
        self._growth = growth_bytes_per_second
        self._began = time.monotonic()

    def is_over(self, stretches: deque[Stretch], disk_bytes: int, newest_ns: int) -> bool:
        """Whether the oldest of some stretches, which take `disk_bytes`, is more than is kept."""
        if stretches[0].last_ns < newest_ns - self._retention_ns:
            return True
        allowed_bytes = self._freely_bytes + self._growth * (time.monotonic() - self._began)
        if disk_bytes <= allowed_bytes:
            return False
        visible = len(stretches) // GRACE_SHARE + 2
        return visible < len(stretches) and stretches[visible].last_ns < newest_ns - PROMISED_NS
