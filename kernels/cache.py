"""Where compiled kernels are kept on disk: a directory of VP's own, named by a digest of what they were compiled from.

numba looks only at a function's own file to tell whether its cached machine code is current; code that a kernel takes
in from another file would go stale unseen. So every state of the sources has a directory.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numba

from .user_cache import user_cache_directory

SOURCES = Path(__file__).parent
DIGITS = 16
MOST_OTHERS = 3  # caches of other states of the sources that are kept: of other checkouts, or with other checks
config: Any = numba.config


def sources_digest(paths: Iterable[Path]) -> str:
    """Hexadecimal digits that change with each of the files, with numba, and with checks of array indices."""
    digest = hashlib.sha256(f"{numba.__version__} {bool(config.BOUNDSCHECK)}".encode())
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:DIGITS]


def directory_name() -> str:
    """The name of the directory for the kernels as they are now."""
    return f"kernels-{sources_digest(SOURCES.glob('*.py'))}"


def cache_directory() -> Path | None:
    """NUMBA_CACHE_DIR where that is set, else beside the sources, else the user's own; None where none can be used."""
    name = directory_name()
    for home in _homes():
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home / name):
                return home / name
        except OSError:
            continue
    return None


def _homes() -> Iterator[Path]:
    yield Path(config.CACHE_DIR) if config.CACHE_DIR else SOURCES / "__pycache__"
    own = user_cache_directory()
    if own is not None:
        yield own


@contextmanager
def cached_in(directory: Path) -> Iterator[None]:
    """Functions that numba is handed meanwhile are cached in `directory`; those of others stay where they were.

    numba has one directory for a whole process (NUMBA_CACHE_DIR), and asks for it once, when a function is decorated.
    """
    before = config.CACHE_DIR
    config.CACHE_DIR = str(directory)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def remove_old_directories(directory: Path) -> None:
    """Delete the caches beside `directory` of other states of the sources, but for the newest few."""
    changed_ns = {}
    for path in directory.parent.glob("kernels-" + "[0-9a-f]" * DIGITS):
        with suppress(FileNotFoundError):  # another process removes it too
            changed_ns[path] = path.stat().st_mtime_ns
    changed_ns.pop(directory, None)
    for path in sorted(changed_ns, key=lambda path: changed_ns[path], reverse=True)[MOST_OTHERS:]:
        shutil.rmtree(path, ignore_errors=True)


CACHE_DIRECTORY = cache_directory()
