"""Kernels are compiled once: later starts look at a mark, and a worker that fails costs time alone."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numba
import pytest

from tests.places import ROOT
from vp.kernels.engine import advance
from vp.kernels.forward import fast_forward
from vp.kernels.frame import write_frame
from vp.kernels.ring import recentre
from vp.kernels.sampling import advance_to_samples
from vp.model import compilation


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compilation, "CACHE_DIRECTORY", tmp_path)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    return tmp_path


def workers(monkeypatch: pytest.MonkeyPatch, code: str) -> list[Sequence[str]]:
    """Let every worker run `code` instead; returns the parts that each was started for."""
    started: list[Sequence[str]] = []

    def start(parts: Sequence[str]) -> subprocess.Popen[bytes]:
        started.append(parts)
        return subprocess.Popen([sys.executable, "-c", code])

    monkeypatch.setattr(compilation, "_start", start)
    return started


def test_compiles_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = workers(monkeypatch, "import time; time.sleep(0.3)")
    shares: list[float] = []
    compilation.ensure_compiled(shares.append)
    assert started == [["loops"], ["cells"]]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 2
    compilation.ensure_compiled(shares.append)
    assert len(started) == 2
    compilation.ensure_compiled(shares.append, demonstration=True)
    assert started[2:] == [["demonstration"]]
    compilation.ensure_compiled(shares.append, sampling=True)
    assert started[3:] == [["sampling"]]
    assert {path.stem for path in cache.glob("*.done")} == set(compilation.PARTS)


def test_without_a_place_for_kernels_none_are_compiled_ahead_and_that_is_said(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started = workers(monkeypatch, "")
    monkeypatch.setattr(compilation, "CACHE_DIRECTORY", None)
    compilation.ensure_compiled(lambda _share: None)
    assert started == []
    assert "XDG_CACHE_HOME" in caplog.text
    assert list(cache.iterdir()) == []


def test_the_share_rises_for_as_long_as_it_takes() -> None:
    shares = [round(100 * compilation.guessed_share(seconds)) for seconds in (0, 6, 30, 60, 180)]
    assert shares == [0, 50, 83, 91, 97]


def test_a_worker_that_fails_is_tried_again_next_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers(monkeypatch, "raise SystemExit(3)")
    compilation.ensure_compiled(lambda _share: None)
    assert list(cache.iterdir()) == []


def test_a_worker_is_not_left_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers(monkeypatch, "import time; time.sleep(60)")
    running: list[subprocess.Popen[bytes]] = []
    sleep = compilation._start

    def start(parts: Sequence[str]) -> subprocess.Popen[bytes]:
        running.append(sleep(parts))
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
    compilation.compile_parts(["cells", "loops", "sampling"])
    gc.enable()
    for kernel in (fast_forward, advance, advance_to_samples, write_frame, recentre):
        assert len(kernel.signatures) == 1


COUNTED = """
import io
from numba.core.dispatcher import Dispatcher
from vp.model import compilation
from vp.demo import session as demo
from tests.kernels.test_rules import dispatchers
compilation.compile_loops()
compilation.compile_sampling()
demo.write_session(io.BytesIO(), seconds=1)
import vp.demo.book, vp.demo.exponential, vp.demo.market, vp.demo.wanted_depth
missed = hits = 0
for name, dispatcher in dispatchers():
    missed += sum(dispatcher.stats.cache_misses.values())
    hits += sum(dispatcher.stats.cache_hits.values())
for module in (vp.demo.book, vp.demo.exponential, vp.demo.market, vp.demo.wanted_depth):
    for value in vars(module).values():
        if isinstance(value, Dispatcher):
            missed += sum(value.stats.cache_misses.values())
            hits += sum(value.stats.cache_hits.values())
print(missed, hits)
"""


@pytest.mark.long
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")  # type: ignore[attr-defined]
def test_nothing_is_compiled_a_second_time() -> None:
    """What `ensure_compiled` has had two processes compile is all that a later one needs.

    That each routine has one signature is seen where all are compiled (tests/vp/model/test_ready_kernels.py).
    """
    compilation.ensure_compiled(lambda _share: None, demonstration=True, sampling=True)
    ran = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True, cwd=ROOT)
    missed, hits = map(int, ran.stdout.split())
    assert (missed, hits > 5) == (0, True)
