"""Steps and kernels that only kernels call, compiled so that a test can call them."""

from __future__ import annotations

from typing import Any

from vp.kernels.cache import CACHE_DIRECTORY
from vp.kernels.jit import kernel

assert CACHE_DIRECTORY is not None
DIRECTORY = CACHE_DIRECTORY / "tests"  # a routine's own cache holds it under the same name, without a way in for Python


def from_python(function: Any) -> Any:
    """The same function as a kernel of its own."""
    return kernel(getattr(function, "py_func", function), DIRECTORY)
