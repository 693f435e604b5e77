"""The plots of a report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vp.study.aftermath import STATES
from vp.study.foresight import RIVAL
from vp.study.measure import Measure, Measures
from vp.study.samples import MAIN_TARGET, TARGETS
from vp.study.svg import Series, histogram, points

SHOWN = ("score", RIVAL, "order flow 10 s", "order flow of ten levels 10 s", "mid change 2 s")


def coefficients(measures: Measures, name: str) -> str:
    """IC by target, of the score and the baselines."""
    shown = [_series(feature, measures.of("ic", parameters=name, feature=feature), TARGETS) for feature in SHOWN]
    return points("IC by horizon", TARGETS, [one for one in shown if any(np.isfinite(one.values))], "IC")


def after_states(measures: Measures, name: str, cost: str) -> str:
    """Mean move after each state, less the mean of all, by target; `cost` says what a trade costs."""
    targets = [target for target in TARGETS if target.endswith(" s")]
    shown = [
        _series(state, measures.of("mean_move_beside_mean", parameters=name, group=state), targets) for state in STATES
    ]
    return points(f"Mean move after each state, less the mean of all ({cost})", targets, shown, "ticks")


def deciles(moves: Sequence[Measure], cost: str) -> str:
    """Mean move by tenth of the score; `cost` as above."""
    labels = [row.group for row in moves]
    title = f"Mean move over {MAIN_TARGET} by tenth of the score ({cost})"
    return points(title, labels, [_series("mean move", moves, labels, by="group")], "ticks")


def calibration(foretold: Sequence[Measure], later: Sequence[Measure]) -> str:
    """Share of next moves that were up by fifth of the score, in the first half and later."""
    labels = [row.group for row in foretold]
    shown = [_series("first half", foretold, labels, by="group"), _series("later half", later, labels, by="group")]
    return points("Share of next moves up, by fifth of the score", labels, shown, "share", zero=0.5)


def null(measures: Measures, name: str) -> str:
    """What shifts in time show of the score, and what it shows as it is; empty where there are none."""
    quantiles = measures.of("shift_quantile", parameters=name, target=MAIN_TARGET)
    value = measures.one("ic", parameters=name, feature="score", target=MAIN_TARGET)
    if not quantiles or value is None:
        return ""
    edges = [row.value for row in quantiles]
    title = f"IC of the score over {MAIN_TARGET}, and of the score shifted in time"
    return histogram(title, edges, [1.0] * (len(edges) - 1), value.value, "IC")


def stability(parts: Sequence[Measure]) -> str:
    """IC of the score and of its rival over the session."""
    labels = list(dict.fromkeys(row.group for row in parts))
    shown = [
        _series(feature, [row for row in parts if row.feature == feature], labels, by="group")
        for feature in ("score", RIVAL)
    ]
    return points(f"IC over {MAIN_TARGET} in each tenth of the samples", labels, shown, "IC")


def _series(name: str, rows: Sequence[Measure], places: Sequence[str], by: str = "target") -> Series:
    """One value for each place, NaN where there is none."""
    found = {getattr(row, by): row for row in rows}
    nothing = Measure("", "", "", "", "", np.nan)
    ordered = [found.get(place, nothing) for place in places]
    return Series(name, [row.value for row in ordered], [row.low for row in ordered], [row.high for row in ordered])
