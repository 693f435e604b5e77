"""Files of at most a megabyte that are made to take memory: what programs need for them above what any file needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.hostile_files import HOSTILE, MAX_BYTES, usual

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]

MORE_MIB = 300
RUN = """
import sys
from importlib import import_module
code = import_module(sys.argv[1]).main(sys.argv[2:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
sys.exit(code)
"""
ASKED = ("--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06")
SQL = "SELECT count(*), max(price), count(DISTINCT order_id) FROM events"
PROGRAMS = {"vp.record": (*ASKED, "--out", "frames.arrow"), "vp.query.__main__": (*ASKED, "--sql", SQL)}


def run(directory: Path, program: str, data: bytes) -> tuple[int, float, str]:
    """The exit code of a program that reads a file, the most memory that it took, MiB, and what it said."""
    path = directory / ("one.mbo.dbn" + ".zst" * (not data.startswith(b"DBN")))
    path.write_bytes(data)
    command = [sys.executable, "-c", RUN, program, *PROGRAMS[program], "--lake", ".", "--file", path.name]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, int(done.stdout.split()[-1]) / 1024, done.stdout + done.stderr


@cache
def least(directory: Path, program: str) -> float:
    code, mib, said = run(directory, program, usual())
    assert code == 0, said
    return mib


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_file_of_a_megabyte_takes_much_memory(
    tmp_path_factory: pytest.TempPathFactory,
    program: str,
    name: str,
    record_property: Callable[[str, object], None],
) -> None:
    data = HOSTILE[name]()
    assert len(data) <= MAX_BYTES
    _, most, said = run(tmp_path_factory.mktemp("hostile"), program, data)
    more = most - least(tmp_path_factory.getbasetemp(), program)
    record_property("more_mib", f"{more:.0f}")
    print(f"{program}, {name}: {more:.0f} MiB more")  # noqa: T201 - with -s
    assert more < MORE_MIB, said
    assert "unexpected" not in said
    assert "\x1b" not in said
