"""How much of a planted truth the study finds, and how often it finds what is not there: a table for docs/study.md.

`uv run python -m scripts.study_power --null 200 --planted 60`; `--strengths 0.2,0.4 --null 0` makes a part of it.
Each run generates a market in which liquidity builds on one side and drains on the other, and then the price moves: in
the direction that liquidity pointed in with probability (1 + strength)/2. "none" holds the score of one such market
against the moves of another, which it can know nothing of: whatever is found there is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vp.demo.book import MIDDLE
from vp.demo.script import Script, write_script
from vp.demo.session import DEMO, write_session
from vp.demo.wanted_depth import (
    SCRIPT_COLUMNS,
    T_BUILD,
    T_DIRECTION,
    T_DRAIN,
    T_EVENTS,
    T_FAIR,
    T_ORIGIN,
    T_REACH,
)
from vp.model.session import SessionSpec
from vp.study.controls import nulls
from vp.study.foresight import Resampling, information_coefficients
from vp.study.measure import Measure, Measures
from vp.study.sampled_session import sample_session
from vp.study.samples import MAIN_TARGET, Samples, take_samples
from vp.study.verdict import MOST_LUCK

SECONDS = 2_400
EVENTS_PER_SECOND = 90.0
LEAD_SECONDS = 12
MOVE_SECONDS = 12
MOVE_TICKS = 5.0
WANDER_TICKS = 0.35  # a second, whatever liquidity says
REACH_TICKS = 16.0
BUILT = 0.9
DRAINED = 0.7
STRENGTHS = (0.0, 0.1, 0.2, 0.4, 0.8)
NULL_SEED = 20_000
NULL_STRENGTH = 0.4
TOLD_EVERY = 20


class Run(NamedTuple):
    """What one market showed: IC of the score, whether it was told from chance, and with the right sign."""

    coefficient: float
    found: bool
    upward: bool


def planted_script(seed: int, strength: float, seconds: int = SECONDS) -> Script:
    """A market whose moves follow the side of its liquidity in the given strength, 0 to 1."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((seconds + 1, SCRIPT_COLUMNS))
    rows[:, T_EVENTS] = EVENTS_PER_SECOND
    fair = np.cumsum(rng.normal(0, WANDER_TICKS, seconds + 1))
    length = LEAD_SECONDS + MOVE_SECONDS
    for lead in range(0, seconds - length, length):
        pointed = 1 if rng.random() < 0.5 else -1
        moved = pointed if rng.random() < (1 + strength) / 2 else -pointed
        move = lead + LEAD_SECONDS
        share = np.clip((np.arange(seconds + 1) - move) / MOVE_SECONDS, 0, 1)
        fair += moved * MOVE_TICKS * share
        built = np.clip((np.arange(length) + 1) / LEAD_SECONDS, 0, 1)
        stretch = slice(lead, lead + length)
        rows[stretch, T_DIRECTION] = pointed
        rows[stretch, T_REACH] = REACH_TICKS
        rows[stretch, T_BUILD] = BUILT * built
        rows[stretch, T_DRAIN] = DRAINED * built
        rows[stretch, T_ORIGIN] = MIDDLE + 0.5 + fair[lead]
    rows[:, T_FAIR] = MIDDLE + 0.5 + fair
    told = write_script(seed)
    return Script((), rows.round(9), told.depths, np.zeros((0, 3)))


def sampled(seed: int, strength: float, directory: Path, seconds: int = SECONDS) -> Samples:
    """The samples of a generated market."""
    path = directory / "planted.mbo.dbn"
    with path.open("wb") as file:
        write_session(file, seed=seed, script=planted_script(seed, strength, seconds))
    spec = SessionSpec(DEMO.product_type, DEMO.symbol, DEMO.dt, lake=str(directory), file=path)
    samples = take_samples(sample_session(spec))
    path.unlink()
    return samples


def of_another(samples: Samples, other: Samples) -> Samples:
    """The features of some samples, with what came after the same moments in another market."""
    _, here, there = np.intersect1d(samples.times_ns, other.times_ns, return_indices=True)
    return replace(
        samples,
        times_ns=samples.times_ns[here],
        features={name: values[here] for name, values in samples.features.items()},
        targets={name: values[there] for name, values in other.targets.items()},
    )


def look(samples: Samples, seed: int) -> Run:
    """Whether the study tells the score from chance."""
    measures = Measures(list(measured(samples, seed)))
    score = measures.one("ic", feature="score", target=MAIN_TARGET)
    luck = measures.one("shift_p", feature="score", target=MAIN_TARGET)
    assert score is not None
    assert luck is not None
    return Run(score.value, score.differs_from_0 and luck.value <= MOST_LUCK, score.value > 0)


def unrelated(count: int, directory: Path, seconds: int = SECONDS) -> Iterator[Run]:
    """Runs in which the score can know nothing: each market's against the moves of the next."""
    before = sampled(NULL_SEED, NULL_STRENGTH, directory, seconds)
    for seed in range(NULL_SEED + 1, NULL_SEED + count + 1):
        market = sampled(seed, NULL_STRENGTH, directory, seconds)
        yield look(of_another(before, market), seed)
        before = market


def planted(strength: float, count: int, directory: Path, seconds: int = SECONDS) -> Iterator[Run]:
    """Runs of markets with a planted truth."""
    for seed in range(1, count + 1):
        seed_here = round(1_000 * abs(strength)) * 1_000 + seed
        yield look(sampled(seed_here, strength, directory, seconds), seed_here)


def measured(samples: Samples, seed: int) -> Iterator[Measure]:
    """What the verdict rests on, of the score alone."""
    features, targets = {"score": samples.features["score"]}, {MAIN_TARGET: samples.targets[MAIN_TARGET]}
    alone = replace(samples, features=features, targets=targets)
    resampling = Resampling(alone, seed)
    rows = list(information_coefficients("default", alone, resampling))
    yield from rows
    yield from nulls("default", alone, {(row.feature, row.target): row.value for row in rows}, resampling)


def row(label: str, runs: Sequence[Run]) -> str:
    """A row of the table."""
    coefficients = np.array([one.coefficient for one in runs])
    right = np.mean([one.found and one.upward for one in runs])
    wrong = np.mean([one.found and not one.upward for one in runs])
    low, high = np.quantile(coefficients, [0.025, 0.975])
    spread = f"{coefficients.mean():.3f} | {low:.3f} to {high:.3f}"
    return f"| {label} | {len(runs)} | {spread} | {right:.1%} | {wrong:.1%} |"


def followed(label: str, runs: Iterator[Run]) -> list[Run]:
    """All of the runs; what they come to so far is told on stderr now and then."""
    done = []
    for run in runs:
        done.append(run)
        if len(done) % TOLD_EVERY == 0:
            print(row(f"{label} so far", done), file=sys.stderr, flush=True)
    return done


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--null", type=int, default=200, help="runs in which there is nothing to find")
    parser.add_argument("--planted", type=int, default=40, help="runs of each strength")
    parser.add_argument("--strengths", default=",".join(map(str, STRENGTHS)), help="those planted, with commas between")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of each market")
    asked = parser.parse_args()
    print("| planted strength | runs | mean IC | 95 % of ICs | found | found the wrong way |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if asked.null:
            print(row("none", followed("none", unrelated(asked.null, directory, asked.seconds))), flush=True)
        for strength in map(float, asked.strengths.split(",") if asked.planted else ()):
            label = f"{strength:g}"
            print(row(label, followed(label, planted(strength, asked.planted, directory, asked.seconds))), flush=True)


if __name__ == "__main__":
    main()
