"""Ranks, and the correlation of ranks (Spearman's)."""

from __future__ import annotations

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean, float64[n]; NaN is not among them."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def standard_ranks(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Ranks of the known values, with mean 0 and deviation 1; 0 elsewhere, and where all are equal."""
    standard = np.zeros(len(values))
    if not known.any():
        return standard
    ranked = ranks(values[known])
    deviation = ranked.std()
    standard[known] = (ranked - ranked.mean()) / deviation if deviation > 0 else 0.0
    return standard


def correlation(
    count: np.ndarray, x: np.ndarray, y: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray
) -> np.ndarray:
    """Pearson's correlation out of sums; NaN where one of the two does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = (xx - x * x / count) * (yy - y * y / count)
        found: np.ndarray = np.where(
            variances > 1e-18 * count * count, (xy - x * y / count) / np.sqrt(variances), np.nan
        )
    return found
