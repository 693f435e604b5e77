"""The samples of one session: what could be known at each moment of a clock grid, and what came after it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vp.kernels.contract import NULLABLE_COLUMNS
from vp.study.mid_path import NO_SEGMENT, MidPath
from vp.study.sampled_session import SampledSession

NS = 1_000_000_000
HORIZONS_SECONDS = (1, 5, 10, 30, 60)
MAIN_HORIZON_SECONDS = 5
EVENT_HORIZONS = (10, 100, 1000)
NEXT_MOVE = "next move"
WARMUP_SECONDS = 60
MODEL_FEATURES = ("score", "state", "strength")
BASELINES = (
    "queue imbalance",
    "micro-price",
    "order flow 2 s",
    "order flow 10 s",
    "order flow of ten levels 2 s",
    "order flow of ten levels 10 s",
    "signed volume 10 s",
    "mid change 2 s",
    "mid change 10 s",
)
LOOK_BACK_SECONDS = (2, 10)
SAME_INTERVAL_SECONDS = 10


def target_name(seconds: int) -> str:
    """A target of clock time by its horizon."""
    return f"{seconds} s"


TARGETS = (*map(target_name, HORIZONS_SECONDS), NEXT_MOVE, *(f"{n} events" for n in EVENT_HORIZONS))
MAIN_TARGET = target_name(MAIN_HORIZON_SECONDS)


@dataclass(frozen=True)
class Samples:
    """Samples in order of time, of one session or of several one after the other.

    Attributes
    ----------
    times_ns : int64[n]
        Moments of the clock grid.
    features : dict of str to float64[n]
        What is known at the moment: MODEL_FEATURES, BASELINES and columns that were asked for; NaN where it is not.
    targets : dict of str to float64[n]
        TARGETS: moves of the mid from there on, in ticks (of NEXT_MOVE the sign); NaN where the window leaves the
        segment.
    half_spread_ticks : float64[n]
    interval : dict of str to float64[n]
        Over the SAME_INTERVAL_SECONDS from the moment on: `move` in ticks, `order flow`, `order flow of ten levels`.
    period_seconds : int
    window_seconds : dict of str to float
        How long the windows of the targets are on average that say no time by themselves; without those that are
        not known.
    """

    times_ns: np.ndarray
    features: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    half_spread_ticks: np.ndarray
    interval: dict[str, np.ndarray]
    period_seconds: int
    window_seconds: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many."""
        return len(self.times_ns)


