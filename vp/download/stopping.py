"""Stopping on SIGTERM and Ctrl-C: at once, but not between sending an order and writing down its number."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_STOPPED = {signal.SIGTERM: 143, signal.SIGINT: 130}


class Stopped(BaseException):
    """The program was asked to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.name = signal.Signals(signal_number).name
        self.exit_code = EXIT_STOPPED[signal.Signals(signal_number)]


class Stopping:
    """Turns signals into `Stopped`, raised in the main thread wherever it is."""

    def __init__(self) -> None:
        self._shields = 0
        self._asked: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for SIGTERM and SIGINT within."""
        previous = {number: signal.signal(number, self._on_signal) for number in EXIT_STOPPED}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Put a signal off until the end of this; a second one is not put off."""
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
            return
        self._asked = number
        raise Stopped(number)
