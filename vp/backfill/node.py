"""What is done once on each machine before its first job, however many processes begin there at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vp.files import LOCKS
from vp.kernels.cache import CACHE_DIRECTORY
from vp.model.compilation import ensure_compiled
from vp.model.progress import ignore_share

LOCK = "compiling.lock"


def warm() -> None:
    """Have the kernels compiled; who comes meanwhile waits, and finds them."""
    if CACHE_DIRECTORY is None:  # each process compiles for itself
        return
    with _locked(CACHE_DIRECTORY / LOCK):
        ensure_compiled(ignore_share)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    if not LOCKS:
        yield
        return
    import fcntl  # noqa: PLC0415 - Windows has none

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
