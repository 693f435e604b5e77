"""Intervals against a bootstrap written once more, slow and by the book, and against a library's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap

from vp.study.blocks import Blocks
from vp.study.foresight import pair_sums
from vp.study.ranks import correlation, ranks, standard_ranks

LENGTH = 30
TOLERANCE = 0.012  # between two bootstraps of a thousand resamples


def smooth(rng: np.random.Generator, count: int, keep: float = 0.9) -> np.ndarray:
    """A series that remembers itself."""
    values = np.zeros(count)
    for i in range(1, count):
        values[i] = keep * values[i - 1] + rng.standard_normal()
    return values


def related(count: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = smooth(rng, count)
    return x, 0.15 * x + smooth(rng, count)


def slow_interval(x: np.ndarray, y: np.ndarray, length: int, resamples: int = 1000) -> tuple[float, float]:
    """Ranks by counting, blocks by index, one resample after the other."""
    ranked = [np.array([(np.sum(v < one) + np.sum(v <= one) + 1) / 2 for one in v]) for v in (x, y)]
    rng = np.random.default_rng(99)
    found = []
    for _ in range(resamples):
        index: list[int] = []
        while len(index) < len(x):
            start = int(rng.integers(len(x)))
            index += [(start + i) % len(x) for i in range(length)]
        at = index[: len(x)]
        found.append(float(np.corrcoef(ranked[0][at], ranked[1][at])[0, 1]))
    return float(np.percentile(found, 2.5)), float(np.percentile(found, 97.5))


def fast_interval(x: np.ndarray, y: np.ndarray, length: int) -> tuple[float, float, float]:
    known = np.ones(len(x), bool)
    pairs = pair_sums(standard_ranks(x, known), standard_ranks(y, known), known)
    return Blocks(len(x), length, 3).interval(pairs, correlation)


def test_ranks_share_what_is_equal() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_an_interval_is_that_of_the_slow_bootstrap() -> None:
    x, y = related(900)
    value, low, high = fast_interval(x, y, LENGTH)
    assert (low, high) == pytest.approx(slow_interval(x, y, LENGTH), abs=TOLERANCE)
    assert low < value < high
    narrow = fast_interval(x, y, 1)
    assert narrow[2] - narrow[1] < 0.8 * (high - low), "blocks keep what neighbours have in common"


def test_an_interval_is_that_of_the_library() -> None:
    x, y = related(900)
    made = CircularBlockBootstrap(LENGTH, ranks(x), ranks(y), seed=1)
    values = made.apply(lambda a, b: np.corrcoef(a, b)[0, 1], 1000)[:, 0]
    expected = np.percentile(values, [2.5, 97.5])
    assert fast_interval(x, y, LENGTH)[1:] == pytest.approx(tuple(expected), abs=TOLERANCE)


def test_blocks_of_many_samples_begin_at_fewer_places_and_give_the_same() -> None:
    x, y = related(20_000)
    coarse = Blocks(len(x), LENGTH, 3)
    assert coarse.stride == 6
    _, low, high = fast_interval(x, y, LENGTH)
    batches = [fast_interval(x[i::1][:6_000], y[i::1][:6_000], LENGTH) for i in (0, 7_000, 14_000)]
    width = np.mean([one[2] - one[1] for one in batches]) * np.sqrt(6_000 / 20_000)
    assert high - low == pytest.approx(width, rel=0.15)


def test_resamples_of_a_constant_are_that_constant() -> None:
    blocks = Blocks(100, 7, 1)
    sums = blocks.sums(np.stack([np.ones(100), np.full(100, 3.0)]))
    assert np.allclose(sums[:, 1] / sums[:, 0], 3.0)


def test_sums_are_exact_so_that_no_order_of_adding_up_makes_others() -> None:
    rng = np.random.default_rng(3)
    columns = rng.standard_normal((2_000, 3)) * np.array([1e-9, 1.0, 1e9])
    blocks = Blocks(len(columns), LENGTH, 1, resamples=5)
    around = np.concatenate([columns, columns[: LENGTH - 1]])
    each = np.stack([around[i : i + LENGTH].sum(0) for i in range(len(columns))])
    drawn = np.random.default_rng(1).integers(2_000, size=(5, -(-2_000 // LENGTH)))  # as Blocks draws them
    for resample, sums in zip(drawn, blocks.sums(columns.T), strict=True):
        for column, found in enumerate(sums):
            exact = math.fsum(each[resample, column])
            assert found == pytest.approx(exact, abs=1e-12 * np.abs(each[:, column]).max() * len(resample))
            steps = 2.0**51 / np.abs(each[:, column]).max() / len(resample)
            assert found * 2 ** math.floor(math.log2(steps)) % 0.25 == 0, "a whole number of small steps"


def test_the_same_seed_gives_the_same() -> None:
    x, y = related(300)
    assert fast_interval(x, y, LENGTH) == fast_interval(x, y, LENGTH)


def test_nine_in_ten_intervals_and_more_hold_the_truth() -> None:
    held = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        _, low, high = fast_interval(smooth(rng, 900), smooth(rng, 900), 60)
        held.append(low <= 0 <= high)
    assert 0.8 < np.mean(held) <= 1.0
