"""All runs of a server and who watches them: how viewers come and go, and when a run begins and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vp.errors import ServerFullError
from vp.logs import event
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.retention import KEEP_SECONDS
from vp.server.history.session_history import SessionHistory
from vp.server.runs.audience import Audience
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.live_run import LiveRun
from vp.server.runs.live_schedule import LiveSchedule
from vp.server.runs.relayed_run import RelayedRun
from vp.server.runs.run import Run
from vp.server.runs.run_maker import RunMaker
from vp.server.runs.runs_at_work import RunsAtWork
from vp.server.runs.session import Prepare
from vp.server.runs.shared_run import SharedRun
from vp.server.runs.startup import StartupSession
from vp.server.runs.viewer import Viewer
from vp.server.stream.commands import Command, NotAloneError, NotPacedError, Resume
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import NextSession, RunState
from vp.settings.table import of_program

TICK_SECONDS = 0.25
JOIN_SECONDS = 2.0
DEFAULTS = {setting.name: setting.default for setting in of_program("serve")}

log = logging.getLogger("vp.server")


@dataclass
class Totals:
    """What all sessions and viewers of a server add up to, those that are over too."""

    records: int = 0
    frames_sent: int = 0
    frames_missed: int = 0


@dataclass(frozen=True)
class ServerLimits:
    """What the server allows.

    Attributes
    ----------
    viewers : int
        Most viewers at a time.
    sessions : int
        Most sessions at work at a time, lossless runs included.
    grace_seconds : float
        How long a shared session goes on without a viewer.
    keep_seconds : float
        How long the frames of a session that is over can still be asked for (vp.server.history.retention).
    """

    viewers: int = DEFAULTS["max_viewers"]
    sessions: int = DEFAULTS["max_sessions"]
    grace_seconds: float = 10.0
    keep_seconds: float = KEEP_SECONDS


class Hub:
    """Starts, shares and ends runs. All methods belong to the event loop.

    Parameters
    ----------
    prepare : callable
        Makes a session from a request; called in the thread of its run.
    limits : ServerLimits
    startup : StartupSession, optional
        A session that is loaded from the start on: the first viewer who asks for it gets it.
    spool : FrameSpool, optional
        Where older frames of all sessions go; left out, memory alone holds frames.
    live : LiveRecordings, optional
        The sessions that are being recorded.
    relays : bool
        Whether sessions are those of another server: `prepare` makes a RelayedSession.
    """

    def __init__(
        self,
        prepare: Prepare,
        limits: ServerLimits,
        startup: StartupSession | None = None,
        spool: FrameSpool | None = None,
        live: LiveRecordings | None = None,
        *,
        relays: bool = False,
    ) -> None:
        self.limits = limits
        self.spool = spool if spool is not None else FrameSpool()
        self.observe_lag: Callable[[float], None] | None = None
        self._audience = Audience(limits.viewers)
        self._live = LiveSchedule(live, startup)
        self._maker = RunMaker(prepare, startup, self._live, self.spool, relays=relays)
        self._startup = startup
        self._runs = RunsAtWork(limits.sessions, limits.keep_seconds, self._live.goes_on)
        self._ticker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load the first session and to look after the runs."""
        if self._startup is not None:
            self._startup.start()
        self._ticker = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Stop every run and wait for the threads, JOIN_SECONDS at most."""
        if self._ticker is not None:
            self._ticker.cancel()
        for run in self._runs:
            run.stop()
        await asyncio.to_thread(self._join_all)
        if self._startup is not None:
            await asyncio.to_thread(self._startup.close)

    @property
    def viewers(self) -> int:
        """Viewers who are there."""
        return self._audience.count

    def enter(self) -> None:
        """Count a viewer in; raises ServerFullError."""
        self._audience.enter()

    def watch(self, viewer: Viewer) -> None:
        """Count what this viewer is sent, until it leaves."""
        self._audience.watch(viewer)

    def leave(self, run: Run | None, viewer: Viewer | None = None) -> None:
        """Count a viewer out, of the server and of its run."""
        self._audience.leave(viewer)
        if run is not None:
            self._abandon(run)

    def _abandon(self, run: Run) -> None:
        run.viewers -= 1
        if run.viewers == 0:
            run.idle_since = asyncio.get_running_loop().time()
            if not run.shared:
                self._runs.let_go(run)

    def join(self, request: StreamRequest) -> Run:
        """The run that serves this request, one under way or a new one.

        Raises
        ------
        ServerFullError
        """
        self._go_live()
        request = self.as_live(request)
        run = self._runs.find(request)
        if run is None:
            run = self._begin(request)
        run.viewers += 1
        run.idle_since = None
        return run

    def following(self, run: Run) -> NextSession | None:
        """The session that the viewers of a run go on with when it is over."""
        return self._live.following(run)

    def move(self, viewer: Viewer, request: StreamRequest) -> Run:
        """Take a viewer from a run that is over to another one; raises ServerFullError."""
        old, run = viewer.run, self.join(request)
        self._audience.keep_counts(viewer)
        self._abandon(old)
        return run

    def plays(self, request: StreamRequest) -> bool:
        """Whether a run is under way, or being loaded ahead, that this request would share."""
        request = self.as_live(request)
        return self._live.is_of_startup(request) or self._runs.find(request) is not None

    def command(self, run: Run, command: Command) -> None:
        """Let a viewer of this run pause, resume or step it; from then on no other viewer joins the run.

        Raises
        ------
        NotPacedError, NotAloneError, TooManyStepsError
            Nothing changes. Who is not alone may still resume.
        """
        if not isinstance(run, SharedRun):
            raise NotPacedError("A stream at speed 0 waits for its reader anyway.", hint="Read no further to pause it.")
        if isinstance(run, RelayedRun):
            raise NotPacedError("This server hands on what another plays.", hint="Pause and step it at that one.")
        if isinstance(run, LiveRun):
            raise NotPacedError("The market does not wait.", hint="Pause the page instead: it keeps what it shows.")
        if not isinstance(command, Resume):
            if run.viewers > 1:
                raise NotAloneError(
                    f"{run.viewers} viewers watch this session, so none of them can pause or step it.",
                    hint="Ask for a session of your own: alone=yes in the address's query.",
                )
            self._runs.keep_apart(run)
        run.control.obey(command)

    @property
    def ready(self) -> bool:
        """Whether nothing is being loaded."""
        started = self._startup is None or self._startup.done
        return started and all(run.state is not RunState.LOADING for run in self._runs)

    @property
    def runs(self) -> list[Run]:
        """The sessions under way, or over with a viewer still there."""
        return list(self._runs)

    def totals(self) -> Totals:
        """Sums over everything since the start."""
        return Totals(
            self._runs.records_done,
            self._audience.frames_sent,
            self._audience.frames_missed,
        )

    def history_bytes(self) -> int:
        """Bytes on disk for frames, of sessions that are over too."""
        return self.spool.file_bytes

    @property
    def histories_kept(self) -> int:
        """Sessions that are over and keep their frames."""
        return len(self._runs.retained)

    def describe(self) -> list[dict[str, Any]]:
        """One entry a session, for /health; a session that is loaded for nobody yet has no id."""
        entries = [run.describe() for run in self._runs if not run.state.over]
        starting = self._startup.describe() if self._startup is not None else None
        return [*entries, starting] if starting is not None else entries

    def history(self, session_id: str) -> SessionHistory | None:
        """The frames that a session holds, under way or over not long ago; None without such a session."""
        return self._runs.history(session_id)

    def as_live(self, request: StreamRequest) -> StreamRequest:
        """A request as it is meant where there is a feed; raises FeedNotReadyError (LiveSchedule.as_live)."""
        return self._live.as_live(request)

    def _go_live(self) -> None:
        """Begin the session that the feed is at, whether or not anybody watches: its history is then whole."""
        request = self._live.to_begin()
        if request is not None and self._runs.find(request) is None:
            self._begin_idle(request)

    def _begin_idle(self, request: StreamRequest) -> None:
        try:
            self._begin(request).idle_since = asyncio.get_running_loop().time()
        except ServerFullError as problem:
            event(log, logging.WARNING, "live session not begun", why=problem.message)

    def _begin(self, request: StreamRequest) -> Run:
        self._runs.make_room()
        run = self._maker.make(request)
        if isinstance(run, SharedRun):
            run.observe_lag = self.observe_lag
        self._runs.add(run, request)
        run.start()
        event(log, logging.INFO, "session began", **run.names, symbol=request.symbol, dt=request.dt)
        return run

    async def _tick(self) -> None:
        """Wake the viewers for what is due by the clock, and end what nobody watches."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._go_live()
            self._runs.retained.tidy()
            if self._runs.retained.let_go:
                self._runs.retained.let_go = False
                await asyncio.to_thread(self.spool.trim)
            for run in self._runs:
                run.ring()
                following = self._live.after(run)
                if following is not None and self._runs.find(following) is None:
                    self._begin_idle(following)
                idle = run.viewers == 0 and run.idle_since is not None
                is_long = loop.time() - (run.idle_since or 0) > self.limits.grace_seconds
                if idle and (run.state.over or (is_long and not self._live.goes_on(run))):
                    self._runs.let_go(run)

    def _join_all(self) -> None:
        runs = self.runs
        for run in runs:
            run.join(JOIN_SECONDS / len(runs))
