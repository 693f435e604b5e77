"""Kernels are compiled once: later starts look at a mark, and a worker that fails costs time alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from vp.kernels.engine import advance
from vp.kernels.forward import fast_forward
from vp.model import compilation


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    return tmp_path


def workers(monkeypatch: pytest.MonkeyPatch, code: str) -> list[str]:
    """Let every worker run `code` instead; returns the names of the parts that were started."""
    started: list[str] = []

    def start(part: Callable[[], None]) -> subprocess.Popen[bytes]:
        started.append(part.__name__)
        return subprocess.Popen([sys.executable, "-c", code])

    monkeypatch.setattr(compilation, "_start", start)
    return started


def test_compiles_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = workers(monkeypatch, "import time; time.sleep(0.3)")
    shares: list[float] = []
    compilation.ensure_compiled(shares.append)
    assert started == ["compile_book", "compile_engine"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 2
    assert [path.suffix for path in cache.iterdir()] == [".done"]
    compilation.ensure_compiled(shares.append)
    assert len(started) == 2


def test_a_worker_that_fails_is_tried_again_next_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers(monkeypatch, "raise SystemExit(3)")
    compilation.ensure_compiled(lambda _share: None)
    assert list(cache.iterdir()) == []


def test_a_worker_is_not_left_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers(monkeypatch, "import time; time.sleep(60)")
    running: list[subprocess.Popen[bytes]] = []
    sleep = compilation._start

    def start(part: Callable[[], None]) -> subprocess.Popen[bytes]:
        running.append(sleep(part))
        return running[-1]

    monkeypatch.setattr(compilation, "_start", start)

    def interrupt(_share: float) -> None:
        if len(running) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compilation.ensure_compiled(interrupt)
    assert [worker.poll() is not None for worker in running] == [True, True]


def test_what_is_compiled_is_what_a_session_calls() -> None:
    """A signature of their own would have to be compiled again."""
    compilation.compile_book()
    compilation.compile_engine()
    assert len(fast_forward.signatures) == 1
    assert len(advance.signatures) == 1
