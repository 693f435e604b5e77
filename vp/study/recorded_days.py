"""Recordings as the days of a study: which set of parameters each was made with, and that none is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from vp.errors import BadParameterError, NoRecordingError, VPError
from vp.files import sha256_of
from vp.lake.lake import Lake
from vp.market.session_hours import parse_dates
from vp.model.parameter_texts import parameters_of
from vp.model.parameters import PRESETS, ModelParameters
from vp.model.recording_file import Recording, open_recording
from vp.study.days import Days
from vp.study.recorded_session import ReadRecording, sample_recording
from vp.study.request import RecordingFiles, StudyRequest
from vp.study.samples import take_samples
from vp.study.study import Source, together

NS_PER_MS = 1e6


def parameter_sets_of(files: RecordingFiles) -> tuple[tuple[str, ModelParameters], ...]:
    """The sets that the recordings were made with, in order: by the name of a preset, or by their digest.

    Raises
    ------
    NoRecordingError
        One of the files is no recording, or was made with parameters that this version does not know.
    """
    sets = {_set_of(open_recording(path)): None for path in files.paths}
    return tuple((name_of(one), one) for one in sets)


def name_of(parameters: ModelParameters) -> str:
    """What a report calls a set that nobody has named."""
    presets = (name for name in PRESETS if ModelParameters.preset(name) == parameters)
    return next(presets, parameters.digest)


def read_days(
    request: StudyRequest, files: RecordingFiles, days: str | None, on_share: Callable[[float], None]
) -> Days:
    """Read the recordings, those of some days alone where `days` are given, each as a session by itself.

    Raises
    ------
    NoRecordingError
        One cannot be read, or none is of these days.
    BadParameterError
        Two are of the same time, or the sets are of different sessions: neither can be measured together.
    """
    names = {parameters: name for name, parameters in request.sets}
    read: dict[str, list[tuple[ReadRecording, Path]]] = {name: [] for name in names.values()}
    recordings = [one for one in map(open_recording, files.paths) if _is_within(one, days)]
    if not recordings:
        raise NoRecordingError(f"None of the recordings is of {days}.", hint="Name recordings of these days.")
    for number, one in enumerate(recordings):
        sampled = sample_recording(one, request.columns, _part_of(on_share, number, len(recordings)))
        read[names[_set_of(one)]].append((sampled, one.path))
    for parts in read.values():
        parts.sort(key=lambda part: part[0].session.from_ns)
    _judge_together(read)
    samples = {
        name: together([take_samples(part.session, request.every_seconds, request.columns) for part, _ in parts])
        for name, parts in read.items()
    }
    first = next(iter(read.values()))
    sources = tuple(
        Source(part.session.contract, part.session.dt, ((path.name, sha256_of(path)),))
        for parts in read.values()
        for part, path in parts
    )
    return Days(samples, sources, _fees_ticks(request, files, recordings), tuple(_notes(first)))


def _set_of(recording: Recording) -> ModelParameters:
    try:
        return parameters_of(recording.facts["parameters"].replace("=", ":"))
    except VPError as error:
        raise NoRecordingError(
            f"{recording.path.name} was made by version {recording.facts['version']} with parameters that this one "
            f"does not know: {error.message}",
            hint="Record the session anew.",
        ) from None


def _is_within(recording: Recording, days: str | None) -> bool:
    if days is None:
        return True
    asked, held = parse_dates(days), parse_dates(recording.facts["dt"])
    return asked.first <= held.first and held.last <= asked.last


def _judge_together(read: dict[str, list[tuple[ReadRecording, Path]]]) -> None:
    for parts in read.values():
        for (before, path), (after, later) in pairwise(parts):
            if after.session.from_ns <= before.session.last_ns:
                raise BadParameterError(
                    f"{path.name} and {later.name} are of the same time, which would be counted twice.",
                    hint="Name recordings that lie one after the other.",
                )
    sessions_of = {
        name: [(part.session.contract, part.session.dt) for part, _ in parts] for name, parts in read.items()
    }
    (name, first), *others = sessions_of.items()
    for other, sessions in others:
        if sessions != first:
            raise BadParameterError(
                f"The recordings with the parameters {name} and {other} are not of the same sessions, "
                "so that the two cannot be compared.",
                hint="Record the same sessions with each, or study them one by one.",
            )


def _fees_ticks(request: StudyRequest, files: RecordingFiles, recordings: Sequence[Recording]) -> float:
    """The mean over the recordings, whose ticks may differ."""
    if not request.fees:
        return 0.0
    products = Lake(files.lake, files.products).products
    found = []
    for facts in (one.facts for one in recordings):
        multiplier = products.find(facts["product_type"], facts["contract"]).multiplier
        found.append(request.fees_ticks(int(facts["tick_int"]), multiplier))
    return sum(found) / len(found)


def _notes(parts: Sequence[tuple[ReadRecording, Path]]) -> list[str]:
    """What recordings do not hold, a sentence for each that differs."""
    notes = ["Recordings hold no book behind the best prices: order flow of ten levels is not among the features."]
    for part, path in parts:
        if part.gap_ns:
            notes.append(
                f"The frames of {path.name} lie {part.gap_ns / NS_PER_MS:,g} ms apart at least: between them the mid "
                "is not known, and event ends cannot be counted. A recording with --throttle-ms 0 has them all."
            )
    return notes


def _part_of(on_share: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return lambda share: on_share((number + share) / count)
