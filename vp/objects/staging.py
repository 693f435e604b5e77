"""Objects kept on this machine's own disk for those who read them as files: within a bound, each with its checksum.

Below the directory, `objects/` holds what was fetched, `ID.SHA256` by what it is and what its bytes add up to, and
`job-BYTES-XXXX/` is a job's own: links to the objects that it asked for and no others, and room for what it makes. A
job's directory is locked for as long as its process lives; one that is not is deleted by whoever comes next. BYTES is
what the job has reserved: jobs that are at work never have reserved more than the bound together, and what nobody uses
is deleted, the longest unused first, as far as it is beyond it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vp.errors import ObjectStoreError, VPError
from vp.files import LOCKS, READ_ONLY, lock, locked, sha256_of, try_lock, written_whole
from vp.objects.store import ObjectIdentity, ObjectStore

OBJECTS, LOCK, JOB = "objects", "staging.lock", re.compile(r"job-([0-9]+)-.+")
ID_LETTERS = 32
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class WantedObject:
    """An object to stage: its name in the store, which becomes its path, and which one of that name."""

    name: str
    identity: ObjectIdentity


@dataclass(frozen=True)
class Staging:
    """A directory of staged objects, which several processes may use at once.

    Attributes
    ----------
    directory : Path
        On a disk of this machine; made if need be.
    limit_bytes : int
        Of all staged objects together; what jobs make comes besides.
    """

    directory: Path
    limit_bytes: int

    @contextmanager
    def staged(
        self, store: ObjectStore | None, wanted: Sequence[WantedObject]
    ) -> Iterator[tuple[Path, dict[str, str]]]:
        """A directory of one's own with these objects below it, by name, which goes when the block ends.

        Beside it the sha256 of each, in hexadecimal, by name.

        It waits for others whose objects leave no room for these.

        Raises
        ------
        ObjectStoreError
            They are more than the bound, or cannot be fetched.
        ChangedFileError
            One is no longer what was wanted.
        VPError
            The disk cannot take them.
        """
        if not LOCKS:
            raise ObjectStoreError(
                "Objects cannot be staged here: this system has no file locks.", hint="Copy the lake to a disk."
            )
        with self._refused():
            place, handle = self._begin(store, wanted)
        try:
            sums = {}
            with self._refused():
                for one in wanted:
                    assert store is not None
                    sums[one.name] = self._bring(store, one, place)
            yield place, sums
        finally:
            shutil.rmtree(place, ignore_errors=True)
            os.close(handle)

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VPError(
                f"Objects cannot be staged in {self.directory}: {error.strerror or error}.",
                hint="Choose a place with room by --staging-directory.",
            ) from error

    def _begin(self, store: ObjectStore | None, wanted: Sequence[WantedObject]) -> tuple[Path, int]:
        """A locked directory of one's own, with what is staged already and room for the rest."""
        size_bytes = sum(one.identity.size_bytes for one in wanted)
        if size_bytes > self.limit_bytes:
            raise ObjectStoreError(
                f"The session's files have {size_bytes / 1e9:,.2f} GB, and {self.limit_bytes / 1e9:,.2f} GB may be "
                "staged.",
                hint="Allow more with --staging-limit-gb.",
            )
        (self.directory / OBJECTS).mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            with locked(self.directory / LOCK):
                reserved = sum(self._sweep())
                if reserved + size_bytes <= self.limit_bytes:
                    place = Path(tempfile.mkdtemp(prefix=f"job-{size_bytes}-", dir=self.directory))
                    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)  # closed, and so unlocked, with the process
                    lock(handle)
                    try:
                        self._take(store, wanted, place)
                        self._evict(self.limit_bytes - reserved - size_bytes)
                    except BaseException:
                        os.close(handle)
                        raise
                    return place, handle
            time.sleep(LOOK_SECONDS)

    def _take(self, store: ObjectStore | None, wanted: Sequence[WantedObject], place: Path) -> None:
        """Link what is there already, so that nobody deletes it."""
        for one in wanted:
            assert store is not None
            for path in self._kept(store, one)[:1]:
                _link(path, place / one.name)

    def _bring(self, store: ObjectStore, one: WantedObject, place: Path) -> str:
        """Have an object in a job's directory, the one that is kept, if it is sound, or a new one; its sha256."""
        target = place / one.name
        for path in self._kept(store, one):
            if not target.exists():
                with suppress(FileNotFoundError):  # another job has made room by it
                    _link(path, target)
            sha256 = path.name.rpartition(".")[2]
            if target.exists() and sha256 == sha256_of(target):
                return sha256
            path.unlink(missing_ok=True)  # the disk has damaged it
            target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target, most_mode=READ_ONLY, durable=False) as file:
            sha256 = store.fetch(one.name, one.identity, file)
        with suppress(FileExistsError):  # another job has brought it meanwhile
            os.link(target, self.directory / OBJECTS / f"{_id(store, one)}.{sha256}")
        return sha256

    def _kept(self, store: ObjectStore, one: WantedObject) -> list[Path]:
        kept = []
        for path in (self.directory / OBJECTS).glob(f"{_id(store, one)}.*"):
            with suppress(FileNotFoundError):
                if path.stat().st_size == one.identity.size_bytes:
                    kept.append(path)
        return kept

    def _sweep(self) -> list[int]:
        """Delete what dead jobs have left; what each of the living has reserved, bytes."""
        reserved = []
        for path in self.directory.iterdir():
            found = JOB.fullmatch(path.name)
            if found is not None:
                if _is_locked(path):
                    reserved.append(int(found[1]))
                else:
                    shutil.rmtree(path, ignore_errors=True)
        return reserved

    def _evict(self, most_bytes: int) -> None:
        """Delete of what no job uses all but `most_bytes`, the longest unused first."""
        unused = [(status.st_atime_ns, status.st_size, path) for path, status in self._unused()]
        excess = sum(size for _, size, _ in unused) - most_bytes
        for _, size, path in sorted(unused):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size

    def _unused(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in (self.directory / OBJECTS).iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                if status.st_nlink == 1:
                    yield path, status


def _id(store: ObjectStore, one: WantedObject) -> str:
    facts = f"{store.location.url(one.name)}\n{one.identity.size_bytes}\n{one.identity.etag}"
    return hashlib.sha256(facts.encode()).hexdigest()[:ID_LETTERS]


def _link(path: Path, target: Path) -> None:
    """Link a staged object to where a job reads it, and let it count as used; its time of change stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(path, target)
    os.utime(target, ns=(time.time_ns(), target.stat().st_mtime_ns))


def _is_locked(directory: Path) -> bool:
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(handle)
    finally:
        os.close(handle)
