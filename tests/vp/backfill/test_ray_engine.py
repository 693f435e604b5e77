"""The Ray engine: the bytes of the local one, bad rows, and a node that is killed while it writes.

Marked long: a cluster takes seconds to start, and Ray is an extra.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vp.backfill.days import DATES, SYMBOLS, MadeJob, build, lay
from vp.backfill.job import FAILED, WRITTEN
from vp.backfill.local_engine import LocalEngine
from vp.backfill.plan import Request, plan
from vp.backfill.ray_engine import ENVIRONMENT, RayEngine
from vp.files import parts_in
from vp.model.session import SessionSpec

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]
os.environ.update(ENVIRONMENT)  # Ray looks at them when it is imported
ray: Any = pytest.importorskip("ray")


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0"),
        ("RAY_USAGE_STATS_ENABLED", "0"),
        ("RAY_AUTH_MODE", "disabled"),
    ):
        monkeypatch.setenv(name, value)


def request(lake: Path, out: Path, **changes: Any) -> Request:
    out.mkdir(exist_ok=True)
    return Request(SessionSpec("equity_mbo", "", "", "09:30", lake=str(lake), **changes), (), None, None, None, out)


def test_bytes_are_those_of_the_local_engine_and_bad_rows_are_told(tmp_path: Path) -> None:
    lake = build(tmp_path / "lake")
    (raw,) = lake.glob("raw/*/*/symbol=QQQ/*/*20260708*")
    lay(lake, "QQQ", 0, raw.read_bytes()[:-20])
    local, far = request(lake, tmp_path / "local"), request(lake, tmp_path / "ray")
    by_hand = {job.name: outcome for job, outcome in LocalEngine(2, 8 << 30).run(plan(local).jobs)}
    by_ray = {job.name: outcome for job, outcome in RayEngine(None, 2).run(plan(far).jobs)}
    assert {name: outcome.state for name, outcome in by_ray.items()} == {
        name: outcome.state for name, outcome in by_hand.items()
    }
    assert sum(outcome.state == WRITTEN for outcome in by_ray.values()) == len(SYMBOLS) * len(DATES) - 1
    assert by_ray["QQQ 2026-07-08"].code == "truncated_file"
    assert {path.name: path.read_bytes() for path in far.out.iterdir()} == {
        path.name: path.read_bytes() for path in local.out.iterdir()
    }
    assert not ray.is_initialized()


def test_a_process_that_dies_is_replaced_and_one_that_always_does_is_told(tmp_path: Path) -> None:
    jobs = [MadeJob("sound", tmp_path / "sound"), MadeJob("killed", tmp_path / "killed", kills=1)]
    jobs.append(MadeJob("deadly", tmp_path / "deadly", kills=9))
    found = {job.name: outcome for job, outcome in RayEngine(None, 2).run(jobs)}
    assert {name: outcome.state for name, outcome in found.items()} == {
        "sound": WRITTEN, "killed": WRITTEN, "deadly": FAILED,
    }  # fmt: skip
    assert found["deadly"].code == "worker_died"


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    Path("/tmp/ray").mkdir(exist_ok=True)
    made: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20})
    yield made
    made.shutdown()


def test_a_node_killed_while_it_writes_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=80 << 20) for _ in range(2)]
    cluster.wait_for_nodes()
    lake = tmp_path / "lake"
    for symbol in SYMBOLS:
        for day in range(len(DATES)):
            lay(lake, symbol, day, seconds=120)
    local, far = (request(lake, tmp_path / name, throttle_ms=0.0) for name in ("local", "ray"))
    assert all(outcome.result for _, outcome in LocalEngine(2, 8 << 30).run(plan(local).jobs))
    victim = nodes[0].all_processes["raylet"][0].process

    def kill() -> None:
        while not parts_in(far.out):
            time.sleep(0.005)
        os.kill(victim.pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    outcomes = {job.name: outcome for job, outcome in RayEngine(cluster.address, 1).run(plan(far).jobs)}
    assert {name: outcome.state for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, WRITTEN)
    assert {path.name: path.read_bytes() for path in far.out.iterdir() if path.suffix == ".parquet"} == {
        path.name: path.read_bytes() for path in local.out.iterdir()
    }
