"""The session that a server starts with, loaded in a thread of its own while the server already answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from vp.model.progress import ProgressLike
from vp.server.runs.session import Prepare, Session, StoppedError
from vp.server.stream.request import StreamRequest
from vp.server.stream.snapshot import Loading, RunState

LOOK_SECONDS = 0.1
JOIN_SECONDS = 2.0


class StartupSession:
    """Loads one session ahead of its first viewer.

    Parameters
    ----------
    request : StreamRequest
        Whose session it is.
    load : callable
        Makes the session; called in its thread, and told in it, by an exception out of its progress
        callback, when nobody wants the session any more.
    on_ready, on_failure : callable
        Called in that thread, once: when the session is there, or when `error` is.

    Attributes
    ----------
    loading : Loading
        How far it has come.
    error : BaseException or None
        Why there is no session.
    """

    def __init__(
        self,
        request: StreamRequest,
        load: Callable[[Callable[[ProgressLike], None]], Session],
        on_ready: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.request = request
        self.loading = Loading()
        self.error: BaseException | None = None
        self._load = load
        self._on_ready = on_ready
        self._on_failure = on_failure
        self._session: Session | None = None
        self._given = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="vp-startup", daemon=True)

    @property
    def done(self) -> bool:
        """Whether there is a session, or never will be."""
        return self._done.is_set()

    def describe(self) -> dict[str, Any] | None:
        """Its line in /health, until a run has claimed it or it is there."""
        if self._given or self.done:
            return None
        return {
            "session_id": None,
            "state": RunState.LOADING,
            **self.request.describe(),
            "loading": self.loading.describe(),
        }

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def close(self) -> None:
        """Leave off loading, and close the session unless a run has it."""
        self._stop.set()
        self._thread.join(JOIN_SECONDS)
        session = self.take()
        if session is not None:
            session.close()

    def take(self) -> Session | None:
        """The session, if it is there; given once."""
        with self._lock:
            session, self._session = self._session, None
            return session

    def claim(self, request: StreamRequest) -> bool:
        """Whether the session is this request's, and nobody has claimed it before."""
        with self._lock:
            if self._given or request.session != self.request.session:
                return False
            self._given = True
            return True

    def wait(self, _request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> Session:
        """Wait for the session that was claimed; as a run's `prepare`.

        Raises
        ------
        BaseException
            What `on_progress` raises, which gives the claim up, or what the load ended with.
        """
        try:
            self._wait(on_progress)
        except BaseException:
            self._given = False
            raise
        session = self.take()
        if session is None:
            raise self.error or StoppedError
        return session

    def before(self, prepare: Prepare) -> Prepare:
        """`prepare`, once this session is there: kernels are compiled and the disk is read one after the other."""

        def prepare_after(request: StreamRequest, on_progress: Callable[[ProgressLike], None]) -> Session:
            self._wait(on_progress)
            return prepare(request, on_progress)

        return prepare_after

    def _wait(self, on_progress: Callable[[ProgressLike], None]) -> None:
        while not self._done.wait(LOOK_SECONDS):
            on_progress(self.loading)

    def _main(self) -> None:
        try:
            self._session = self._load(self._report)
            self._done.set()
            self._on_ready()
        except StoppedError:
            pass
        except BaseException as error:  # raised again by who started the server  # noqa: BLE001
            self.error = error
            self._on_failure()
        finally:
            self._done.set()

    def _report(self, report: ProgressLike) -> None:
        if self._stop.is_set():
            raise StoppedError
        self.loading = Loading(report.phase, report.records_done, report.records_total, report.records_per_second)
