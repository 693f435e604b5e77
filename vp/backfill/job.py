"""A unit of work with the place of its output, and what becomes of it: values that go to a process and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vp.backfill.machine import begin_measuring, peak_bytes
from vp.errors import VPError
from vp.model.progress import ignore_share
from vp.model.recording_task import RecordingTask

WRITTEN, FAILED = "written", "failed"
UNEXPECTED = "unexpected"


@dataclass(frozen=True)
class Result:
    """What a job that ended well has made: rows of a table, of so many records, and what a person should know of it."""

    rows: int
    records: int
    notices: tuple[str, ...] = ()


class Job(Protocol):
    """What an engine runs: a value that can be pickled.

    Attributes
    ----------
    name : str
        As a person reads it.
    out : Path
    place : str
        Where the output goes, as a person reads it.
    digest : str
        Of all that its output depends on.
    size_bytes : int
        Of its inputs, as if none were compressed: how long it takes, beside others.
    """

    @property
    def name(self) -> str: ...
    @property
    def out(self) -> Path: ...
    @property
    def place(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    def run(self, on_share: Callable[[float], None]) -> Result: ...


@dataclass(frozen=True)
class RecordingJob:
    """A session to record into a file; `digest` is that of the task, as it was planned."""

    task: RecordingTask
    out: Path
    digest: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The symbol and the days."""
        return f"{self.task.session.symbol} {self.task.session.dt}"

    @property
    def place(self) -> str:
        """The path."""
        return str(self.out)

    def run(self, on_share: Callable[[float], None]) -> Result:
        """Record it, as vp.record does; raises VPError."""
        made = self.task.run(self.out, self.digest, on_share=on_share)
        empty = () if made.emptiness is None else (f"The recording is empty: {made.emptiness}",)
        return Result(made.frames, made.accounting.read, (*empty, *made.notices))


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    state : str
        WRITTEN or FAILED.
    seconds : float
    result : Result or None
        None where it failed.
    code, message, hint : str
        Of the error, where it failed; `code` is one of vp.errors, or UNEXPECTED.
    peak_bytes : int
        Most memory that its process had meanwhile.
    """

    state: str
    seconds: float
    result: Result | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    peak_bytes: int = 0


def perform(job: Job, on_share: Callable[[float], None] = ignore_share) -> Outcome:
    """Run a job in this process; whatever goes wrong is its outcome. `on_share` hears how much is done, 0 to 1."""
    begin_measuring()
    started = time.monotonic()
    try:
        result = job.run(on_share)
    except VPError as error:
        return _failed(started, error.code, error.message, error.hint)
    except MemoryError:
        return _failed(
            started, VPError.code, "It takes more memory than there is.", "Run fewer at a time: --workers 1."
        )
    except Exception as error:  # one job's fault must stay its own  # noqa: BLE001
        hint = "This is a fault of the program; report it with the command that led to it."
        return _failed(started, UNEXPECTED, f"Unexpected {type(error).__name__}: {error}", hint)
    return Outcome(WRITTEN, time.monotonic() - started, result, peak_bytes=peak_bytes())


def _failed(started: float, code: str, message: str, hint: str) -> Outcome:
    return Outcome(FAILED, time.monotonic() - started, code=code, message=message, hint=hint, peak_bytes=peak_bytes())
