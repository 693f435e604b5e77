"""The samples of a session out of the frames that it shows, taken as these come."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from vp.kernels.contract import OPENING_PAUSE_NS
from vp.study.mid_path import WIDEST_SPREAD
from vp.study.samples import MAIN_HORIZON_SECONDS, MAIN_TARGET, NS, WARMUP_SECONDS, Samples

COLUMNS = ("ts_ns", "bid_price", "ask_price", "bid_size", "ask_size", "score", "state", "book_valid")
"""The columns of frames that samples are made of."""

MOST_SAMPLES = 100_000  # a day has 86,400 seconds
KEPT_SHARE = 0.875
ROOM = 4096  # for so many more at a time: sessions that are over keep what they have
SAMPLE = np.dtype(
    [
        ("ts_ns", "i8"),
        ("mid_ticks", "f8"),
        ("half_spread_ticks", "f8"),
        ("imbalance", "f8"),
        ("score", "f4"),
        ("state", "i1"),
    ]
)


class RunningSamples:
    """A sample at every second of event time, as vp.study.samples takes them, of the last frame up to it.

    A second is sampled once a later frame is there. A segment is a stretch in which every frame has a valid book, and
    no two lie farther apart than OPENING_PAUSE_NS; such a pause itself has no samples. One thread takes frames, any
    other may ask for the samples, which leave out those beside a stub (WIDEST_SPREAD). Beyond MOST_SAMPLES the oldest
    are forgotten.

    Parameters
    ----------
    tick_int : int
        In 1e-9 units.
    from_ns : int
        First moment that may be sampled, ns UTC; frames before it tell where a segment began.
    is_warm : bool
        Whether the engine had been warmed up before the first frame: its segment then needs no further minute.
    """

    def __init__(self, tick_int: int, from_ns: int, *, is_warm: bool) -> None:
        self._tick_int = tick_int
        self._from_ns = from_ns
        self._is_warm = is_warm
        self._warm_from_ns: int | None = None
        self._kept = np.zeros(ROOM, SAMPLE)
        self._count = 0
        self._lock = threading.Lock()
        self._last: dict[str, np.ndarray] = {}  # the newest frame, and when its segment began
        self._next_ns = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def take(self, columns: Mapping[str, np.ndarray]) -> None:
        """Take the next frames: COLUMNS by name, [n] each, times ns UTC and prices in 1e-9 units."""
        if not len(columns["ts_ns"]):
            return
        frames = {name: np.asarray(columns[name]) for name in COLUMNS}
        if not self._last:
            first_ns = int(frames["ts_ns"][0])
            self._warm_from_ns = first_ns if self._is_warm else None
            self._next_ns = -(-max(first_ns, self._from_ns) // NS) * NS
            self._last = {name: values[:1] for name, values in frames.items()} | {
                "begin_ns": np.array([first_ns]),
            }
        frames = {name: np.concatenate([self._last[name], values]) for name, values in frames.items()}
        clock, valid = frames["ts_ns"], frames["book_valid"] & 1 == 1
        after_pause = np.diff(clock) > OPENING_PAUSE_NS
        begins = np.concatenate([[False], valid[1:] & (~valid[:-1] | after_pause)])
        frames["begin_ns"] = np.maximum.accumulate(np.where(begins, clock, self._last["begin_ns"]))
        times = np.arange(self._next_ns, clock[-1], NS, dtype=np.int64)
        if len(times):
            self._next_ns = int(times[-1]) + NS
            at = np.searchsorted(clock, times, "right") - 1
            usable = valid[at] & ~after_pause[at] & self._warm(times, frames["begin_ns"][at])
            self._add(times[usable], {name: values[at[usable]] for name, values in frames.items()})
        self._last = {name: values[-1:] for name, values in frames.items()}

    def samples(self) -> Samples:
        """What there is now: `score`, `state` and `queue imbalance`, and the move over the main horizon."""
        with self._lock:
            kept = self._kept[: self._count].copy()
        kept = kept[_quotes_meant(kept["half_spread_ticks"])]
        times, mids = kept["ts_ns"], kept["mid_ticks"]
        later = np.arange(len(kept)) + MAIN_HORIZON_SECONDS
        there = np.minimum(later, max(0, len(kept) - 1))
        # A sample that is not there, and a minute of warmup before another segment, let the window reach farther.
        known = times[there] == times + MAIN_HORIZON_SECONDS * NS
        features = {name: kept[name].astype(np.float64) for name in ("score", "state")}
        return Samples(
            times,
            features | {"queue imbalance": kept["imbalance"]},
            {MAIN_TARGET: np.where(known, mids[there] - mids, np.nan)},
            kept["half_spread_ticks"],
            {},
            1,
        )

    def _warm(self, times: np.ndarray, begins_ns: np.ndarray) -> np.ndarray:
        """Which moments lie far enough into their segments."""
        warm: np.ndarray = times - begins_ns >= WARMUP_SECONDS * NS
        return warm if self._warm_from_ns is None else warm | (begins_ns <= self._warm_from_ns)

    def _add(self, times: np.ndarray, frames: Mapping[str, np.ndarray]) -> None:
        new = np.zeros(len(times), SAMPLE)
        bid, ask = frames["bid_price"], frames["ask_price"]
        bid_size, ask_size = frames["bid_size"].astype(np.float64), frames["ask_size"].astype(np.float64)
        new["ts_ns"] = times
        new["mid_ticks"] = (bid + ask) / (2 * self._tick_int)
        new["half_spread_ticks"] = (ask - bid) / (2 * self._tick_int)
        new["imbalance"] = (bid_size - ask_size) / np.maximum(bid_size + ask_size, 1)
        for name in ("score", "state"):
            new[name] = frames[name]
        new = new[-MOST_SAMPLES:]
        with self._lock:
            if self._count + len(new) > MOST_SAMPLES:
                left = min(self._count, int(MOST_SAMPLES * KEPT_SHARE), MOST_SAMPLES - len(new))
                self._kept[:left] = self._kept[self._count - left : self._count].copy()
                self._count = left
            if self._count + len(new) > len(self._kept):
                room = min(MOST_SAMPLES, self._count + len(new) + ROOM)
                self._kept = np.concatenate([self._kept[: self._count], np.zeros(room - self._count, SAMPLE)])
            self._kept[self._count : self._count + len(new)] = new
            self._count += len(new)


def _quotes_meant(spread: np.ndarray) -> np.ndarray:
    """Of which samples both sides are meant (WIDEST_SPREAD): bool[n]."""
    if not len(spread):
        return np.ones(0, np.bool_)
    meant: np.ndarray = spread <= WIDEST_SPREAD * np.median(spread)
    return meant
