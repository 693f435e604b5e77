"""Which software makes frames: digits that change with whatever could change a frame's bits."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import vp

ROOMS = ("kernels", "market", "lake", "dbn", "model")
LIBRARIES = ("numba", "numpy", "pyarrow")
DIGITS = 16


@cache
def software(*more_rooms: str) -> str:
    """VP's version, and hexadecimal digits of its sources and of the libraries that its numbers and files come from.

    The sources are those that make frames, and those of `more_rooms`.
    """
    digest = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in LIBRARIES).encode())
    package = Path(vp.__file__).parent
    for room in (*ROOMS, *more_rooms):
        for path in sorted((package / room).glob("*.py")):
            digest.update(f"{room}/{path.name}\0".encode())
            digest.update(path.read_bytes())
    return f"{vp.__version__} {digest.hexdigest()[:DIGITS]}"
