"""The report of a study: its parts in order, for whoever renders them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vp.study import plots
from vp.study.aftermath import STATES
from vp.study.measure import Measure
from vp.study.samples import MAIN_TARGET, NEXT_MOVE, TARGETS
from vp.study.study import Study
from vp.study.verdict import figure, sentences


@dataclass(frozen=True)
class Heading:
    """A heading, of level 1 or 2."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; the verdict is one that stands out."""

    text: str
    is_verdict: bool = False


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A plot, as SVG."""

    svg: str


OF_STATES = (
    "share_of_time",
    "mean_move",
    "mean_move_beside_mean",
    "hit_rate",
    "base_rate",
    "hit_rate_beside_base",
)
Part = Heading | Paragraph | Table | Plot


def report(study: Study) -> Iterator[Part]:
    """Every part, the verdict first."""
    first = study.sets[0].name
    contracts = ", ".join(dict.fromkeys(source.contract for source in study.sources))
    days = [source.dt for source in study.sources]
    yield Heading(f"What the signal was worth: {contracts}, {_span(days)}", 1)
    opening, *more = sentences(study)
    yield Paragraph(opening, is_verdict=True)
    if more:
        yield Paragraph(" ".join(more))
    yield Paragraph(
        f"{study.samples:,} samples, one every {study.period_seconds} s of the clock. Brackets are 95 % intervals by a "
        f"circular block bootstrap. Half the spread is {study.half_spread_ticks:.3f} ticks on average, fees are "
        f"{study.fees_ticks:.3f} ticks: what a move must beat before it pays. Past figures promise nothing."
    )
    for note in study.notes:
        yield Paragraph(note)
    if study.choice:
        yield from _choice(study)
    for tried in study.sets:
        yield from _foresight(study, tried.name)
    yield from _beside(study, first)
    yield from _aftermath(study, first)
    yield from _by_score(study, first)
    yield from _controls(study, first)
    yield from _stability(study, first)
    yield from _origin(study)


def _cost(study: Study) -> str:
    """What a trade costs one way, which every move stands beside."""
    return f"half the spread {study.half_spread_ticks:.2f}, fees {study.fees_ticks:.2f} ticks"


def _span(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} sessions)"


def _choice(study: Study) -> Iterator[Part]:
    choice = study.choice
    assert choice is not None
    yield Heading("How the parameters were chosen")
    yield Paragraph(
        f"Of the sets below, {choice.best} had the highest rank correlation of the score over {MAIN_TARGET} on "
        f"{choice.days}. All else in this report is of other days. Nothing but these sets was tried."
    )
    rows = tuple((row.parameters, figure(row), f"{row.count:,}") for row in choice.coefficients)
    yield Table(("parameters", f"IC over {MAIN_TARGET} on the days for choosing", "samples"), rows)


def _foresight(study: Study, name: str) -> Iterator[Part]:
    rows = study.measures.of("ic", parameters=name)
    if not rows:
        return
    yield Heading(f"What each feature foretold (parameters: {name})")
    yield Paragraph(
        "Spearman's rank correlation (IC) of the feature with the move of the mid after the sample; 0 is none. The bar "
        "is queue imbalance and order flow, not zero."
    )
    yield Plot(plots.coefficients(study.measures, name))
    targets = [target for target in TARGETS if any(row.target == target for row in rows)]
    features = list(dict.fromkeys(row.feature for row in rows))
    found = {(row.feature, row.target): row for row in rows}
    table = [(feature, *(_cell(found.get((feature, target))) for target in targets)) for feature in features]
    yield Table(("feature", *targets), tuple(table))


def _beside(study: Study, name: str) -> Iterator[Part]:
    rows = [
        *study.measures.of("ic_above_rival", parameters=name),
        *study.measures.of("partial_ic", parameters=name),
        *study.measures.of("oos_ic", parameters=name),
        *study.measures.of("oos_ic_gained", parameters=name),
    ]
    words = {
        "ic_above_rival": "IC of the score less that of queue imbalance (paired)",
        "partial_ic": "partial IC of the score beside the baselines",
        "oos_ic": "IC in the later half of a fit on the first",
        "oos_ic_gained": "gained by adding the score, later half (paired)",
    }
    if rows:
        yield Heading("What the score adds")
        yield Table(
            ("figure", "of", "target", "value", "samples"),
            tuple((words[r.statistic], r.feature, r.target, figure(r), f"{r.count:,}") for r in rows),
        )
    rows = study.measures.of("same_interval_r2", parameters=name)
    if rows:
        yield Paragraph("R² of order flow with the move of the very same 10 s, which is no foresight:")
        yield Table(("feature", "R²", "intervals"), tuple((r.feature, figure(r), f"{r.count:,}") for r in rows))


def _aftermath(study: Study, name: str) -> Iterator[Part]:
    if not study.measures.of("mean_move", parameters=name):
        return
    yield Heading("What followed UP, CHOP and DOWN")
    yield Paragraph(
        "Mean move in ticks, and hit rate: the share of moves that went the state's way (CHOP: upward), of samples "
        f"whose mid moved. Beside them what follows anyway. A trade costs {_cost(study)} one way."
    )
    yield Plot(plots.after_states(study.measures, name, _cost(study)))
    rows = []
    for target in TARGETS:
        for state in STATES:
            move = study.measures.one("mean_move", parameters=name, target=target, group=state)
            if move is None:
                continue
            found = [
                study.measures.one(statistic, parameters=name, target=target, group=state) for statistic in OF_STATES
            ]
            rows.append((target, state, f"{move.count:,}", *map(_cell, found)))
    header = ("target", "state", "n", "share of time", "mean move", "less the mean of all")
    yield Table((*header, "hit rate", "base rate", "hit rate less base"), tuple(rows))


def _by_score(study: Study, name: str) -> Iterator[Part]:
    moves = study.measures.of("decile_mean_move", parameters=name)
    if moves:
        ups = study.measures.of("decile_share_up", parameters=name)
        yield Heading(f"By tenth of the score, over {MAIN_TARGET}")
        yield Plot(plots.deciles(moves, _cost(study)))
        rows = tuple((m.group, f"{m.count:,}", figure(m), figure(u)) for m, u in zip(moves, ups, strict=True))
        yield Table(("tenth", "n", "mean move", "share of moves up"), rows)
    foretold = study.measures.of("foretold_share_up", parameters=name)
    if foretold:
        later = study.measures.of("later_share_up", parameters=name)
        yield Heading(f"Calibration: the {NEXT_MOVE} by fifth of the score, first half against later half")
        yield Plot(plots.calibration(foretold, later))
        fifths = tuple((f.group, figure(f), figure(x)) for f, x in zip(foretold, later, strict=True))
        yield Table(("fifth", "up, first half", "up, later half"), fifths)


def _controls(study: Study, name: str) -> Iterator[Part]:
    rows = [
        (f"share of {row.count:,} shifts in time whose |IC| is as large", row.feature, row.target, f"{row.value:.4f}")
        for row in study.measures.of("shift_p", parameters=name)
    ]
    luck = "|IC| that the best of all features reaches by luck in 5 %"
    rows += [
        (luck, row.feature, row.target, f"{row.value:.3f}")
        for row in study.measures.of("best_by_luck", parameters=name)
    ]
    for statistic, words in (
        ("sign_flipped_ic", "IC of the score with its sign turned"),
        ("planted_ic", "IC of a signal planted with 0.15, which must be found"),
    ):
        rows += [(words, row.feature, row.target, figure(row)) for row in study.measures.of(statistic, parameters=name)]
    lengths = {row.feature: row.value for row in study.measures.of("cross_check_block_seconds", parameters=name)}
    rows += [
        (f"IC by arch's bootstrap, in blocks of {lengths[row.feature]:g} s", row.feature, row.target, figure(row))
        for row in study.measures.of("cross_checked_ic", parameters=name)
    ]
    if rows:
        yield Heading("Controls")
        svg = plots.null(study.measures, name)
        if svg:
            yield Plot(svg)
        yield Table(("control", "of", "target", "value"), tuple(rows))


def _stability(study: Study, name: str) -> Iterator[Part]:
    parts = study.measures.of("ic_of_part", parameters=name)
    if parts:
        yield Heading("Over the session")
        yield Plot(plots.stability(parts))
        yield Table(
            ("tenth of the samples", "feature", f"IC over {MAIN_TARGET}", "samples"),
            tuple((row.group, row.feature, figure(row), f"{row.count:,}") for row in parts),
        )


def _origin(study: Study) -> Iterator[Part]:
    yield Heading("What this was made of")
    files = [(source.contract, source.dt, name, digest) for source in study.sources for name, digest in source.files]
    yield Table(("contract", "date", "file", "SHA-256"), tuple(files))
    yield Table(
        ("parameters", "digest", "values"),
        tuple(
            (one.name, one.digest, ", ".join(f"{name} {value:g}" for name, value in one.values.items()))
            for one in study.sets
        ),
    )
    yield Paragraph(f"Vacuum Pressure {study.version}, seed {study.seed}. The same input gives the same report.")


def _cell(row: Measure | None) -> str:
    return "" if row is None else figure(row)
