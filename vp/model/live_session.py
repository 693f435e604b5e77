"""A session that makes frames on demand: what pacing, lossless streams and recordings all drive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from vp.dbn.accounting import Accounting
from vp.dbn.events import Events
from vp.errors import EmptySessionError
from vp.feed_gap import FeedGap
from vp.kernels.contract import CLOCK_UNKNOWN
from vp.market.session_hours import as_et
from vp.model.book import NO_LIMIT
from vp.model.clock_jumps import JUMP_NS, ClockJumps
from vp.model.engine import EventDrivenVPEngine, FrameBatch
from vp.model.event_feed import EventFeed
from vp.model.frames import FrameLayout
from vp.model.session import SessionInfo

PEEKED_RECORDS = 1000
SILENCE_NS = 30 * 60_000_000_000
SETTLING_SECONDS = 1.0
NS_PER_MS = 1_000_000


def run_until(
    engine: EventDrivenVPEngine,
    feed: EventFeed,
    until_ns: int,
    on_batch: Callable[[FrameBatch], None] = lambda _batch: None,
) -> bool:
    """Run the records under `until_ns`; whether one from then on is there.

    `on_batch` is given the frames that each call of the engine makes of them, none too; they hold until the next.
    """
    while feed.ready():
        feed.index, batch = engine.advance(feed.events, feed.index, until_ns)
        on_batch(batch)
        if not batch.count and feed.index < len(feed.events):
            return True
    return False


class LiveSession:
    """A session whose book is built: frames on demand, once its engine is warm.

    Attributes
    ----------
    info : SessionInfo
    layout : FrameLayout
    gaps : callable
        What the feed did not deliver of a session that was recorded live, or is.
    first_frame_is_out : threading.Event
        Set when more is asked for SETTLING_SECONDS after frames have been made: what can wait does not delay them.
    """

    def __init__(
        self,
        info: SessionInfo,
        engine: EventDrivenVPEngine,
        feed: EventFeed,
        context: np.ndarray | None = None,
        instead: Callable[[], str] = str,
        early_end: Callable[[bool], str | None] = lambda _read: None,
        gaps: Callable[[], Sequence[FeedGap]] = tuple,
    ) -> None:
        self.info = info
        self.layout: FrameLayout = engine.layout
        self.engine = engine
        self._feed = feed
        self._instead = instead
        self._early_end = early_end
        self.gaps = gaps
        self.first_frame_is_out = threading.Event()
        self._first_frame_seconds = float("inf")
        self._jumps = ClockJumps()
        self._anomalies_before = engine.anomalies()
        self._before_openings = engine.before_openings()
        self._context = engine.no_frames().buffer if context is None else context
        self._is_warming_up = True
        self._warm_up()

    @property
    def next_event_ns(self) -> int | None:
        """Clock to which the next record brings the engine, ns UTC; None when the session is over."""
        feed = self._feed
        if not feed.ready():
            return None
        clock = self.engine.clock_ns
        brings = int(feed.events.columns.clock_ns[feed.index])
        if brings <= CLOCK_UNKNOWN:
            return self.info.session_start_ns if clock is None else clock
        reached = brings if clock is None else max(brings, clock)
        return None if reached >= self.info.end_ns else reached

    @property
    def finished(self) -> bool:
        """Whether every record of the session has been processed."""
        return self.next_event_ns is None

    @property
    def goes_on(self) -> bool:
        """Whether records follow those that have been processed, of after the session's end or before it."""
        return self._feed.ready()

    @property
    def clock_ns(self) -> int | None:
        """The engine clock, ns UTC."""
        return self.engine.clock_ns

    @property
    def records_done(self) -> int:
        """Records of the instrument processed since the session's start."""
        return self.engine.book.event_id

    def anomalies(self) -> dict[str, int]:
        """The book's counters of what should not be, by name, as they have grown since the emit boundary.

        A book that is locked or crossed before an opening is none of them.
        """
        before = dict(self._anomalies_before)
        for name, count in self.engine.before_openings().items():
            before[name] += count - self._before_openings[name]
        return {name: count - before[name] for name, count in self.engine.anomalies().items()}

    def anomalies_before(self) -> dict[str, int]:
        """All of them that were counted before the emit boundary."""
        return dict(self._anomalies_before)

    @property
    def arrived_at(self) -> float | None:
        """When the newest bytes arrived that frames have been made of, in seconds of the monotonic clock.

        None where they were not recorded just now.
        """
        return self._feed.arrived_at

    @property
    def waiting_since(self) -> float | None:
        """When the first of those bytes arrived that still wait; None: none does."""
        return self._feed.waiting_since

    def accounting(self) -> Accounting:
        """What became of every record read so far."""
        return self._feed.account(self.engine.book)

    def emptiness(self) -> EmptySessionError | None:
        """Why there is nothing to see in a session that has come to its end, with what there is instead.

        None where a record has reached the time in which frames are made.
        """
        info, clock = self.info, self.clock_ns
        if clock is not None and clock >= info.emit_from_ns:
            return None
        first, *more = info.raw_files
        files = f"{first} and {len(more)} more hold" if more else f"{first} holds"
        what = f"{files} no record of {info.contract} from {as_et(info.emit_from_ns)} to {as_et(info.end_ns)}"
        if clock is not None:
            return EmptySessionError(f"{what}; the last before is of {as_et(clock)}.", hint="Begin earlier.")
        if self.records_done:
            what += ", only what its book was before: a snapshot"
        later = self.accounting().passed_over.outside_window
        hint = f"{later:,} records are of after that: ask for a later session. " if later else ""
        return EmptySessionError(f"{what}.", hint=hint + self._instead())

    def incomplete(self) -> str | None:
        """What is known of an input that lacks its end; None where nothing is.

        Before the session is over, only what sizes and notes of its files tell.
        """
        said = self._early_end(self._feed.over)
        return None if said is None else f"Incomplete at the end: {said}."

    def notices(self, reached_ns: int | None = None) -> list[str]:
        """What a person should know of the session's records, in whole sentences: few, and in a fixed order.

        `reached_ns`: how far a paced session's time has come, ns UTC; it may go on for long where no record comes.
        """
        found = (self._silence(reached_ns), self.incomplete())
        return [*self._jumps.sentences(), *(said for said in found if said is not None)]

    def _silence(self, reached_ns: int | None) -> str | None:
        """What to say of a next record that is far away; and whether it may lie there by a wrong stamp alone."""
        due_ns = None if reached_ns is None else self.next_event_ns
        if reached_ns is None or due_ns is None or due_ns - reached_ns <= SILENCE_NS:
            return None
        clocks = self._feed.events.columns.clock_ns[self._feed.index + 1 :][:PEEKED_RECORDS]
        earlier = int(np.count_nonzero((clocks > CLOCK_UNKNOWN) & (clocks < due_ns - JUMP_NS)))
        stray = f", though {earlier:,} of the {len(clocks):,} records behind it are stamped earlier" if earlier else ""
        return f"No record is due before {as_et(due_ns)}{stray}."

    def take_context(self) -> FrameBatch:
        """The frames of before the emit boundary, for who watches; given once."""
        context, self._context = self._context, self._context[:0]
        return FrameBatch(self.layout, context)

    def advance(self, until_clock_ns: int | None = None, max_frames: int | None = None) -> FrameBatch:
        """Run records whose clock stays under `until_clock_ns` (None: to the end).

        Comes back earlier once there are frames to hand over; no frames and an unreached clock never come
        together. The batch holds until the next call.
        """
        until_ns = min(until_clock_ns if until_clock_ns is not None else NO_LIMIT, self.info.end_ns)
        return self._run(lambda events, first: self.engine.advance(events, first, until_ns, max_frames))

    def advance_event(self, until_clock_ns: int) -> FrameBatch:
        """As `advance`, but up to the next event end, which makes a frame whether or not one is due.

        What it means for the frames after it: vp.model.engine.EventDrivenVPEngine.advance_event.
        """
        until_ns = min(until_clock_ns, self.info.end_ns)
        return self._run(lambda events, first: self.engine.advance_event(events, first, until_ns))

    def _run(self, advance: Callable[[Events, int], tuple[int, FrameBatch]]) -> FrameBatch:
        """Take the feed's events through the engine until there are frames, or it leaves events standing."""
        feed = self._feed
        engine = self.engine
        if self._is_warming_up and not self._warm_up():
            return engine.no_frames()
        if time.monotonic() - self._first_frame_seconds >= SETTLING_SECONDS:
            self.first_frame_is_out.set()
        while feed.ready():
            first, before_ns, disorder = feed.index, engine.clock_ns, engine.book.out_of_order
            feed.index, batch = advance(feed.events, first)
            clocks = feed.events.columns.clock_ns[first : feed.index]
            self._jumps.look(clocks, before_ns, engine.clock_ns, engine.book.out_of_order - disorder)
            if batch.count or feed.index < len(feed.events):
                if batch.count and self._first_frame_seconds == float("inf"):
                    self._first_frame_seconds = time.monotonic()
                return batch
        return self.engine.no_frames()

    def _warm_up(self) -> bool:
        """Run the records of before the emit boundary, of which no frames are handed over.

        False where there are no more of them yet: of a session that is being recorded, the boundary may be to come.
        """
        engine = self.engine
        if not run_until(engine, self._feed, self.info.emit_from_ns):
            return False
        self._is_warming_up = False
        engine.start_emitting(round(self.info.throttle_ms * NS_PER_MS))
        self._anomalies_before, self._before_openings = engine.anomalies(), engine.before_openings()
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._feed.close()
