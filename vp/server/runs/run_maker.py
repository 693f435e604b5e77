"""Which kind of run a request begins: shared, live, relayed or a viewer's own."""

from __future__ import annotations

from vp.server.history.frame_spool import FrameSpool
from vp.server.runs.live_run import LiveRun
from vp.server.runs.live_schedule import LiveSchedule
from vp.server.runs.lossless_run import LosslessRun
from vp.server.runs.relayed_run import RelayedRun
from vp.server.runs.run import Run
from vp.server.runs.session import Prepare, Session
from vp.server.runs.shared_run import SharedRun
from vp.server.runs.startup import StartupSession
from vp.server.stream.commands import Pause
from vp.server.stream.request import StreamRequest


class RunMaker:
    """Makes the runs of a server; starts none.

    Parameters
    ----------
    prepare : callable
        Makes a session from a request; called in the thread of its run.
    startup : StartupSession or None
        A session that is loaded already: the first run of it takes it over, others wait until it is there.
    live : LiveSchedule
    spool : FrameSpool
        Where older frames of all sessions go.
    relays : bool
        Whether sessions are those of another server: `prepare` makes a RelayedSession.
    """

    def __init__(
        self,
        prepare: Prepare,
        startup: StartupSession | None,
        live: LiveSchedule,
        spool: FrameSpool,
        *,
        relays: bool,
    ) -> None:
        self._prepare = prepare
        self._startup = startup
        self._live = live
        self._spool = spool
        self._relays = relays

    def make(self, request: StreamRequest) -> Run:
        """A run of this request's session, as it is asked for."""
        prepare, session = self._source(request)
        if request.speed == 0:
            return LosslessRun(request, prepare, session)
        run = self._paced(request, prepare, session)
        run.spool = self._spool
        if request.held and not isinstance(run, LiveRun):
            run.control.obey(Pause())
        return run

    def _source(self, request: StreamRequest) -> tuple[Prepare, Session | None]:
        """What makes the session, and the session itself where it is there already."""
        if self._startup is None:
            return self._prepare, None
        if self._startup.claim(request):
            return self._startup.wait, self._startup.take()
        return self._prepare if self._startup.done else self._startup.before(self._prepare), None

    def _paced(self, request: StreamRequest, prepare: Prepare, session: Session | None) -> SharedRun:
        recording = self._live.recording(request)
        if self._relays:
            return RelayedRun(request.session, prepare, session)
        if recording is None or self._live.recordings is None:
            return SharedRun(request.session, prepare, session)
        return LiveRun(request.session, prepare, recording, self._live.recordings.feed, session)
