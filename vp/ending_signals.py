"""The signals that ask a program to end: Ctrl-C, a service manager's SIGTERM, and SIGHUP of a terminal that closes."""

from __future__ import annotations

import signal
import sys
from typing import Any

EXIT_CODE_BASE = 128  # a shell's: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP


def ending_signals() -> tuple[signal.Signals, ...]:
    """Those that there are on this system, without those that are ignored: `nohup` ignores SIGHUP, and a shell's script
    SIGINT for what it starts in the background.
    """
    there = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    return tuple(one for one in there if one is not None and signal.getsignal(one) is not signal.SIG_IGN)


def end_without_last_words() -> None:
    """Let nothing be said any more of what goes wrong while objects are let go.

    A signal interrupts a program anywhere: a library's file may be let go half made, and would complain that what it
    writes to is closed already.
    """
    sys.unraisablehook = _say_nothing


def _say_nothing(_unraisable: Any) -> None:
    """Say nothing."""
