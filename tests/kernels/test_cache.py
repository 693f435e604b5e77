"""Compiled kernels lie in a directory of VP's own, one for each state of the sources, of which few are kept."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from pathlib import Path

import numba
import pytest

from vp.kernels import cache, user_cache


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


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither beside the sources nor in a home can anything be written; returns a file that is in the way."""
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "SOURCES", blocked)
    monkeypatch.setattr(user_cache, "SHARED", ())
    for name in ("XDG_CACHE_HOME", "HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(blocked))
    return blocked


@pytest.mark.usefixtures("nowhere")
def test_a_directory_of_the_user_among_the_temporary_ones_is_taken_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.cache_directory() is None
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    directory = cache.cache_directory()
    assert directory == tmp_path / f"vacuum-pressure-{os.geteuid()}" / cache.directory_name()
    assert stat.S_IMODE(directory.parent.stat().st_mode) == 0o700
    (directory / "code.nbc").touch()
    assert cache.cache_directory() == directory
    assert (directory / "code.nbc").exists()
    assert len(list(tmp_path.iterdir())) == 2, "no directory for each process"


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("planted", ["a link", "open to others", "of another", "a file"])
def test_what_others_may_have_put_there_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    place = tmp_path / f"vacuum-pressure-{os.geteuid()}"
    if planted == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "elsewhere")
    elif planted == "a file":
        place.touch()
    else:
        place.mkdir(mode=0o700)
        if planted == "of another":
            another = os.geteuid() + 1
            monkeypatch.setattr(os, "geteuid", lambda: another)
            place.rename(tmp_path / f"vacuum-pressure-{another}")
        else:
            place.chmod(0o770)
    assert cache.cache_directory() is None


def test_a_home_that_is_missing_or_no_whole_path_is_passed_over(
    nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", "relative")
    for named, home in (("relative", str(nowhere)), ("", "relative")):
        monkeypatch.setenv("XDG_CACHE_HOME", named)
        monkeypatch.setenv("HOME", home)
        assert user_cache.user_cache_directory() is None, (named, home)
    monkeypatch.delenv("HOME")
    nobody: dict[int, str] = {}
    monkeypatch.setattr(pwd, "getpwuid", nobody.__getitem__)
    assert user_cache.user_cache_directory() is None
    assert list(tmp_path.iterdir()) == [nowhere]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache.user_cache_directory() == tmp_path / ".cache" / "vacuum-pressure"


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
