"""Python processes that the product starts see what it sees itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vp.child_processes import python_command, python_environment


def printed(words: str, directory: Path) -> str:
    command = python_command("-c", words)
    ended = subprocess.run(command, cwd=directory, env=python_environment(), capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def test_nothing_of_the_current_directory_is_taken_for_a_package(tmp_path: Path) -> None:
    for name in ("vp", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('somebody else')")
    assert Path(printed("import numpy, vp; print(vp.__file__)", tmp_path)).is_file()


def test_what_this_process_can_import_they_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "only_here.py").write_text("")
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as in `python -c`: the current directory, whichever it is
    assert printed("import only_here; print(only_here.__file__)", tmp_path / "away").endswith("only_here.py")
