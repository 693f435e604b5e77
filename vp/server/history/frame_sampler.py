"""Samples of the frames that a session shows, taken out of their messages."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from vp.model.frames import FrameLayout, column_values
from vp.study.running_samples import COLUMNS, RunningSamples

NS = 1_000_000_000
MOST_WAITING = 256
SECONDS_APART = 0.1


class FrameSampler:
    """Hands frames on to be sampled, those of a second together: one by one, that would cost more than making them.

    Where seconds of the market pass faster than SECONDS_APART of ours, as while a feed is caught up with, those of
    several together.

    Parameters
    ----------
    layout : FrameLayout
    samples : RunningSamples
    """

    def __init__(self, layout: FrameLayout, samples: RunningSamples) -> None:
        self.samples = samples
        places = {column.name: column for column in layout.columns if column.name in COLUMNS}
        self._start = min(place.offset for place in places.values())
        self._stop = max(place.offset + place.length_bytes for place in places.values())
        self._places = {name: replace(place, offset=place.offset - self._start) for name, place in places.items()}
        self._waiting: list[np.ndarray] = []
        self._second = 0
        self._sampled_at = -SECONDS_APART

    def take(self, messages: np.ndarray, last_ns: int) -> None:
        """Take the next frame messages, uint8[n, message_bytes], the last with the clock `last_ns`. One thread only."""
        self._waiting.append(messages[:, self._start : self._stop].copy())
        second, now = last_ns // NS, time.monotonic()
        goes_on = second == self._second or now - self._sampled_at < SECONDS_APART
        if goes_on and len(self._waiting) < MOST_WAITING:
            return
        self._second, self._sampled_at = second, now
        self.hand_on()

    def hand_on(self) -> None:
        """Have sampled what waits. The thread that takes frames, when no more come for now."""
        if not self._waiting:
            return
        frames = np.concatenate(self._waiting)
        self._waiting.clear()
        self.samples.take({name: column_values(frames, place) for name, place in self._places.items()})
