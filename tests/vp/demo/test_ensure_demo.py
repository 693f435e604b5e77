"""The file is made once and whole, whoever else makes it and whatever the disk does."""

from __future__ import annotations

import errno
import functools
import io
import os
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from tests.vp.demo.replay import session_bytes
from vp.demo import session as demo
from vp.errors import LakeError
from vp.lake.lake import Lake
from vp.market.products import find_product


@pytest.fixture
def short_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "write_session", functools.partial(demo.write_session, seconds=20))


def files_under(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("short_session")
def test_made_once_and_found_in_the_lake(tmp_path: Path) -> None:
    shares: list[float] = []
    path = demo.ensure_demo(tmp_path, shares.append)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert files_under(tmp_path) == ["vp-generated-20260206.mbo.dbn"]
    assert path.stat().st_mode & 0o777 == 0o444
    product = find_product(demo.DEMO.product_type, demo.DEMO.symbol)
    raw = Lake(tmp_path).inputs(product, date.fromisoformat(demo.DEMO.dt))[0].files[0]
    assert (raw.path, raw.source, raw.compressed) == (path, "generated", False)

    before = path.stat()
    assert demo.ensure_demo(tmp_path, shares.append) == path
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (before.st_ino, before.st_mtime_ns, 1)


def test_a_file_that_is_there_costs_nothing(tmp_path: Path) -> None:
    path = demo.demo_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"what stands here is not touched")
    code = (
        "import sys; from pathlib import Path; from vp.demo.session import ensure_demo;"
        "ensure_demo(Path(sys.argv[1])); print([m for m in ('numba', 'databento_dbn', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert path.read_bytes() == b"what stands here is not touched"


@pytest.mark.usefixtures("short_session")
def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.ensure_demo(tmp_path, interrupt)
    assert files_under(tmp_path) == []
    assert demo.ensure_demo(tmp_path).is_file()


@pytest.mark.usefixtures("short_session")
def test_a_file_that_comes_meanwhile_stays(tmp_path: Path) -> None:
    path = demo.demo_path(tmp_path)

    def come_first(share: float) -> None:
        if share == 1:
            path.write_bytes(b"another program was first")

    assert demo.ensure_demo(tmp_path, come_first) == path
    assert path.read_bytes() == b"another program was first"
    assert files_under(tmp_path) == [path.name]


@pytest.mark.usefixtures("short_session")
def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(demo.ensure_demo(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [demo.demo_path(tmp_path)] * 2
    assert files_under(tmp_path) == [paths[0].name]
    assert paths[0].read_bytes() == session_bytes(seconds=20)


@pytest.mark.usefixtures("short_session")
def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    path = demo.ensure_demo(tmp_path)
    assert path.read_bytes() == session_bytes(seconds=20)
    assert files_under(tmp_path) == [path.name]


def test_a_lake_that_cannot_be_written(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.write_text("a file, not a directory")
    with pytest.raises(LakeError, match=r"could not be written to .*: Not a directory") as caught:
        demo.ensure_demo(lake)
    assert "--lake" in caught.value.hint
    assert caught.value.code == "lake_unusable"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(file: io.BufferedWriter, progress: object = None) -> int:
        file.write(b"DBN")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(demo, "write_session", fill)
    with pytest.raises(LakeError, match="No space left") as caught:
        demo.ensure_demo(tmp_path)
    assert "Free about 100 MB" in caught.value.hint
    assert files_under(tmp_path) == []
