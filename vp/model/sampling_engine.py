"""The engine for studies: a frame for each moment of a clock grid, and all that the mid did in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from vp.dbn.events import Events
from vp.kernels import sampling as sampling_kernels
from vp.kernels.contract import (
    CHANGE_WORDS,
    E_EMITTING,
    E_QUOTE_BID,
    FULL,
    GROW_TRADES,
    N_CHANGES,
    N_CLOCK,
    N_EVENT_ENDS,
    N_SAMPLE_NS,
    N_SAMPLES,
    NO_BID,
    NO_TIME,
    NOTE_WORDS,
    REACHED,
    SAMPLE_WORDS,
)
from vp.model.arguments import instance_of, whole_number
from vp.model.book import NO_LIMIT
from vp.model.engine import EventDrivenVPEngine, FrameBatch
from vp.model.model_state import with_more_room

NEVER_NS = 1 << 62  # as a throttle: no frame is due after the first
NS_PER_SECOND = 1_000_000_000
FIRST_CHANGES = 1 << 12


class SamplingEngine(EventDrivenVPEngine):
    """An engine whose frames, once it emits, are those of a clock grid, whatever throttle it is given.

    The frame of a moment is that of the last event end up to it. It comes once, whatever number of moments it is of,
    and a moment within an event has none.

    Parameters
    ----------
    period_ns : int
        Of the grid: its moments are the multiples of it, ns UTC.
    others
        As EventDrivenVPEngine.
    """

    def __init__(self, *arguments: Any, period_ns: int = NS_PER_SECOND, **named: Any) -> None:
        self._period_ns = whole_number("period_ns", period_ns, 1, of="nanoseconds")
        self._changes: list[np.ndarray] = []
        self._samples: list[np.ndarray] = []
        super().__init__(*arguments, **named)
        self._beside = np.zeros((len(self._buffer), SAMPLE_WORDS), np.int64)

    def start_emitting(self, throttle_ns: int | None = None) -> None:  # noqa: ARG002 - the grid says when
        """From here on there are samples, and what goes with them; they go on where it is called once more."""
        if self._model.scalars[E_EMITTING]:
            return
        super().start_emitting(NEVER_NS)
        self._model.scalars[E_QUOTE_BID] = NO_BID  # of what stood before, one level of the ladder is known
        notes = np.zeros(NOTE_WORDS + FIRST_CHANGES * CHANGE_WORDS, np.int64)
        notes[N_CLOCK] = NO_TIME
        notes[N_SAMPLE_NS] = self._period_ns
        self._model = self._model._replace(notes=notes)

    def take_samples(self) -> np.ndarray:
        """What goes with each frame since the last call: int64[n, SAMPLE_WORDS], event ends and flow of ten levels."""
        taken = np.concatenate([np.zeros((0, SAMPLE_WORDS), np.int64), *self._samples])
        self._samples.clear()
        return taken

    def take_changes(self) -> np.ndarray:
        """What the mid did since the last call: int64[n, CHANGE_WORDS], a row each event end at which it changed.

        Clock (ns UTC), event ends so far, best bid and ask together (1e-9 units), CHANGE_ flags, and the spread.
        """
        taken = np.concatenate([np.zeros((0, CHANGE_WORDS), np.int64), *self._changes])
        self._changes.clear()
        return taken

    def noted(self) -> tuple[int, int]:
        """How many event ends there were since it emits, and the clock of the last, ns UTC (0: there was none)."""
        ends = int(self._model.notes[N_EVENT_ENDS])
        return ends, int(self._model.notes[N_CLOCK]) if ends else 0

    def advance(
        self, events: Events, first: int = 0, until_ns: int = NO_LIMIT, max_frames: int | None = None
    ) -> tuple[int, FrameBatch]:
        """As that of EventDrivenVPEngine, with the frames of the grid; of `max_frames` no notice is taken."""
        if not self._model.scalars[E_EMITTING]:
            return super().advance(events, first, until_ns, max_frames)
        instance_of("events", events, Events, "vp.dbn.events.Events")
        self._make_room_for_changes(len(events) - first)
        self._model.notes[N_SAMPLES] = 0
        while True:
            first, why = sampling_kernels.advance_to_samples(
                events.columns, first, until_ns, self.book.state, self._model, self._frames, self._beside
            )
            if why == GROW_TRADES:
                self._model = with_more_room(self._model)
            elif why in {REACHED, FULL} or not self.book.make_room(why):
                break
        count = int(self._model.notes[N_SAMPLES])
        self._samples.append(self._beside[:count].copy())
        self._keep_changes()
        return int(first), FrameBatch(self.layout, self._buffer[:count])

    def _make_room_for_changes(self, most: int) -> None:
        """Each event end may be a change; the rows are empty between two calls."""
        size = NOTE_WORDS + most * CHANGE_WORDS
        if size > self._model.notes.size:
            notes = np.zeros(size, np.int64)
            notes[:NOTE_WORDS] = self._model.notes[:NOTE_WORDS]
            self._model = self._model._replace(notes=notes)

    def _keep_changes(self) -> None:
        notes = self._model.notes
        rows = int(notes[N_CHANGES])
        changes = notes[NOTE_WORDS : NOTE_WORDS + rows * CHANGE_WORDS].reshape(rows, CHANGE_WORDS)
        self._changes.append(changes.copy())
        notes[N_CHANGES] = 0
