"""How the functions of the demonstration are compiled: as those of vp.kernels, each state of them with a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from vp.kernels import cache, jit

_SOURCES: Final = Path(__file__).parent.glob("*.py")
NAME: Final = f"demo-{cache.sources_digest(_SOURCES)}"
CACHE_DIRECTORY: Final = None if cache.CACHE_DIRECTORY is None else cache.CACHE_DIRECTORY / NAME


def kernel(function: Any) -> Any:
    """As vp.kernels.jit.kernel, with a cache for each state of the demonstration's sources."""
    return jit.kernel(function, CACHE_DIRECTORY)


def routine(function: Any) -> Any:
    """As vp.kernels.jit.routine, likewise."""
    return jit.routine(function, CACHE_DIRECTORY)
