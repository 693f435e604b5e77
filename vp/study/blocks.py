"""Intervals by the circular block bootstrap (Politis, Romano 1992), of anything that is made of sums over samples.

A resample is as many blocks of consecutive samples, round the end to the beginning, as make up the whole; each is so
often drawn. Every statistic of one `Blocks` sees the same resamples, so that differences of two are paired.

Sums are of whole numbers, which doubles hold exactly: in whatever order a processor and its threads add them up, they
are the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000
COVERAGE = 0.95
FINE_SAMPLES = 2048  # with more, blocks begin at every few samples alone
LEAST_BLOCKS = 10  # with fewer, resamples are all but the same, and their spread means nothing
EXACT_BITS = 52  # whole numbers up to there are doubles
RESAMPLES_AT_ONCE = 64  # their weights, as doubles, stay near the processor


class Blocks:
    """Resamples of `count` samples in circular blocks of `length`.

    Parameters
    ----------
    count, length : int
        In samples.
    seed : int
        Equal seeds give equal resamples.
    resamples : int
    """

    def __init__(self, count: int, length: int, seed: int, resamples: int = RESAMPLES) -> None:
        self.count = count
        self.length = max(1, min(length, count))
        self.stride = _stride(count, self.length)
        bins = -(-count // self.stride)
        blocks = -(-bins * self.stride // self.length)
        starts = np.random.default_rng(seed).integers(bins, size=(resamples, blocks))
        self._draws = blocks
        self._weights = np.empty((resamples, bins), np.uint16)
        for weights, drawn in zip(self._weights, starts, strict=True):
            weights[:] = np.bincount(drawn, minlength=bins)

    @property
    def are_enough(self) -> bool:
        """Whether the samples hold blocks enough for an interval."""
        return self.count >= LEAST_BLOCKS * self.length

    def sums(self, series: np.ndarray) -> np.ndarray:
        """Sums of each series, [m, count], over each resample: float64[resamples, m]; NaN with too few blocks."""
        resamples, bins = self._weights.shape
        sums = np.full((resamples, len(series)), np.nan)
        if not self.are_enough:
            return sums
        full = self.count // self.stride
        binned = np.zeros((len(series), bins))
        binned[:, :full] = series[:, : full * self.stride].reshape(len(series), full, self.stride).sum(2)
        binned[:, full:] = series[:, full * self.stride :].sum(1, keepdims=True)  # of the rest, where there is one
        around = np.cumsum(np.concatenate([np.zeros((len(binned), 1)), binned, binned], axis=1), axis=1).T
        long = max(1, self.length // self.stride)
        whole, scale = _whole_numbers(around[long : long + bins] - around[:bins], self._draws)
        for first in range(0, resamples, RESAMPLES_AT_ONCE):
            some = slice(first, first + RESAMPLES_AT_ONCE)
            sums[some] = (self._weights[some].astype(np.float64) @ whole) / scale
        return sums

    def interval(self, series: np.ndarray, statistic: Callable[..., np.ndarray]) -> tuple[float, float, float]:
        """A statistic of some series, [m, count], and its interval: (value, low, high).

        `statistic` takes the sums of each series, arrays of one length, and gives as many values; NaN among those of
        resamples are left out.
        """
        value = float(statistic(*series.sum(1)[:, None])[0])
        return (value, *self.spread(statistic(*self.sums(series).T)))

    @staticmethod
    def spread(values: np.ndarray) -> tuple[float, float]:
        """The middle COVERAGE of the values of resamples; NaN where fewer than half are known."""
        known = values[np.isfinite(values)]
        if 2 * len(known) < len(values) or not len(known):
            return np.nan, np.nan
        tail = (1 - COVERAGE) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)


def _whole_numbers(values: np.ndarray, summed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each column times a power of two, rounded, so that sums of so many are exact; and these powers."""
    most = np.abs(values).max(axis=0, initial=0.0) * summed
    scale = np.exp2(np.floor(EXACT_BITS - np.log2(np.where(most > 0, most, 1.0))))
    return np.rint(values * scale), scale


def _stride(count: int, length: int) -> int:
    """The largest divisor of a block's length that leaves FINE_SAMPLES places to begin at."""
    most = max(1, count // FINE_SAMPLES)
    return next(stride for stride in range(min(most, length), 0, -1) if length % stride == 0)
