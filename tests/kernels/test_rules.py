"""The rules that kernels keep, read from their syntax trees and from what numba was told."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core.dispatcher import Dispatcher

from vp import kernels
from vp.kernels.cache import CACHE_DIRECTORY
from vp.kernels.levels import dense_word
from vp.kernels.orders import home
from vp.kernels.ring import count_all_depth
from vp.model.book import Book

SOURCES = sorted(Path(kernels.__file__).parent.glob("*.py"))
ALLOWED_IMPORTS = {"__future__", "typing", "numpy", "numba"}
MORE_IMPORTS = {
    "jit.py": {"pathlib"},
    "cache.py": set(sys.stdlib_module_names),
    "cache_files.py": set(sys.stdlib_module_names),
    "user_cache.py": set(sys.stdlib_module_names),
    "intrinsics.py": {"llvmlite"},
    "vectors.py": {"llvmlite", "operator"},
}
MOST_ARGUMENTS = 8
ARRAYS = {"Int64s", "UInt32s", "Bytes", "Float32s", "Float64s"}
TABLES = {"orders.py"}  # its columns go to and from Arrow
FORBIDDEN_NAMES = {"print", "open", "eval", "exec", "input", "prange", "uint64", "fastmath", "parallel", "objmode"}
COMPILED = ("kernel", "routine", "step")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name, attribute, keyword and string that is no docstring, with its line."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.lineno, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def compiled_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id in COMPILED for d in node.decorator_list)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_imports(path: Path) -> None:
    allowed = ALLOWED_IMPORTS | MORE_IMPORTS.get(path.name, set())
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level == 1:
                continue  # the package goes by whatever name it is imported under
            assert node.level == 0, f"line {node.lineno} imports from outside the package"
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            assert module.split(".")[0] in allowed, f"line {node.lineno} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_forbidden_words(path: Path) -> None:
    found = [(line, word) for line, word in words(tree_of(path)) if word in FORBIDDEN_NAMES]
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_compiled_functions_raise_nothing_and_hold_no_objects(path: Path) -> None:
    for function in compiled_functions(tree_of(path)):
        for node in ast.walk(function):
            forbidden = (
                ast.Raise,
                ast.Try,
                ast.With,
                ast.Lambda,
                ast.Dict,
                ast.List,
                ast.Set,
                ast.JoinedStr,
                ast.Global,
            )
            assert not isinstance(node, forbidden), f"{function.name}, line {getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_all_is_annotated_and_compiled_alike(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and path.name != "jit.py":
            named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert named not in {"njit", "jit", "vectorize", "guvectorize", "cfunc", "stencil"}, f"line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert node.returns is not None, f"{node.name} says not what it returns"
            assert all(a.annotation is not None for a in arguments if a.arg != "self"), (
                f"{node.name} has arguments without a type"
            )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_signatures_can_be_read(path: Path) -> None:
    """What belongs together is handed over together: state as named tuples, not as loose arrays."""
    for function in compiled_functions(tree_of(path)):
        arguments = function.args.args
        assert len(arguments) <= MOST_ARGUMENTS, f"{function.name} takes {len(arguments)} arguments"
        lines = 1 + max(argument.end_lineno or 0 for argument in arguments) - function.lineno
        assert lines <= 2, f"the arguments of {function.name} take {lines} lines"
        arrays = [a for a in arguments if isinstance(a.annotation, ast.Name) and a.annotation.id in ARRAYS]
        assert path.name in TABLES or len(arrays) <= 3, f"{function.name} takes {len(arrays)} loose arrays"


def dispatchers() -> list[tuple[str, Any]]:
    found = []
    for path in SOURCES:
        module = importlib.import_module(f"vp.kernels.{path.stem}" if path.stem != "__init__" else "vp.kernels")
        found += [
            (f"{path.stem}.{name}", value)
            for name, value in vars(module).items()
            if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__
        ]
    return found


def test_flags_that_numba_was_told() -> None:
    found = dispatchers()
    assert len(found) > 20
    for name, dispatcher in found:
        options = dispatcher.targetoptions
        assert options.get("nogil") is True, name
        assert options.get("nopython") is True, name
        assert options.get("error_model") == "numpy", name
        assert not options.get("fastmath"), name
        assert not options.get("parallel"), name
        assert options.get("forceinline") is not None, f"{name} is inlined wherever its caller is"


def test_a_call_from_python_of_what_kernels_alone_call_is_refused() -> None:
    """numba would jump to where there is nothing, and the process would end."""
    for refused in (home, count_all_depth):
        with pytest.raises(TypeError, match="called by kernels alone"):
            refused(1, 2)


def test_functions_of_others_are_not_cached_among_the_kernels() -> None:
    assert CACHE_DIRECTORY is not None
    assert not Path(numba.config.CACHE_DIR).is_relative_to(CACHE_DIRECTORY)  # type: ignore[attr-defined]
    for name, dispatcher in dispatchers():
        if dispatcher.targetoptions["forceinline"] is False:
            assert Path(dispatcher.stats.cache_path).is_relative_to(CACHE_DIRECTORY), name


@pytest.mark.parametrize("arithmetic", [home, dense_word], ids=["home", "dense_word"])
def test_arithmetic_that_wraps_around_is_not_called_free_of_overflow(arithmetic: Any) -> None:
    """numba marks `*` of int64 as never overflowing, and LLVM may draw any conclusion from that."""
    compiled = numba.njit(arithmetic.py_func)  # what comes from the cache cannot be looked into
    if arithmetic is home:
        compiled(6_800_000_000_000, 15)
    else:
        compiled(Book(250_000_000).state, 21_500_000_000_000)
    (signature,) = compiled.signatures
    assert "mul nsw" not in compiled.inspect_llvm(signature)


def test_kernels_have_few_signatures() -> None:
    """Each signature is compiled anew, and that is start-up time: arrays of the contract's types only."""
    for name, dispatcher in dispatchers():
        for signature in dispatcher.signatures:
            for argument in signature:
                if isinstance(argument, numba.types.Array):
                    assert argument.layout == "C", name
                    assert str(argument.dtype) in {"int64", "uint8", "uint16", "uint32", "float32", "float64"}, name
