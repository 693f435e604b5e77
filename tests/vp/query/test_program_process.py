"""`python -m vp.query` as a process: as a person runs it, read in part, and short of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vp.query.asked import said
from vp.programs.query import main


def test_as_a_person_runs_it(asked_lake: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "vp.query", "inventory", "--lake", str(asked_lake), "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    kinds = [json.loads(line)["kind"] for line in ended.stdout.splitlines()]
    assert kinds == ["recording", "raw", "book"]
    wrong = subprocess.run(
        [sys.executable, "-m", "vp.query", "--sql", "SELECT * FROM nowhere", "--lake", str(asked_lake)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert wrong.returncode == 2
    assert [line.partition(":")[0] for line in wrong.stderr.splitlines()] == ["error", "hint"]


def test_a_reader_that_goes_away(asked_lake: Path) -> None:
    def started(sql: str, kind: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "vp.query", "--sql", sql, "--format", kind, "--lake", str(asked_lake)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with started("SELECT i, i * 2 AS j FROM range(50_000_000) t(i)", "csv") as gone:
        assert gone.stdout is not None
        assert gone.stderr is not None
        assert gone.stdout.read(7) == b'"i","j"'
        gone.stdout.close()
        assert gone.wait(60) in {141, 143}
        assert gone.stderr.read() == b""


def test_what_needs_much_memory_goes_on_in_files_that_are_gone_afterwards(
    asked_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    sql = "SELECT current_setting('memory_limit') AS m, starts_with(current_setting('temp_directory'), $t) AS t"
    out = said(capsysbinary, asked_lake, "--sql", sql, "--set", f"t={tmp_path}", "--format", "json")
    assert json.loads(out) == {"m": "1.8 GiB", "t": True}
    big = "SET memory_limit = '64MB'; SELECT count(DISTINCT hash(i)) AS n FROM range(4_000_000) t(i)"
    assert json.loads(said(capsysbinary, asked_lake, "--sql", big, "--format", "json"))["n"] == 4_000_000
    assert list(tmp_path.iterdir()) == []
    assert main(["--sql", f"SET max_temp_directory_size = '0MB'; {big}", "--lake", str(asked_lake)]) == 2
    assert capsysbinary.readouterr().err.startswith(b"error: The query took more memory than it may.")
