"""The runs of a server: which one a request joins, how many there may be, and what is left of those let go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from vp import counters
from vp.errors import ServerFullError
from vp.logs import event
from vp.server.history.retention import RetainedHistories
from vp.server.history.session_history import SessionHistory
from vp.server.runs.run import Run
from vp.server.runs.shared_run import SharedRun
from vp.server.stream.request import StreamRequest

ENDING = 4  # sessions that may be ending at a time, or as many as may be at work: they hold what they held

log = logging.getLogger("vp.server")


class RunsAtWork:
    """The sessions under way, or over with a viewer still there.

    Parameters
    ----------
    most : int
        As many may be at work at a time.
    keep_seconds : float
        How long the frames of a session that was let go can still be asked for.
    goes_on : callable
        Whether a run is to go on without viewers: such a one goes last where room is needed.

    Attributes
    ----------
    ending : list of Run
        Let go, and perhaps with a thread that has not ended yet.
    retained : RetainedHistories
        The frames of those that were let go.
    """

    def __init__(self, most: int, keep_seconds: float, goes_on: Callable[[Run], bool]) -> None:
        self.ending: list[Run] = []
        self.retained = RetainedHistories(keep_seconds)
        self._most = most
        self._goes_on = goes_on
        self._runs: list[Run] = []
        self._shared: dict[StreamRequest, SharedRun] = {}
        self._records_of_gone = 0

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs.copy())

    @property
    def records_done(self) -> int:
        """Records that all sessions have taken since the start."""
        return self._records_of_gone + sum(run.facts.records_done for run in self._runs)

    def find(self, request: StreamRequest) -> Run | None:
        """The run that a viewer joins: the one that it comes back to, or else one that is shared."""
        if request.speed == 0:
            return None
        if request.after is not None:
            for run in self._runs:
                if run.id == request.after[0] and run.request == request.session and not run.state.over:
                    return run
        shared = None if request.alone or request.held else self._shared.get(request.session)
        return None if shared is None or shared.state.over else shared

    def history(self, session_id: str) -> SessionHistory | None:
        """The frames that a session holds, under way or let go not long ago; None without such a session."""
        for run in self._runs:
            if run.id == session_id and isinstance(run, SharedRun):
                return run.history
        return self.retained.get(session_id)

    def add(self, run: Run, request: StreamRequest) -> None:
        """Take a new run in; who makes the same request later joins it, unless it is to be its viewer's own."""
        if isinstance(run, SharedRun) and not (request.alone or request.held):
            self._shared[request.session] = run
        self._runs.append(run)

    def keep_apart(self, run: SharedRun) -> None:
        """Let nobody join a run any more but who comes back to it."""
        if self._shared.get(run.request) is run:
            del self._shared[run.request]

    def make_room(self) -> None:
        """End a session that nobody watches if there are too many; raises ServerFullError."""
        self.ending = [run for run in self.ending if run.is_alive]
        if len(self.ending) >= max(ENDING, self._most):
            counters.add("refused", "sessions")
            raise ServerFullError(
                f"{len(self.ending)} sessions that were left are still ending.", hint="Try again in a moment."
            )
        at_work = [run for run in self._runs if not run.state.over]
        if len(at_work) < self._most:
            return
        idle = [run for run in at_work if run.viewers == 0]
        if not idle:
            counters.add("refused", "sessions")
            raise ServerFullError(
                f"The server runs {len(at_work)} sessions, which is as many as it takes.",
                hint="Join one that is running (GET /health lists them), or try again later.",
            )
        self.let_go(min(idle, key=lambda run: (self._goes_on(run), run.idle_since or 0.0)))

    def let_go(self, run: Run) -> None:
        """End a run, and keep its frames for those who still look at them."""
        run.stop()
        self._runs.remove(run)
        self.ending.append(run)
        self._records_of_gone += run.facts.records_done
        event(log, logging.INFO, "session let go", **run.names, records=run.facts.records_done)
        if not isinstance(run, SharedRun):
            return
        self.keep_apart(run)
        if run.history is not None:
            self.retained.put(run.id, run.history)
