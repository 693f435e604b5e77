"""Backfills into object storage that are killed while they upload, and two at once over one bucket."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3_server import BUCKET, S3Server, environment, until
from tests.s3_server.cutting_proxy import CuttingProxy
from tests.vp.backfill.days import DATES, SYMBOLS, build, lay
from vp.child_processes import python_command, python_environment

pytestmark = pytest.mark.long

ONE = f"frames/equity_mbo-QQQ-{DATES[0]}.parquet"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    lake = build(tmp_path_factory.mktemp("lake"))
    lay(lake, "QQQ", 0, seconds=60)
    with S3Server() as one:
        one.put_tree(lake, "lake")
        yield one


def start(staging: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        python_command(
            "-m", "vp.backfill", "--product-type", "equity_mbo", "--start-time", "09:30", "--throttle-ms", "0",
            "--lake", f"s3://{BUCKET}/lake", "--out", f"s3://{BUCKET}/frames", "--staging-directory", str(staging),
            *options,
        ),
        env=python_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(program: subprocess.Popen[str], code: int) -> str:
    said, told = program.communicate(timeout=300)
    assert program.returncode == code, told
    assert "Traceback" not in told
    return said + told


@pytest.fixture(scope="module")
def whole(server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run that nothing happens to makes."""
    server.delete("frames")
    with environment(server.endpoint, server.owner):
        end(start(tmp_path_factory.mktemp("staging"), "--workers", "1"), 0)
    made = {name: server.get(name) for name in server.names("frames")}
    assert len(made) == 4
    return made


@pytest.mark.parametrize("up_bytes", [40_000, 70_000])
@pytest.mark.parametrize("whom", ["worker", "driver"])
def test_who_is_killed_half_way_publishes_nothing_and_the_work_is_done_again(
    server: S3Server, whole: dict[str, bytes], tmp_path: Path, whom: str, up_bytes: int
) -> None:
    assert len(whole[ONE]) > up_bytes
    server.delete("frames")
    proxy = CuttingProxy(server.port, up_bytes=up_bytes, cuts=False)
    options = ("--symbols", "QQQ", "--end", DATES[0], "--workers", "1")
    with environment(proxy.endpoint, server.owner):
        program = start(tmp_path, *options)
        assert proxy.reached.wait(120)
        assert server.names("frames") == {}
        (worker,) = (one for one in _children(program.pid) if "spawn_main" in _command(one))
        (upload,) = _children(worker)
        os.kill(worker if whom == "worker" else program.pid, signal.SIGKILL)
        until(lambda: not _runs(upload))
        assert server.names("frames") == {}
        proxy.release()
        if whom == "worker":
            assert "written" in end(program, 0)
        else:
            program.communicate()
            until(lambda: not _runs(worker))
            assert server.names("frames") == {}
            assert "0 done before" in end(start(tmp_path, *options), 0)
        assert "1 done before" in end(start(tmp_path, *options), 0)
    proxy.end()
    assert {name: server.get(name) for name in server.names("frames")} == {ONE: whole[ONE]}
    assert not list(tmp_path.glob("**/job-*"))


def test_two_at_once_over_one_bucket_come_to_the_same(
    server: S3Server, whole: dict[str, bytes], tmp_path: Path
) -> None:
    server.delete("frames")
    with environment(server.endpoint, server.owner):
        for program in [start(tmp_path, "--workers", "1") for _ in range(2)]:
            end(program, 0)
        assert f"{len(SYMBOLS) * len(DATES)} done before" in end(start(tmp_path), 0)
    assert {name: server.get(name) for name in server.names("frames")} == whole


def _children(process_id: int) -> list[int]:
    return [
        int(one)
        for task in Path(f"/proc/{process_id}/task").iterdir()
        for one in (task / "children").read_text().split()
    ]


def _command(process_id: int) -> str:
    return Path(f"/proc/{process_id}/cmdline").read_text()


def _runs(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
