"""The ways a kernel is compiled: cached on disk, without the GIL, without fast-math.

numba looks only at a function's own file to tell whether its cached machine code is current; code that a
kernel takes in from another file would go stale unseen. So the cache lies in a directory named by a digest of
all kernel sources.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numba

SOURCES = Path(__file__).parent


def sources_name() -> str:
    """A name that changes with every kernel source, with numba, and with whether it checks array indices."""
    checked = bool(numba.config.BOUNDSCHECK)  # type: ignore[attr-defined]
    digest = hashlib.sha256(f"{numba.__version__} {checked}".encode())
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    return f"kernels-{digest.hexdigest()[:16]}"


def cache_directory() -> Path:
    """Where compiled kernels lie: beside the sources, or in the user's cache where that is not writable."""
    name = sources_name()
    homes = (
        SOURCES / "__pycache__",
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vacuum-pressure",
    )
    for home in homes:
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home / name):
                return home / name
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix=name))


njit: Any = numba.njit  # its stub does not know every option

if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]


def kernel(function: Any) -> Any:
    """Compile `function` with the project's flags: disk cache, no GIL, C division semantics, strict floats.

    Kernels allocate nothing, so arrays are passed without counting references.
    """
    return njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)


def step(function: Any) -> Any:
    """Compile `function`, one step of a loop, so that every kernel that calls it takes it in whole.

    A call would pass each array as seven words; a step on the hot path costs a fraction of that. It is not cached by
    itself: the kernels that hold it are.
    """
    return njit(nogil=True, error_model="numpy", _nrt=False, forceinline=True)(function)
