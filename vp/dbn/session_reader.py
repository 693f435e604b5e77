"""The events of a session out of all of its files, one file behind the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.place import Place
from vp.dbn.reader import EventReader


class SessionReader:
    """Reads one file behind the other, as if they were one.

    Parameters
    ----------
    readers : sequence of EventReader
        Of the session's files, in the order in which they are read.
    """

    def __init__(self, readers: Sequence[EventReader]) -> None:
        self._readers = tuple(readers)
        self._reader = self._readers[0]
        self._records_before = 0

    @property
    def records_seen(self) -> int:
        """Whole records read so far, of every file, type and instrument."""
        return self._records_before + self._reader.records_seen

    @property
    def passed_over(self) -> PassedOver:
        """Those of them that are no events of the session."""
        return self._reader.passed_over

    def start(self) -> Place:
        """Where the first file's records begin."""
        return Place(0, self._readers[0].file.data_offset, 0, 0, PassedOver())

    def record_estimate(self) -> int | None:
        """How many records the files hold, where their sizes tell."""
        estimates = [reader.file.record_estimate() for reader in self._readers]
        return None if None in estimates else sum(estimate or 0 for estimate in estimates)

    def chunks(self, place: Place | None = None) -> Iterator[tuple[Events, Place]]:
        """Events in order, each run of them with a place of an input that it begins at or behind.

        A place may be handed in again to read on from there. Events are views that hold until the next run.

        Raises
        ------
        DamagedFileError, TruncatedFileError, ChangedFileError, UnreadableFileError
            As vp.dbn.reader.EventReader.chunks.
        """
        place = place or self.start()
        self._records_before = place.records_before
        begin = place
        for index in range(place.file_index, len(self._readers)):
            self._reader = self._readers[index]
            for chunk in self._reader.chunks(begin.byte_offset, begin.record_index, begin.passed_over):
                yield (
                    chunk.events,
                    Place(index, chunk.byte_offset, chunk.record_index, self._records_before, chunk.passed_over),
                )
            if index + 1 < len(self._readers):
                self._records_before += self._reader.records_seen
                offset = self._readers[index + 1].file.data_offset
                begin = Place(index + 1, offset, 0, self._records_before, self._reader.passed_over)

    def keep_decompressed(self) -> None:
        """Have decompressed copies of the files made in the background, where copies are kept."""
        for reader in self._readers:
            reader.file.keep_decompressed()
