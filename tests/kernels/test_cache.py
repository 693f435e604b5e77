"""Compiled kernels lie in a directory of VP's own, one for each state of the sources, of which few are kept."""

from __future__ import annotations

import atexit
import contextlib
import os
from pathlib import Path

import numba
import pytest

from vp.kernels import cache


def test_the_digest_follows_every_source(tmp_path: Path) -> None:
    paths = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in paths:
        path.write_text("x = 1\n")
    digests = {cache.sources_digest(paths), cache.sources_digest(reversed(paths))}
    assert len(digests) == 1
    for path in paths:
        path.write_text("x = 2\n")
        digests.add(cache.sources_digest(paths))
    assert len(digests) == 3


def test_a_directory_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert cache.cache_directory() == tmp_path / cache.directory_name()
    assert list((tmp_path / cache.directory_name()).iterdir()) == []


def test_where_nothing_can_be_written_there_is_a_place_for_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "SOURCES", blocked)
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    removed = []
    monkeypatch.setattr(atexit, "register", lambda _remove, path, **_how: removed.append(path))
    directory = cache.cache_directory()
    assert directory.is_dir()
    assert removed == [directory.parent], "it is gone when the process ends"
    directory.rmdir()
    directory.parent.rmdir()


@pytest.mark.parametrize("fails", [False, True])
def test_numba_is_left_as_it_was(tmp_path: Path, fails: bool) -> None:
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    with contextlib.suppress(KeyError), cache.cached_in(tmp_path):
        assert str(tmp_path) == numba.config.CACHE_DIR  # type: ignore[attr-defined]
        if fails:
            raise KeyError
    assert before == numba.config.CACHE_DIR  # type: ignore[attr-defined]


def test_few_old_directories_are_kept(tmp_path: Path) -> None:
    made = [tmp_path / f"kernels-{i:016x}" for i in range(6)]
    for age, path in enumerate(made):
        path.mkdir()
        (path / "code.nbc").touch()
        os.utime(path, (1000 - age, 1000 - age))
    others = [tmp_path / name for name in ("kernels-mine", "kernels-00000000000000zz", "notes")]
    for path in others:
        path.mkdir()
    cache.remove_old_directories(made[5])
    assert sorted(tmp_path.iterdir()) == sorted([*made[: cache.MOST_OTHERS], made[5], *others])
