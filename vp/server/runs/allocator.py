"""The C library's allocator, which keeps what was freed in the midst of what is still held."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
LARGE_BYTES = 1 << 20
ARENAS = 2


@dataclass(frozen=True)
class Allocated:
    """What the allocator has from the system, in bytes.

    Attributes
    ----------
    used_bytes : int
        Held by the program, in arenas.
    free_bytes : int
        Freed by the program and kept in arenas.
    mapped_bytes : int
        Held by the program in blocks of their own, which go back as a whole.
    """

    used_bytes: int
    free_bytes: int
    mapped_bytes: int


class _MallInfo2(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def keep_little() -> None:
    """Let large blocks go back to the system as soon as they are freed, and few arenas stand side by side (glibc).

    Left alone, glibc takes the first large block that is freed as a sign to keep all others of its size, and gives each
    thread an arena: a server that loads one session after the other keeps a hundred MiB of holes.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)
        mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return free memory to the system, where the C library can (glibc); takes some tens of milliseconds."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library, or none to be had (Windows)
        ctypes.CDLL(None).malloc_trim(0)


def allocated() -> Allocated | None:
    """What the allocator has now; None where the C library does not tell (glibc does since 2.33)."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallinfo2 = ctypes.CDLL(None).mallinfo2
        mallinfo2.restype = _MallInfo2
        told = mallinfo2()
        return Allocated(told.uordblks, told.fordblks, told.hblkhd)
    return None
