"""What followed: moves and hit rates after each state beside what follows anyway, by decile, and as foretold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vp.study.blocks import Blocks
from vp.study.foresight import LEAST_SAMPLES, Resampling
from vp.study.measure import Measure
from vp.study.samples import MAIN_TARGET, NEXT_MOVE, Samples

STATES = {"UP": 1, "CHOP": 0, "DOWN": -1}
DECILES = 10
STATE_SERIES = 8


def after_states(name: str, samples: Samples, resampling: Resampling) -> Iterator[Measure]:
    """Of each state and target: the mean move less the mean of all, and how often a move was upward, less the same.

    The hit rate is the share of moves that went the state's way, of those that went anywhere; of CHOP, upward.
    """
    state = samples.features["state"]
    groups = {label: (state == value, -1.0 if value < 0 else 1.0) for label, value in STATES.items()}
    for target in samples.targets:
        yield from after_groups(name, samples, resampling, target, groups)


def after_groups(
    name: str,
    samples: Samples,
    resampling: Resampling,
    target: str,
    groups: Mapping[str, tuple[np.ndarray, float]],
) -> Iterator[Measure]:
    """What followed the samples of each group: by label which they are, bool[n], and the way of a hit, 1 or -1."""
    y = samples.targets[target]
    known = np.isfinite(y)
    if known.sum() < LEAST_SAMPLES:
        return
    move = np.where(known, y, 0.0)
    series = np.concatenate([_state_series(known, move, inside, way) for inside, way in groups.values()])
    resampled = resampling.of(target).sums(series).reshape(-1, len(groups), STATE_SERIES)
    whole = series.sum(1).reshape(1, len(groups), STATE_SERIES)
    found, spread = state_statistics(whole), state_statistics(resampled)
    for i, label in enumerate(groups):
        for statistic, values in found.items():
            interval = Blocks.spread(spread[statistic][:, i])
            yield Measure(name, statistic, "state", target, label, float(values[0, i]), *interval, int(whole[0, i, 2]))


def _state_series(known: np.ndarray, move: np.ndarray, inside: np.ndarray, way: float) -> np.ndarray:
    """What the statistics of a state are made of: all samples, their moves, those of the state, and so on; [8, n]."""
    inside = known & inside
    moved, right = move != 0, way * move > 0
    series = (known, move, inside, move * inside, moved, right, inside & moved, inside & right)
    return np.stack([one.astype(np.float64) for one in series])


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: np.ndarray = np.where(b > 0, a / b, np.nan)
    return ratio


def state_statistics(sums: np.ndarray) -> dict[str, np.ndarray]:
    """The statistics of a state by name, out of the sums of its series, [..., STATE_SERIES]."""
    samples, moves, inside, moves_inside, moved, right, moved_inside, right_inside = np.moveaxis(sums, -1, 0)
    mean, rate, base = _ratio(moves_inside, inside), _ratio(right_inside, moved_inside), _ratio(right, moved)
    return {
        "share_of_time": _ratio(inside, samples),
        "mean_move": mean,
        "mean_move_beside_mean": mean - _ratio(moves, samples),
        "hit_rate": rate,
        "base_rate": base,
        "hit_rate_beside_base": rate - base,
    }


def by_decile(name: str, samples: Samples, resampling: Resampling, target: str = MAIN_TARGET) -> Iterator[Measure]:
    """Mean move, and share of moves that went up, in each tenth of the samples by score."""
    y, score = samples.targets[target], samples.features["score"]
    known = np.isfinite(y) & np.isfinite(score)
    if known.sum() < DECILES * LEAST_SAMPLES:
        return
    decile = _decile_of(score, score[known])
    move = np.where(known, y, 0.0)
    groups = []
    for number in range(DECILES):
        inside = known & (decile == number)
        groups.append(np.stack([inside, move * inside, inside & (move != 0), inside & (move > 0)]))
    series = np.concatenate(groups).astype(np.float64)
    resampled = resampling.of(target).sums(series).reshape(-1, DECILES, 4)
    whole = series.sum(1).reshape(1, DECILES, 4)
    for number in range(DECILES):
        count, label = int(whole[0, number, 0]), str(number + 1)
        for statistic, of, by in (("decile_mean_move", 1, 0), ("decile_share_up", 3, 2)):
            found = float(_ratio(whole[:, number, of], whole[:, number, by])[0])
            spread = Blocks.spread(_ratio(resampled[:, number, of], resampled[:, number, by]))
            yield Measure(name, statistic, "score", target, label, found, *spread, count)


def calibration(name: str, samples: Samples, resampling: Resampling) -> Iterator[Measure]:
    """Of each fifth by score: how often the next move was up in the first half of the samples, and in the later."""
    y, score = samples.targets[NEXT_MOVE], samples.features["score"]
    known = np.isfinite(y) & np.isfinite(score)
    first = np.arange(len(samples)) < len(samples) // 2
    if min((known & first).sum(), (known & ~first).sum()) < DECILES * LEAST_SAMPLES:
        return
    fifth = _decile_of(score, score[known & first]) // 2
    groups = [
        (number, statistic, known & (fifth == number) & half)
        for number in range(DECILES // 2)
        for half, statistic in ((first, "foretold_share_up"), (~first, "later_share_up"))
    ]
    series = np.concatenate([np.stack([inside, inside & (y > 0)]) for _, _, inside in groups]).astype(np.float64)
    resampled = resampling.of(NEXT_MOVE).sums(series).reshape(-1, len(groups), 2)
    whole = series.sum(1).reshape(1, len(groups), 2)
    for i, (number, statistic, _) in enumerate(groups):
        found = float(_ratio(whole[:, i, 1], whole[:, i, 0])[0])
        spread = Blocks.spread(_ratio(resampled[:, i, 1], resampled[:, i, 0]))
        yield Measure(name, statistic, "score", NEXT_MOVE, str(number + 1), found, *spread, int(whole[0, i, 0]))


def _decile_of(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The tenth of `of` that each value belongs to, 0 to 9."""
    return np.searchsorted(np.quantile(of, np.arange(1, DECILES) / DECILES), values, "right")
