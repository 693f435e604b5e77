"""Decompressed copies of raw files, kept in the lake's cache so that the next start need not decompress.

A whole copy is made in the background, into a temporary file that gets its name once it is whole. It says which file
it was made of and carries a digest of each of its blocks, checked whenever the block is read; one that is damaged is
thrown away, and the reader goes on with the raw file. So copies may be deleted, cut or scribbled over at any time, and
that costs nothing but time.

A run that ends before the whole copy is made leaves a stretch: what it read itself from the place on at which the next
run with its start time begins to read (vp.dbn.stretches).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import BinaryIO

from vp import counters
from vp.dbn.block_files import ENDING, Copy, DamagedCopyError, Source, open_copy, write_footer
from vp.dbn.stretches import ROOM_BYTES as STRETCH_ROOM_BYTES
from vp.dbn.stretches import Stretch
from vp.dbn.zstd import blocks, stated_bytes, uncompressed
from vp.errors import FileError, VPError
from vp.files import most_mode_of, read_bounded, remove_if_possible, write_whole, written_whole
from vp.lake.cache_budget import DECOMPRESSED, CacheBudget
from vp.lake.cache_room import Room

log = logging.getLogger(__name__)

EXCEEDS = ".exceeds"
ROOM_BYTES = 64 << 20
SAMPLE_BYTES = 2 << 20
SAMPLE_UNCOMPRESSED_BYTES = 64 << 20
SAMPLE_MARGIN = 1.5
PATIENCE_SECONDS = 10.0

_in_progress: dict[Path, Making] = {}
_lock = threading.Lock()


class TooLargeError(Exception):
    """A copy would take more than copies may in all."""


class DecompressedFiles:
    """The copies in one cache.

    Parameters
    ----------
    budget : CacheBudget
        Of the cache.

    Attributes
    ----------
    directory : Path
    limit_bytes : int
        What all copies may take.
    """

    def __init__(self, budget: CacheBudget) -> None:
        self._budget = budget
        self.directory = budget.directory / DECOMPRESSED.directory
        self.limit_bytes = budget.limit_of(DECOMPRESSED)
        self._stretch_from: dict[Path, int] = {}

    def blocks(self, raw: Path, offset: int) -> Iterator[bytes]:
        """Uncompressed bytes of the compressed file `raw` from `offset` on, in blocks of any size.

        Raises
        ------
        DamagedFileError, TruncatedFileError
            As vp.dbn.zstd.uncompressed.
        """
        source = Source.of(raw)
        copy = self._copy_at(source, offset)
        counters.add("cache", "decompressed", "miss" if copy is None else "hit")
        while copy is not None:
            path, opened = copy
            try:
                for block in opened.blocks(offset):
                    yield block
                    offset += len(block)
            except (DamagedCopyError, OSError) as error:
                log.warning("%s is damaged (%s): it is thrown away, the raw file is read", path.name, error)
                remove_if_possible(path)
                break
            if path.name == source.copy_name():
                return
            yield b""  # all that lies before has to be decompressed once more, unless the whole copy is there by then
            copy = self._copy_at(source, offset)
        yield from self._decompressed(raw, source, offset)

    def keep(self, raw: Path, when: threading.Event | None = None) -> None:
        """Make a copy of the compressed file `raw` in the background, unless there is one or it is being made.

        Nor is one made of a file that is known, or must be expected, to take more than the limit. It is begun at once,
        or at a signal, and without that after PATIENCE_SECONDS.
        """
        source = Source.of(raw)
        path = self.directory / source.copy_name()
        with _lock:
            wanted = self.limit_bytes > 0 and path not in _in_progress and not path.exists()
            if wanted and self._exceeds(source) <= self.limit_bytes:
                _in_progress[path] = Making(self, raw, source, path, when)
                _in_progress[path].start()

    def keep_from(self, raw: Path, offset: int) -> None:
        """Keep, of what is read of the compressed file `raw` from now on, what follows this byte.

        NOT_YET (vp.dbn.stretches): it will be named soon.
        """
        self._stretch_from[raw] = offset

    def room(self, ahead_bytes: int) -> Room:
        """Room for one more; so much more is made room for at a time."""
        return Room(self._budget, DECOMPRESSED, min(ahead_bytes, self.limit_bytes // 16))

    def refuse_if_above_limit(self, size_bytes: float) -> None:
        """Raise TooLargeError for what takes more than all copies may."""
        if size_bytes > self.limit_bytes:
            raise TooLargeError

    def remember_excess(self, source: Source, size_bytes: int) -> None:
        """Write down that a file takes more than so many bytes, so that nobody makes room for it again."""
        try:
            write_whole(self.directory / f"{source.stem()}{EXCEEDS}", str(size_bytes).encode())
        except OSError as error:
            log.debug("%s: %s", source.name, error)

    def forget_stretches(self, source: Source) -> None:
        """Delete what is part of a whole copy now."""
        for _first, path in self._stretches(source):
            remove_if_possible(path)

    def _exceeds(self, source: Source) -> int:
        """More than so many bytes a file is known to take; 0 where nothing is known."""
        try:
            return int(read_bounded(self.directory / f"{source.stem()}{EXCEEDS}", 20))
        except (OSError, ValueError):
            return 0

    def _copy_at(self, source: Source, offset: int) -> tuple[Path, Copy] | None:
        """A copy that holds the byte at `offset`: the whole one, or a stretch."""
        path = self.directory / source.copy_name()
        copy = open_copy(path, source)
        if copy is not None:
            return path, copy
        for first, path in sorted(self._stretches(source), reverse=True):
            if first <= offset and (copy := open_copy(path, source)) is not None:
                if offset < copy.end:
                    return path, copy
                copy.close()
        return None

    def _stretches(self, source: Source) -> list[tuple[int, Path]]:
        begin = f"{source.stem()}_"
        found = []
        for path in self.directory.glob(f"{escape(begin)}*{ENDING}"):
            first = path.name.removeprefix(begin).removesuffix(ENDING)
            if first.isdigit():
                found.append((int(first), path))
        return found

    def _decompressed(self, raw: Path, source: Source, offset: int) -> Iterator[bytes]:
        """The raw file's bytes; those that are to be kept are written down as they pass."""
        with Stretch(self.directory, raw, source, offset, self.room(STRETCH_ROOM_BYTES)) as stretch:
            try:
                skipped = 0
                for whole in uncompressed(raw):
                    block = whole[max(0, offset - skipped) :] if skipped < offset else whole
                    skipped += len(whole) - len(block)
                    if block:
                        stretch.pass_by(block, self._stretch_from.get(raw))
                    yield block  # an empty one, of what lies before the offset, lets a reader that has gone be noticed
                stretch.end_of_file(self._stretch_from.get(raw))
            except GeneratorExit:  # the run ends here, and what it has read is what the next one needs
                stretch.pass_by(b"", self._stretch_from.get(raw))  # the place may have been named since the last block
            if (self.directory / source.copy_name()).exists():
                stretch.discard()


