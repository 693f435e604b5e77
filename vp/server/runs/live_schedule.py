"""The sessions of a live feed one after the other: which is meant, which comes next, which go on for nobody."""

from __future__ import annotations

from dataclasses import replace

from vp.dbn.growing_input import GrowingInput
from vp.errors import FeedNotReadyError
from vp.server.runs.live_recordings import LiveRecordings
from vp.server.runs.live_run import LiveRun
from vp.server.runs.run import Run
from vp.server.runs.startup import StartupSession
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import NextSession


class LiveSchedule:
    """What a server's feed makes of its sessions; without a feed, nothing.

    Parameters
    ----------
    recordings : LiveRecordings or None
        The sessions that are being recorded.
    startup : StartupSession or None
        The server's own session, whose settings those of the feed are begun with.
    """

    def __init__(self, recordings: LiveRecordings | None, startup: StartupSession | None) -> None:
        self.recordings = recordings
        self._startup = startup
        self._began: str | None = None

    def recording(self, request: StreamRequest) -> GrowingInput | None:
        """The recording that a request's session is of, while that goes on."""
        return None if self.recordings is None else self.recordings.find(request)

    def as_live(self, request: StreamRequest) -> StreamRequest:
        """A request as it is meant: the market has one pace, and all share what comes.

        Raises
        ------
        FeedNotReadyError
            It is for the session that the feed is at, of which nothing has come yet.
        """
        if self.recordings is not None and self.recordings.feed.date() is None and self.is_of_startup(request):
            told = self.recordings.feed.describe()["text"]
            raise FeedNotReadyError(f"The feed has sent nothing yet. {told}", hint="Try again soon.")
        if request.speed == 0 or self.recording(request) is None:
            return request
        return replace(request, speed=1.0, alone=False, held=False)

    def is_of_startup(self, request: StreamRequest) -> bool:
        """Whether a request is for the server's own session."""
        return self._startup is not None and self._startup.request.session == request.session

    def to_begin(self) -> StreamRequest | None:
        """The session that the feed has come to, given once; None where it is at none, or has no recording yet."""
        date = None if self.recordings is None else self.recordings.feed.date()
        if self._startup is None or date is None or date == self._began:
            return None
        request = self._startup.request = self.as_live(replace(self._startup.request, dt=date))
        self._began = date
        return None if self.recording(request) is None else request

    def following(self, run: Run) -> NextSession | None:
        """The session that the viewers of a run go on with when it is over."""
        if self.recordings is None or not isinstance(run, LiveRun) or run.session is None:
            return None
        date = self.recordings.next_date(run.request)
        return None if date is None else NextSession(date, run.session.info.end_ns)

    def goes_on(self, run: Run) -> bool:
        """Whether a run is to go on without viewers: of the feed, by the server's own settings."""
        own = None if self._startup is None else self._startup.request
        return own is not None and isinstance(run, LiveRun) and run.request == _settings_of(own, run.request)

    def after(self, run: Run) -> StreamRequest | None:
        """The session to begin behind a run that is over, whether or not anybody watches; None: none."""
        following = self.following(run) if run.state.over and self.goes_on(run) else None
        return None if following is None else self.as_live(replace(run.request, dt=following.dt))


def _settings_of(own: StreamRequest, asked: StreamRequest) -> StreamRequest:
    """What was asked for, by settings of the server's own."""
    return replace(own.session, symbol=asked.symbol, dt=asked.dt, speed=asked.speed)
