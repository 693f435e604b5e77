"""What a run needs of a session, and of who makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from vp.dbn.accounting import Accounting
from vp.dbn.growing_input import GrowingInput
from vp.errors import VPError
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


class Session(Protocol):
    """What a run needs of vp.model.live_session.LiveSession."""

    @property
    def info(self) -> SessionInfo: ...
    @property
    def layout(self) -> FrameLayout: ...
    @property
    def next_event_ns(self) -> int | None: ...
    @property
    def finished(self) -> bool: ...
    @property
    def clock_ns(self) -> int | None: ...
    @property
    def records_done(self) -> int: ...
    def emptiness(self) -> VPError | None: ...
    def notices(self, reached_ns: int | None = None) -> list[str]: ...
    def take_context(self) -> Batch: ...
    def advance(self, until_clock_ns: int | None, max_frames: int) -> Batch: ...
    def advance_event(self, until_clock_ns: int) -> Batch: ...
    def anomalies(self) -> Mapping[str, int]: ...
    def accounting(self) -> Accounting: ...
    def close(self) -> None: ...


FindRecording = Callable[[StreamRequest], GrowingInput | None]
"""The recording that a request's session is of, while that goes on."""

Prepare = Callable[[StreamRequest, Callable[[ProgressLike], None]], Session]


class StoppedError(Exception):
    """Raised inside a run's thread to leave off what it is doing."""
