"""A whole study: every figure of some samples under one or several sets of parameters, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from vp.study.aftermath import after_states, by_decile, calibration
from vp.study.controls import flipped, nulls, planted
from vp.study.foresight import (
    Resampling,
    information_coefficients,
    out_of_sample,
    partial_coefficients,
    same_interval,
    stability,
)
from vp.study.measure import Measure, Measures
from vp.study.samples import MAIN_TARGET, Samples


@dataclass(frozen=True)
class Source:
    """One session that a study looked at: its contract and date, and its files with their SHA-256."""

    contract: str
    dt: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ParameterSet:
    """A set of model parameters that was tried: as the user named it, its digest and values."""

    name: str
    digest: str
    values: dict[str, float]


@dataclass(frozen=True)
class Choice:
    """Which set was best on the days that were for choosing: IC of the score over the main horizon, by set."""

    days: str
    best: str
    coefficients: tuple[Measure, ...]


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes
    ----------
    sets : tuple of ParameterSet
        Every set that was tried, the one that the verdict speaks of first.
    sources : tuple of Source
        What the figures are of.
    measures : Measures
    samples : int
        Of one set.
    period_seconds : int
    half_spread_ticks, fees_ticks : float
        Means: what a trade costs one way, apart from the fees, and the fees.
    seed : int
    version : str
    choice : Choice, optional
    notes : tuple of str
        Sentences on what the figures do not have.
    """

    sets: tuple[ParameterSet, ...]
    sources: tuple[Source, ...]
    measures: Measures
    samples: int
    period_seconds: int
    half_spread_ticks: float
    fees_ticks: float
    seed: int
    version: str
    choice: Choice | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


def measure(name: str, samples: Samples, seed: int) -> list[Measure]:
    """Every figure of the samples under one set of parameters; the same for the same seed."""
    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(_beside_coefficients, name, samples, seed)
        resampling = Resampling(samples, seed)
        rows = list(information_coefficients(name, samples, resampling))
        coefficients = {(row.feature, row.target): row.value for row in rows if row.statistic == "ic"}
        by_luck = list(nulls(name, samples, coefficients, resampling))
        return [*rows, *others.result(), *by_luck]


def _beside_coefficients(name: str, samples: Samples, seed: int) -> list[Measure]:
    """The figures besides coefficients and what chance shows of them, with resamples of their own, which are equal."""
    resampling = Resampling(samples, seed)
    return [
        *partial_coefficients(name, samples, resampling),
        *out_of_sample(name, samples, seed),
        *same_interval(name, samples, seed),
        *after_states(name, samples, resampling),
        *by_decile(name, samples, resampling),
        *calibration(name, samples, resampling),
        *stability(name, samples, seed),
        *flipped(name, samples, resampling),
        *planted(name, samples, resampling, seed),
    ]


def together(parts: Sequence[Samples]) -> Samples:
    """The samples of several sessions one after the other, with the features that all of them have."""
    shared = [name for name in parts[0].features if all(name in part.features for part in parts)]
    intervals = [name for name in parts[0].interval if all(name in part.interval for part in parts)]
    return Samples(
        np.concatenate([part.times_ns for part in parts]),
        {name: np.concatenate([part.features[name] for part in parts]) for name in shared},
        {name: np.concatenate([part.targets[name] for part in parts]) for name in parts[0].targets},
        np.concatenate([part.half_spread_ticks for part in parts]),
        {name: np.concatenate([part.interval[name] for part in parts]) for name in intervals},
        parts[0].period_seconds,
        _longest_windows(parts),
    )


def _longest_windows(parts: Sequence[Samples]) -> dict[str, float]:
    """How long windows are on average in the session in which they are longest."""
    found: dict[str, float] = {}
    for part in parts:
        found |= {name: max(seconds, found.get(name, 0.0)) for name, seconds in part.window_seconds.items()}
    return found


def choose(samples_by_set: dict[str, Samples], days: str, seed: int) -> Choice:
    """The set whose score has the highest IC over the main horizon on these days."""
    found = []
    for name, samples in samples_by_set.items():
        rows = information_coefficients(name, samples, Resampling(samples, seed))
        found += [row for row in rows if (row.statistic, row.feature, row.target) == ("ic", "score", MAIN_TARGET)]
    best = max((row for row in found if np.isfinite(row.value)), key=lambda row: row.value, default=None)
    return Choice(days, best.parameters if best else next(iter(samples_by_set)), tuple(found))
