"""The intervals once more by another's bootstrap: arch's (the extra `study`), in blocks as long as it finds right.

The verdict never rests on it: it says whether VP's own intervals can be believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from vp.errors import IncompleteInstallationError
from vp.study.blocks import COVERAGE, RESAMPLES
from vp.study.foresight import LEAST_SAMPLES, RIVAL
from vp.study.measure import Measure
from vp.study.ranks import standard_ranks
from vp.study.samples import MAIN_TARGET, Samples

PACKAGE = "arch"


def judge_cross_check() -> None:
    """Raise IncompleteInstallationError where arch is not installed."""
    try:
        import arch.bootstrap  # noqa: PLC0415, F401 - takes as long as a small study
    except ImportError:
        raise IncompleteInstallationError(
            f"--cross-check needs the package {PACKAGE}, which is not installed.",
            hint="The extra study has it: pip install 'vacuum-pressure[study]'.",
        ) from None


def cross_checked(name: str, samples: Samples, seed: int) -> Iterator[Measure]:
    """IC of the score and of its rival over the main horizon, with arch's intervals, and how long its blocks are.

    The length is that of Politis and White (2004) for the product of the two ranks, whose mean the IC is.
    """
    from arch.bootstrap import CircularBlockBootstrap, optimal_block_length  # noqa: PLC0415 - as above

    y = samples.targets[MAIN_TARGET]
    for feature in ("score", RIVAL):
        x = samples.features[feature]
        known = np.isfinite(x) & np.isfinite(y)
        count = int(known.sum())
        if count < LEAST_SAMPLES:
            continue
        ranked_x, ranked_y = standard_ranks(x, known)[known], standard_ranks(y, known)[known]
        value = float(np.mean(ranked_x * ranked_y))
        if not value:  # one of the two is the same everywhere
            continue
        length = max(1, ceil(float(optimal_block_length(ranked_x * ranked_y)["circular"].iloc[0])))
        made = CircularBlockBootstrap(length, ranked_x, ranked_y, seed=seed)
        drawn = made.apply(lambda a, b: np.corrcoef(a, b)[0, 1], RESAMPLES)[:, 0]
        low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
        yield Measure(name, "cross_checked_ic", feature, MAIN_TARGET, "", value, float(low), float(high), count)
        seconds = float(length * samples.period_seconds)
        yield Measure(name, "cross_check_block_seconds", feature, MAIN_TARGET, "", seconds, count=count)
