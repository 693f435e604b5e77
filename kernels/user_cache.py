"""Where what a user's programs can make again is kept: below the user's cache, or else in a directory of the user's.

What lies there is run (compiled kernels, byte code), so a directory that another user owns, or has put a link to, is
never taken.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NAME = "vacuum-pressure"
SHARED = ("/tmp", "/var/tmp")  # noqa: S108 - everybody may write there, so what is found there is looked at closely


def user_cache_directory() -> Path | None:
    """The first of the directories below that can be used, made if need be; None where nothing can be written to.

    $XDG_CACHE_HOME, ~/.cache, and in a directory for temporary files one that is named by the user's number.
    """
    for home in _homes():
        if _usable(home / NAME, others_may_look=True):
            return home / NAME
    number = os.geteuid() if hasattr(os, "geteuid") else 0
    for shared in (os.environ.get("TMPDIR"), *SHARED):
        directory = Path(shared or "", f"{NAME}-{number}")
        if directory.is_absolute() and _usable(directory, others_may_look=False):
            return directory
    return None


def _homes() -> Iterator[Path]:
    named = Path(os.environ.get("XDG_CACHE_HOME") or "")
    if named.is_absolute():
        yield named
    with suppress(RuntimeError):  # nobody knows a home of this user
        home = Path("~").expanduser()
        if home.is_absolute():
            yield home / ".cache"


def _usable(directory: Path, *, others_may_look: bool) -> bool:
    """Whether a directory, made if need be, is this user's own and can be written to."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat() if others_may_look else directory.lstat()
    except OSError:
        return False
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return False
    if not others_may_look and (not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077):
        return False
    return os.access(directory, os.W_OK | os.X_OK)
