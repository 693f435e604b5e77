"""The local engine: processes that die, jobs that fail, memory, and what is left behind."""

from __future__ import annotations

import subprocess
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import pytest

from tests.vp.backfill.days import CrowdedJob, MadeJob
from vp.backfill.job import FAILED, UNEXPECTED, WRITTEN, Job, Outcome
from vp.backfill.local_engine import LocalEngine
from vp.child_processes import python_command, python_environment

MANY = 8 << 30


def run(engine: LocalEngine, *jobs: Job) -> dict[str, Outcome]:
    return {job.name: outcome for job, outcome in engine.run(jobs)}


def test_what_goes_wrong_with_one_job_hinders_no_other_and_a_killed_one_is_done_again(tmp_path: Path) -> None:
    names = ("sound", "killed", "deadly", "refuses", "breaks", "exits")
    jobs = [
        MadeJob(
            name,
            tmp_path / name,
            kills={"killed": 2, "deadly": 9}.get(name, 0),
            fault=name if name in {"refuses", "breaks", "exits"} else "",
        )
        for name in names
    ]
    engine = LocalEngine(2, MANY)
    found = run(engine, *jobs)
    assert engine.most_at_a_time == 2
    assert sorted(found) == sorted(names)
    assert {name: outcome.state for name, outcome in found.items()} == {
        **dict.fromkeys(("sound", "killed"), WRITTEN),
        **dict.fromkeys(("deadly", "refuses", "breaks", "exits"), FAILED),
    }
    codes = {name: outcome.code for name, outcome in found.items()}
    assert codes == {
        **{"sound": "", "killed": "", "deadly": "worker_died", "refuses": "error", "breaks": UNEXPECTED},
        "exits": "worker_died",
    }
    assert "signal 9, 3 times" in found["deadly"].message
    assert "exit code 7, 3 times" in found["exits"].message
    assert found["refuses"].message == "It is not to be had."
    assert found["refuses"].hint == "Ask for another."
    assert "ZeroDivisionError" in found["breaks"].message
    assert found["sound"].result is not None
    assert found["sound"].peak_bytes > 10_000_000
    assert len(list(tmp_path.glob("killed.killed-*"))) == 2
    assert len(list(tmp_path.glob("deadly.killed-*"))) == 3
    assert {path.name for path in tmp_path.iterdir() if path.is_file() and "." not in path.name} == {"sound", "killed"}
    assert (tmp_path / "killed").read_text() == "killed"
    assert list(tmp_path.glob(".*")) == []  # no half-written file of a killed process


def test_the_first_worker_of_a_program_leaves_ctrl_c_to_its_engine_too(tmp_path: Path) -> None:
    """It is started after multiprocessing's tracker, which unblocks the signal; so in a program of its own."""
    program = (
        "import pathlib, sys\nfrom tests.vp.backfill.days import MadeJob\n"
        "from vp.backfill.local_engine import LocalEngine\n"
        "if __name__ == '__main__':\n"
        "    job = MadeJob('one', pathlib.Path(sys.argv[1]) / 'one', fault='hears Ctrl-C')\n"
        "    print([outcome.state for _, outcome in LocalEngine(1, 1 << 40).run([job])])\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    ran = subprocess.run(
        python_command(str(script), str(tmp_path)),
        env=python_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.stdout.strip(), ran.stderr) == (str([WRITTEN]), "")


def test_the_longest_are_begun_first(tmp_path: Path) -> None:
    jobs = [MadeJob(f"{size}", tmp_path / f"{size}", size) for size in (1, 5, 3, 4)]
    engine = LocalEngine(1, MANY)
    run(engine, *jobs)
    began = {job.size_bytes: float((tmp_path / f"{job.name}.times").read_text().split()[0]) for job in jobs}
    assert sorted(began, key=began.__getitem__) == [5, 4, 3, 1]
    assert engine.most_at_a_time == 1


def test_there_are_only_as_many_at_a_time_as_there_is_memory_for(tmp_path: Path) -> None:
    """What the first two take is learnt while they are at work, and the younger is put off where it is too much."""
    jobs = [CrowdedJob(f"{n}", tmp_path / f"{n}", 400 << 20) for n in range(3)]
    engine = LocalEngine(3, 800 << 20)
    found = run(engine, *jobs)
    assert {outcome.state for outcome in found.values()} == {WRITTEN}
    assert engine.estimate_bytes > 400 << 20
    assert engine.most_at_a_time == 2
    assert Counter(path.name.split()[0] for path in (tmp_path / "begun").iterdir()) == {"0": 1, "1": 2, "2": 1}
    times = sorted(tuple(map(float, job.out.read_text().split()[:2])) for job in jobs)
    assert all(before[1] <= after[0] for before, after in pairwise(times))


FREE_DESCRIPTORS = 9  # for one or two processes


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists descriptors so")
def test_where_the_system_gives_no_more_processes_those_at_work_do_the_rest(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    jobs = [MadeJob(f"job{number}", tmp_path / f"job{number}", seconds=0.3) for number in range(5)]
    engine = LocalEngine(len(jobs), 1 << 50)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    free = (number for number in range(soft) if number not in taken)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(islice(free, FREE_DESCRIPTORS, None)), hard))
    try:
        ended = list(engine.run(jobs))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [outcome.state for _, outcome in ended] == [WRITTEN] * len(jobs)
    assert 1 <= engine.most_at_a_time < len(jobs)


def test_one_is_run_however_little_memory_there_is(tmp_path: Path) -> None:
    assert run(LocalEngine(2, 1), MadeJob("a", tmp_path / "a"))["a"].state == WRITTEN


def test_whoever_leaves_it_finds_nothing_half_written_and_no_process(tmp_path: Path) -> None:
    import multiprocessing

    jobs = [MadeJob("quick", tmp_path / "quick", 2), *(MadeJob(f"{n}", tmp_path / f"{n}", seconds=60) for n in "ab")]
    running = LocalEngine(2, MANY).run(jobs)
    assert next(running)[0].name == "quick"
    running.close()
    assert multiprocessing.active_children() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quick", "quick.times"]


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_to_do_starts_nothing(workers: int) -> None:
    assert run(LocalEngine(workers, MANY)) == {}
