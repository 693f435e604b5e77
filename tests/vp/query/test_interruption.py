"""Ctrl-C and SIGTERM end a query that DuckDB computes, whatever it is at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import lakes

ENDLESS = ("SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3", "SELECT * FROM events, range(100000000)")
SESSION = ("--symbol", "GOOD", "--dt", lakes.DATE)
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def user_ticks(process_id: int) -> int:
    """Processor time that a process has taken, in clock ticks; the name in its line may hold spaces."""
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[11])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="a process's time is looked up in /proc")
@pytest.mark.parametrize(
    ("number", "sql"),
    [
        (signal.SIGINT, ENDLESS[0]),
        (signal.SIGTERM, ENDLESS[1]),
        pytest.param(signal.SIGINT, ENDLESS[1], marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, ENDLESS[0], marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_a_query(asked_lake: Path, sql: str, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vp.query", "--lake", asked_lake, *SESSION, "--sql", sql, "--format", "csv"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while user_ticks(process.pid) < 1.5 * os.sysconf("SC_CLK_TCK"):  # imports take a third of that
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == EXIT_CODES[number]
    assert "error" not in said
    assert "Traceback" not in said
