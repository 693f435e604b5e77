"""The events of one session, as book and engine take them."""

from __future__ import annotations

from collections.abc import Iterator

from vp.dbn.accounting import Accounting
from vp.dbn.events import Events
from vp.dbn.place import Place
from vp.dbn.reader import EventSource
from vp.model.book import Book
from vp.model.book_cache import Resume


class EventFeed:
    """The events of one session in order, chunk by chunk, with the place of each chunk in the session's files."""

    def __init__(self, reader: EventSource, resume: Resume | None) -> None:
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

    def ready(self) -> bool:
        """Make sure that an event stands at `index`; False when there are no more."""
        while self.index >= len(self.events):
            chunk = next(self._chunks, None)
            if chunk is None:
                self.over = True
                return False
            self.events, self._place = chunk
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
