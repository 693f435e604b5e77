"""The events of a session: those of one file behind those of the one before."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from vp.dbn.accounting import PassedOver
from vp.dbn.events import Events
from vp.dbn.place import Place
from vp.dbn.reader import EventReader
from vp.dbn.stretches import NOT_YET


class EventSource(Protocol):
    """Where a session's events come from."""

    @property
    def records_seen(self) -> int: ...
    @property
    def passed_over(self) -> PassedOver: ...
    @property
    def arrived_at(self) -> float | None: ...
    @property
    def waiting_since(self) -> float | None: ...
    def start(self) -> Place: ...
    def record_estimate(self) -> int | None: ...
    def is_behind_gap(self, file_index: int, /) -> bool: ...
    def chunks(self, place: Place | None = None, /) -> Iterator[tuple[Events, Place]]: ...
    def keep_decompressed(self, when: threading.Event) -> None: ...


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

    @property
    def arrived_at(self) -> float | None:
        """Files have not arrived just now."""
        return None

    @property
    def waiting_since(self) -> float | None:
        """Nothing waits."""
        return None

    @property
    def last(self) -> EventReader:
        """The reader of the last file."""
        return self._readers[-1]

    def start(self) -> Place:
        """Where the first file's records begin."""
        return self._start_of(0, 0, PassedOver())

    def is_behind_gap(self, file_index: int) -> bool:
        """Whether records are missing before a file."""
        return self._readers[file_index].is_behind_gap

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
            As EventReader.chunks.
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
                begin = self._start_of(index + 1, self._records_before, self._reader.passed_over)

    def _start_of(self, index: int, records_before: int, passed_over: PassedOver) -> Place:
        """Where a file's records begin, behind those of the files before it."""
        offset, record = self._readers[index].begin
        repeated = replace(passed_over, repeated=passed_over.repeated + record)
        return Place(index, offset, record, records_before, repeated)

    def keep_decompressed(self, when: threading.Event) -> None:
        """Have decompressed copies of the files made in the background from a signal on, where copies are kept."""
        for reader in self._readers:
            reader.file.keep_decompressed(when)

    def keep_from(self, place: Place | None) -> None:
        """Have what is read from now on and follows a place kept decompressed; None: the place will be named."""
        if place is None:
            for reader in self._readers:
                reader.file.keep_from(NOT_YET)
        else:
            self._readers[place.file_index].file.keep_from(place.byte_offset)
