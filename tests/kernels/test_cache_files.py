"""Cached machine code that is cut short, changed or cannot be written costs time alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vp.kernels import jit
from vp.kernels.cache_files import is_whole, sealed

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")


def doubled(x: int) -> int:
    return 2 * x


def call(directory: Path) -> tuple[int, int, int]:
    """What a kernel gives in a process that has not called it yet, and how often it was found and not found."""
    made: Any = jit.kernel(doubled, directory)
    return made(21), sum(made.stats.cache_hits.values()), sum(made.stats.cache_misses.values())


def files(directory: Path, ending: str) -> list[Path]:
    return sorted(directory.rglob(f"*.{ending}"))


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def test_it_is_compiled_once(tmp_path: Path) -> None:
    assert call(tmp_path) == (42, 0, 1)
    assert call(tmp_path) == (42, 1, 0)
    assert all(is_whole(path) for path in files(tmp_path, "nb[ic]"))


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:40], lambda data: data[:-1], flipped],
    ids=["empty", "cut", "a byte short", "changed"],
)
def test_what_is_not_whole_is_compiled_anew(tmp_path: Path, ending: str, damage: Callable[[bytes], bytes]) -> None:
    call(tmp_path)
    (path,) = files(tmp_path, ending)
    path.write_bytes(damage(path.read_bytes()))
    assert call(tmp_path) == (42, 0, 1)
    assert call(tmp_path) == (42, 1, 0)


def test_where_nothing_can_be_written_it_works_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import resource
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with caplog.at_level(logging.WARNING, "vp.kernels"):
            assert call(tmp_path) == (42, 0, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert "cannot be kept" in caplog.text
    assert files(tmp_path, "nb*") == []
    assert call(tmp_path) == (42, 0, 1)


def test_a_digest_is_of_all_that_is_before_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (sealed(b""), sealed(b"x" * 1000)):
        path.write_bytes(data)
        assert is_whole(path)
    assert not is_whole(tmp_path / "nowhere")
