"""In which order a viewer is told what: decided here, without sockets, clocks or waiting.

progress ... runtime_config, schema, history (paced only), then
status, gap, missed and frames as they are due, then
status, end, close 1000; or status, next_session and the same again without the schema; or error and its close; or
close 1001 where the run was stopped.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.server.stream import messages
from vp.server.stream.cursor import Cursor
from vp.server.stream.encoding import FrameEncoder
from vp.server.stream.messages import CLOSE_GOING_AWAY, CLOSE_NORMAL, Hole
from vp.server.stream.packing import header
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import FramesHeld, Introduced, NextSession, RunFacts, RunState, Snapshot

STATUS_SECONDS = 1.0
SPARSE_SECONDS = 0.5
RESUME_FRAMES = 4096


@dataclass(frozen=True)
class SendText:
    """Send this text message."""

    text: str


@dataclass(frozen=True)
class SendPacked:
    """Send these whole messages, which carry their websocket headers."""

    data: bytes


@dataclass(frozen=True)
class SendFrames:
    """Send some of `count` frames from sequence number `first` on, and advance the cursor by as many."""

    first: int
    count: int


@dataclass(frozen=True)
class FindStart:
    """Find where the viewer begins and say it by `begin_at`: behind an event, or (None) where one joins who is new."""

    after_event: int | None


@dataclass(frozen=True)
class Wait:
    """Wait until the run has news; `pushable`: frames alone may be sent meanwhile, until a status is due."""

    pushable: bool


@dataclass(frozen=True)
class Close:
    """Close with this code; nothing comes after it."""

    code: int
    reason: str


Step = SendText | SendPacked | SendFrames | FindStart | Wait | Close
Steps = Generator[Step, Snapshot, None]


class MessageOrder:
    """What one viewer is sent of one session.

    Parameters
    ----------
    request : StreamRequest
    session_id : str
    goes_on : bool
        Whether the viewer has been sent the session before, and the schema with it.

    Attributes
    ----------
    cursor : Cursor
        Where the viewer stands in the run's frames; counts what it was sent and what it missed.
    encoder : FrameEncoder or None
        How its frames go out; None before it was told how to read them.
    status_at : float
        Monotonic time from which on a status is due.
    newest_at : float
        Monotonic time from which on the newest frame is due of a session that catches up, where nothing else is.
    told_of : NextSession or None
        The session that the viewer has been told to go on with.
    session_id : str
        A relayed session has its own only once the upstream has said it.
    """

    def __init__(self, request: StreamRequest, session_id: str, *, goes_on: bool = False) -> None:
        self.cursor = Cursor(0, 0)
        self.encoder: FrameEncoder | None = None
        self.status_at = 0.0
        self.newest_at = 0.0
        self._control_told = RunFacts().control
        self._feed_state_told = RunFacts().feed_state
        self._request = request
        self.session_id = session_id
        self._history = ""
        self.told_of: NextSession | None = None
        self._goes_on = goes_on
        self._gaps_seen: Sequence[FeedGap] = ()
        self._gaps_told: dict[int, FeedGap] = {}

    def steps(self, seen: Snapshot) -> Steps:
        """What to do, step after step, up to a Close, or to where the next session takes over.

        `seen` says how the run stands at the beginning; each step is answered by how it stands once that is done.
        """
        while seen.state is RunState.LOADING:
            if seen.session is None:
                seen = yield SendText(messages.progress(seen.loading))
            if seen.state is RunState.LOADING:
                seen = yield Wait(pushable=False)
        if seen.session is not None and seen.state is not RunState.FAILED:
            try:
                self.encoder = FrameEncoder(seen.session.layout, self._request.fields)
            except VPError as problem:
                yield from refusal(problem)
                return
            yield SendText(self._runtime_config(seen.session, self.encoder))
            if not self._goes_on:
                schema = self.encoder.layout.schema_message
                seen = yield SendPacked(header(len(schema)) + schema)
            seen = yield from self._send_frames(seen)
        if seen.error is not None:
            yield from refusal(seen.error)
        elif seen.state is RunState.STOPPED:
            yield Close(CLOSE_GOING_AWAY, "the session was stopped")
        else:
            seen = yield SendText(self._status(seen))
            if seen.next_session is not None:
                self.told_of = seen.next_session
                yield SendText(messages.next_session(self.told_of, self.cursor.sent, self.cursor.missed))
                return
            yield SendText(messages.end(self.cursor.sent, self.cursor.missed, seen.facts.clock_ns))
            yield Close(CLOSE_NORMAL, "the session is over")

    def first_to_send(self, position: int, head: int) -> int:
        """Where a viewer begins whose beginning FindStart found at `position`, of frames up to `head`.

        Who was away for long gets RESUME_FRAMES: the rest it fetches from the history, which is faster by far.
        """
        return max(position, head - RESUME_FRAMES) if self._resumes_after is not None else position

    def begin_at(self, first: int, head: int, oldest_event_id: int | None, hole: Hole | None = None) -> None:
        """Place the cursor at `first`, and say what will come and what should have come before it."""
        self.cursor = Cursor(first, head)
        self._history = messages.history(frames=head - first, oldest_event_id=oldest_event_id, hole=hole)

    def owes_gaps(self, gaps: Sequence[FeedGap]) -> bool:
        """Whether the session has gaps of which the viewer does not know yet."""
        return gaps is not self._gaps_seen

    def owes_status(self, facts: RunFacts) -> bool:
        """Whether a command has been carried out, or the feed's state has changed, and the viewer does not know yet."""
        return self._obeyed(facts) or facts.feed_state != self._feed_state_told

    def _obeyed(self, facts: RunFacts) -> bool:
        return facts.control != self._control_told

    def _owes_frames_first(self, seen: Snapshot) -> bool:
        """Whether the next status would tell of a step whose frames the viewer does not have yet."""
        return seen.held is not None and self.cursor.next < seen.held.head and self._obeyed(seen.facts)

    @property
    def _resumes_after(self) -> int | None:
        """The event behind which a viewer goes on that comes back to this run."""
        after = self._request.after
        return after[1] if after is not None and after[0] == self.session_id else None

    def _send_frames(self, seen: Snapshot) -> Generator[Step, Snapshot, Snapshot]:
        """Send all frames that the viewer does not miss, until the run is over; how it stands then."""
        paced = self._request.speed > 0
        while seen.held is None:
            if seen.state.over:
                return seen
            seen = yield Wait(pushable=False)
        if paced:
            yield FindStart(self._resumes_after)
            seen = yield SendText(self._history)
        while True:
            if seen.facts.feed_state != self._feed_state_told:
                self.status_at = seen.now_seconds
            if seen.now_seconds >= self.status_at and not self._owes_frames_first(seen):
                self.status_at = seen.now_seconds + STATUS_SECONDS
                seen = yield SendText(self._status(seen))
            if seen.held is None:  # a run does not lose what it holds
                return seen
            if self.owes_gaps(seen.gaps):
                yield from self._tell_gaps(seen.gaps)
            missed = self.cursor.missed
            due = self._due(seen.held, seen)
            if self.cursor.missed > missed:
                yield SendText(messages.missed(self.cursor.missed - missed, self.cursor.missed))
            if due:
                seen = yield SendFrames(self.cursor.next, due)
            elif seen.state.over:
                return seen
            elif self.owes_status(seen.facts):  # behind the frames of a step, too
                self.status_at = seen.now_seconds
            else:
                seen = yield Wait(pushable=paced)

    def _due(self, held: FramesHeld, seen: Snapshot) -> int:
        """How many frames to send now, from where the cursor stands then."""
        if not (self._request.sparse and seen.is_catching_up):
            return self.cursor.due(held.oldest, held.head, held.waited_seconds)
        if seen.now_seconds < self.newest_at:
            return 0
        self.newest_at = seen.now_seconds + SPARSE_SECONDS
        return self.cursor.newest(held.head)

    def _tell_gaps(self, gaps: Sequence[FeedGap]) -> Steps:
        """Tell of those that are new, or have changed; the answers do not matter."""
        self._gaps_seen = gaps
        news = [gap for gap in gaps if self._gaps_told.get(gap.start_ns) != gap]
        self._gaps_told = {gap.start_ns: gap for gap in gaps}
        for gap in news:
            yield SendText(messages.gap(gap))

    def _runtime_config(self, session: Introduced, encoder: FrameEncoder) -> str:
        return messages.runtime_config(
            self._request, self.session_id, session.info.to_json(), encoder.layout.describe()
        )

    def _status(self, seen: Snapshot) -> str:
        self._control_told = seen.facts.control
        self._feed_state_told = seen.facts.feed_state
        return messages.status(
            seen.facts,
            viewers=seen.viewers,
            frames_sent=self.cursor.sent,
            frames_missed=self.cursor.missed,
            server_time_ns=seen.now_ns,
        )


def refusal(problem: VPError) -> Steps:
    """Say what is wrong and close; the answers to its steps do not matter."""
    yield SendText(messages.error(problem))
    yield Close(problem.close_code, problem.code)
