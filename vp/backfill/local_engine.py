"""Jobs run by processes of this machine: as many at a time as there is memory for, and another where one dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from vp.backfill.job import FAILED, Job, Outcome
from vp.backfill.machine import peak_bytes, resident_bytes
from vp.backfill.worker import work
from vp.errors import VPError, WorkerDiedError
from vp.files import sweep

LEAST_BYTES = 400_000_000  # of a process: imports, kernels and a book
MOST_ATTEMPTS = 3
TICK_SECONDS = 1.0
ENDING_SECONDS = 10.0  # to take away what it has half written


def _ignore(_job: Job, _share: float) -> None:
    """Do nothing with how much of a job is done."""


@dataclass
class _Worker:
    """A process, and what it is at."""

    process: SpawnProcess
    connection: Connection
    job: Job | None = None
    started_seconds: float = 0.0


class LocalEngine:
    """Runs jobs, the longest first.

    Parameters
    ----------
    workers : int
        Most processes at a time.
    memory_bytes : int
        What they may take together: another is started only where it would leave room for the most that any has taken
        so far. One is always at work, whatever it takes.
    log_level : str
        Of what the processes say on stderr.

    Attributes
    ----------
    estimate_bytes : int
        What a process is taken to need.
    most_at_a_time : int
        How many processes were at work at once.
    """

    def __init__(self, workers: int, memory_bytes: int, log_level: str = "warning") -> None:
        self._most = workers
        self._memory_bytes = memory_bytes
        self._log_level = log_level
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()
        self._died: Counter[Job] = Counter()
        self.estimate_bytes = LEAST_BYTES
        self.most_at_a_time = 0

    def run(
        self, jobs: Sequence[Job], on_share: Callable[[Job, float], None] = _ignore
    ) -> Generator[tuple[Job, Outcome], None, None]:
        """Each job with its outcome, as they end; `on_share` hears how much of one is done, 0 to 1.

        However this is left, no process is at work any more, and no half-written file is left on a disk of this
        machine.
        """
        self._waiting = deque(sorted(jobs, key=lambda job: -job.size_bytes))
        try:
            while self._waiting or self._busy():
                self._hand_out()
                for worker in self._that_say_something():
                    outcome = self._hear(worker, on_share)
                    if outcome is not None:
                        yield outcome
                self._watch_memory()
        finally:
            self._end(self._workers)
            for directory in {job.out.parent for job in jobs}:
                with suppress(OSError):
                    sweep(directory)

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job is not None]

    def _hand_out(self) -> None:
        """Give jobs to processes as far as there is memory, and end those that have none."""
        while self._waiting and self._may_start():
            worker = next((one for one in self._workers if one.job is None), None) or self._another()
            if worker is None:
                break
            job = self._waiting.popleft()
            try:
                worker.connection.send(job)
            except OSError:  # it died while it had nothing to do
                self._waiting.appendleft(job)
                self._end([worker])
                continue
            worker.job, worker.started_seconds = job, time.monotonic()
        self.most_at_a_time = max(self.most_at_a_time, len(self._busy()))
        self._end([one for one in self._workers if one.job is None])

    def _another(self) -> _Worker | None:
        """A new process; None where the system gives no more than are at work. Raises VPError where none is."""
        try:
            return self._start()
        except OSError as error:  # of descriptors, processes or memory
            self._most = len(self._busy())
            if self._most:
                return None
            raise VPError(
                f"No process can be started to work: {error.strerror or error}.",
                hint="See to the limits of processes and of open files (ulimit -a).",
            ) from error

    def _may_start(self) -> bool:
        more = len(self._busy()) + 1
        return more == 1 or (more <= self._most and more * self.estimate_bytes <= self._memory_bytes)

    def _that_say_something(self) -> list[_Worker]:
        ready = wait([worker.connection for worker in self._busy()], TICK_SECONDS)
        return [worker for worker in self._busy() if worker.connection in ready]

    def _hear(self, worker: _Worker, on_share: Callable[[Job, float], None]) -> tuple[Job, Outcome] | None:
        job = worker.job
        assert job is not None
        try:
            said: float | Outcome = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(worker, job)
        if not isinstance(said, Outcome):
            on_share(job, said)
            return None
        worker.job = None
        self.estimate_bytes = max(self.estimate_bytes, said.peak_bytes)
        return job, said

    def _bury(self, worker: _Worker, job: Job) -> tuple[Job, Outcome] | None:
        """Have a job whose process is no more run by another, or give it up."""
        self._end([worker])
        self._died[job] += 1
        if self._died[job] < MOST_ATTEMPTS:
            self._waiting.appendleft(job)
            return None
        error = WorkerDiedError(
            f"The process that worked on it {_end_of(worker.process.exitcode)}, {MOST_ATTEMPTS} times.",
            hint="A system that runs out of memory kills what takes most: run fewer at a time with --workers.",
        )
        seconds = time.monotonic() - worker.started_seconds
        return job, Outcome(FAILED, seconds, code=error.code, message=error.message, hint=error.hint)

    def _watch_memory(self) -> None:
        """Learn what processes take; where that is too much in all, put off what was begun last."""
        busy = self._busy()
        numbers = [worker.process.pid or 0 for worker in busy]
        self.estimate_bytes = max(self.estimate_bytes, *map(peak_bytes, numbers), 0)
        if len(busy) > 1 and sum(map(resident_bytes, numbers)) > self._memory_bytes:
            self.estimate_bytes = max(self.estimate_bytes, self._memory_bytes // len(busy) + 1)
            youngest = max(busy, key=lambda worker: worker.started_seconds)
            assert youngest.job is not None
            self._waiting.appendleft(youngest.job)
            self._end([youngest])

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        if sys.pycache_prefix is not None:  # imports that are compiled anew each time take seconds
            os.environ.setdefault("PYTHONPYCACHEPREFIX", sys.pycache_prefix)
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._log_level), daemon=True)
        with _signals_for_this_process_alone():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _end(self, workers: Sequence[_Worker]) -> None:
        """End processes; they have ended when this returns."""
        ending = list(workers)
        try:
            for worker in ending:
                worker.connection.close()
                if worker.job is not None:
                    worker.process.terminate()
            until = time.monotonic() + ENDING_SECONDS
            for worker in ending:
                worker.process.join(max(0.0, until - time.monotonic()))
        finally:
            for worker in ending:
                worker.process.kill()
                worker.process.join()
                self._workers.remove(worker)


@contextmanager
def _signals_for_this_process_alone() -> Iterator[None]:
    """Let what is started meanwhile not hear Ctrl-C, nor that the terminal closes: its engine does, and ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_of(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed by signal {-exit_code}"
    return f"ended with exit code {exit_code}"
