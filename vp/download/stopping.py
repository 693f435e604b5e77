"""Stopping on SIGTERM, SIGHUP and Ctrl-C, within five seconds whatever the program hangs in.

An order on its way is given a moment to be answered. Ending before its answer loses nothing: the ledger has told
since before it was sent that it may have been bought.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from vp.ending_signals import EXIT_CODE_BASE, ending_signals

ANSWER_SECONDS = 3.0
LONGEST_SECONDS = 4.5  # a call into the system that no signal interrupts, such as a look-up of a name

log = logging.getLogger(__name__)


class Stopped(BaseException):
    """The program was asked to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.name = signal.Signals(signal_number).name
        self.exit_code = EXIT_CODE_BASE + signal_number


class Stopping:
    """Turns signals into `Stopped`, raised in the main thread wherever it is."""

    def __init__(self) -> None:
        self._shields = 0
        self._asked: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for the signals that end a program within; end the process where it does not end by itself."""
        ending = ending_signals()
        handlers = dict.fromkeys(ending, self._on_signal) | {signal.SIGALRM: self._on_alarm}
        previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        told, tells = os.pipe()
        os.set_blocking(tells, False)
        previous_tells = signal.set_wakeup_fd(tells)
        ended = threading.Event()
        watcher = threading.Thread(target=_end_late, args=(told, ended, ending), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(previous_tells)
            for number, handler in previous.items():
                signal.signal(number, handler)
            os.close(tells)
            watcher.join()
            os.close(told)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Put a signal off until the end of this, for ANSWER_SECONDS at most; a second one is not put off."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._asked is not None and not self._shields:
            raise Stopped(self._asked)

    def sleep(self, seconds: float) -> None:
        """Sleep; a signal ends it, within a shield too, as nothing is on its way meanwhile."""
        shields, self._shields = self._shields, 0
        try:
            if self._asked is not None:
                raise Stopped(self._asked)
            time.sleep(max(seconds, 0.0))
        finally:
            self._shields = shields

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._shields and self._asked is None:
            self._asked = number
            signal.setitimer(signal.ITIMER_REAL, ANSWER_SECONDS)
            return
        self._asked = number
        raise Stopped(number)

    def _on_alarm(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked is not None:
            raise Stopped(self._asked)


def _end_late(told: int, ended: threading.Event, ending: Collection[int]) -> None:
    """End the process LONGEST_SECONDS after the first signal, in the middle of what it hangs in."""
    while numbers := os.read(told, 64):
        for number in numbers:
            if number in ending and not ended.wait(LONGEST_SECONDS):
                stopped = Stopped(number)
                log.warning(
                    "stopped by %s in the middle of a call; the same command goes on where it was", stopped.name
                )
                logging.shutdown()
                os._exit(stopped.exit_code)
