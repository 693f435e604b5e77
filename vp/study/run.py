"""From what a user asks to a study: which days, under which parameters, chosen on which and reported on which."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import vp
from vp.dbn.opened_lake import open_lake
from vp.errors import BadParameterError, EmptySessionError, NoRawFileError
from vp.files import sha256_of
from vp.kernels.contract import SCALAR_COLUMNS
from vp.market.products import Product
from vp.market.session_hours import SessionDates, parse_dates
from vp.model.parameters import ModelParameters
from vp.model.pipeline import find_session
from vp.model.progress import Progress, ignore_progress
from vp.model.session import SessionSpec
from vp.study.measure import Measures
from vp.study.sampled_session import SampledSession, sample_session
from vp.study.samples import MODEL_FEATURES, Samples, take_samples
from vp.study.study import Choice, ParameterSet, Source, Study, choose, measure, together

FEATURE_COLUMNS = tuple(name for name in SCALAR_COLUMNS if name not in {"ts_ns", "event_id", *MODEL_FEATURES})


@dataclass(frozen=True)
class StudyRequest:
    """What a user asks for.

    Attributes
    ----------
    session : SessionSpec
        Its days are studied each by itself.
    sets : tuple of (str, ModelParameters)
        By the names that the user gave them.
    choose_days, report_days : str, optional
        Days to choose one of the sets on, and days to report that one on; together, or neither.
    every_seconds : int
        Between samples.
    columns : tuple of str
        Further scalar columns of frames to be features.
    fees : float
        Of one contract or share and one side, in the price's currency.
    seed : int
    """

    session: SessionSpec
    sets: tuple[tuple[str, ModelParameters], ...]
    choose_days: str | None = None
    report_days: str | None = None
    every_seconds: int = 1
    columns: tuple[str, ...] = ()
    fees: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class _Days:
    """Some days under every set: the samples of each, and what they are of."""

    samples: dict[str, Samples]
    sources: tuple[Source, ...]
    fees_ticks: float
    notes: tuple[str, ...]


def judge_request(request: StudyRequest) -> None:
    """Raise what is wrong with a request by itself."""
    unknown = [name for name in request.columns if name not in FEATURE_COLUMNS]
    if unknown:
        raise BadParameterError(
            f"columns names {', '.join(unknown)}, which no feature can be.",
            hint=f"Choose from: {', '.join(FEATURE_COLUMNS)}.",
        )
    names = [name for name, _ in request.sets]
    if len(set(names)) < len(names):
        raise BadParameterError("parameters names one set twice.", hint="Name each set once.")
    if (request.choose_days is None) != (request.report_days is None):
        raise BadParameterError(
            "--choose and --report belong together, and one of them is missing.",
            hint="For example --choose 2026-02-02..2026-02-04 --report 2026-02-05..2026-02-06.",
        )
    if request.choose_days is not None and request.report_days is not None:
        chosen, reported = parse_dates(request.choose_days), parse_dates(request.report_days)
        if chosen.first <= reported.last and reported.first <= chosen.last:
            raise BadParameterError(
                f"The days to choose on, {chosen}, and to report on, {reported}, overlap.",
                hint="What was chosen on a day looks better on that day than it is.",
            )


def run_study(
    request: StudyRequest,
    on_progress: Callable[[Progress], None] = ignore_progress,
    on_share: Callable[[float], None] | None = None,
) -> Study:
    """Run every session that is asked for once for each set, and measure.

    Raises
    ------
    VPError
        The request is wrong, or a session cannot be had; of several days, those without anything are noted and left
        out.
    """
    judge_request(request)
    choice: Choice | None = None
    sets = request.sets
    days = request.session.dt
    if request.choose_days is not None and request.report_days is not None:
        chosen_on = _run_days(request, request.choose_days, on_progress, on_share)
        choice = choose(chosen_on.samples, request.choose_days, request.seed)
        sets = (*(one for one in sets if one[0] == choice.best), *(one for one in sets if one[0] != choice.best))
        days = request.report_days
    found = _run_days(dataclasses.replace(request, sets=sets), days, on_progress, on_share)
    first = found.samples[sets[0][0]]
    rows = [row for name, samples in found.samples.items() for row in measure(name, samples, request.seed)]
    notes = found.notes
    if len(sets) > 1 and choice is None:
        notes = (
            *notes,
            "The sets were compared on the very days that this report is of: the best of them looks better "
            "than it is. Choose on some days and report on others (--choose, --report).",
        )
    return Study(
        sets=tuple(ParameterSet(name, one.digest, one.to_json()) for name, one in sets),
        sources=found.sources,
        measures=Measures(rows),
        samples=len(first),
        period_seconds=request.every_seconds,
        half_spread_ticks=float(first.half_spread_ticks.mean()) if len(first) else 0.0,
        fees_ticks=found.fees_ticks,
        seed=request.seed,
        version=vp.__version__,
        choice=choice,
        notes=notes,
    )


def _run_days(
    request: StudyRequest,
    days: str,
    on_progress: Callable[[Progress], None],
    on_share: Callable[[float], None] | None,
) -> _Days:
    spec = dataclasses.replace(request.session, dt=days)
    product, each = _each_day(spec)
    parts: dict[str, list[Samples]] = {name: [] for name, _ in request.sets}
    sources, notes, fees_ticks = [], [], 0.0
    with ThreadPoolExecutor(1) as pool:
        hashes: dict[Path, Future[str]] = {}
        for dates in each:
            day = dataclasses.replace(spec, dt=str(dates))
            sampled: SampledSession | None = None
            try:
                files = [raw.path for raw in find_session(day).input.raw_files]
                for path in files:
                    hashes.setdefault(path, pool.submit(sha256_of, path))
                for name, parameters in request.sets:
                    sampled = sample_session(dataclasses.replace(day, parameters=parameters), on_progress, on_share)
                    parts[name].append(take_samples(sampled, request.every_seconds, request.columns))
            except (EmptySessionError, NoRawFileError) as error:
                if len(each) == 1:
                    raise
                notes.append(f"{dates} is left out: {error.message}")
                continue
            assert sampled is not None
            info = sampled.info
            fees_ticks = request.fees / (info.tick_int / 1e9 * product.multiplier)
            sources.append((info.contract, info.dt, files))
        if not sources:
            raise EmptySessionError(f"Nothing of {spec.symbol} happens on {days}.", hint=" ".join(notes))
        named = tuple(
            Source(contract, day, tuple((path.name, hashes[path].result()) for path in files))
            for contract, day, files in sources
        )
    return _Days({name: together(part) for name, part in parts.items()}, named, fees_ticks, tuple(notes))


def _each_day(spec: SessionSpec) -> tuple[Product, Sequence[SessionDates]]:
    """Every day of a span that the lake holds; one that is named by itself is taken as it is."""
    lake = open_lake(spec.lake, spec.products, spec.file)
    product = lake.products.find(spec.product_type, spec.symbol)
    dates = parse_dates(spec.dt)
    if dates.first == dates.last:
        return product, [dates]
    held = [day for day in lake.dates(product) if dates.first <= day <= dates.last]
    if not held:
        lake.inputs_by_date(product, [dates.first])  # says what there is instead
    return product, [SessionDates(day, day, dates.trading_day) for day in held]
