"""Stretches of decompressed files: what a run reads anyway, kept for the next one that begins at the same place.

The place is known only once a book has been built up to it, when the blocks behind it have been read already: those
read ahead, and those of the chunk in which it lies. So what passed last is held until the place is named. Where a
contract is so rare in its file that a chunk of it is longer than that, there is no stretch.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from vp.dbn.block_files import Source, write_footer
from vp.files import most_mode_of, written_whole
from vp.lake.cache_room import Room

MOST_BYTES = 256 << 20
AT_HAND_BYTES = 48 << 20
ROOM_BYTES = 8 << 20  # is asked for at a time
NOT_YET = -1
"""In the place of a place: it will be named."""

log = logging.getLogger(__name__)


class Stretch:
    """Writes down what passes by from a place on, if any is named; a context that ends well keeps it.

    Parameters
    ----------
    directory : Path
        Where copies lie.
    raw : Path
        The compressed file.
    source : Source
        What it is known by.
    offset : int
        Of the first byte that will pass by.
    room : Room
        In the cache, for what is written down.
    """

    def __init__(self, directory: Path, raw: Path, source: Source, offset: int, room: Room) -> None:
        self._directory, self._raw, self._source, self._room = directory, raw, source, room
        self._offset = offset
        self._at_hand: deque[tuple[int, bytes]] = deque()
        self._file: BinaryIO | None = None
        self._first = 0
        self._written = 0
        self._ended = False
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._file is not None and error is None and not self._ended:
                self._end()
        finally:
            self._give_up(error)

    def pass_by(self, block: bytes, wanted_from: int | None) -> None:
        """Take notice of the next block.

        `wanted_from` is the place, NOT_YET before it is named, and None where there will be none.
        """
        offset = self._offset
        self._offset += len(block)
        if wanted_from is None or self._ended:
            return
        try:
            if self._file is not None:
                if not self._write(block):
                    self._end()
                return
            self._at_hand.append((offset, block))
            while self._offset - self._at_hand[0][0] > AT_HAND_BYTES and len(self._at_hand) > 1:
                self._at_hand.popleft()
            if wanted_from != NOT_YET and wanted_from < self._offset:
                self._begin(wanted_from)
                self._at_hand.clear()
        except OSError as error:
            log.warning("a part of %s is not kept decompressed: %s", self._raw.name, error.strerror or error)
            self._give_up(error)

    def end_of_file(self, wanted_from: int | None) -> None:
        """Nothing more will pass by: a place that is not named yet lies in what is at hand."""
        if wanted_from == NOT_YET and self._at_hand:
            wanted_from = self._at_hand[0][0]
        self.pass_by(b"", wanted_from)

    def discard(self) -> None:
        """Keep nothing."""
        if self._file is not None and not self._ended:
            self._give_up(OSError(0, "nobody needs it"))

    def _begin(self, wanted_from: int) -> None:
        if wanted_from < self._at_hand[0][0] or not self._has_room(1):
            self._ended = True
            return
        self._first = wanted_from
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / self._source.stretch_name(wanted_from)
        mode = most_mode_of(self._raw)
        self._file = self._stack.enter_context(written_whole(path, most_mode=mode, durable=False))
        for offset, block in self._at_hand:
            if offset + len(block) > wanted_from and not self._write(block[max(0, wanted_from - offset) :]):
                self._end()
                return

    def _write(self, block: bytes) -> bool:
        assert self._file is not None
        if self._written + len(block) > MOST_BYTES or not self._has_room(len(block)):
            return False
        self._file.write(block)
        self._written += len(block)
        return True

    def _has_room(self, more_bytes: int) -> bool:
        return self._room.make(self._written + more_bytes, self._written)

    def _end(self) -> None:
        """Give it its name."""
        self._ended = True
        assert self._file is not None
        write_footer(self._file, self._source, self._written, self._first)
        self._stack.close()

    def _give_up(self, error: BaseException | None) -> None:
        """Let go of the part, if there is one still."""
        self._ended = True
        try:
            self._stack.__exit__(type(error) if error else None, error, None)
        except OSError as problem:
            if problem is not error:
                raise
