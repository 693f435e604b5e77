"""What stands for the raw files of a session without reading them: names, sizes and times of change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vp.lake.inputs import SEGMENTS, RawFile
from vp.lake.lake import Lake
from vp.lake.segment_manifest import manifest_beside
from vp.market.products import Product

DEFINITIONS = "table=definition"


class FileIdentity(NamedTuple):
    """One file: its path within the raw files of its lake (of others, its name), its size, and what changes with it.

    `stamp` is the time of change in ns; of an object in a store its entity tag.
    """

    name: str
    size_bytes: int
    stamp: str


class InputIdentities:
    """Identities of the files that sessions of a lake may be played from; directories are listed once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._definitions: dict[Path, tuple[FileIdentity, ...]] = {}

    def of(self, product: Product, dates: Iterable[dt.date]) -> tuple[FileIdentity, ...]:
        """Every file that a session of these days may be played from, and what lies beside and tells about it.

        Raises
        ------
        NoRawFileError
            There is none.
        LakeError
        """
        by_date = self._lake.inputs_by_date(product, dates)
        files = {raw.path: raw for inputs in by_date.values() for one in inputs for raw in one.files}
        found = {self._identity(raw) for raw in files.values()}
        found |= {self._of_path(manifest_beside(raw)) for raw in files.values() if raw.kind == SEGMENTS}
        if product.product_type.startswith("future_"):
            for directory in {path.parent for path in files}:
                found |= {*self._of_definitions(directory), *self._of_definitions(directory.with_name(DEFINITIONS))}
        return tuple(sorted(found))

    def _of_definitions(self, directory: Path) -> tuple[FileIdentity, ...]:
        if directory not in self._definitions:
            held = [path for path in sorted(directory.glob("*.definition*")) if path.is_file()]
            self._definitions[directory] = tuple(self._of_path(path) for path in held)
        return self._definitions[directory]

    def _identity(self, raw: RawFile) -> FileIdentity:
        return FileIdentity(self._name(raw.path), raw.size_bytes, str(raw.mtime_ns))

    def _of_path(self, path: Path) -> FileIdentity:
        try:
            status = path.stat()
        except FileNotFoundError:
            return FileIdentity(self._name(path), 0, "")
        return FileIdentity(self._name(path), status.st_size, str(status.st_mtime_ns))

    def _name(self, path: Path) -> str:
        raw = self._lake.root / "raw"
        return path.relative_to(raw).as_posix() if path.is_relative_to(raw) else path.name
