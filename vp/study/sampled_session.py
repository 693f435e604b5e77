"""A session run through the engine once, and what of it a study looks at."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vp.kernels.contract import (
    CHANGE_CLOCK,
    OPENING_PAUSE_NS,
    SAMPLE_EVENT_ENDS,
    SAMPLE_FLOW,
    SCALAR_COLUMNS,
)
from vp.model.frames import FrameLayout, column_values
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.progress import Progress, ignore_progress, ignore_share
from vp.model.sampling_engine import SamplingEngine
from vp.model.session import SessionSpec

LOOK_BACK_MINUTES = 1.0


@dataclass(frozen=True)
class SampledSession:
    """What a session left on a clock grid, and the path of its mid.

    Attributes
    ----------
    contract, dt : str
        What it is of.
    tick_int : int
        In 1e-9 units.
    columns : dict of str to array[n]
        The scalar columns of frames by name, times as int64 ns UTC; prices in 1e-9 units, 0 where there is none. A
        frame is that of the last event end up to a moment of the grid.
    event_ends : int64[n]
        How many there were up to each frame; all 0 where they cannot be counted.
    flow : int64[n, 10]
        Order-flow imbalance of each of the ten best levels up to each frame, in contracts; of a recording [n, 1].
    changes : int64[m, CHANGE_WORDS]
        What the mid did (vp.model.sampling_engine).
    from_ns, last_ns : int
        First moment that may be sampled, and up to when the mid is known, ns UTC.
    last_event_end : int
        How many event ends there were at last; 0 where they cannot be counted.
    warm_from_ns : int
        What began up to here the engine had been warmed up for, ns UTC.
    """

    contract: str
    dt: str
    tick_int: int
    columns: dict[str, np.ndarray]
    event_ends: np.ndarray
    flow: np.ndarray
    changes: np.ndarray
    from_ns: int
    last_ns: int
    last_event_end: int
    warm_from_ns: int

    def frame_at(self, times_ns: np.ndarray) -> np.ndarray:
        """The frame of each moment: the last one up to it; -1 before the first."""
        return np.searchsorted(self.columns["ts_ns"], times_ns, "right") - 1

    def is_awake(self, times_ns: np.ndarray) -> np.ndarray:
        """Whether there is a frame at each moment, and no pause: OPENING_PAUSE_NS since its event."""
        frames = self.frame_at(times_ns)
        awake: np.ndarray = (frames >= 0) & (times_ns - self.columns["ts_ns"][frames] <= OPENING_PAUSE_NS)
        return awake

    def time_of_end(self, event_ends: np.ndarray) -> np.ndarray:
        """When there had been so many event ends, to the next frame, ns UTC; the last frame's where there were not."""
        frames = np.searchsorted(self.event_ends, event_ends, "left")
        times: np.ndarray = self.columns["ts_ns"][np.minimum(frames, len(self.event_ends) - 1)]
        return times


def sample_session(
    spec: SessionSpec,
    on_progress: Callable[[Progress], None] = ignore_progress,
    on_share: Callable[[float], None] = ignore_share,
) -> SampledSession:
    """Run a session to its end, and sample it at every second of its clock.

    Raises
    ------
    VPError
        The session cannot be had, or not be read on; or nothing happens in it (EmptySessionError).
    """
    spec = dataclasses.replace(spec, context_minutes=LOOK_BACK_MINUTES)
    session = prepare(spec, on_progress, SamplingEngine)
    with contextlib.closing(session):
        return _run(session, spec, on_share)


def _run(session: LiveSession, spec: SessionSpec, on_share: Callable[[float], None]) -> SampledSession:
    info, engine = session.info, session.engine
    assert isinstance(engine, SamplingEngine)
    names = engine.layout.project(()).layout.schema.names
    assert list(SCALAR_COLUMNS) == names
    parts = [_scalars(engine.layout, session.take_context().buffer)]
    span_ns = max(1, info.end_ns - info.emit_from_ns)
    while not session.finished:
        batch = session.advance()
        if batch.count:
            parts.append(_scalars(engine.layout, batch.buffer))
            on_share(min(1.0, max(0, int(parts[-1]["ts_ns"][-1]) - info.emit_from_ns) / span_ns))
    nothing = session.emptiness()
    if nothing is not None:
        raise nothing
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    samples, changes, (ends, last_ns) = engine.take_samples(), engine.take_changes(), engine.noted()
    assert len(samples) == len(columns["ts_ns"])
    was_warm = spec.start_time is not None and len(changes) > 0
    return SampledSession(
        contract=info.contract,
        dt=info.dt,
        tick_int=info.tick_int,
        columns=columns,
        event_ends=samples[:, SAMPLE_EVENT_ENDS],
        flow=samples[:, SAMPLE_FLOW:],
        changes=changes,
        from_ns=info.emit_from_ns,
        last_ns=info.end_ns if session.goes_on else last_ns,
        last_event_end=ends,
        warm_from_ns=int(changes[0, CHANGE_CLOCK]) if was_warm else -1,
    )


def _scalars(layout: FrameLayout, messages: np.ndarray) -> dict[str, np.ndarray]:
    """The scalar columns of frame messages by name."""
    return {column.name: column_values(messages, column) for column in layout.columns[: len(SCALAR_COLUMNS)]}
