"""How many files and sockets this process may have open, and how many of them may be connections."""

from __future__ import annotations

import contextlib

MOST_DESCRIPTORS = 1 << 16


def raise_descriptor_limit() -> int:
    """Allow this process as many open files as it may have, at most MOST_DESCRIPTORS; how many that is."""
    limits = _limits()
    if limits is None:
        return MOST_DESCRIPTORS
    allowed, most = limits
    if allowed < most:
        import resource  # noqa: PLC0415 - there is none on Windows

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            return most
    return allowed


def most_connections() -> int:
    """How many connections there may be: half of the open files, as the histories of sessions need some too."""
    limits = _limits()
    return (MOST_DESCRIPTORS if limits is None else limits[0]) // 2


def _limits() -> tuple[int, int] | None:
    """Open files that are allowed now and at most, neither above MOST_DESCRIPTORS; None where there is no limit."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return None
    allowed, most = (
        MOST_DESCRIPTORS if limit == resource.RLIM_INFINITY else min(limit, MOST_DESCRIPTORS)
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return allowed, most
