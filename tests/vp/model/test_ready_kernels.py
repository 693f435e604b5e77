"""Kernels that come with a wheel: taken at another place without compiling any, and only where they fit."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from llvmlite.binding import get_host_cpu_features

from tests.kernels.entry import DIRECTORY as OF_TESTS
from tests.places import ROOT
from vp.kernels import cache
from vp.model import compilation, ready_kernels
from vp.model.ready_kernels import build_ready_kernels, install_ready_kernels

PLAYED = """
import importlib, io, json, pkgutil
from numba.core.dispatcher import Dispatcher
from vp import kernels
from vp.model import compilation
from vp.demo import session as demo
started = []
start = compilation._start
compilation._start = lambda parts: started.append(parts) or start(parts)
compilation.ensure_compiled(lambda _share: None, demonstration=True, sampling=True)
compilation.compile_loops()
compilation.compile_sampling()
written = io.BytesIO()
demo.write_session(written, seconds=2)
modules = [importlib.import_module(f"vp.kernels.{module.name}") for module in pkgutil.iter_modules(kernels.__path__)]
modules += [importlib.import_module(f"vp.demo.{name}") for name in ("book", "market", "wanted_depth")]
kept = [value for module in modules for value in vars(module).values()
    if isinstance(value, Dispatcher) and value.targetoptions["forceinline"] is False]
misses = {kernel.py_func.__name__: count for kernel in kept if (count := sum(kernel.stats.cache_misses.values()))}
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in kept)
print(json.dumps([started, misses, hits, len(written.getvalue())]))
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64" or bool(os.environ.get("NUMBA_DISABLE_JIT")),
    reason="there are ready kernels for Linux on x86-64 alone",
)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel's build leaves, made of kernels that this machine has compiled for itself."""
    compilation.ensure_compiled(lambda _share: None, demonstration=True, sampling=True)
    directory = tmp_path_factory.mktemp("wheel") / "ready"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready_kernels, "_compile_into", copy_compiled)
        assert build_ready_kernels(directory) is not None
    return directory


def copy_compiled(directory: Path) -> None:
    compiled = cache.CACHE_DIRECTORY
    assert compiled is not None
    others = shutil.ignore_patterns("*.tmp*", OF_TESTS.name)  # being written, and entered by tests alone
    shutil.copytree(compiled, directory / compiled.name, ignore=others)


@pytest.fixture
def here(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, for a test to change, on a machine that has nothing compiled."""
    monkeypatch.setattr(ready_kernels, "_place", lambda name: tmp_path / "installed" / name)
    return Path(shutil.copytree(ready, tmp_path / "ready"))


def installed(here: Path) -> list[Path]:
    return [path for path in (here.parent / "installed").rglob("*") if path.is_file()]


@pytest.mark.long
def test_an_installation_elsewhere_compiles_nothing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "vp", tmp_path / "vp", ignore=shutil.ignore_patterns("__pycache__", "ready"))
    archive = build_ready_kernels(tmp_path / "vp" / "model" / "ready")
    assert archive is not None
    assert archive.stat().st_size < 2_000_000
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    ran = subprocess.run(
        [sys.executable, "-c", PLAYED], check=False, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    started, misses, hits, written = json.loads(ran.stdout)
    assert (started, misses) == ([], {}), "each routine and kernel is compiled once, and a later process finds it"
    assert hits > 10
    assert written > 100_000
    compiled = [path.name for path in tmp_path.rglob("*.nbc")]
    assert len(compiled) == len(set(compiled)) > 30
    assert not [name for name in compiled if not name.endswith(".1.nbc")], "a second signature"


def test_it_installs_whole(here: Path) -> None:
    assert install_ready_kernels(here)
    names = [path.name for path in installed(here)]
    assert len(names) == len(set(names))
    assert sum(name.endswith(".nbc") for name in names) >= sum(name.endswith(".nbi") for name in names) > 30
    assert not [name for name in names if ".tmp" in name]


@pytest.mark.parametrize("condition", ["numba", "llvmlite", "kernels", "demonstration"])
def test_what_was_made_for_something_else_is_left(here: Path, condition: str) -> None:
    (stated,) = here.glob("*.json")
    content = json.loads(stated.read_text())
    content["conditions"][condition] += "0"
    stated.write_text(json.dumps(content))
    assert not install_ready_kernels(here)
    assert installed(here) == []


@pytest.mark.parametrize("feature", ready_kernels.FEATURES)
def test_a_processor_that_lacks_a_feature_compiles(here: Path, monkeypatch: pytest.MonkeyPatch, feature: str) -> None:
    features = dict(get_host_cpu_features()) | {feature: False}
    monkeypatch.setattr(ready_kernels, "get_host_cpu_features", lambda: features)
    assert not install_ready_kernels(here)
    assert installed(here) == []


@pytest.mark.parametrize(("name", "value"), [("BOUNDSCHECK", 1), ("CPU_NAME", "generic"), ("CPU_FEATURES", "")])
def test_who_wants_other_code_compiles_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(numba.config, name, value)
    assert not install_ready_kernels(here)


@pytest.mark.parametrize("pattern", ["*.json", "*.tar.xz"])
@pytest.mark.parametrize("how", ["cut", "changed", "empty", "gone"])
def test_damage_costs_time_alone(here: Path, pattern: str, how: str) -> None:
    (path,) = here.glob(pattern)
    data = path.read_bytes()
    middle = len(data) // 2
    if how == "gone":
        path.unlink()
    else:
        damaged = {"cut": data[:middle], "changed": data[:middle] + b"\0" + data[middle + 1 :], "empty": b""}
        path.write_bytes(damaged[how])
    assert not install_ready_kernels(here)
    assert installed(here) == []


def test_a_checkout_has_none(tmp_path: Path) -> None:
    assert not install_ready_kernels(tmp_path / "nowhere")


def test_a_start_that_finds_nothing_compiled_takes_them(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "CACHE_DIRECTORY", tmp_path)
    monkeypatch.setattr(ready_kernels, "install_ready_kernels", lambda: install_ready_kernels(here))
    shares: list[float] = []
    compilation.ensure_compiled(shares.append, demonstration=True)
    assert shares == []
    assert {path.name for path in tmp_path.glob("*.done")} == {f"{part}.done" for part in compilation.PARTS}
    assert tmp_path != cache.CACHE_DIRECTORY
