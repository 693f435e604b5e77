"""What `import vp` gives: every public name works, and costs nothing before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import vp

HEAVY = ("numpy", "pyarrow", "numba", "duckdb", "vp.kernels", "vp.model", "vp.lake", "vp.query")


def in_a_fresh_process(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_importing_vp_imports_nothing_else_of_it() -> None:
    assert in_a_fresh_process(f"import sys, vp; print([name for name in {HEAVY} if name in sys.modules])") == "[]"


@pytest.mark.parametrize("name", vp.__all__)
def test_each_public_name_is_found_where_nothing_is_imported_yet(name: str) -> None:
    assert name in dir(vp)
    found, listed = in_a_fresh_process(
        f"import vp; print(getattr(vp.{name}, '__name__', vp.{name})); print({name!r} in dir(vp))"
    ).split()
    assert found.rpartition(".")[2] == name or found == vp.__version__
    assert listed == "True"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'vp' has no attribute 'books'"):
        vp.books  # type: ignore[attr-defined]  # noqa: B018


def test_all_of_it_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from vp import *", names)
    assert set(vp.__all__) <= names.keys()
