"""The ways a function is compiled: without the GIL, without fast-math, with C's division, allocating nothing.

- `kernel` is what Python calls, cached on disk, where there is a place for it.
- `routine` is what kernels alone call, seldom: compiled by itself and cached on disk.
- `step` is one step of a loop, taken in whole by every kernel that calls it: on the hot path a call, which passes each
  array as seven words, would cost more than the step. It is not cached by itself: the kernels that hold it are.

Routines and steps have none of the wrappers by which Python would call them: those take longer to compile than many a
step itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
from numba.core.registry import CPUDispatcher

from .cache import CACHE_DIRECTORY, cached_in, config
from .cache_files import SealedCache

OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
njit: Any = numba.njit  # its stub does not know every option


def kernel(function: Any, directory: Path | None = CACHE_DIRECTORY) -> Any:
    """Compile `function` so that Python and other kernels can call it."""
    return cached(function, directory)


def routine(function: Any, directory: Path | None = CACHE_DIRECTORY) -> Any:
    """Compile `function` so that kernels can call it."""
    return not_for_python(cached(function, directory, no_cpython_wrapper=True))


def step(function: Any) -> Any:
    """Compile `function` so that it becomes part of every kernel that calls it."""
    return not_for_python(njit(forceinline=True, no_cpython_wrapper=True, **OPTIONS)(function))


def cached(function: Any, directory: Path | None, **options: bool) -> Any:
    """Compile `function` by itself and keep it in `directory`; without one it is compiled in every process."""
    # A caller that is forced inline would hand that on to what it calls.
    if directory is None:
        return njit(forceinline=False, **OPTIONS, **options)(function)
    with cached_in(directory):
        dispatcher = njit(cache=True, forceinline=False, **OPTIONS, **options)(function)
        if not config.DISABLE_JIT:
            dispatcher._cache = SealedCache(function)
    return dispatcher


def not_for_python(dispatcher: Any) -> Any:
    """Let a call from Python be refused: without a wrapper it would end the process."""
    if not config.DISABLE_JIT:
        dispatcher.__class__ = Uncallable
    return dispatcher


class Uncallable(CPUDispatcher):
    """What numba makes of a function, for kernels alone."""

    def __call__(self, *_arguments: Any) -> Any:
        """Refuse: only compiled code can call it."""
        raise TypeError(f"{self.py_func.__name__} is called by kernels alone; kernels.jit.kernel makes it callable.")
