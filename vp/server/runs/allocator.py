"""The C library's allocator, which keeps what was freed in the midst of what is still held."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Return free memory to the system, where the C library can (glibc); takes some tens of milliseconds."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library, or none to be had (Windows)
        ctypes.CDLL(None).malloc_trim(0)
