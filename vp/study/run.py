"""From what a user asks to a study: which days, under which parameters, chosen on which and reported on which."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import vp
from vp.model.progress import Progress, ignore_progress, ignore_share
from vp.study.cross_check import cross_checked, judge_cross_check
from vp.study.days import Days, run_days
from vp.study.measure import Measures
from vp.study.recorded_days import parameter_sets_of, read_days
from vp.study.request import RecordingFiles, StudyRequest, judge_request
from vp.study.study import Choice, ParameterSet, Study, choose, measure


def run_study(
    request: StudyRequest,
    on_progress: Callable[[Progress], None] = ignore_progress,
    on_share: Callable[[float], None] = ignore_share,
) -> Study:
    """Run every session that is asked for once for each set, or read every recording, and measure.

    Raises
    ------
    VPError
        The request is wrong, or a session or recording cannot be had; of several days, those without anything are
        noted and left out.
    """
    judge_request(request)
    if request.cross_check:
        judge_cross_check()
    source = request.source
    if isinstance(source, RecordingFiles):
        request = dataclasses.replace(request, sets=parameter_sets_of(source))

    def days_of(asked: StudyRequest, days: str | None) -> Days:
        if isinstance(source, RecordingFiles):
            return read_days(asked, source, days, on_share)
        return run_days(asked, dataclasses.replace(source, dt=days or source.dt), on_progress, on_share)

    choice: Choice | None = None
    sets = request.sets
    if request.choose_days is not None:
        chosen_on = days_of(request, request.choose_days)
        choice = choose(chosen_on.samples, request.choose_days, request.seed)
        sets = (*(one for one in sets if one[0] == choice.best), *(one for one in sets if one[0] != choice.best))
    found = days_of(dataclasses.replace(request, sets=sets), request.report_days)
    first = found.samples[sets[0][0]]
    rows = [row for name, samples in found.samples.items() for row in measure(name, samples, request.seed)]
    if request.cross_check:
        rows += [row for name, samples in found.samples.items() for row in cross_checked(name, samples, request.seed)]
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
