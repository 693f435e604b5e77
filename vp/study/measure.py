"""One figure of a study, as it stands in its table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measure:
    """A figure with its interval.

    Attributes
    ----------
    parameters : str
        The set of model parameters, as the user named it.
    statistic : str
        What it is: `ic`, `mean_move_beside_mean`, ... (docs/study.md).
    feature, target : str
        Of what, and of which future.
    group : str
        A state, a decile, a part of the session; empty for all.
    value, low, high : float
        NaN where there is none.
    count : int
        Samples behind it.
    """

    parameters: str
    statistic: str
    feature: str
    target: str
    group: str
    value: float
    low: float = np.nan
    high: float = np.nan
    count: int = 0

    @property
    def differs_from_0(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


class Measures:
    """All figures of a study in the order in which they were made."""

    def __init__(self, rows: list[Measure] | None = None) -> None:
        self.rows = rows or []

    def of(self, statistic: str, **wanted: str) -> list[Measure]:
        """Those of a statistic, whose other words are as wanted."""
        return [
            row
            for row in self.rows
            if row.statistic == statistic and all(getattr(row, name) == word for name, word in wanted.items())
        ]

    def one(self, statistic: str, **wanted: str) -> Measure | None:
        """The first of them, if there is any."""
        return next(iter(self.of(statistic, **wanted)), None)
