"""Controls: what chance alone would show of these very samples, and whether a signal that is there is found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vp.study.foresight import LEAST_SAMPLES, Resampling, pair_sums
from vp.study.measure import Measure
from vp.study.ranks import correlation, standard_ranks
from vp.study.samples import MAIN_TARGET, NEXT_MOVE, Samples

LEAST_SHIFT_SECONDS = 60
PLANTED_IC = 0.15
NULL_QUANTILES = tuple(range(0, 101, 2))


def spectra(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What `shifted` takes of a series: the transforms of where it is known, of its values, and of their squares."""
    values = np.where(known, values, 0.0)
    return np.fft.rfft(np.stack([known.astype(np.float64), values, values * values]), axis=1)


def shifted(of_x: np.ndarray, of_y: np.ndarray, n: int, least: int) -> np.ndarray:
    """Correlation of y with x shifted circularly by each number of samples from `least` to n - `least`, float64.

    Of both the `spectra`, and how many samples each has.
    """
    of_x = np.conj(of_x)

    def summed(i: int, j: int) -> np.ndarray:
        return np.fft.irfft(of_x[i] * of_y[j], n)

    found = correlation(
        np.maximum(summed(0, 0), 1.0), summed(0, 1), summed(0, 2), summed(1, 0), summed(2, 0), summed(1, 1)
    )
    return found[least : n - least + 1]


def share_as_strong(null: np.ndarray, value: float) -> float:
    """How often chance shows as much as a value, of the values of a null, float64[n], and of itself."""
    return float((1 + (np.abs(null) >= abs(value)).sum()) / (1 + len(null)))


def nulls(name: str, samples: Samples, ics: dict[tuple[str, str], float], resampling: Resampling) -> Iterator[Measure]:
    """Of each feature: how often a shift shows as much, and what the best of all shows by luck in one of twenty."""
    least = -(-LEAST_SHIFT_SECONDS // samples.period_seconds)
    if len(samples) <= 2 * least:
        return

    def spectra_of(values: np.ndarray) -> np.ndarray:
        known = np.isfinite(values)
        return spectra(resampling.ranks(values, known), known)

    of_features = {feature: spectra_of(values) for feature, values in samples.features.items()}
    for target in (MAIN_TARGET, NEXT_MOVE):
        known = [feature for feature in samples.features if np.isfinite(ics.get((feature, target), np.nan))]
        if not known:
            continue
        of_target = spectra_of(samples.targets[target])
        best: np.ndarray | None = None
        for feature in known:
            null = shifted(of_features[feature], of_target, len(samples), least)
            null = null[np.isfinite(null)]
            if len(null) < LEAST_SAMPLES:
                continue
            value = ics[feature, target]
            yield Measure(name, "shift_p", feature, target, "", share_as_strong(null, value), count=len(null))
            if feature == "score":
                for quantile in NULL_QUANTILES:
                    at = float(np.quantile(null, quantile / 100))
                    yield Measure(name, "shift_quantile", feature, target, str(quantile), at, count=len(null))
            best = np.abs(null) if best is None or len(best) != len(null) else np.maximum(best, np.abs(null))
        if best is not None:
            label = f"best of {len(known)}"
            yield Measure(name, "best_by_luck", label, target, "", float(np.quantile(best, 0.95)), count=len(best))


def flipped(name: str, samples: Samples, resampling: Resampling) -> Iterator[Measure]:
    """IC of the score with its sign turned: it must be the same the other way."""
    yield from _planted_ic(name, "sign_flipped_ic", samples, -samples.features["score"], resampling)


def planted(name: str, samples: Samples, resampling: Resampling, seed: int) -> Iterator[Measure]:
    """IC of a signal that knows a little of the future: one that must be found."""
    y = samples.targets[MAIN_TARGET]
    known = np.isfinite(y)
    noise = np.random.default_rng(seed).standard_normal(len(y))
    signal = np.where(known, PLANTED_IC * standard_ranks(y, known) + np.sqrt(1 - PLANTED_IC**2) * noise, np.nan)
    yield from _planted_ic(name, "planted_ic", samples, signal, resampling)


def _planted_ic(
    name: str, statistic: str, samples: Samples, x: np.ndarray, resampling: Resampling
) -> Iterator[Measure]:
    y = samples.targets[MAIN_TARGET]
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < LEAST_SAMPLES:
        return
    pairs = pair_sums(standard_ranks(x, known), standard_ranks(y, known), known)
    found = resampling.of(MAIN_TARGET).interval(pairs, correlation)
    yield Measure(name, statistic, "", MAIN_TARGET, "", *found, int(known.sum()))
