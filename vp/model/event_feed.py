"""The events of one session, as book and engine take them."""

from __future__ import annotations

from collections.abc import Iterator

from vp.dbn.accounting import Accounting, PassedOver
from vp.dbn.events import Events
from vp.dbn.reader import Chunk, EventReader
from vp.model.book import Book
from vp.model.book_cache import Resume


class EventFeed:
    """The events of one session in file order, chunk by chunk, with the place of each chunk in the file."""

    def __init__(self, reader: EventReader, resume: Resume | None) -> None:
        self._chunks: Iterator[Chunk] = (
            reader.chunks()
            if resume is None
            else reader.chunks(resume.byte_offset, resume.record_index, resume.passed_over)
        )
        self._reader = reader
        self._skip = 0 if resume is None else resume.skip_events
        self._chunk = Chunk(Events.allocate(0), reader.file.data_offset, 0, PassedOver())
        self.index = 0

    @property
    def events(self) -> Events:
        """The chunk that is being processed."""
        return self._chunk.events

    @property
    def records_seen(self) -> int:
        """Records of the file read so far, of every type and instrument."""
        return self._reader.records_seen

    def ready(self) -> bool:
        """Make sure that an event stands at `index`; False when there are no more."""
        while self.index >= len(self.events):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._chunk = chunk
            self.index = min(self._skip, len(self.events))
            self._skip -= self.index
        return True

    def resume(self) -> Resume:
        """Where the event at `index` stands in the file."""
        chunk = self._chunk
        return Resume(chunk.byte_offset, chunk.record_index, self.index, chunk.passed_over)

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
        """Let go of the file."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
