"""What features foretell: rank correlations with what the mid did next, alone, beside each other and out of sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np

from vp.study.blocks import Blocks
from vp.study.measure import Measure
from vp.study.ranks import Codes, correlation, standard_ranks
from vp.study.samples import (
    HORIZONS_SECONDS,
    MAIN_TARGET,
    NEXT_MOVE,
    SAME_INTERVAL_SECONDS,
    TARGETS,
    Samples,
    target_name,
)

LEAST_BLOCK_SECONDS = 30
LEAST_SAMPLES = 30
RESAMPLES_OF_PARTS = 400
SECONDS_OF = {target_name(seconds): seconds for seconds in HORIZONS_SECONDS}
RIVAL = "queue imbalance"  # what the score is held against
BESIDE = ("queue imbalance", "order flow 10 s", "order flow of ten levels 10 s", "mid change 2 s")
FORECAST_DECIMALS = 9  # of ticks: what is beyond differs between processors, and would part equal forecasts
GAP_SECONDS = max(HORIZONS_SECONDS)


def block_seconds(target: str, window_seconds: float = 0.0) -> int:
    """How long the blocks are that the intervals of a target are made of: twice its windows, and not too short.

    `window_seconds` is how long they are on average, of a target that says no time by itself.
    """
    return max(LEAST_BLOCK_SECONDS, ceil(2 * SECONDS_OF.get(target, window_seconds)))


def block_length(samples: Samples, target: str) -> int:
    """As `block_seconds`, in samples."""
    return -(-block_seconds(target, samples.window_seconds.get(target, 0.0)) // samples.period_seconds)


class Resampling:
    """The blocks for each target of some samples, made when they are first needed."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self._samples, self._seed = samples, seed
        self._made: dict[int, Blocks] = {}
        # By the array, which is held so that its id stays its own.
        self._codes: dict[int, tuple[np.ndarray, Codes]] = {}
        self._ranked: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def ranks(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Standard ranks of the known values of a series of the samples."""
        if id(values) not in self._codes:
            self._codes[id(values)] = values, Codes(values)
        last = self._ranked.get(id(values))
        if last is None or not np.array_equal(last[0], known):  # the same of a target for nearly every feature
            last = self._ranked[id(values)] = known, self._codes[id(values)][1].standard(known)
        return last[1]

    def of(self, target: str) -> Blocks:
        """Those of a target."""
        length = block_length(self._samples, target)
        if length not in self._made:
            self._made[length] = Blocks(len(self._samples), length, self._seed + length * self._samples.period_seconds)
        return self._made[length]


def pair_sums(x: np.ndarray, y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The series whose sums make a correlation: [6, n], in the order that `correlation` takes them."""
    return sums_with_one([x], y, known)


def sums_with_one(x_of_each: Sequence[np.ndarray], y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Those of several x with one y, [3 + 3 * len, n]: what all share, known and y, is there once, and first."""
    return np.stack([known.astype(np.float64), y, y * y, *(one for x in x_of_each for one in (x, x * x, x * y))])


def information_coefficients(name: str, samples: Samples, resampling: Resampling) -> Iterator[Measure]:
    """IC of every feature with every target, and how far that of the score is above its rival's."""
    for target, y in samples.targets.items():
        alike: dict[bytes, list[str]] = {}  # which are known at the same samples
        for feature, x in samples.features.items():
            alike.setdefault((np.isfinite(x) & np.isfinite(y)).tobytes(), []).append(feature)
        found: dict[str, tuple[int, float, np.ndarray]] = {}
        for mask, features in alike.items():
            known = np.frombuffer(mask, np.bool_)
            count = int(known.sum())
            if count >= LEAST_SAMPLES:
                x_of_each = [resampling.ranks(samples.features[feature], known) for feature in features]
                series = sums_with_one(x_of_each, resampling.ranks(y, known), known)
                values = _correlations_with_one(series.sum(1))
                resampled = _correlations_with_one(resampling.of(target).sums(series))
                found |= {one: (count, float(values[i]), resampled[:, i]) for i, one in enumerate(features)}
        ics = {feature: found[feature] for feature in samples.features if feature in found}
        for feature, (count, value, resampled) in ics.items():
            yield Measure(name, "ic", feature, target, "", value, *Blocks.spread(resampled), count)
        if "score" in ics and RIVAL in ics:
            (count, value, resampled), (_, of_rival, rival_resampled) = ics["score"], ics[RIVAL]
            spread = Blocks.spread(resampled - rival_resampled)
            yield Measure(name, "ic_above_rival", "score", target, RIVAL, value - of_rival, *spread, count)


def _correlations_with_one(sums: np.ndarray) -> np.ndarray:
    """The correlation of each x with y out of sums of `sums_with_one`, [..., 3 + 3 * m]: [..., m]."""
    shared = (sums[..., i : i + 1] for i in range(3))
    return correlation(*shared, *(sums[..., i::3] for i in range(3, 6)))


def partial_coefficients(name: str, samples: Samples, resampling: Resampling) -> Iterator[Measure]:
    """IC of the score with what the baselines leave unexplained of both: what it adds to them."""
    for target in TARGETS:
        y, x = samples.targets[target], samples.features["score"]
        others = [samples.features[feature] for feature in BESIDE if feature in samples.features]
        known = np.isfinite(y) & np.isfinite(x) & np.all([np.isfinite(other) for other in others], axis=0)
        if known.sum() < LEAST_SAMPLES:
            continue
        beside = np.stack([resampling.ranks(other, known) for other in others], axis=1)
        left_x, left_y = (
            values - beside @ np.linalg.lstsq(beside[known], values[known], rcond=None)[0]
            for values in (resampling.ranks(x, known), resampling.ranks(y, known))
        )
        pairs = pair_sums(left_x, left_y, known)
        found = resampling.of(target).interval(pairs, correlation)
        yield Measure(name, "partial_ic", "score", target, "", *found, int(known.sum()))


def out_of_sample(name: str, samples: Samples, seed: int) -> Iterator[Measure]:
    """IC in the later half of a forecast fitted on the first: of the baselines, with and without the score."""
    middle = len(samples) // 2
    if not middle:
        return
    first = np.arange(len(samples)) < middle
    baselines = [samples.features[feature] for feature in BESIDE if feature in samples.features]
    for target in (MAIN_TARGET, NEXT_MOVE):
        gap_seconds = max(GAP_SECONDS, block_length(samples, target) * samples.period_seconds)
        later = samples.times_ns > samples.times_ns[middle - 1] + gap_seconds * 1_000_000_000
        y = samples.targets[target]
        everything = [*baselines, samples.features["score"]]
        known = np.isfinite(y) & np.all([np.isfinite(one) for one in everything], axis=0)
        trained, tested = first & known, later & known
        if min(trained.sum(), tested.sum()) < LEAST_SAMPLES:
            continue
        sums = []
        for features in (baselines, everything):
            forecast = _forecast(np.stack(features, axis=1), y, trained)
            sums.append(pair_sums(standard_ranks(forecast, tested), standard_ranks(y, tested), tested)[:, tested])
        blocks = Blocks(int(tested.sum()), block_length(samples, target), seed)
        value = [float(correlation(*one.sum(1)[:, None])[0]) for one in sums]
        resampled = [correlation(*blocks.sums(one).T) for one in sums]
        count = int(tested.sum())
        yield Measure(name, "oos_ic", "baselines", target, "", value[0], *Blocks.spread(resampled[0]), count)
        yield Measure(name, "oos_ic", "baselines and score", target, "", value[1], *Blocks.spread(resampled[1]), count)
        spread = Blocks.spread(resampled[1] - resampled[0])
        yield Measure(name, "oos_ic_gained", "score", target, "", value[1] - value[0], *spread, count)


def _forecast(features: np.ndarray, y: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """The least-squares fit of y on the features over the trained samples, at every sample."""
    mean, deviation = features[trained].mean(0), features[trained].std(0)
    scaled = (features - mean) / np.where(deviation > 0, deviation, 1.0)
    scaled = np.concatenate([np.ones((len(scaled), 1)), np.nan_to_num(scaled)], axis=1)
    forecast: np.ndarray = scaled @ np.linalg.lstsq(scaled[trained], y[trained], rcond=None)[0]
    return forecast.round(FORECAST_DECIMALS)


def same_interval(name: str, samples: Samples, seed: int) -> Iterator[Measure]:
    """R2 of order flow with the move of the same interval, intervals that do not overlap: no foresight."""
    every = max(1, SAME_INTERVAL_SECONDS // samples.period_seconds)
    move = samples.interval["move"][::every]
    for feature, flow in samples.interval.items():
        if feature == "move":
            continue
        x, y = flow[::every], move
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() < LEAST_SAMPLES:
            continue
        scaled_x, scaled_y = (
            np.where(known, (values - values[known].mean()) / (values[known].std() or 1.0), 0.0) for values in (x, y)
        )
        pairs = pair_sums(scaled_x, scaled_y, known)
        blocks = Blocks(len(x), -(-LEAST_BLOCK_SECONDS // SAME_INTERVAL_SECONDS), seed)
        found = blocks.interval(pairs, lambda *sums: correlation(*sums) ** 2)
        yield Measure(name, "same_interval_r2", feature, f"{SAME_INTERVAL_SECONDS} s", "", *found, int(known.sum()))


def stability(name: str, samples: Samples, seed: int, parts: int = 10) -> Iterator[Measure]:
    """IC of the score and of its rival in each tenth of the samples."""
    y = samples.targets[MAIN_TARGET]
    for part, at in enumerate(np.array_split(np.arange(len(samples)), parts)):
        blocks = Blocks(len(at), block_length(samples, MAIN_TARGET), seed + part, RESAMPLES_OF_PARTS)
        for feature in ("score", RIVAL):
            x = samples.features[feature][at]
            known = np.isfinite(x) & np.isfinite(y[at])
            if known.sum() < LEAST_SAMPLES:
                continue
            pairs = pair_sums(standard_ranks(x, known), standard_ranks(y[at], known), known)
            found = blocks.interval(pairs, correlation)
            yield Measure(name, "ic_of_part", feature, MAIN_TARGET, str(part + 1), *found, int(known.sum()))
