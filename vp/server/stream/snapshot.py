"""How a run stands at one moment: all that a stream's messages are made of."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.model.frames import FrameLayout


class RunState(enum.StrEnum):
    """Where a run is; the values are those of /health."""

    LOADING = "loading"
    READY = "ready"
    LIVE = "live"
    ENDED = "ended"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def over(self) -> bool:
        """Whether no more frames will come."""
        return self in {RunState.ENDED, RunState.FAILED, RunState.STOPPED}


@dataclass(frozen=True)
class Loading:
    """How far a load has come."""

    phase: str = "decode"
    records_done: int = 0
    records_total: int | None = None
    records_per_second: float = 0.0

    def describe(self) -> dict[str, Any]:
        """The form of /health."""
        return {"phase": self.phase, "records_done": self.records_done, "records_total": self.records_total}


@dataclass(frozen=True)
class RunFacts:
    """What a status message says of a run.

    Attributes
    ----------
    clock_ns : int or None
        Engine clock, ns UTC: the newest record's.
    records_done : int
    lag_seconds : float
    anomalies, records : mapping
    time_ns : int or None
        Event time that a paced session has reached, ns UTC: it goes on where no record comes. None at speed 0.
    paused : bool
        Whether that time stands, because a viewer said so.
    steps_done : int
        Commands to step that have been carried out.
    notices : tuple of str
        What a person should know of the session's records, in whole sentences.
    feed : mapping or None
        How the feed is doing of a session that is being recorded, as docs/protocol.md has it.
    hop_seconds : float or None
        How long a message takes from the server that plays the session to this one; None where that is the same.
    """

    clock_ns: int | None = None
    records_done: int = 0
    lag_seconds: float = 0.0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)
    time_ns: int | None = None
    paused: bool = False
    steps_done: int = 0
    notices: tuple[str, ...] = ()
    feed: Mapping[str, Any] | None = None
    hop_seconds: float | None = None

    @property
    def control(self) -> tuple[bool, int]:
        """What changes by a viewer's commands; a change of it is told at once."""
        return self.paused, self.steps_done

    @property
    def feed_state(self) -> str | None:
        """The feed's state; a change of it is told at once."""
        return None if self.feed is None else self.feed["state"]


class SessionDescription(Protocol):
    """How a session describes itself (vp.model.session.SessionInfo)."""

    def to_json(self) -> dict[str, Any]: ...


class Introduced(Protocol):
    """What a stream has to know of a session before its frames."""

    @property
    def info(self) -> SessionDescription: ...
    @property
    def layout(self) -> FrameLayout: ...


@dataclass(frozen=True)
class NextSession:
    """The session that a stream goes on with.

    Attributes
    ----------
    dt : str
    start_ns : int
        Where the one before ends.
    """

    dt: str
    start_ns: int


@dataclass(frozen=True)
class FramesHeld:
    """Which frames there are to send.

    Attributes
    ----------
    oldest, head : int
        The frames from sequence number `oldest` up to, not including, `head`.
    waited_seconds : float
        How long the viewer's next one has been there; infinite if unknown.
    """

    oldest: int
    head: int
    waited_seconds: float


@dataclass(frozen=True)
class Snapshot:
    """A run and its frames at one moment, as one viewer sees them.

    Attributes
    ----------
    now_seconds : float
        Monotonic time.
    now_ns : int
        Wall time, ns UTC.
    state : RunState
    loading : Loading
    error : VPError or None
        Why the run failed.
    session : Introduced or None
        None before it is there.
    facts : RunFacts
    viewers : int
        How many watch the run.
    held : FramesHeld or None
        None before there can be frames.
    is_catching_up : bool
        Whether what is made now is long past.
    gaps : sequence of FeedGap
        Of the session's feed; the same object until they change.
    next_session : NextSession or None
        Where the session is over, the one to go on with.
    """

    now_seconds: float
    now_ns: int
    state: RunState
    loading: Loading
    error: VPError | None
    session: Introduced | None
    facts: RunFacts
    viewers: int
    held: FramesHeld | None
    is_catching_up: bool = False
    gaps: Sequence[FeedGap] = ()
    next_session: NextSession | None = None
