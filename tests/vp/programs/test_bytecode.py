"""Compiled modules that a full disk left short: the program begins anew without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT


def listing(lake: Path, cache: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """`vp.cache` of an empty lake, whose byte code lies in a cache of its own."""
    said_of_it = ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "VP_BEGUN_ANEW")
    kept = {name: value for name, value in os.environ.items() if name not in said_of_it}
    return subprocess.run(
        [sys.executable, "-m", "vp.cache", "--lake", str(lake)],
        cwd=ROOT, env=kept | {"XDG_CACHE_HOME": str(cache)} | changes, capture_output=True, text=True, check=False,
    )  # fmt: skip


def cut(directory: Path, package: str) -> list[Path]:
    """Cut every compiled module of a package within its code."""
    modules = list(directory.joinpath(*(ROOT / package).parts[1:]).glob("*.pyc"))
    for path in modules:
        os.truncate(path, path.stat().st_size // 2)
    return modules


def test_what_vp_keeps_is_thrown_away_and_kept_anew(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    first = listing(tmp_path / "lake", tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert first.returncode == 0, first.stderr
    modules = cut(tmp_path / "vacuum-pressure" / "bytecode", "vp/lake")
    assert len(modules) > 3
    sizes = [path.stat().st_size for path in modules]
    again = listing(tmp_path / "lake", tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, first.stderr)
    assert all(path.stat().st_size > size for path, size in zip(modules, sizes, strict=True))


@pytest.mark.parametrize("begun_anew", [False, True])
def test_what_python_keeps_is_passed_over_once(tmp_path: Path, begun_anew: bool) -> None:
    """That it is only once lets a disk that is still full end the program rather than begin it for ever."""
    (tmp_path / "lake").mkdir()
    own = tmp_path / "python"
    assert listing(tmp_path / "lake", tmp_path, PYTHONPYCACHEPREFIX=str(own)).returncode == 0
    late = cut(own, "vp/lake")
    changes = {"PYTHONPYCACHEPREFIX": str(own)} | ({"VP_BEGUN_ANEW": "1"} if begun_anew else {})
    again = listing(tmp_path / "lake", tmp_path, **changes)
    assert again.returncode == (70 if begun_anew else 0), again.stderr
    assert ("EOFError" in again.stderr) == begun_anew
    assert "Traceback" not in again.stderr
    assert all(path.exists() for path in late)
