from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from vp import files
from vp.errors import HistoryPlaceError
from vp.server.history.place import IN_MEMORY_BYTES, lies_in_memory, open_spool

LIMIT = 1 << 30
MEMORY = Path("/dev/shm")


def lies_in(directory: Path) -> list[Path]:
    """The directories in which this process has files without a name."""
    opened = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return [Path(name).parent for name in opened if name.endswith("(deleted)") and name.startswith(str(directory))]


@pytest.mark.skipif(sys.platform != "linux", reason="open files are read as Linux tells them")
def test_history_goes_to_the_lakes_cache_and_where_that_cannot_be_to_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, temporary = tmp_path / "lake" / "cache", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    first = open_spool(None, cache, LIMIT)
    assert first.limit_bytes == LIMIT
    assert lies_in(tmp_path) == [cache]
    (tmp_path / "file").touch()
    second = open_spool(None, tmp_path / "file" / "cache", LIMIT)
    assert second.limit_bytes == LIMIT
    assert sorted(lies_in(tmp_path)) == [cache, temporary]
    assert sorted(tmp_path.rglob("*")) == sorted([tmp_path / "file", tmp_path / "lake", cache, temporary])


def test_the_directory_that_was_asked_for_is_used_or_refused(tmp_path: Path) -> None:
    assert open_spool(tmp_path / "new", tmp_path / "cache", LIMIT).limit_bytes == LIMIT
    assert not (tmp_path / "cache").exists()
    (tmp_path / "file").touch()
    with pytest.raises(HistoryPlaceError, match=f"{tmp_path / 'file'} cannot be written to"):
        open_spool(tmp_path / "file", tmp_path / "cache", LIMIT)


def test_without_a_place_or_with_a_limit_of_nothing_memory_alone_holds_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert open_spool(None, tmp_path / "cache", 0).limit_bytes == 0
    assert not (tmp_path / "cache").exists()
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert open_spool(None, tmp_path / "file", LIMIT).limit_bytes == 0
    assert "memory alone" in caplog.text


@pytest.mark.skipif(not MEMORY.is_dir() or not lies_in_memory(MEMORY), reason="there is no tmpfs here")
def test_a_directory_in_memory_takes_little_unless_it_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        assert open_spool(None, Path(directory), LIMIT).limit_bytes == IN_MEMORY_BYTES
        assert "lies in memory" in caplog.text
        assert open_spool(None, Path(directory), 1 << 20).limit_bytes == 1 << 20
        assert open_spool(Path(directory), Path(directory), LIMIT).limit_bytes == LIMIT


@pytest.mark.parametrize(("kind", "in_memory"), [("tmpfs", True), ("ramfs", True), ("ext4", False), ("overlay", False)])
def test_the_kind_of_a_file_system_is_that_of_its_mount(kind: str, in_memory: bool, tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    other = "tmpfs" if not in_memory else "ext4"
    mounts.write_text(
        f"21 1 {os.major(device)}:{os.minor(device) + 1} / /elsewhere rw - {other} none rw\n"
        f"22 1 {os.major(device)}:{os.minor(device)} / / rw,relatime shared:1 - {kind} none rw\n"
    )
    assert lies_in_memory(tmp_path, mounts) is in_memory
    assert lies_in_memory(tmp_path, tmp_path / "missing") is False
    assert Path("/proc/self/mountinfo") == files.MOUNTS
