"""What came of a backfill, in lines for people: its progress, and a table at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from vp.backfill.job import FAILED, Job, Outcome
from vp.backfill.plan import Refusal

REFUSED, LEFT = "refused", "left"
TOLD_SHARE = 0.02  # of the work: before, nobody knows how long the rest takes
HEADER = ("session", "state", "rows", "seconds", "peak MB", "file or reason")


@dataclass
class Tally:
    """How far the jobs of a backfill are.

    Attributes
    ----------
    jobs : sequence of Job
        All that are to be run.
    outcomes : list of (Job, Outcome)
        Of those that have ended.
    """

    jobs: Sequence[Job]
    outcomes: list[tuple[Job, Outcome]] = field(default_factory=list)
    _shares: dict[Job, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    def hear(self, job: Job, share: float) -> None:
        """Take notice of how much of a job is done, 0 to 1."""
        self._shares[job] = share

    def add(self, job: Job, outcome: Outcome) -> None:
        """Take notice of the end of a job."""
        self._shares.pop(job, None)
        self.outcomes.append((job, outcome))

    @property
    def failed(self) -> list[tuple[Job, Outcome]]:
        """Those that made nothing."""
        return [pair for pair in self.outcomes if pair[1].state == FAILED]

    @property
    def left(self) -> list[Job]:
        """Those that have not ended."""
        ended = {job for job, _ in self.outcomes}
        return [job for job in self.jobs if job not in ended]

    def line(self, now: float | None = None) -> str:
        """How many are done, how fast, and how long the rest takes at that pace."""
        seconds = max((time.monotonic() if now is None else now) - self._started, 1e-3)
        total = sum(job.size_bytes for job in self.jobs)
        done = sum(job.size_bytes for job, _ in self.outcomes)
        done += round(sum(job.size_bytes * share for job, share in self._shares.items()))
        rate = done / seconds
        left = f", {_duration((total - done) / rate)} left" if done > TOLD_SHARE * total else ""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return (
            f"{len(self.outcomes)} of {len(self.jobs)} sessions{failed}, {_megabytes(done)} of {_megabytes(total)} MB, "
            f"{rate / 1e6:,.1f} MB/s{left}"
        )


def table(tally: Tally, refused: Sequence[Refusal]) -> list[str]:
    """A row for each session that was to be worked on, by name, under a header."""
    rows = [_row(job, outcome) for job, outcome in tally.outcomes]
    rows += [(job.name, LEFT, "", "", "", "not worked on") for job in tally.left]
    rows += [(one.name, REFUSED, "", "", "", _reason(one.error.code, str(one.error))) for one in refused]
    if not rows:
        return []
    written = [HEADER, *sorted(rows)]
    widths = [max(len(row[column]) for row in written) for column in range(len(HEADER) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in written
    ]


def _row(job: Job, outcome: Outcome) -> tuple[str, ...]:
    seconds = f"{outcome.seconds:.1f}"
    peak = f"{outcome.peak_bytes / 1e6:.0f}" if outcome.peak_bytes else ""
    if outcome.result is None:
        reason = _reason(outcome.code, f"{outcome.message} {outcome.hint}".strip())
        return (job.name, outcome.state, "", seconds, peak, reason)
    told = "".join(f" ({notice})" for notice in outcome.result.notices)
    return (job.name, outcome.state, f"{outcome.result.rows:,}", seconds, peak, f"{job.out.name}{told}")


def _reason(code: str, sentences: str) -> str:
    return f"{code}: {sentences}"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"
