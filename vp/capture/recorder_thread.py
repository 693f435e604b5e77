"""A recorder in a thread of its own, beside whatever plays what it records."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from vp.capture.feed_health import FeedState
from vp.capture.live_segments import LiveDay
from vp.capture.plan import CapturePlan
from vp.capture.recorder import Recorder
from vp.durations import Durations

JOIN_SECONDS = 10.0


class RecorderThread:
    """Runs a recorder until `stop`.

    Parameters
    ----------
    recorder : Recorder

    Attributes
    ----------
    on_failure : callable
        Called in the thread when it has failed.
    error : BaseException or None
        What ended it.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.error: BaseException | None = None
        self._recorder = recorder
        self.on_failure: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._main, name="vp-recorder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._running.wait()

    def stop(self) -> None:
        """End it well: the segment gets its name, the manifest its line."""
        loop = self._loop
        if loop is not None and self._thread.is_alive():
            try:
                loop.call_soon_threadsafe(self._recorder.stop)
            except RuntimeError:  # it has just ended
                return
            self._thread.join(JOIN_SECONDS)

    def day(self) -> LiveDay | None:
        """The newest session of which something can be played."""
        days = sorted(self._recorder.days.items(), reverse=True)
        return next((live for _, live in days if live.segments()), None)

    def date(self) -> str | None:
        """Its date."""
        day = self.day()
        return None if day is None else str(day.date)

    def find(self, product_type: str, root: str, date: str) -> LiveDay | None:
        """The session of a futures root or ticker on a date, if it is being recorded."""
        if not self._recorder.plan.holds(product_type, root):
            return None
        return next((live for day, live in self._recorder.days.items() if str(day) == date and not live.is_over), None)

    def next_date(self, date: str) -> str | None:
        """The date of the session that follows another one, as soon as something of it can be played."""
        days = sorted(self._recorder.days.items())
        return next((str(day) for day, live in days if str(day) > date and not live.is_over and live.segments()), None)

    @property
    def live_days(self) -> list[LiveDay]:
        """The sessions that are being recorded, of which something can be played."""
        return [live for _, live in sorted(self._recorder.days.items()) if not live.is_over and live.segments()]

    @property
    def plan(self) -> CapturePlan:
        """What is recorded."""
        return self._recorder.plan

    @property
    def stages(self) -> dict[str, Durations]:
        """How long the stages of the way take that lie before the arrival."""
        return self._recorder.health.stages

    @property
    def states(self) -> list[str]:
        """All that there are."""
        return [*FeedState]

    @property
    def state(self) -> str:
        """The state of the feed."""
        return self._recorder.state

    def describe(self) -> dict[str, Any]:
        """The state of the feed, for /health."""
        return self._recorder.describe()

    def _main(self) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._running.set()
            await self._recorder.run()

        try:
            asyncio.run(run())
        except BaseException as error:  # told by who waits for it  # noqa: BLE001
            self.error = error
            self._recorder.fail(error)
            self.on_failure()
        finally:
            self._running.set()
