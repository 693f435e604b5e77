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
from vp.files import (
    READ_ONLY,
    copy_new,
    is_of_this_machine,
    lay_down,
    most_mode_of,
    open_own,
    sweep,
    write_whole,
    written_whole,
)


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
        with written_whole(tmp_path / "b", most_mode=READ_ONLY) as file:
            file.write(b"x")
        (tmp_path / "c").write_bytes(b"x")
        lay_down(tmp_path / "c", tmp_path / "d")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o440
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o440


@pytest.mark.parametrize(
    ("mode", "copied", "made"), [(0o600, 0o400, 0o600), (0o444, 0o444, 0o444), (0o777, 0o444, 0o644)]
)
def test_what_is_made_of_a_file_is_for_those_alone_who_may_read_it(
    tmp_path: Path, mode: int, copied: int, made: int
) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(b"x")
    raw.chmod(mode)
    before = os.umask(0o022)
    try:
        copy_new(raw, tmp_path / "copy")
        write_whole(tmp_path / "made", b"x", most_mode=most_mode_of(raw))
        (tmp_path / "open").touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == copied
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == made
    assert most_mode_of(raw, tmp_path / "open") == mode & 0o644


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
    assert names(tmp_path) == ["a[1].arrow", "b.arrow"], "by whoever writes there next"


def test_only_parts_of_our_own_form_are_swept_and_no_link_or_pipe_is_opened(tmp_path: Path) -> None:
    left = [".movie.part", ".a.job-12345.part", "old.part", ".b.arrow.ABCD1234.part"]
    for name in left:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".old.arrow.abcd1234.part").write_bytes(b"half")
    (tmp_path / ".link.arrow.abcd1234.part").symlink_to(tmp_path / "old.part")
    os.mkfifo(tmp_path / ".pipe.arrow.abcd1234.part")
    sweep(tmp_path)
    assert set(names(tmp_path)) - {".pipe.arrow.abcd1234.part"} == {*left, ".link.arrow.abcd1234.part"}
    assert (tmp_path / "old.part").read_bytes() == b"half"


@pytest.mark.parametrize("why", ["no locks", "another machine's"])
def test_where_a_lock_says_nothing_a_day_must_have_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "no locks":
        monkeypatch.setattr("vp.files.LOCKS", False)
    else:
        monkeypatch.setattr("vp.files.OWN_FILE_SYSTEMS", set())
    for name, hours in ((".a.arrow.abcd1234.part", 23), (".b.arrow.abcd1234.part", 25)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (0, time.time() - 3600 * hours))
    write_whole(tmp_path / "c.arrow", b"mine")
    assert names(tmp_path) == [".a.arrow.abcd1234.part", "c.arrow"]


@pytest.mark.parametrize(("kind", "own"), [("ext4", True), ("tmpfs", True), ("nfs4", False), ("fuse.sshfs", False)])
def test_a_file_system_of_this_machine_alone_is_told_from_one_of_several(tmp_path: Path, kind: str, own: bool) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 {os.major(device)}:{os.minor(device)} / /x rw - {kind} none rw\n")
    assert is_of_this_machine(tmp_path, mounts) is own
    assert not is_of_this_machine(tmp_path, tmp_path / "none")


def test_a_link_planted_at_a_name_that_is_known_beforehand_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    for mode in ("ab", "wb"):
        with pytest.raises(OSError, match="symbolic links"), open(tmp_path / "link", mode, opener=open_own):
            pass
    assert not (tmp_path / "victim").exists()


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
