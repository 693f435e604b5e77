"""A search over the model's parameters for a better score, chosen on some sessions and reported on others.

`uv run python -m scripts.study_search --data ../shared/data --sets 60 > search.md`. How it goes was settled before it
ran: sets are drawn at random from SPACE; of each, the rank correlation (IC) of the score with the move over the main
horizon is measured on every session; each fold takes the set with the highest mean IC on the sessions that it chooses
on, and reports its IC on its others and what it gains over the default there, with paired intervals. A preset is worth
proposing where both lie above 0 on every session that a fold reports on. The preset `touch` is listed, and not chosen:
it was found on two of these sessions. Everything that was tried is printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.study_power import planted_script
from vp.demo.session import DEMO, ensure_demo, write_session
from vp.model.parameter_texts import parameters_of
from vp.model.parameters import PRESETS, ModelParameters
from vp.model.session import SessionSpec
from vp.study.blocks import Blocks
from vp.study.foresight import RIVAL, block_length, pair_sums
from vp.study.ranks import correlation, standard_ranks
from vp.study.sampled_session import sample_session
from vp.study.samples import MAIN_TARGET, Samples, take_samples

# Jerk and mass are in no force; thresholds and the baseline make states, and not the score.
SPACE: dict[str, tuple[float, ...]] = {
    "reach": (0, 1, 2, 3, 5, 10),
    "tau_velocity_seconds": (1, 2, 5, 10, 20, 40),
    "tau_acceleration_seconds": (2, 5, 25, 50),
    "pressure_add": (0, 0.5, 1, 2),
    "pressure_rest": (0, 0.5, 1, 2),
    "pressure_acceleration": (0, 0.3, 1),
    "vacuum_pull": (0, 0.5, 1, 2),
    "vacuum_fill": (0, 0.5, 1.5, 3),
    "vacuum_rest": (0, 0.5, 1, 2),
    "vacuum_acceleration": (0, 0.3, 1),
}
PLANTED_SEEDS = (71_001, 71_002, 71_003, 71_004)
PLANTED_STRENGTH = 0.2
SEED = 1
FOUND_HERE = "touch"


@dataclass(frozen=True)
class Session:
    """A session of the search: its name, what it is of, and the time between samples."""

    name: str
    spec: SessionSpec
    every_seconds: int = 1


@dataclass(frozen=True)
class Fold:
    """Sessions to choose on, and others to report on."""

    chosen_on: tuple[str, ...]
    reported_on: tuple[str, ...]


def real_sessions(data: Path) -> list[Session]:
    """Those of the exchanges' files."""
    future = "future_mbo"
    es, cl, arl = (data / name for name in (
        "glbx-mdp3-20231225.mbo.dbn.zst", "glbx-mdp3-20250924.mbo.dbn", "xnas-itch-20250717.mbo.dbn"
    ))  # fmt: skip
    return [
        Session("ESH4", SessionSpec(future, "ESH4", "2023-12-25", "23:01 UTC", end_time="23:59:59 UTC", file=es)),
        Session("CLX5", SessionSpec(future, "CLX5", "2025-09-24", "19:32 UTC", end_time="20:59:30 UTC", file=cl)),
        Session("ARL", SessionSpec("equity_mbo", "ARL", "2025-07-17", file=arl), 5),
    ]


def generated_sessions(directory: Path) -> list[Session]:
    """The demonstration, and markets with a planted truth, which are written to the directory."""
    ensure_demo(directory, lambda _share: None)
    demonstration = SessionSpec(DEMO.product_type, DEMO.symbol, DEMO.dt, "09:30", end_time="11:00")
    made = [Session("demonstration", demonstration)]
    for seed in PLANTED_SEEDS:
        path = directory / f"{seed}.mbo.dbn"
        with path.open("wb") as file:
            write_session(file, seed=seed, script=planted_script(seed, PLANTED_STRENGTH))
        made.append(Session(f"planted {seed}", SessionSpec(DEMO.product_type, DEMO.symbol, DEMO.dt, file=path)))
    return made


def folds_of(real: Sequence[str], generated: Sequence[str]) -> list[Fold]:
    """Each real session once for choosing with the others for reporting; and generated ones apart from each other."""
    folds = [Fold((name,), tuple(other for other in real if other != name)) for name in real]
    if generated:
        demonstration, *planted = generated
        folds.append(Fold(tuple(planted[:2]), (*planted[2:], demonstration, *real)))
    return folds


