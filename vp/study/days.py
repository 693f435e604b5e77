"""Days of the lake, each taken through the engine once for each set of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vp.dbn.opened_lake import open_lake
from vp.errors import EmptySessionError, NoRawFileError
from vp.files import sha256_of
from vp.market.products import Product
from vp.market.session_hours import SessionDates, parse_dates
from vp.model.found_session import find_session
from vp.model.progress import Progress
from vp.model.session import SessionSpec
from vp.study.request import StudyRequest
from vp.study.sampled_session import SampledSession, sample_session
from vp.study.samples import Samples, take_samples
from vp.study.study import Source, together


@dataclass(frozen=True)
class Days:
    """Some days under every set: the samples of each, and what they are of."""

    samples: dict[str, Samples]
    sources: tuple[Source, ...]
    fees_ticks: float
    notes: tuple[str, ...]


def run_days(
    request: StudyRequest,
    spec: SessionSpec,
    on_progress: Callable[[Progress], None],
    on_share: Callable[[float], None],
) -> Days:
    """Run each of a session's days that the lake holds; those of several without anything are noted and left out.

    Raises
    ------
    VPError
        A session cannot be had, or nothing happens on any of them.
    """
    product, each = _each_day(spec)
    parts: dict[str, list[Samples]] = {name: [] for name, _ in request.sets}
    sources, notes, fees_ticks = [], [], []
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
            fees_ticks.append(request.fees_ticks(sampled.tick_int, product.multiplier))
            sources.append((sampled.contract, sampled.dt, files))
        if not sources:
            raise EmptySessionError(f"Nothing of {spec.symbol} happens on {spec.dt}.", hint=" ".join(notes))
        named = tuple(
            Source(contract, day, tuple((path.name, hashes[path].result()) for path in files))
            for contract, day, files in sources
        )
    samples = {name: together(part) for name, part in parts.items()}
    return Days(samples, named, float(np.mean(fees_ticks)) if fees_ticks else 0.0, tuple(notes))


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
