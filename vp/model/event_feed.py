"""The events of one session, as book and engine take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vp.dbn.accounting import Accounting
from vp.dbn.events import Events
from vp.dbn.place import Place
from vp.dbn.session_reader import EventSource
from vp.model.book import Book
from vp.model.book_cache import Resume


class EventFeed:
    """The events of one session in order, chunk by chunk, with the place of each chunk in the session's files.

    Parameters
    ----------
    reader : EventSource
    resume : Resume or None
        Where to begin.
    on_gap : callable
        Called where records are missing, once those before are processed and before those behind it are.
    """

    def __init__(self, reader: EventSource, resume: Resume | None, on_gap: Callable[[], None] = lambda: None) -> None:
        self._on_gap = on_gap
        self._reader = reader
        self._place: Place = reader.start() if resume is None else resume.place
        self._chunks: Iterator[tuple[Events, Place]] = reader.chunks(self._place)
        self._skip = 0 if resume is None else resume.skip_events
        self.events = Events.allocate(0)
        """The chunk that is being processed."""
        self.index = 0
        self.over = False
        """Whether there are no more chunks."""

    @property
    def records_seen(self) -> int:
        """Records of the files read so far, of every type and instrument."""
        return self._reader.records_seen

    @property
    def arrived_at(self) -> float | None:
        """When the bytes of the newest events arrived, of a session that is being recorded (vp.dbn.growing_input)."""
        return self._reader.arrived_at

    @property
    def waiting_since(self) -> float | None:
        """When the first of those bytes arrived that have not been read yet; None: all have been."""
        return self._reader.waiting_since

    def ready(self) -> bool:
        """Make sure that an event stands at `index`; False when there are no more."""
        while self.index >= len(self.events):
            chunk = next(self._chunks, None)
            if chunk is None:
                self.over = True
                return False
            before, (self.events, self._place) = self._place.file_index, chunk
            if any(self._reader.is_behind_gap(i) for i in range(before + 1, self._place.file_index + 1)):
                self._on_gap()
            self.index = min(self._skip, len(self.events))
            self._skip -= self.index
        return True

    def resume(self) -> Resume:
        """Where the event at `index` stands in the files."""
        return Resume(self._place, self.index)

    def account(self, book: Book) -> Accounting:
        """What became of the records read so far, given the book that they go into."""
        reader = self._reader
        return Accounting.of(
            book.tallies(),
            book.event_id,
            read=reader.records_seen,
            passed_over=reader.passed_over,
            waiting=len(self.events) - self.index,
        )

    def close(self) -> None:
        """Let go of the files."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
