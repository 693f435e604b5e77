"""All runs of a server: who shares which, how many there may be, and when one ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vp import counters
from vp.dbn.growing_input import GrowingInput
from vp.errors import FeedNotReadyError, ServerFullError
from vp.logs import event
from vp.server.history.frame_spool import FrameSpool
from vp.server.history.retention import KEEP_SECONDS, RetainedHistories
from vp.server.history.session_history import SessionHistory
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.live_run import LiveRun
from vp.server.runs.lossless_run import LosslessRun
from vp.server.runs.relayed_run import RelayedRun
from vp.server.runs.run import Run
from vp.server.runs.session import Prepare
from vp.server.runs.shared_run import SharedRun
from vp.server.runs.startup import StartupSession
from vp.server.runs.viewer import Viewer
from vp.server.stream.commands import Command, NotAloneError, NotPacedError, Pause, Resume
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import NextSession, RunState
from vp.settings.table import of_program

TICK_SECONDS = 0.25
JOIN_SECONDS = 2.0
ENDING = 4  # sessions that may be ending at a time, or as many as may be at work: they hold what they held
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
        self._live = live
        self._went_live: str | None = None
        self._relays = relays
        self.limits = limits
        self.spool = spool if spool is not None else FrameSpool()
        self.viewers = 0
        self.observe_lag: Callable[[float], None] | None = None
        self._watching: set[Viewer] = set()
        self._gone = Totals()
        self._prepare = prepare
        self._startup = startup
        self._shared: dict[StreamRequest, SharedRun] = {}
        self._runs: list[Run] = []
        self._ending: list[Run] = []
        self._retained = RetainedHistories(limits.keep_seconds)
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

    def enter(self) -> None:
        """Count a viewer in.

        Raises
        ------
        ServerFullError
        """
        if self.viewers >= self.limits.viewers:
            counters.add("refused", "viewers")
            raise ServerFullError(
                f"The server has {self.viewers} viewers, which is as many as it takes.",
                hint="Try again later.",
            )
        self.viewers += 1

    def watch(self, viewer: Viewer) -> None:
        """Count what this viewer is sent, until it leaves."""
        self._watching.add(viewer)
        event(log, logging.INFO, "viewer came", **_names(viewer.run), viewers=self.viewers)

    def leave(self, run: Run | None, viewer: Viewer | None = None) -> None:
        """Count a viewer out, of the server and of its run."""
        self.viewers -= 1
        if viewer is not None:
            self._watching.discard(viewer)
            sent, missed = viewer.cursor.sent, viewer.cursor.missed
            self._gone.frames_sent += sent
            self._gone.frames_missed += missed
            event(log, logging.INFO, "viewer left", **_names(viewer.run), frames_sent=sent, frames_missed=missed)
        if run is not None:
            self._abandon(run)

    def _abandon(self, run: Run) -> None:
        run.viewers -= 1
        if run.viewers == 0:
            run.idle_since = asyncio.get_running_loop().time()
            if not run.shared:
                self._drop(run)

    def join(self, request: StreamRequest) -> Run:
        """The run that serves this request, one under way or a new one.

        Raises
        ------
        ServerFullError
        """
        self._go_live()
        request = self.as_live(request)
        run = self._under_way(request)
        if run is None:
            run = self._begin(request)
        run.viewers += 1
        run.idle_since = None
        return run

    def following(self, run: Run) -> NextSession | None:
        """The session that the viewers of a run go on with when it is over."""
        if self._live is None or not isinstance(run, LiveRun) or run.session is None:
            return None
        date = self._live.next_date(run.request)
        return None if date is None else NextSession(date, run.session.info.end_ns)

    def move(self, viewer: Viewer, request: StreamRequest) -> Run:
        """Take a viewer from a run that is over to another one; raises ServerFullError."""
        old, run = viewer.run, self.join(request)
        self._gone.frames_sent += viewer.cursor.sent
        self._gone.frames_missed += viewer.cursor.missed
        self._abandon(old)
        return run

    def plays(self, request: StreamRequest) -> bool:
        """Whether a run is under way, or being loaded ahead, that this request would share."""
        request = self.as_live(request)
        return self._is_of_startup(request) or self._under_way(request) is not None

    def _is_of_startup(self, request: StreamRequest) -> bool:
        return self._startup is not None and self._startup.request.session == request.session

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
            self._keep_apart(run)
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
        gone = self._gone
        return Totals(
            gone.records + sum(run.facts.records_done for run in self._runs),
            gone.frames_sent + sum(viewer.cursor.sent for viewer in self._watching),
            gone.frames_missed + sum(viewer.cursor.missed for viewer in self._watching),
        )

    def history_bytes(self) -> int:
        """Bytes on disk for frames, of sessions that are over too."""
        return self.spool.file_bytes

    @property
    def histories_kept(self) -> int:
        """Sessions that are over and keep their frames."""
        return len(self._retained)

    def describe(self) -> list[dict[str, Any]]:
        """One entry a session, for /health; a session that is loaded for nobody yet has no id."""
        entries = [run.describe() for run in self._runs if not run.state.over]
        starting = self._startup.describe() if self._startup is not None else None
        return [*entries, starting] if starting is not None else entries

    def history(self, session_id: str) -> SessionHistory | None:
        """The frames that a session holds, under way or over not long ago; None without such a session."""
        for run in self._runs:
            if run.id == session_id and isinstance(run, SharedRun):
                return run.history
        return self._retained.get(session_id)

    def as_live(self, request: StreamRequest) -> StreamRequest:
        """A request as it is meant: the market has one pace, and all share what comes.

        Raises
        ------
        FeedNotReadyError
            It is for the session that the feed is at, of which nothing has come yet.
        """
        if self._live is not None and self._live.feed.date() is None and self._is_of_startup(request):
            told = self._live.feed.describe()["text"]
            raise FeedNotReadyError(f"The feed has sent nothing yet. {told}", hint="Try again soon.")
        if request.speed == 0 or self._recording(request) is None:
            return request
        return replace(request, speed=1.0, alone=False, held=False)

    def _recording(self, request: StreamRequest) -> GrowingInput | None:
        return None if self._live is None else self._live.find(request)

    def _go_live(self) -> None:
        """Begin the session that the feed is at, whether or not anybody watches: its history is then whole."""
        date = None if self._live is None else self._live.feed.date()
        if self._startup is None or date is None or date == self._went_live:
            return
        request = self._startup.request = self.as_live(replace(self._startup.request, dt=date))
        if self._recording(request) is not None and self._under_way(request) is None:
            self._begin_idle(request)
        self._went_live = date

    def _begin_idle(self, request: StreamRequest) -> None:
        try:
            self._begin(request).idle_since = asyncio.get_running_loop().time()
        except ServerFullError as problem:
            event(log, logging.WARNING, "live session not begun", why=problem.message)

    def _goes_on(self, run: Run) -> bool:
        """Whether a run is to go on without viewers: of the feed, by the server's own settings."""
        own = None if self._startup is None else self._startup.request
        return own is not None and isinstance(run, LiveRun) and run.request == _settings_of(own, run.request)

    def _under_way(self, request: StreamRequest) -> Run | None:
        """The run that a viewer joins: the one that it comes back to, or else one that is shared."""
        if request.speed == 0:
            return None
        if request.after is not None:
            for run in self._runs:
                if run.id == request.after[0] and run.request == request.session and not run.state.over:
                    return run
        shared = None if request.alone or request.held else self._shared.get(request.session)
        return None if shared is None or shared.state.over else shared

    def _keep_apart(self, run: SharedRun) -> None:
        """Let nobody join a run any more but who comes back to it."""
        if self._shared.get(run.request) is run:
            del self._shared[run.request]

    def _begin(self, request: StreamRequest) -> Run:
        self._make_room()
        prepare, session = self._prepare, None
        if self._startup is not None:
            if self._startup.claim(request):
                prepare, session = self._startup.wait, self._startup.take()
            elif not self._startup.done:
                prepare = self._startup.before(prepare)
        run: Run
        if request.speed > 0:
            recording = self._recording(request)
            if self._relays:
                run = RelayedRun(request.session, prepare, session)
            elif recording is None or self._live is None:
                run = SharedRun(request.session, prepare, session)
            else:
                run = LiveRun(request.session, prepare, recording, self._live.feed, session)
            run.observe_lag = self.observe_lag
            run.spool = self.spool
            if request.held and not isinstance(run, LiveRun):
                run.control.obey(Pause())
            if not (request.alone or request.held):
                self._shared[request.session] = run
        else:
            run = LosslessRun(request, prepare, session)
        self._runs.append(run)
        run.start()
        event(log, logging.INFO, "session began", **_names(run), symbol=request.symbol, dt=request.dt)
        return run

    def _make_room(self) -> None:
        """End a session that nobody watches if there are too many; raises ServerFullError."""
        self._ending = [run for run in self._ending if run.is_alive]
        if len(self._ending) >= max(ENDING, self.limits.sessions):
            counters.add("refused", "sessions")
            raise ServerFullError(
                f"{len(self._ending)} sessions that were left are still ending.", hint="Try again in a moment."
            )
        at_work = [run for run in self._runs if not run.state.over]
        if len(at_work) < self.limits.sessions:
            return
        idle = [run for run in at_work if run.viewers == 0]
        if not idle:
            counters.add("refused", "sessions")
            raise ServerFullError(
                f"The server runs {len(at_work)} sessions, which is as many as it takes.",
                hint="Join one that is running (GET /health lists them), or try again later.",
            )
        self._drop(min(idle, key=lambda run: (self._goes_on(run), run.idle_since or 0.0)))

    def _drop(self, run: Run) -> None:
        run.stop()
        self._runs.remove(run)
        self._ending.append(run)
        self._gone.records += run.facts.records_done
        event(log, logging.INFO, "session let go", **_names(run), records=run.facts.records_done)
        if not isinstance(run, SharedRun):
            return
        self._keep_apart(run)
        if run.history is not None:
            self._retained.put(run.id, run.history)

    async def _tick(self) -> None:
        """Wake the viewers for what is due by the clock, and end what nobody watches."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._go_live()
            self._retained.tidy()
            if self._retained.let_go:
                self._retained.let_go = False
                await asyncio.to_thread(self.spool.trim)
            for run in list(self._runs):
                run.ring()
                following = self.following(run) if run.state.over and self._goes_on(run) else None
                if following is not None:
                    request = self.as_live(replace(run.request, dt=following.dt))
                    if self._under_way(request) is None:
                        self._begin_idle(request)
                idle = run.viewers == 0 and run.idle_since is not None
                is_long = loop.time() - (run.idle_since or 0) > self.limits.grace_seconds
                if idle and (run.state.over or (is_long and not self._goes_on(run))):
                    self._drop(run)

    def _join_all(self) -> None:
        for run in self._runs:
            run.join(JOIN_SECONDS / len(self._runs))


def _settings_of(own: StreamRequest, asked: StreamRequest) -> StreamRequest:
    """What was asked for, by settings of the server's own."""
    return replace(own.session, symbol=asked.symbol, dt=asked.dt, speed=asked.speed)


def _names(run: Run) -> dict[str, Any]:
    return {"session": run.id, "state": run.state}
