"""Byte code of imported modules: kept where Python may write none beside the sources, dropped where it is cut short.

On a full disk Python before 3.12.8 leaves a compiled module short, and every later start ends in an EOFError.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import CodeType, TracebackType

from vp.kernels.user_cache import user_cache_directory

BEGUN_ANEW = "VP_BEGUN_ANEW"


def keep_bytecode() -> None:
    """Keep imported modules compiled even where PYTHONDONTWRITEBYTECODE forbids it beside the sources.

    Compiling the dependencies anew takes longer than all else that a start does.
    """
    if sys.dont_write_bytecode:
        directory = _directory()
        if directory is not None:
            sys.pycache_prefix = directory
            sys.dont_write_bytecode = False


def begin_anew(error: Exception) -> None:
    """Begin this process anew, once, if byte code that cannot be read is what is wrong; else return.

    The byte code that VP keeps goes. That beside the sources is Python's: it stays, and is not looked at any more.
    """
    if os.name != "posix" or BEGUN_ANEW in os.environ or not any(map(_reads_bytecode, _codes(error.__traceback__))):
        return
    import shutil  # noqa: PLC0415 - seldom needed

    directory = _directory()
    environment = os.environ | {BEGUN_ANEW: "1"}
    if directory is None:
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": os.devnull}  # none is read there
    else:
        shutil.rmtree(directory, ignore_errors=True)
        environment["PYTHONPYCACHEPREFIX"] = directory
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - these very words


def _directory() -> str | None:
    own = user_cache_directory()
    return None if own is None else str(own / "bytecode")


def _codes(traceback: TracebackType | None) -> Iterator[CodeType]:
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def _reads_bytecode(code: CodeType) -> bool:
    """Whether this is the function of Python's import system that makes code of what it has read of a .pyc file."""
    return code.co_filename == "<frozen importlib._bootstrap_external>" and code.co_name == "_compile_bytecode"
