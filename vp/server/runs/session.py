"""What a run needs of a session, and of who makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vp.dbn.accounting import Accounting
from vp.dbn.growing_input import GrowingInput
from vp.durations import Durations
from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.model.frames import FrameLayout
from vp.model.progress import ProgressLike
from vp.server.stream.request import StreamRequest


class Batch(Protocol):
    """What a run needs of vp.model.engine.FrameBatch."""

    @property
    def count(self) -> int: ...
    @property
    def ts_ns(self) -> np.ndarray: ...
    @property
    def buffer(self) -> np.ndarray: ...


class SessionInfo(Protocol):
    """What a run needs of vp.model.session.SessionInfo."""

    @property
    def contract(self) -> str: ...
    @property
    def emit_from_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def tick_int(self) -> int: ...
    def to_json(self) -> dict[str, Any]: ...


class KnownSession(Protocol):
    """What is asked of a session before, while and after it is played."""

    @property
    def info(self) -> SessionInfo: ...
    @property
    def layout(self) -> FrameLayout: ...
    def gaps(self) -> Sequence[FeedGap]: ...


@dataclass(frozen=True)
class OverSession:
    """What is left of a session that is over: its book and its files have been let go."""

    info: SessionInfo
    layout: FrameLayout
    left_out: Sequence[FeedGap]

    @classmethod
    def of(cls, session: KnownSession) -> OverSession:
        """That of a session, as it is now."""
        return cls(session.info, session.layout, session.gaps())

    def gaps(self) -> Sequence[FeedGap]:
        """What its feed did not deliver."""
        return self.left_out


class Session(KnownSession, Protocol):
    """What a run needs of vp.model.live_session.LiveSession."""

    @property
    def next_event_ns(self) -> int | None: ...
    @property
    def finished(self) -> bool: ...
    @property
    def clock_ns(self) -> int | None: ...
    @property
    def records_done(self) -> int: ...
    @property
    def arrived_at(self) -> float | None: ...
    @property
    def waiting_since(self) -> float | None: ...
    def emptiness(self) -> VPError | None: ...
    def notices(self, reached_ns: int | None = None) -> list[str]: ...
    def take_context(self) -> Batch: ...
    def advance(self, until_clock_ns: int | None, max_frames: int) -> Batch: ...
    def advance_event(self, until_clock_ns: int) -> Batch: ...
    def anomalies(self) -> Mapping[str, int]: ...
    def accounting(self) -> Accounting: ...
    def close(self) -> None: ...


class Feed(Protocol):
    """What a server needs of the live feed (vp.capture.recorder_thread.RecorderThread)."""

    @property
    def state(self) -> str: ...
    @property
    def states(self) -> Sequence[str]: ...
    @property
    def stages(self) -> Mapping[str, Durations]: ...
    def describe(self) -> dict[str, Any]: ...
    def find(self, product_type: str, root: str, date: str, /) -> GrowingInput | None: ...
    def date(self) -> str | None: ...
    def next_date(self, date: str, /) -> str | None: ...


Prepare = Callable[[StreamRequest, Callable[[ProgressLike], None]], Session]


class StoppedError(Exception):
    """Raised inside a run's thread to leave off what it is doing."""
