"""The same bits on every processor, and no call of the C library's mathematics, whose last digits are its own."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import numba
import pytest

from tests.kernels.test_modes import WHOLE, printed
from tests.kernels.test_rules import SOURCES, compiled_functions, tree_of

MATHEMATICS = ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "pow", "ldexp", "fmod", "sin", "cos", "tanh")
CALLED = re.compile(rf"\b(?:llvm\.)?(?:{'|'.join(MATHEMATICS)})(?:f|f32|f64)?\b")
CALLS = re.compile(r"\b(?:call|callq|invoke|declare|jmp)\b")
FUSED = re.compile(r"\bvfn?m(?:add|sub)|fmuladd|\bcontract\b|\bfast\b|\breassoc\b|llvm\.fma")

# In a process of its own, with a cache of its own: code from a cache cannot be looked into.
EVERY_KERNEL = """
from vp.dbn.events import Events
from vp.kernels import engine, frame, grid
from vp.model.engine import EventDrivenVPEngine
machine = EventDrivenVPEngine(K=2)
machine.start_emitting()
machine.advance(Events.from_records([(0, "A", "B", 10**12, 1, 1, 128), (10**9, "A", "A", 2 * 10**12, 1, 2, 128)]))
machine.grid
for kernel in (engine.advance, frame.write_frame, grid.read_grid):
    for signature in kernel.signatures:
        print(kernel.inspect_llvm(signature), kernel.inspect_asm(signature), sep="\\n")
"""


def test_the_search_finds_what_it_is_for() -> None:
    for line in ("  %x = call double @expm1(double %y)", "declare double @llvm.pow.f64(double)", "\tcallq\t*exp@GOT"):
        assert CALLS.search(line)
        assert CALLED.search(line)
    assert not CALLED.search("call void @expect(i64 %exponent)")
    for line in ("vfmadd213pd %ymm1", "vfnmadd231sd", "%3 = fmul contract double", "call double @llvm.fmuladd.f64"):
        assert FUSED.search(line)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_kernel_names_a_function_of_the_c_library(path: Path) -> None:
    for function in compiled_functions(tree_of(path)):
        for node in ast.walk(function):
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)), f"{function.name}: **"
            if isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                assert name not in {*MATHEMATICS, "math"}, f"{function.name}, line {node.lineno}"


@WHOLE
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")  # type: ignore[attr-defined]
def test_no_kernel_calls_the_c_librarys_mathematics(tmp_path_factory: pytest.TempPathFactory) -> None:
    code = printed(EVERY_KERNEL, NUMBA_CACHE_DIR=os.fspath(tmp_path_factory.mktemp("kernels"))).splitlines()
    calls = [line for line in code if CALLS.search(line)]
    assert len(calls) > 50, "they do call each other"
    assert [line for line in calls if CALLED.search(line)] == []
    assert [line for line in code if FUSED.search(line)] == [], "each product is rounded before it is added to"
    assert any("<4 x double>" in line for line in code)
