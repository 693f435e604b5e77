"""What a session's recording tells those who run it: each thing once."""

from __future__ import annotations

from collections.abc import Callable

from vp.capture.feed_health import FeedHealth
from vp.capture.plan import CapturePlan
from vp.capture.segment import Beginning, Segment
from vp.market.session_hours import from_ns


class Announcements:
    """Tells how a recording goes.

    Parameters
    ----------
    plan : CapturePlan
    health : FeedHealth
    say : callable
        Takes what kind of thing it is (connecting, recording, ...), and a sentence.
    """

    def __init__(self, plan: CapturePlan, health: FeedHealth, say: Callable[[str, str], None]) -> None:
        self._plan = plan
        self._health = health
        self._say = say
        self._refusals_told: set[str] = set()
        self._recording_told = False
        self._is_silent = False

    def connecting(self, beginning: Beginning) -> None:
        """Another connection is begun."""
        self._recording_told = False
        how = "with the book as it is" if beginning.snapshot else "from now on"
        if beginning.start_ns is not None:
            how = (
                "from the beginning of the week" if not beginning.start_ns else f"from {_clock(beginning.start_ns)} on"
            )
        self._say("connecting", f"{', '.join(self._plan.asked)} of {self._plan.dataset}, {how}.")

    def recording(self, segment: Segment) -> None:
        """What comes is written; of each connection once."""
        if not self._recording_told:
            self._recording_told = True
            assert segment.file is not None
            self._say("recording", f"to {segment.file.path}")

    def bridged(self, start_ns: int, end_ns: int) -> None:
        """What was missing has come again."""
        self._say("bridged", f"What was missing from {_clock(start_ns)} to {_clock(end_ns)} has come again.")

    def missing(self, start_ns: int, end_ns: int, reason: str) -> None:
        """Something of the feed is missing for good."""
        self._say("gap", f"From {_clock(start_ns)} to {_clock(end_ns)} the feed is missing: {reason}.")

    def lost(self, reason: str) -> None:
        """The connection is over, which nobody asked for."""
        self._say("break", f"{reason[:1].upper()}{reason[1:]}.")

    def silence(self, segment: Segment) -> None:
        """Nothing of the market comes any more, or it does again."""
        was, self._is_silent = self._is_silent, self._health.is_silent and segment.is_sound
        if self._is_silent and not was:
            self._say("silent", f"Nothing of the market has come for {self._health.silent_seconds:.0f} seconds.")
        elif was and not self._is_silent:
            self._say("recording", "The market goes on.")

    def refusals(self, segment: Segment) -> None:
        """What the gateway has complained of, each complaint once."""
        for refusal in list(segment.refusals):
            if refusal.text not in self._refusals_told:
                self._refusals_told.add(refusal.text)
                self._say("warning", f"The gateway says: {refusal.text}.")


def _clock(time_ns: int) -> str:
    return f"{from_ns(time_ns):%Y-%m-%d %H:%M:%S} UTC"