class Making(threading.Thread):
    """Decompresses a raw file into a temporary file, which becomes the copy once it is whole."""

    def __init__(
        self, files: DecompressedFiles, raw: Path, source: Source, path: Path, when: threading.Event | None
    ) -> None:
        super().__init__(name=f"decompress {raw.name}", daemon=True)
        self._files, self._raw, self._source, self._path, self._when = files, raw, source, path, when

    def run(self) -> None:
        """Make the copy; what hinders it is logged and costs nothing else."""
        try:
            if self._when is not None:
                self._when.wait(PATIENCE_SECONDS)
            self._files.refuse_if_above_limit(expected_bytes(self._raw))
            self._files.directory.mkdir(parents=True, exist_ok=True)
            with written_whole(self._path, most_mode=most_mode_of(self._raw)) as file:
                self._write_footer(file, self._decompress(file))
            self._files.forget_stretches(self._source)
        except TooLargeError:
            limit = self._files.limit_bytes
            log.info("%s is not kept decompressed: it takes more than %s bytes", self._raw.name, f"{limit:,}")
        except VPError as error:  # the session comes upon it too, and says where
            log.debug("%s is not kept decompressed: %s", self._raw.name, error)
        except OSError as error:
            log.warning("%s is not kept decompressed: %s", self._raw.name, error.strerror or error)
        finally:
            with _lock:
                del _in_progress[self._path]

    def _decompress(self, file: BinaryIO) -> int:
        """Write all uncompressed bytes; returns how many."""
        room = self._files.room(ROOM_BYTES)
        written = 0
        for block in uncompressed(self._raw):
            if written + len(block) > self._files.limit_bytes:
                self._files.remember_excess(self._source, written + len(block))
                raise TooLargeError
            if not room.make(written + len(block), written):
                raise OSError(0, "there is no room for it")
            file.write(block)
            written += len(block)
        if Source.of(self._raw) != self._source:
            raise OSError(0, "it has changed meanwhile")
        return written

    def _write_footer(self, file: BinaryIO, written: int) -> None:
        write_footer(file, self._source, written)


def expected_bytes(raw: Path) -> float:
    """What a compressed file takes uncompressed: as it states it, else less than by its beginning is to be expected.

    So little is meant to be refused wrongly that what exceeds the limit by half alone is refused unseen.
    """
    size_bytes = raw.stat().st_size
    with raw.open("rb") as file:
        stated = stated_bytes(file.read(18))  # the longest header of a frame
        if stated:
            return stated
        file.seek(0)
        sampled = 0
        try:
            for block in blocks(file, raw):
                sampled += len(block)
                if file.tell() >= SAMPLE_BYTES or sampled >= SAMPLE_UNCOMPRESSED_BYTES:
                    break
            else:
                return sampled
        except FileError:
            return 0  # whoever reads it says what is wrong with it
        return sampled / max(file.tell(), 1) * size_bytes / SAMPLE_MARGIN
