"""A session that another server plays: its frames as they come, through lost connections, without a hole."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vp.dbn.accounting import Accounting
from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.model.engine import FrameBatch
from vp.model.frames import FrameLayout, column_values
from vp.model.progress import ProgressLike
from vp.server.runs.session import StoppedError
from vp.server.runs.stream_beginning import Beginning, RelayedInfo, as_of_this_version, read_beginning, refusal
from vp.server.runs.upstream import (
    LOOK_SECONDS,
    UpstreamError,
    UpstreamGoneError,
    UpstreamStream,
    stream_address,
)
from vp.server.runs.upstream_messages import gap_of, judge_status
from vp.server.stream.request import StreamRequest

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
GIVE_UP_SECONDS = 60.0


class RelayedSession:
    """The frames of a session at another server.

    Where the connection is lost it is made anew, and what was missed meanwhile is taken from the upstream's history.

    Parameters
    ----------
    upstream : str
        Its address (vp.server.runs.upstream.stream_address).
    request : StreamRequest
        As viewers of one session share it.
    on_progress : callable
        Hears how far the upstream is with loading.

    Attributes
    ----------
    id : str
        The session's, at the upstream: a viewer that was at another relay goes on with it.
    info : RelayedInfo
    layout : FrameLayout
    begins_late : bool or None
        Whether the session may have frames of before the first that came; None before one has come.
    status : mapping
        The newest that the upstream has said.

    Raises
    ------
    UpstreamError, RelayedError
    """

    def __init__(self, upstream: str, request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> None:
        self._upstream = upstream
        self._request = request
        self._on_progress = on_progress
        self._stream: UpstreamStream | None = None
        self._texts: list[dict[str, Any]] = []
        self._lost_seconds: float | None = None
        self._made_seconds = 0.0
        self._try_at_seconds = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._last_event_id: int | None = None
        self._over = False
        self._gaps: tuple[FeedGap, ...] = ()
        self._must_overlap = False
        self.begins_late: bool | None = None
        self.reconnections = 0
        self.status: Mapping[str, Any] = {}
        self._beginning = self._begin(None)
        self.id = self._beginning.session_id
        self.info = RelayedInfo(self._beginning.config)
        self.layout: FrameLayout = self._beginning.layout

    @property
    def frames_at_once(self) -> int:
        """How many of the first frames are the upstream's history."""
        return self._beginning.frames

    @property
    def is_lost(self) -> bool:
        """Whether the upstream is out of reach."""
        return self._lost_seconds is not None

    @property
    def finished(self) -> bool:
        """Whether the upstream has said that the session is over."""
        return self._over

    @property
    def next_event_ns(self) -> int | None:
        """The upstream's clock, as far as it is known; None when the session is over."""
        return None if self._over else self.clock_ns or self.info.emit_from_ns

    @property
    def clock_ns(self) -> int | None:
        """The upstream's engine clock, ns UTC."""
        return self._nanoseconds("clock_ns")

    @property
    def time_ns(self) -> int | None:
        """Event time that the upstream has reached, ns UTC."""
        return self._nanoseconds("time_ns")

    @property
    def records_done(self) -> int:
        """Records that the upstream has processed."""
        return int(self.status.get("records_done", 0))

    @property
    def lag_seconds(self) -> float:
        """By how much the session is behind at the upstream."""
        return float(self.status.get("lag_seconds", 0.0))

    @property
    def hop_seconds(self) -> float:
        """How long a message takes from the first server to here."""
        own = 0.0 if self._stream is None else self._stream.latency_seconds
        return own + float(self.status.get("hop_seconds") or 0.0)

    @property
    def arrived_at(self) -> float | None:
        """None: only the server that is fed knows."""
        return None

    @property
    def waiting_since(self) -> float | None:
        """None, as `arrived_at`."""
        return None

    def gaps(self) -> Sequence[FeedGap]:
        """What the upstream's feed has not delivered; the same object until that changes."""
        return self._gaps

    def emptiness(self) -> VPError | None:
        """None: of an empty session the upstream has told by an error."""
        return None

    def notices(self, _reached_ns: int | None = None) -> list[str]:
        """What the upstream says that a person should know, and whether it answers."""
        told = [str(notice) for notice in self.status.get("notices", ())]
        if self._lost_seconds is None:
            return told
        silent = round(time.monotonic() - self._lost_seconds)
        return [*told, f"The server that this one gets the session from has been out of reach for {silent} s."]

    def anomalies(self) -> Mapping[str, int]:
        """The upstream's counters."""
        found: Mapping[str, int] = self.status.get("anomalies", {})
        return found

    def accounting(self) -> Accounting:
        """What became of the records that the upstream has read."""
        return Accounting.from_json(self.status.get("records", {}))

    def take_context(self) -> FrameBatch:
        """Nothing: frames of the context are among the first that come."""
        return self._batch(np.empty((0, self.layout.message_bytes), np.uint8))

    def advance(self, _until_clock_ns: int | None = None, _max_frames: int | None = None) -> FrameBatch:
        """The frames that have come; none where nothing has in a while, or something else than frames.

        Raises
        ------
        StoppedError
            The upstream plays another session now, or has forgotten what was missed: this one cannot go on.
        UpstreamError
            It has been out of reach for too long, or says what no upstream says.
        RelayedError
        """
        try:
            frames = self._receive()
        except UpstreamGoneError as error:
            self._lose(error)
            frames = None
        if frames is None:
            return self.take_context()
        event_ids = column_values(frames, self._event_id)
        if self._last_event_id is not None:
            if self._must_overlap and event_ids[0] > self._last_event_id:
                raise StoppedError
            self._must_overlap = False
            frames = frames[event_ids > self._last_event_id]  # what comes again after a connection was lost
        if self.begins_late is None:
            beginning = self._beginning
            oldest = beginning.oldest_event_id
            self.begins_late = beginning.hole or (oldest is not None and oldest != int(event_ids[0]))
        self._last_event_id = max(int(event_ids[-1]), self._last_event_id or 0)
        return self._batch(frames)

    def advance_event(self, _until_clock_ns: int) -> FrameBatch:
        """As `advance`: the upstream makes the frames."""
        return self.advance()

    def close(self) -> None:
        """Leave the upstream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @property
    def _event_id(self) -> Any:
        return next(column for column in self.layout.columns if column.name == "event_id")

    def _batch(self, frames: np.ndarray) -> FrameBatch:
        return FrameBatch(self.layout, frames)

    def _nanoseconds(self, name: str) -> int | None:
        value = self.status.get(name)
        return None if value is None else int(value)

    def _receive(self) -> np.ndarray | None:
        """The next frames; None where there are none, or after a text message has been heeded."""
        if self._stream is None:
            self._reconnect()
        if self._stream is None:
            time.sleep(min(LOOK_SECONDS, max(0.0, self._try_at_seconds - time.monotonic())))
            return None
        message = self._texts.pop() if self._texts else self._stream.receive(LOOK_SECONDS)
        if isinstance(message, bytes):
            frames, text = self._stream.receive_frames(message, self.layout.message_bytes)
            if text is not None:
                self._texts.append(text)
            return frames
        if message is not None:
            self._heed(message)
        return None

    def _heed(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "status":
            with as_of_this_version("status"):
                judge_status(message)
            self.status = message
        elif kind in {"end", "next_session"}:  # the one that follows is a session of its own
            self._over = True
        elif kind == "gap":
            with as_of_this_version("gap"):
                told = gap_of(message)
            self._gaps = (*(gap for gap in self._gaps if gap.start_ns != told.start_ns), told)
        elif kind == "missed":  # this reader was too slow: its history has them still
            raise UpstreamGoneError("The upstream has left frames out.")
        elif kind == "error":
            raise refusal(message)

    def _lose(self, error: UpstreamGoneError) -> None:
        """The connection is lost, or was not made: when it is tried next; raises where that has gone on for long."""
        self.close()
        self._texts.clear()
        now = time.monotonic()
        if self._lost_seconds is None:
            self._lost_seconds = now
            if now - self._made_seconds > LONGEST_PAUSE_SECONDS:  # else it is lost as soon as it is made
                self._pause_seconds = FIRST_PAUSE_SECONDS
        elif now - self._lost_seconds > GIVE_UP_SECONDS:
            raise UpstreamError(f"{error.message} It has been tried for a minute.", hint=error.hint) from error
        self._try_at_seconds = now + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def _reconnect(self) -> None:
        if time.monotonic() < self._try_at_seconds:
            return
        last = self._last_event_id
        again = self._begin(None if last is None else (self.id, last))
        if last is not None and again.hole and again.session_id == self.id:  # more than one comes back to at once
            self.close()
            again = self._begin(None)
            self._must_overlap = True
        if again.session_id != self.id or again.layout.schema_message != self.layout.schema_message:
            raise StoppedError
        self._lost_seconds = None
        self._made_seconds = time.monotonic()
        self.reconnections += 1

    def _begin(self, after: tuple[str, int] | None) -> Beginning:
        """Connect, and read up to the first frame."""
        self._stream = UpstreamStream(stream_address(self._upstream, self._request, after))
        return read_beginning(self._stream, self._on_progress)
