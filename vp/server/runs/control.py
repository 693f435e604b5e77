"""What the only viewer of a run wants of its clock: said in the event loop, heeded in the run's thread."""

from __future__ import annotations

import threading
from collections import deque

from vp.server.stream.commands import MOST_STEPS, Command, Resume, Step, TooManyStepsError


class PlayControl:
    """Whether a run is to pause, and the steps that it is to make meanwhile.

    Attributes
    ----------
    paused : bool
        What is wanted; the run's thread follows as soon as it has done what it is at.
    """

    def __init__(self) -> None:
        self.paused = False
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()
        self._news = threading.Event()

    def obey(self, command: Command) -> None:
        """Take a command; from any thread.

        Raises
        ------
        TooManyStepsError
            MOST_STEPS would wait; nothing changes.
        """
        with self._lock:
            if isinstance(command, Step):
                waiting = sum(step.count for step in self._steps)
                if waiting + command.count > MOST_STEPS:
                    raise TooManyStepsError(
                        f"{waiting:,} steps wait to be made, and {command.count:,} more would be over {MOST_STEPS:,}.",
                        hint="Wait for their frames, or resume.",
                    )
                self._steps.append(command)
            else:
                self._steps.clear()
            self.paused = not isinstance(command, Resume)
        self._news.set()

    def next_step(self) -> Step | None:
        """A step that is to be made now; given once."""
        with self._lock:
            return self._steps.popleft() if self._steps else None

    def wait(self, seconds: float) -> None:
        """Wait for a command or a `wake`, `seconds` at most; in the run's thread."""
        self._news.wait(seconds)
        self._news.clear()

    def wake(self) -> None:
        """Let the run's thread look again."""
        self._news.set()
