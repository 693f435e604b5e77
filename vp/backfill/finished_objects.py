"""What outputs in object storage say of themselves: the ends of them are read, as ranges, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from vp.model.recording_task import DIGEST_KEY
from vp.objects.store import ObjectStore, is_of_the_store


class FinishedObjects:
    """The digests of the recordings at a place in object storage, listed when this is made.

    Raises
    ------
    ObjectStoreError
        The place cannot be listed.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._listed = {*store.sizes("")}

    def digest(self, out: Path) -> str | None:
        """That of a recording, by its name; None where there is no whole one. Raises ObjectStoreError."""
        try:
            with self._store.told("read", out.name), self._store.open(out.name) as file:
                try:
                    metadata = parquet.read_metadata(file).metadata
                except (OSError, pa.ArrowException) as error:
                    if is_of_the_store(error):
                        raise
                    return None  # cut short, damaged, or no Parquet
        except FileNotFoundError:
            return None
        found = (metadata or {}).get(DIGEST_KEY.encode())
        return None if found is None else found.decode("ascii", "replace")

    def holds(self, out: Path) -> bool:
        """Whether there was anything of a recording's name."""
        return out.name in self._listed

    def remember(self) -> None:
        """Nothing: a range of each is read again."""
