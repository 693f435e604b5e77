"""A recording, and what of it a study looks at: as `sample_session`, from frames instead of records.

A recording holds the frames that its throttle let through, and no book. So the mid is known at its frames; order flow
of the best level and volume are exact there, as frames hold them summed up; order flow of more levels there is none.
Event ends can be counted where every one of them is a frame, which two frames of one moment prove.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from vp.errors import EmptySessionError, NoRecordingError
from vp.kernels.contract import (
    CHANGE_AFTER_PAUSE,
    CHANGE_CLOCK,
    CHANGE_EVENT_ENDS,
    CHANGE_FLAGS,
    CHANGE_SPREAD,
    CHANGE_TWICE_MID,
    CHANGE_VALID,
    CHANGE_WORDS,
    OPENING_PAUSE_NS,
)
from vp.model.progress import ignore_share
from vp.model.recording_file import Recording
from vp.study.sampled_session import SampledSession

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
MOST_DAYS = 31
NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_timestamp)
NEVER_NS = -(1 << 62)
SUMMED = ("ofi", "buy_volume", "sell_volume", "other_volume")  # of a frame: since the frame before
NEEDED = (
    "ts_ns",
    "bid_price",
    "ask_price",
    "bid_size",
    "ask_size",
    *SUMMED,
    "state",
    "score",
    "strength",
    "book_valid",
)
EXPECTED = "Expected a recording as `python -m vp.record` of this version writes it."


@dataclass(frozen=True)
class ReadRecording:
    """A recording as a sampled session, and how far its frames lie apart at least: 0 where each event end has one."""

    session: SampledSession
    gap_ns: int


def sample_recording(
    recording: Recording, columns: tuple[str, ...] = (), on_share: Callable[[float], None] = ignore_share
) -> ReadRecording:
    """Read the frames of a recording once, in pieces, and keep the last one up to every second of its clock.

    `columns` are scalar columns to keep besides those that every study needs.

    Raises
    ------
    NoRecordingError
        It cannot be read on, its frames go back in time, or it lacks a column.
    EmptySessionError
        It holds no frame.
    """
    name = recording.path.name
    names = tuple(dict.fromkeys((*NEEDED, *columns)))
    missing = [column for column in names if column not in recording.schema.names]
    if missing:
        made_by = f"it was made by version {recording.facts['version']}"
        raise NoRecordingError(f"{name} has no column {missing[0]}: {made_by}.", hint="Record the session anew.")
    for column in names:
        kind = recording.schema.field(column).type
        if not any(is_kind(kind) for is_kind in NUMBERS):
            raise NoRecordingError(f"The column {column} of {name} is of type {kind}, expected numbers.", hint=EXPECTED)
    reading = _Reading(names)
    try:
        frames = recording.frames()
        count, done = max(1, frames.count_rows()), 0
        for batch in frames.to_batches(columns=list(names)):
            if len(batch) and not reading.take(batch):
                raise NoRecordingError(f"The frames of {name} go back in time.", hint=EXPECTED)
            done += len(batch)
            on_share(done / count)
    except (OSError, pa.ArrowException) as error:
        what = " ".join(str(error).split())
        raise NoRecordingError(f"{name} cannot be read to its end: {what}", hint=EXPECTED) from None
    if not reading.frames:
        raise EmptySessionError(f"{name} holds no frame.", hint="Record a session in which something happens.")
    if reading.days > MOST_DAYS:
        raise NoRecordingError(
            f"The frames of {name} span {reading.days:,.0f} days, expected at most {MOST_DAYS}, as each "
            "second is a sample.",
            hint=EXPECTED,
        )
    return ReadRecording(reading.session(recording), reading.gap_ns)


class _Reading:
    """What has been seen of the frames so far; the last one waits for the one after it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._last: dict[str, np.ndarray] = {}
        self._sums = dict.fromkeys(SUMMED, 0)
        self._kept: list[dict[str, np.ndarray]] = []
        self._changes: list[np.ndarray] = []
        self._from_ns = 0
        self._valid_before, self._mid_before, self._clock_before = False, 0, NEVER_NS
        self.frames = 0
        self.gap_ns = 1 << 62

    @property
    def days(self) -> float:
        """From the first frame to the last."""
        return (self._clock_before - self._from_ns) / DAY_NS

    def take(self, batch: pa.RecordBatch) -> bool:
        """Take some frames; false where they go back in time."""
        values = {name: _numbers(batch.column(name)) for name in self._names}
        clock = values["ts_ns"]
        if not self.frames:
            self._from_ns = int(clock[0])
        else:
            self.gap_ns = min(self.gap_ns, int(clock[0]) - self._clock_before)
        if len(clock) > 1:
            self.gap_ns = min(self.gap_ns, int(np.diff(clock).min()))
        if self.gap_ns < 0:
            return False
        for name in SUMMED:
            values[name] = np.cumsum(values[name], dtype=np.int64) + self._sums[name]
            self._sums[name] = int(values[name][-1])
        values["ends"] = self.frames + 1 + np.arange(len(clock))
        self._note_changes(values)
        self.frames += len(clock)
        joined = (
            {name: np.concatenate([self._last[name], found]) for name, found in values.items()}
            if self._last
            else values
        )
        moment = -(-joined["ts_ns"] // SECOND_NS)
        self._keep(joined, np.flatnonzero(moment[1:] != moment[:-1]))
        self._last = {name: found[-1:] for name, found in joined.items()}
        return True

    def _keep(self, values: dict[str, np.ndarray], at: np.ndarray) -> None:
        self._kept.append({name: found[at] for name, found in values.items()})

    def _note_changes(self, values: dict[str, np.ndarray]) -> None:
        """A row for each frame at which the mid is another than at the one before, or comes after a pause."""
        clock, valid = values["ts_ns"], values["book_valid"] != 0
        twice_mid = np.where(valid, values["bid_price"] + values["ask_price"], 0)
        was_valid = np.concatenate([[self._valid_before], valid[:-1]])
        was_mid = np.concatenate([[self._mid_before], twice_mid[:-1]])
        clock_before = np.concatenate([[self._clock_before if self.frames else clock[0]], clock[:-1]])
        paused = clock - clock_before > OPENING_PAUSE_NS
        at = np.flatnonzero((valid != was_valid) | (twice_mid != was_mid) | paused)
        rows = np.zeros((len(at), CHANGE_WORDS), np.int64)
        rows[:, CHANGE_CLOCK] = clock[at]
        rows[:, CHANGE_EVENT_ENDS] = values["ends"][at]
        rows[:, CHANGE_TWICE_MID] = twice_mid[at]
        rows[:, CHANGE_SPREAD] = np.where(valid, values["ask_price"] - values["bid_price"], 0)[at]
        rows[:, CHANGE_FLAGS] = valid[at] * CHANGE_VALID + paused[at] * CHANGE_AFTER_PAUSE
        self._changes.append(rows)
        self._valid_before, self._mid_before, self._clock_before = bool(valid[-1]), int(twice_mid[-1]), int(clock[-1])

    def session(self, recording: Recording) -> SampledSession:
        """What was read, whole."""
        self._keep(self._last, np.array([0]))
        values = {name: np.concatenate([part[name] for part in self._kept]) for name in self._last}
        ends, changes = values.pop("ends"), np.concatenate(self._changes)
        counted = self.gap_ns == 0
        if not counted:
            ends, changes[:, CHANGE_EVENT_ENDS] = np.zeros_like(ends), 0
        flow = values["ofi"][:, None]
        for name in SUMMED:
            values[name] = np.diff(values[name], prepend=0)
        return SampledSession(
            contract=recording.facts["contract"],
            dt=recording.facts["dt"],
            tick_int=int(recording.facts["tick_int"]),
            columns=values,
            event_ends=ends,
            flow=flow,
            changes=changes,
            from_ns=self._from_ns,
            last_ns=self._clock_before,
            last_event_end=self.frames if counted else 0,
            warm_from_ns=-1,
        )


def _numbers(column: pa.Array) -> np.ndarray:
    """A column as numpy's numbers: times as int64, truth as 0 and 1, 0 where there is none."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    found: np.ndarray = (column.fill_null(0) if column.null_count else column).to_numpy(zero_copy_only=False)
    return found
