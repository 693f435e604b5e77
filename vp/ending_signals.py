"""The signals that ask a program to end: Ctrl-C, a service manager's SIGTERM, and SIGHUP of a terminal that closes."""

from __future__ import annotations

import signal

EXIT_CODE_BASE = 128  # a shell's: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP


def ending_signals() -> tuple[signal.Signals, ...]:
    """Those that there are on this system; without SIGHUP where it is ignored, as `nohup` has it."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, hangup
