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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from vp.accounting import Accounting
from vp.errors import VPError
from vp.frames import FrameLayout
from vp.progress import ProgressLike
from vp.server.allocator import give_back
from vp.server.protocol import Request

log = logging.getLogger("vp.server")


class Batch(Protocol):
    """What a run needs of vp.engine.FrameBatch."""

    @property
    def count(self) -> int: ...
    @property
    def ts_ns(self) -> np.ndarray: ...
    @property
    def buffer(self) -> np.ndarray: ...


class Info(Protocol):
    """What a run needs of vp.pipeline.SessionInfo."""

    @property
    def contract(self) -> str: ...
    @property
    def emit_from_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    def to_json(self) -> dict[str, Any]: ...


class Session(Protocol):
    """What a run needs of vp.pipeline.LiveSession."""

    @property
    def info(self) -> Info: ...
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
    def advance(self, until_clock_ns: int | None, max_frames: int) -> Batch: ...
    def anomalies(self) -> Mapping[str, int]: ...
    def accounting(self) -> Accounting: ...
    def close(self) -> None: ...


Prepare = Callable[[Request, Callable[[ProgressLike], None]], Session]


class StoppedError(Exception):
    """Raised inside a run's thread to leave off what it is doing."""


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
class Facts:
    """What a status message says of a run."""

    clock_ns: int | None = None
    records_done: int = 0
    lag_seconds: float = 0.0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)


def unexpected(error: Exception, what: str) -> VPError:
    """Log an error that nobody foresaw, and put it as one that a viewer can be told."""
    problem = VPError(
        f"{what} failed unexpectedly ({type(error).__name__}: {error}).",
        hint="This is a fault of the program; its log says more at --log-level debug.",
    )
    log.error(problem.message, exc_info=error if log.isEnabledFor(logging.DEBUG) else None)
    return problem


class Run:
    """Base of the two kinds of run.

    Parameters
    ----------
    request : Request
    prepare : callable
        Makes the session; called in the run's thread.
    session : Session, optional
        A session that is prepared already.

    Attributes
    ----------
    state : str
        loading, ready, live, then one of ended, failed, stopped.
    error : VPError or None
        Why it failed.
    bell : asyncio.Event
        Rung (set and cleared) whenever a viewer should look again.
    viewers : int
    """

    shared = False

    def __init__(self, request: Request, prepare: Prepare, session: Session | None = None) -> None:
        self.request = request
        self.id = uuid.uuid4().hex[:12]
        self.state = "loading"
        self.session = session
        self.error: VPError | None = None
        self.loading = Loading()
        self.facts = Facts()
        self.viewers = 0
        self.idle_since: float | None = None
        self.bell = asyncio.Event()
        self._prepare = prepare
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ringing = False
        self._thread = threading.Thread(target=self._main, name=f"vp-run-{self.id}", daemon=True)

    @property
    def over(self) -> bool:
        """Whether no more frames will come."""
        return self.state in {"ended", "failed", "stopped"}

    def start(self) -> None:
        """Begin; call it in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to leave off; returns at once."""
        self._stop.set()

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
            "loading": self.loading.describe() if self.state == "loading" else None,
        }

    def _main(self) -> None:
        state = "failed"
        try:
            if self.session is None:
                self.session = self._prepare(self.request, self._report)
            self._note(0.0)
            self.state = "ready"
            self.call()
            self._play(self.session)
            state = "ended"
        except StoppedError:
            state = "stopped"
        except VPError as error:
            self.error = error
        except Exception as error:  # whatever it is, it must not touch other sessions  # noqa: BLE001
            self.error = unexpected(error, "The session")
        finally:
            self.state = state
            if self.session is not None:
                self.session.close()
            self.call()
            self._rest()
            give_back()

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

    def _note(self, lag_seconds: float) -> None:
        """Leave the facts of this moment for status messages."""
        if self.session is not None:
            session = self.session
            records = session.accounting().to_json()
            self.facts = Facts(session.clock_ns, session.records_done, lag_seconds, session.anomalies(), records)
