"""A session at work in a thread of its own: loading, then making frames for its viewers.

A run is driven by two threads. Its own thread prepares and advances the session; the event loop reads what it
left (frames, facts, progress) and wakes the viewers. Wake-ups from the thread are merged: however fast it
makes frames, at most one call into the loop is under way.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from vp.errors import VPError
from vp.feed_gap import FeedGap
from vp.logs import event
from vp.model.progress import ProgressLike
from vp.server.faults import unexpected
from vp.server.history.frame_store import Block
from vp.server.runs.allocator import give_back
from vp.server.runs.session import KnownSession, OverSession, Prepare, Session, StoppedError
from vp.server.stream.encoding import FrameEncoder
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import FramesHeld, Loading, RunFacts, RunState

Problem = TypeVar("Problem", bound=BaseException)

log = logging.getLogger("vp.server")


class Run:
    """Base of the two kinds of run.

    Parameters
    ----------
    request : StreamRequest
    prepare : callable
        Makes the session; called in the run's thread.
    session : Session, optional
        A session that is prepared already.

    Attributes
    ----------
    state : RunState
    session : KnownSession or None
        What is known of the session once it is there. Of one that is over nothing else is held: a book can be large.
    error : VPError or None
        Why it failed.
    bell : asyncio.Event
        Rung (set and cleared) whenever a viewer should look again.
    viewers : int
    is_catching_up : bool
        Whether the frames that it makes now are long past.
    """

    shared = False

    def __init__(self, request: StreamRequest, prepare: Prepare, session: Session | None = None) -> None:
        self.request = request
        self.id = uuid.uuid4().hex[:12]
        self.state = RunState.LOADING
        self.session: KnownSession | None = session
        self.error: VPError | None = None
        self.loading = Loading()
        self.facts = RunFacts()
        self.viewers = 0
        self.is_catching_up = False
        self.idle_since: float | None = None
        self.bell = asyncio.Event()
        self._prepare = prepare
        self._played = session
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ringing = False
        self._thread = threading.Thread(target=self._main, name=f"vp-run-{self.id}", daemon=True)

    @property
    def gaps(self) -> Sequence[FeedGap]:
        """What the session's feed has not delivered; the same object until that changes."""
        return () if self.session is None else self.session.gaps()

    def held(self, next_frame: int) -> FramesHeld | None:
        """Which frames there are for a viewer whose next one is `next_frame`; None before there can be any."""
        raise NotImplementedError

    async def read(self, first: int, most: int, encoder: FrameEncoder) -> Block | None:
        """Some of the `most` frames from `first` on, as they go out; None if they are not held any more."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin; call it in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to leave off; returns at once."""
        self._stop.set()

    @property
    def is_alive(self) -> bool:
        """Whether the thread has not ended yet."""
        return self._thread.is_alive()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the thread to end."""
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def ring(self) -> None:
        """Wake every viewer; in the event loop."""
        self._ringing = False
        self.bell.set()
        self.bell.clear()

    def call(self) -> None:
        """Wake every viewer; from the run's thread."""
        if not self._ringing and self._loop is not None:
            self._ringing = True
            try:
                self._loop.call_soon_threadsafe(self.ring)
            except RuntimeError:  # the loop has closed: nobody is left to wake
                self._stop.set()

    @property
    def names(self) -> dict[str, Any]:
        """Which run it is, and how it stands, for the log."""
        return {"session": self.id, "state": self.state}

    def describe(self) -> dict[str, Any]:
        """The run's line in /health."""
        facts = self.facts
        return {
            "session_id": self.id,
            "state": self.state,
            **self.request.describe(),
            "contract": self.session.info.contract if self.session is not None else None,
            "viewers": self.viewers,
            "records_done": facts.records_done,
            "records": facts.records,
            "lag_seconds": round(facts.lag_seconds, 3),
            "paused": facts.paused,
            "notices": list(facts.notices),
            **({} if facts.hop_seconds is None else {"hop_seconds": round(facts.hop_seconds, 6)}),
            "loading": self.loading.describe() if self.state is RunState.LOADING else None,
        }

    def _main(self) -> None:
        state = RunState.FAILED
        try:
            if self._played is None:
                self.session = self._played = self._prepare(self.request, self._report)
            self._note(0.0)
            self._hold(self._played)
            self.state = RunState.READY
            self.call()
            self._play(self._played)
            self._hand_on()
            self.error = self._played.emptiness()
            state = RunState.ENDED if self.error is None else RunState.FAILED
        except StoppedError:
            state = RunState.STOPPED
        except VPError as error:
            self.error = _without_frames(error)
        except Exception as error:  # whatever it is, it must not touch other sessions  # noqa: BLE001
            self.error = unexpected(error, "The session")
        finally:
            self.state = state
            with self._ending():
                self._let_go()
            self.call()
            with self._ending():
                self._rest()
            give_back()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Tell the log alone of what fails when the session is over: nobody waits for it, and all may be ending."""
        try:
            yield
        except Exception as problem:  # whatever it is, it must not touch other sessions  # noqa: BLE001
            event(log, logging.WARNING, "session ended badly", session=self.id, why=repr(problem))

    def _let_go(self) -> None:
        """Close the session, and hold no more of it than what it was."""
        played, self._played = self._played, None
        if played is not None:
            self.session = OverSession.of(played)
            played.close()

    def _hold(self, session: Session) -> None:
        """Make what has to be there as soon as viewers are told of the session."""

    def _hand_on(self) -> None:
        """Hand on what waits, where no more comes for now."""

    def _play(self, session: Session) -> None:
        raise NotImplementedError

    def _rest(self) -> None:
        """What the thread does when the session is over."""

    def _report(self, report: ProgressLike) -> None:
        """Keep a progress report of the load; also the place where a load that nobody wants ends."""
        self._check_stop()
        self.loading = Loading(report.phase, report.records_done, report.records_total, report.records_per_second)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _note(self, lag_seconds: float, time_ns: int | None = None) -> None:
        """Leave the facts of this moment for status messages; `time_ns`: the event time reached."""
        session = self._played
        if session is not None:
            records = session.accounting().to_json()
            self.facts = replace(
                self.facts,
                clock_ns=session.clock_ns,
                records_done=session.records_done,
                lag_seconds=lag_seconds,
                anomalies=session.anomalies(),
                records=records,
                time_ns=time_ns,
                notices=tuple(session.notices(time_ns)),
            )


def _without_frames(error: Problem) -> Problem:
    """An error that may be kept: the calls that it came through would hold what they had at hand, a whole book."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
