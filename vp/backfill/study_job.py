"""Studies of recorded sessions as jobs: one a day, and one over all days of a symbol."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vp.backfill.finished import finished_digest
from vp.backfill.job import RecordingJob, Result
from vp.errors import EmptySessionError
from vp.model.session import SessionSpec
from vp.model.software import software
from vp.study.report_files import write
from vp.study.request import StudyRequest
from vp.study.run import run_study

DIGEST_KEY = "vp.study_digest"
SET = "as recorded"
ENDINGS = (".html", ".md", ".parquet")


@dataclass(frozen=True)
class StudyJob:
    """A study of a session, or of all days of a span, each by itself, as vp.study makes it.

    Attributes
    ----------
    session : SessionSpec
    out : Path
        The report, .html.
    digest : str
        Of the days that it is of.
    size_bytes : int
    """

    session: SessionSpec
    out: Path
    digest: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The symbol and the days."""
        return f"{self.session.symbol} {self.session.dt} study"

    @property
    def place(self) -> str:
        """The path."""
        return str(self.out)

    @property
    def is_done(self) -> bool:
        """Whether its files are there, the last of them with its digest."""
        paths = [self.out.with_suffix(ending) for ending in ENDINGS]
        return all(path.is_file() for path in paths) and finished_digest(paths[-1], DIGEST_KEY) == self.digest

    def run(self, on_share: Callable[[float], None]) -> Result:
        """Run it and write its files; of days on which nothing happens there is nothing to write. Raises VPError."""
        request = StudyRequest(self.session, ((SET, self.session.parameters),))
        try:
            study = run_study(request, on_share=on_share)
        except EmptySessionError as error:
            return Result(0, 0, (f"There is nothing to study: {error}",))
        write(study, self.out, {DIGEST_KEY: self.digest})
        return Result(len(study.measures.rows), 0, study.notes)


def study_jobs(recordings: Sequence[RecordingJob]) -> list[StudyJob]:
    """A study of each recorded session, and for a symbol of several days one over all of them."""
    by_symbol: dict[str, list[RecordingJob]] = {}
    for job in sorted(recordings, key=lambda job: job.task.session.dt):
        by_symbol.setdefault(job.task.session.symbol, []).append(job)
    jobs = []
    for days in by_symbol.values():
        jobs += [_job(day.task.session, day.out.with_suffix(""), [day]) for day in days]
        if len(days) > 1:
            first, last = days[0], days[-1]
            span = f"{first.task.session.dt}..{last.task.session.dt}"
            place = first.out.with_name(first.out.stem.removesuffix(first.task.session.dt) + span)
            jobs.append(_job(dataclasses.replace(first.task.session, dt=span), place, days))
    return jobs


def _job(session: SessionSpec, place: Path, days: Sequence[RecordingJob]) -> StudyJob:
    facts = json.dumps([software("study"), session.dt, [day.digest for day in days]])
    digest = hashlib.sha256(facts.encode()).hexdigest()
    out = place.with_name(f"{place.name}-study.html")
    return StudyJob(session, out, digest, sum(day.size_bytes for day in days))
