"""Jobs run by a Ray cluster: the one module that knows Ray. Values go in and come out; nodes write the files."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vp.backfill.job import FAILED, Job, Outcome, perform
from vp.backfill.local_engine import LEAST_BYTES, MOST_ATTEMPTS
from vp.errors import IncompleteInstallationError, VPError, WorkerDiedError

LOOK_SECONDS = 1.0
SUBMITTED_A_PROCESSOR = 4
STORE_BYTES = 80 << 20  # nothing but outcomes goes through it
PROCESSOR = "CPU"
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` each process would make an environment of its own
}


class ClusterError(VPError):
    """A Ray cluster cannot be reached, or none be started here."""

    code = "cluster"


class RayEngine:
    """Runs jobs on the nodes of a cluster, each of which has this version installed and sees the lake at one path.

    A job whose process or node is lost is run again by another, so that what a job writes must be the same each time.

    Parameters
    ----------
    address : str or None
        Of a cluster; None: one is started on this machine, and ended with the jobs.
    workers : int
        Processes of a cluster that is started here.
    memory_bytes : int
        What one job is taken to need; a node is given as many as its memory has room for.
    """

    def __init__(self, address: str | None, workers: int, memory_bytes: int = LEAST_BYTES) -> None:
        self._address = address
        self._workers = workers
        self._memory_bytes = memory_bytes

    def run(
        self, jobs: Sequence[Job], _on_share: Callable[[Job, float], None] | None = None
    ) -> Iterator[tuple[Job, Outcome]]:
        """Each job with its outcome, as they end, the longest begun first.

        Raises
        ------
        IncompleteInstallationError
            Ray is not installed.
        ClusterError
        """
        ray = _ray()
        self._connect(ray)
        try:
            yield from self._run(ray, sorted(jobs, key=lambda job: -job.size_bytes))
        finally:
            ray.shutdown()  # of a cluster that was not started here: leave it; what it was at is ended

    def _run(self, ray: Any, jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        task = ray.remote(num_cpus=1, memory=self._memory_bytes, max_retries=MOST_ATTEMPTS - 1, retry_exceptions=False)(
            perform_on_node
        )
        most = SUBMITTED_A_PROCESSOR * max(1, int(ray.cluster_resources().get(PROCESSOR, 1)))
        waiting = list(reversed(jobs))
        pending: dict[Any, Job] = {}
        while waiting or pending:
            while waiting and len(pending) < most:
                job = waiting.pop()
                pending[task.remote(job)] = job
            ready, _ = ray.wait(list(pending), num_returns=1, timeout=LOOK_SECONDS)
            for one in ready:
                job = pending.pop(one)
                yield job, _outcome(ray, one)

    def _connect(self, ray: Any) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self._address is None:
            options |= {
                "num_cpus": self._workers,
                "object_store_memory": STORE_BYTES,
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
            }
        try:
            ray.init(self._address, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = "on this machine" if self._address is None else f"at {self._address}"
            raise ClusterError(
                f"There is no Ray cluster {where}: {' '.join(str(error).split())}.",
                hint="See docs/scale.md; --engine local needs none.",
            ) from error


def perform_on_node(job: Job) -> Outcome:
    """Run a job in a process of a node, whose kernels are compiled by the first that comes there."""
    from vp.backfill.node import warm  # noqa: PLC0415 - where the task runs

    warm()
    return perform(job)


def _outcome(ray: Any, reference: Any) -> Outcome:
    try:
        outcome: Outcome = ray.get(reference)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().partition("\n")[0]
        problem = WorkerDiedError(
            f"The node or process that worked on it was lost, {MOST_ATTEMPTS} times: {reason}.",
            hint="What takes more memory than its node has is killed: see the node's logs.",
        )
        return Outcome(FAILED, 0.0, code=problem.code, message=problem.message, hint=problem.hint)
    return outcome


def _ray() -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise IncompleteInstallationError(
            "--engine ray needs Ray, which is not installed.", hint="pip install 'vacuum-pressure[ray]'"
        ) from error
    return ray
