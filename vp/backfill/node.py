"""What is done once on each machine before its first job, however many processes begin there at a time."""

from __future__ import annotations

from vp.files import locked
from vp.kernels.cache import CACHE_DIRECTORY
from vp.model.compilation import ensure_compiled
from vp.model.progress import ignore_share

LOCK = "compiling.lock"


def warm() -> None:
    """Have the kernels compiled; who comes meanwhile waits, and finds them."""
    if CACHE_DIRECTORY is None:  # each process compiles for itself
        return
    with locked(CACHE_DIRECTORY / LOCK):
        ensure_compiled(ignore_share)
