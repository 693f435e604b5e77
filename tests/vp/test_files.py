from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.places import ROOT
from vp import files
from vp.files import lay_down, sweep, write_whole, written_whole


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_is_there_once_the_block_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.arrow"]


def test_it_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", b"x")
        with written_whole(tmp_path / "b", read_only=True) as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o444


def test_a_block_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def write_half() -> None:
        with written_whole(tmp_path / "a.arrow") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert names(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_must_not_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(files.NO_LINKS[0], "no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "raw.dbn"
    for data in (b"first", b"second"):
        with written_whole(path, replace=False) as file:
            file.write(data)
        assert path.read_bytes() == b"first"
    part = tmp_path / "part"
    part.write_bytes(b"third")
    with pytest.raises(FileExistsError):
        lay_down(part, path)
    assert path.read_bytes() == b"first"
    lay_down(part, tmp_path / "other.dbn")
    assert (tmp_path / "other.dbn").read_bytes() == b"third"
    assert stat.S_IMODE((tmp_path / "other.dbn").stat().st_mode) == 0o444
    assert names(tmp_path) == ["other.dbn", "raw.dbn"]


WRITER = """
import sys, time
from pathlib import Path
from vp.files import written_whole
with written_whole(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("begun", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_is_deleted_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a[1].arrow"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        (left,) = names(tmp_path)
        sweep(tmp_path)
        write_whole(path, b"mine")
        assert names(tmp_path) == [left, "a[1].arrow"], "its writer lives"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    write_whole(tmp_path / "b.arrow", b"mine")
    assert left in names(tmp_path), "of another name"
    write_whole(path, b"mine")
    assert names(tmp_path) == ["a[1].arrow", "b.arrow"]


def test_what_a_killed_writer_left_of_any_name_is_deleted_when_nobody_has_written_to_it_for_an_hour(
    tmp_path: Path,
) -> None:
    hour_ago = time.time() - 3601
    left = [".old.arrow.abcd1234.part", ".new.arrow.abcd1234.part", ".movie.part", ".a.job-12345.part", "old.part"]
    for name in left:
        (tmp_path / name).write_bytes(b"half")
        if not name.startswith(".new"):
            os.utime(tmp_path / name, (hour_ago, hour_ago))
    with written_whole(tmp_path / "living") as file:
        file.write(b"half")
        file.flush()
        (living,) = set(names(tmp_path)) - set(left)
        os.utime(tmp_path / living, (hour_ago, hour_ago))
        write_whole(tmp_path / "b.arrow", b"mine")
        assert set(names(tmp_path)) == {*left[1:], living, "b.arrow"}, "one is locked, one new, three not ours"
    assert set(names(tmp_path)) == {*left[1:], "living", "b.arrow"}


def test_without_locks_a_day_must_have_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp.files.LOCKS", False)
    for name, hours in ((".a.arrow.abcd1234.part", 23), (".b.arrow.abcd1234.part", 25)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (0, time.time() - 3600 * hours))
    write_whole(tmp_path / "c.arrow", b"mine")
    assert names(tmp_path) == [".a.arrow.abcd1234.part", "c.arrow"]


def test_a_writer_that_is_swept_before_its_lock_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    mkstemp = tempfile.mkstemp

    def swept_once(**options: Any) -> tuple[int, str]:
        handle, name = mkstemp(**options)
        made.append(name)
        if len(made) == 1:
            sweep(tmp_path)
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", swept_once)
    write_whole(tmp_path / "a", b"whole")
    assert len(made) == 2
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert names(tmp_path) == ["a"]


def test_without_locks_files_are_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCKS", False)
    (tmp_path / ".a.x.part").touch()
    write_whole(tmp_path / "a", b"whole")
    assert names(tmp_path) == [".a.x.part", "a"]
