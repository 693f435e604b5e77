"""A recording whose inputs, or whose output, or both are objects: staged in, the same code, staged out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vp.backfill.job import RecordingJob, Result
from vp.errors import DamagedFileError
from vp.files import sha256_of
from vp.lake.layout import ENDINGS
from vp.lake.stated_sums import stated_sum
from vp.objects.location import Location
from vp.objects.staging import Staging, WantedObject
from vp.objects.store import ObjectStore
from vp.objects.upload import upload

OUTPUT = "output"


@dataclass(frozen=True)
class ObjectJob:
    """A recording job between object storage and this machine's disk.

    Attributes
    ----------
    recording : RecordingJob
        What is done in between; of a lake in object storage it names none.
    staging : Staging
        On the machine where it is run.
    source : Location or None
        Of the lake; None: it is on a disk.
    target : Location or None
        Where the output goes, under its name; None: to the disk.
    wanted : tuple of WantedObject
        Its inputs.
    """

    recording: RecordingJob
    staging: Staging
    source: Location | None
    target: Location | None
    wanted: tuple[WantedObject, ...] = ()

    @property
    def name(self) -> str:
        """The symbol and the days."""
        return self.recording.name

    @property
    def out(self) -> Path:
        """Where the output goes on a disk; of one that goes to object storage the name alone says something."""
        return self.recording.out if self.target is None else self.staging.directory / self.recording.out.name

    @property
    def place(self) -> str:
        """Where the output goes, as a person reads it."""
        return self.recording.place if self.target is None else self.target.url(self.out.name)

    @property
    def digest(self) -> str:
        """That of the recording."""
        return self.recording.digest

    @property
    def size_bytes(self) -> int:
        """Of the inputs."""
        return self.recording.size_bytes

    def run(self, on_share: Callable[[float], None]) -> Result:
        """Stage in, record, stage out.

        Raises
        ------
        DamagedFileError
            An input is not what a note beside it states.
        VPError
        """
        store = None if self.source is None else ObjectStore(self.source)
        with self.staging.staged(store, self.wanted) as (place, sums):
            _check(place, sums)
            recording = self.recording
            if store is not None:
                session = dataclasses.replace(recording.task.session, lake=str(place))
                recording = dataclasses.replace(recording, task=dataclasses.replace(recording.task, session=session))
            if self.target is None:
                return recording.run(on_share)
            out = place / OUTPUT / self.out.name
            out.parent.mkdir()
            result = dataclasses.replace(recording, out=out).run(on_share)
            upload(self.target, out.name, out, sha256_of(out))
            return result


def _check(place: Path, sums: dict[str, str]) -> None:
    """Hold the bytes of raw files against what notes beside them state; raises DamagedFileError."""
    for name, sha256 in sums.items():
        stated = stated_sum(place / name) if name.endswith(ENDINGS) else None
        if stated is not None and sha256 != stated.sha256:
            raise DamagedFileError(
                f"{Path(name).name} came with another sha256 than {stated.note} states.",
                hint="Lay the file and its note into the lake again.",
                path=name,
            )