def drawn_sets(count: int, seed: int) -> dict[str, ModelParameters]:
    """The presets, and so many sets at random, each under the text that names it."""
    rng = np.random.default_rng(seed)
    sets = {name: ModelParameters.preset(name) for name in PRESETS}
    while len(sets) < count + len(PRESETS):
        values = {name: float(rng.choice(choices)) for name, choices in SPACE.items()}
        forces = [value for name, value in values.items() if name.startswith(("pressure_", "vacuum_"))]
        if any(forces):
            text = ",".join(f"{name}:{value:g}" for name, value in values.items())
            sets[text] = parameters_of(text)
    return sets


class Tried:
    """Every set on one session: the samples under the default, and the score under each."""

    def __init__(self, session: Session, sets: Mapping[str, ModelParameters]) -> None:
        taken = {name: self._samples(session, parameters) for name, parameters in sets.items()}
        self.samples = taken["default"]
        self.scores = {name: samples.features["score"] for name, samples in taken.items()}
        move = self.samples.targets[MAIN_TARGET]
        self._known = np.isfinite(move)
        self._move = standard_ranks(move, self._known)
        self._blocks = Blocks(len(move), block_length(self.samples, MAIN_TARGET), SEED)

    @staticmethod
    def _samples(session: Session, parameters: ModelParameters) -> Samples:
        return take_samples(
            sample_session(dataclasses.replace(session.spec, parameters=parameters)), session.every_seconds
        )

    def coefficient(self, name: str) -> float:
        """IC of a set's score."""
        return float(correlation(*self._pairs(self.scores[name]).sum(1)[:, None])[0])

    def interval(self, name: str) -> tuple[float, float]:
        """Of that."""
        return Blocks.spread(self._resampled(self.scores[name]))

    def gain(self, name: str, over: np.ndarray) -> tuple[float, float, float]:
        """By how much IC is higher than that of another feature, paired."""
        value = self.coefficient(name) - float(correlation(*self._pairs(over).sum(1)[:, None])[0])
        return (value, *Blocks.spread(self._resampled(self.scores[name]) - self._resampled(over)))

    def _pairs(self, feature: np.ndarray) -> np.ndarray:
        return pair_sums(standard_ranks(feature, self._known), self._move, self._known)

    def _resampled(self, feature: np.ndarray) -> np.ndarray:
        return correlation(*self._blocks.sums(self._pairs(feature)).T)


def report(tried: Mapping[str, Tried], folds: Sequence[Fold], sets: Sequence[str]) -> Iterator[str]:
    """The tables as lines of Markdown."""
    coefficients = {name: {session: one.coefficient(name) for session, one in tried.items()} for name in sets}
    for fold in folds:
        means = {name: float(np.mean([found[one] for one in fold.chosen_on])) for name, found in coefficients.items()}
        best = max((name for name in means if name != FOUND_HERE), key=lambda name: means[name])
        beside = f"(mean IC {means[best]:.3f}, default {means['default']:.3f})"
        yield f"Chosen on {', '.join(fold.chosen_on)}: `{best}` {beside}\n"
        yield "| reported on | IC | gained over default | over queue imbalance |"
        yield "| --- | --- | --- | --- |"
        better = True
        for session in fold.reported_on:
            one = tried[session]
            gain = one.gain(best, one.scores["default"])
            over = one.gain(best, one.samples.features[RIVAL])
            found = (coefficients[best][session], *one.interval(best))
            better &= gain[1] > 0 and found[1] > 0
            yield f"| {session} | {_text(found)} | {_text(gain)} | {_text(over)} |"
        yield f"\n{'A preset: better on each of them.' if better else 'No preset: not better on each of them.'}\n"
    yield f"| parameters | {' | '.join(tried)} |"
    yield f"| --- |{' --- |' * len(tried)}"
    for name, of_sessions in coefficients.items():
        yield f"| {name} | {' | '.join(f'{value:.3f}' for value in of_sessions.values())} |"


def _text(found: tuple[float, float, float]) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*found)


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the exchange's files")
    parser.add_argument("--sets", type=int, default=60, help="how many to draw beside the presets")
    parser.add_argument("--real-alone", action="store_true", help="leave generated sessions out")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    sets = drawn_sets(asked.sets, asked.seed)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        real = real_sessions(asked.data.resolve())
        generated = [] if asked.real_alone else generated_sessions(directory)
        tried = {}
        for session in (*real, *generated):
            spec = dataclasses.replace(session.spec, lake=str(directory))
            tried[session.name] = Tried(dataclasses.replace(session, spec=spec), sets)
            print(f"{session.name}: {len(tried[session.name].samples):,} samples", file=sys.stderr, flush=True)
    names = ([one.name for one in part] for part in (real, generated))
    for line in report(tried, folds_of(*names), list(sets)):
        print(line)


if __name__ == "__main__":
    main()