def take_samples(session: SampledSession, every_seconds: int = 1, columns: tuple[str, ...] = ()) -> Samples:
    """Samples of a session at each `every_seconds` of the clock: book valid, and a minute into its segment.

    That minute is left out where the session had been warmed up before. In a pause, OPENING_PAUSE_NS after the last
    event, there are none. `columns` are further scalar columns of frames to be features.
    """
    path = MidPath(session.changes, session.tick_int, session.last_ns, session.last_event_end)
    period_ns = every_seconds * NS
    times = np.arange(-(-session.from_ns // period_ns) * period_ns, session.last_ns + 1, period_ns, dtype=np.int64)
    rows = path.row_at(times)
    usable = (rows >= 0) & session.is_awake(times)
    usable[usable] &= path.segment[rows[usable]] != NO_SEGMENT
    times, rows = times[usable], rows[usable]
    begins = path.segment_begin_ns(rows)
    warm = (times - begins >= WARMUP_SECONDS * NS) | (begins <= session.warm_from_ns)
    moments = _Moments(session, path, times[warm], rows[warm])
    targets, window_seconds = _targets(moments)
    column = {name: values[moments.frames] for name, values in session.columns.items()}
    half_spread_ticks = (column["ask_price"] - column["bid_price"]) / (2 * session.tick_int)
    features = {name: _feature(name, column[name]) for name in (*MODEL_FEATURES, *columns)}
    return Samples(
        moments.times,
        features | _baselines(moments, column, half_spread_ticks),
        targets,
        half_spread_ticks,
        _interval(moments),
        every_seconds,
        window_seconds,
    )


def _feature(name: str, values: np.ndarray) -> np.ndarray:
    """A scalar column of frames as numbers, NaN where there is none."""
    numbers = values.astype(np.float64)
    return np.where(values == 0, np.nan, numbers) if name in NULLABLE_COLUMNS else numbers


class _Moments:
    """Moments of the grid, and what holds at each and at others from there."""

    def __init__(self, session: SampledSession, path: MidPath, times: np.ndarray, rows: np.ndarray) -> None:
        self.session, self.path, self.times, self.rows = session, path, times, rows
        self.frames = session.frame_at(times)

    def at(self, seconds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """So many seconds later (or, below 0, before): rows of the mid, frames, and whether they can be looked at."""
        times = self.times + seconds * NS
        rows, frames = self.path.row_at(times), self.session.frame_at(times)
        return rows, frames, (rows >= 0) & self.session.is_awake(times) & (times <= self.session.last_ns)

    def move(self, seconds: int) -> np.ndarray:
        """Ticks from the mid now to the mid so many seconds later; below 0: from then to now."""
        rows, _, known = self.at(seconds)
        return self.path.move(self.rows, rows, known) * (1 if seconds > 0 else -1)

    def grown(self, summed: np.ndarray, seconds: int) -> np.ndarray:
        """What a sum over frames, [frames, ...], grows by from now on; below 0: has grown by since then."""
        rows, frames, known = self.at(seconds)
        within = np.isfinite(self.path.move(self.rows, rows, known))
        grown = (summed[frames] - summed[self.frames]) * (1.0 if seconds > 0 else -1.0)
        return np.where(within if grown.ndim == 1 else within[:, None], grown, np.nan)


def _baselines(
    moments: _Moments, column: dict[str, np.ndarray], half_spread_ticks: np.ndarray
) -> dict[str, np.ndarray]:
    session = moments.session
    bid_size, ask_size = column["bid_size"].astype(np.float64), column["ask_size"].astype(np.float64)
    imbalance = (bid_size - ask_size) / np.maximum(bid_size + ask_size, 1)
    signed = np.cumsum(session.columns["buy_volume"] - session.columns["sell_volume"])
    baselines = {"queue imbalance": imbalance, "micro-price": imbalance * half_spread_ticks}
    for seconds in LOOK_BACK_SECONDS:
        flow = moments.grown(session.flow, -seconds)
        baselines[f"order flow {seconds} s"] = flow[:, 0]
        if flow.shape[1] > 1:
            baselines[f"order flow of ten levels {seconds} s"] = flow.sum(1)
        baselines[f"mid change {seconds} s"] = moments.move(-seconds)
    baselines["signed volume 10 s"] = moments.grown(signed, -10)
    return {name: baselines[name] for name in BASELINES if name in baselines}


def _targets(moments: _Moments) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Every target, and how long the windows of those are that end with something that happens."""
    path, rows = moments.path, moments.rows
    targets = {target_name(seconds): moments.move(seconds) for seconds in HORIZONS_SECONDS}
    ends = moments.session.event_ends[moments.frames]
    later_rows = {NEXT_MOVE: path.row_of_next(rows)}
    targets[NEXT_MOVE] = path.next_move(rows)
    for count in EVENT_HORIZONS:
        name = f"{count} events"
        later_rows[name] = path.row_after_ends(ends + count)
        targets[name] = path.move(rows, later_rows[name], ends + count <= path.event_ends)
    reached = {NEXT_MOVE: path.clock_ns[later_rows[NEXT_MOVE]]} | {
        f"{count} events": moments.session.time_of_end(ends + count) for count in EVENT_HORIZONS
    }
    seconds = {name: (times - moments.times)[np.isfinite(targets[name])] / NS for name, times in reached.items()}
    return targets, {name: float(lasted.mean()) for name, lasted in seconds.items() if len(lasted)}


def _interval(moments: _Moments) -> dict[str, np.ndarray]:
    flow = moments.grown(moments.session.flow, SAME_INTERVAL_SECONDS)
    interval = {"move": moments.move(SAME_INTERVAL_SECONDS), "order flow": flow[:, 0]}
    if flow.shape[1] > 1:
        interval["order flow of ten levels"] = flow.sum(1)
    return interval
