"""Ranks, and the correlation of ranks (Spearman's)."""

from __future__ import annotations

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean, float64[n]; NaN is not among them."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


class Codes:
    """A series whose values are sorted once, to rank any part of it.

    Parameters
    ----------
    values : float64[n]
    """

    def __init__(self, values: np.ndarray) -> None:
        _, self._codes = np.unique(values, return_inverse=True)
        self._count = int(self._codes.max(initial=-1)) + 1

    def standard(self, known: np.ndarray) -> np.ndarray:
        """Ranks of the known values, with mean 0 and deviation 1; 0 elsewhere, and where all are equal."""
        counts = np.bincount(self._codes[known], minlength=self._count)
        total = counts.sum()
        above_mean = np.cumsum(counts) - (counts - 1) / 2 - (total + 1) / 2  # the mean of ranks from 1 to n
        variance = (counts * above_mean**2).sum() / max(total, 1)
        if not variance > 0:
            return np.zeros(len(known))
        standard: np.ndarray = np.where(known, (above_mean / np.sqrt(variance))[self._codes], 0.0)
        return standard


def standard_ranks(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Ranks of the known values of a series, as Codes gives them."""
    return Codes(values).standard(known)


def correlation(
    count: np.ndarray, y: np.ndarray, yy: np.ndarray, x: np.ndarray, xx: np.ndarray, xy: np.ndarray
) -> np.ndarray:
    """Pearson's correlation out of sums; NaN where one of the two does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = (xx - x * x / count) * (yy - y * y / count)
        found: np.ndarray = np.where(
            variances > 1e-18 * count * count, (xy - x * y / count) / np.sqrt(variances), np.nan
        )
    return found
