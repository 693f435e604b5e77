"""Bars in a terminal, plain lines in a log."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.places import ROOT
from tests.vp.download.programs import KEY

PROGRAM = """
import logging, sys
from vp.download import report
report.PLAIN_LINE_SECONDS = 0.0
report.configure_logging("logs/a.log", sys.argv[1])
with report.Report().bar("x.dbn.zst", 4000) as bar:
    for done in (0, 1000, 4000):
        bar.at(done)
        logging.getLogger("vp").info("at %d with %s", done, sys.argv[1])
"""
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO [^\r\n]+")


def words() -> list[str]:
    return [sys.executable, "-c", PROGRAM, KEY]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}


def test_plain_lines_without_a_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        words(), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert [line.partition(" INFO ")[2] for line in lines] == [
        "x.dbn.zst: 0 of 4,000 bytes", "at 0 with <key>", "x.dbn.zst: 1,000 of 4,000 bytes", "at 1000 with <key>",
        "x.dbn.zst: 4,000 of 4,000 bytes", "at 4000 with <key>",
    ]  # fmt: skip
    assert (tmp_path / "logs/a.log").read_text() == done.stderr


def test_bars_in_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with subprocess.Popen(words(), cwd=tmp_path, env=environment(), stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # how Linux tells that the other end is closed
            pass
        assert process.wait(60) == 0
    os.close(ours)
    text = said.decode()
    assert "x.dbn.zst:" in text
    assert "4.00k" in text
    assert "\r" in text
    assert "at 1000 with <key>" in text
    assert KEY not in text
    log = (tmp_path / "logs/a.log").read_text().splitlines()
    assert len(log) == 3  # no bar goes into the log
    assert all(LINE.fullmatch(line) for line in log)
