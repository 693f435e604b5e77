"""Starting Python processes that see the same packages as this one, whatever lies in the current directory."""

from __future__ import annotations

import os
import sys


def python_command(*arguments: str) -> list[str]:
    """The command that runs this interpreter with `arguments`, such as `-m` and a module's name.

    Without -P the interpreter would look for modules in the current directory first: a user may well keep a
    directory `vp` or `numpy` there.
    """
    return [sys.executable, "-P", *arguments]


def python_environment() -> dict[str, str]:
    """The environment of this process, with its module search path in PYTHONPATH."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}  # noqa: PTH109
