"""What the signal was worth in a session so far: a few figures of its samples, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vp.study.aftermath import STATES, after_groups
from vp.study.controls import LEAST_SHIFT_SECONDS, share_as_strong, shifted, spectra
from vp.study.foresight import (
    LEAST_SAMPLES,
    RIVAL,
    Resampling,
    block_seconds,
    information_coefficients,
    pair_sums,
)
from vp.study.measure import Measure, Measures
from vp.study.ranks import correlation
from vp.study.samples import MAIN_TARGET, Samples
from vp.study.verdict import LEAST_BLOCKS, MOST_LUCK

SEED = 1
ANY = "any"
BESIDE_ANY = {"mean_move": "mean_move_beside_mean", "hit_rate": "hit_rate_beside_base"}


@dataclass(frozen=True)
class Figure:
    """A value that is never shown without its interval.

    Attributes
    ----------
    value, low, high : float
    told_from_chance : bool
        The interval of what it is beside what follows any moment (of an IC: its own) is without 0, at most MOST_LUCK of
        all shifts in time show as much, and there are LEAST_BLOCKS of samples and LEAST_SAMPLES of its own.
    """

    value: float
    low: float
    high: float
    told_from_chance: bool


@dataclass(frozen=True)
class Aftermath:
    """What followed the moments of a state, or any moment.

    Attributes
    ----------
    samples : int
        Of which it is known.
    mean_move_ticks : Figure or None
        None: too few to have an interval.
    hit_rate : Figure or None
        Share of moves that went the state's way, of those that went anywhere; of any moment, upward.
    """

    samples: int
    mean_move_ticks: Figure | None
    hit_rate: Figure | None


@dataclass(frozen=True)
class TrackRecord:
    """The figures, all over MAIN_TARGET.

    Attributes
    ----------
    samples, blocks : int
        Moments of which it is known what followed, and how many blocks they are.
    from_ns, until_ns : int or None
        The first of all samples and the last, ns UTC.
    half_spread_ticks : float or None
        Its mean: what a trade costs one way, fees not counted.
    after : dict of str to Aftermath
        `UP`, `DOWN` and `any`.
    coefficients : dict of str to Figure or None
        Rank correlation with the move: `score`, `queue imbalance`, and `difference`, by how much that of the score is
        higher.
    """

    samples: int
    blocks: int
    from_ns: int | None
    until_ns: int | None
    half_spread_ticks: float | None
    after: dict[str, Aftermath]
    coefficients: dict[str, Figure | None]


def track_record(samples: Samples) -> TrackRecord:
    """The figures of these samples; the same for the same samples."""
    move = samples.targets[MAIN_TARGET]
    state = samples.features["state"]
    known = int(np.isfinite(move).sum())
    blocks = known * samples.period_seconds // block_seconds(MAIN_TARGET)
    resampling = Resampling(samples, SEED)
    groups = {label: (state == value, float(value)) for label, value in STATES.items() if value}
    groups[ANY] = np.ones(len(samples), np.bool_), 1.0
    rows = Measures(
        [
            *after_groups("", samples, resampling, MAIN_TARGET, groups),
            *information_coefficients("", samples, resampling),
        ]
    )
    judge = _Judge(samples, resampling, rows, blocks)
    after = {
        label: Aftermath(
            int((inside & np.isfinite(move)).sum()),
            judge.followed("mean_move", label, inside, move),
            judge.followed("hit_rate", label, inside, np.where(move != 0, np.sign(move), np.nan)),
        )
        for label, (inside, _) in groups.items()
    }
    coefficients = {feature: judge.foretold(feature) for feature in ("score", RIVAL)}
    coefficients["difference"] = judge.difference()
    return TrackRecord(
        known,
        blocks,
        int(samples.times_ns[0]) if len(samples) else None,
        int(samples.times_ns[-1]) if len(samples) else None,
        float(samples.half_spread_ticks.mean()) if len(samples) else None,
        after,
        coefficients,
    )


class _Judge:
    """Makes figures of rows, and says which can be told from chance."""

    def __init__(self, samples: Samples, resampling: Resampling, rows: Measures, blocks: int) -> None:
        self._samples, self._resampling, self._rows = samples, resampling, rows
        self._enough = blocks >= LEAST_BLOCKS

    def followed(self, statistic: str, label: str, inside: np.ndarray, outcome: np.ndarray) -> Figure | None:
        """The figure of a group; `outcome`, float64[n], is what it is a mean of."""
        row = self._rows.one(statistic, group=label)
        beside = self._rows.one(BESIDE_ANY[statistic], group=label)
        if row is None or beside is None:
            return None
        own = int((inside & np.isfinite(outcome)).sum())
        told = own >= LEAST_SAMPLES and self._told(beside, inside.astype(np.float64), outcome)
        return _figure(row, told_from_chance=told)

    def foretold(self, feature: str) -> Figure | None:
        """The figure of a feature's IC."""
        row = self._rows.one("ic", feature=feature, target=MAIN_TARGET)
        if row is None:
            return None
        x, y = (
            np.where(np.isfinite(values), self._resampling.ranks(values, np.isfinite(values)), np.nan)
            for values in (self._samples.features[feature], self._samples.targets[MAIN_TARGET])
        )
        return _figure(row, told_from_chance=self._told(row, x, y))

    def difference(self) -> Figure | None:
        """By how much the IC of the score is above that of its rival.

        A shift in time moves both, so that the interval alone can tell it from chance.
        """
        row = self._rows.one("ic_above_rival", target=MAIN_TARGET)
        return None if row is None else _figure(row, told_from_chance=self._enough and row.differs_from_0)

    def _told(self, row: Measure, x: np.ndarray, y: np.ndarray) -> bool:
        if not (self._enough and row.differs_from_0):
            return False
        return _share_of_shifts(x, y, self._samples.period_seconds) <= MOST_LUCK


def _share_of_shifts(x: np.ndarray, y: np.ndarray, period_seconds: int) -> float:
    """How often x, shifted in time, shows as much of y as it does as it is; 1 where that cannot be known."""
    known_x, known_y = np.isfinite(x), np.isfinite(y)
    least = -(-LEAST_SHIFT_SECONDS // period_seconds)
    if len(x) <= 2 * least:
        return 1.0
    null = shifted(spectra(x, known_x), spectra(y, known_y), len(x), least)
    null = null[np.isfinite(null)]
    known = known_x & known_y
    pairs = pair_sums(np.where(known, x, 0.0), np.where(known, y, 0.0), known)
    value = correlation(*pairs.sum(1)[:, None])[0]
    if not len(null) or not np.isfinite(value):
        return 1.0
    return share_as_strong(null, value)


def _figure(row: Measure, *, told_from_chance: bool) -> Figure | None:
    if not np.isfinite([row.value, row.low, row.high]).all():
        return None
    return Figure(row.value, row.low, row.high, told_from_chance)
