"""What stands for the raw files of a session without reading them: names, sizes and times of change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
    """Identities of the files that sessions of a lake may be played from; each directory is listed once.

    Attributes
    ----------
    lake : Lake
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._raw = str(lake.root / "raw") + "/"
        self._by_day: dict[tuple[str, str], dict[dt.date, list[FileIdentity]]] = {}
        self._beside: dict[tuple[str, str], list[FileIdentity]] = {}

    def of(self, product: Product, dates: Sequence[dt.date]) -> list[FileIdentity]:
        """Every file that a session of these days may be played from, and what lies beside and tells about it.

        Raises
        ------
        NoRawFileError
            There is none.
        LakeError
        """
        key = product.product_type, product.root
        if key not in self._by_day:
            self._look(product, key)
        by_day = self._by_day[key]
        found = {identity for date in dates for identity in by_day.get(date, ())}
        if not found:
            self.lake.inputs_by_date(product, dates)  # says what there is instead
        return sorted({*found, *self._beside[key]})

    def _look(self, product: Product, key: tuple[str, str]) -> None:
        by_day: dict[dt.date, list[FileIdentity]] = {}
        directories = set()
        lone = self.lake.lone_file
        for one in self.lake.every_input(product):
            for raw in one.files:
                identities = [self._identity(raw)]
                if raw.kind == SEGMENTS:
                    identities.append(self._of_path(manifest_beside(raw)))
                for day in raw.name.days() if lone is None else lone.dates:
                    by_day.setdefault(day, []).extend(identities)
                directories.add(raw.path.parent)
        self._by_day[key] = by_day
        self._beside[key] = []
        if product.product_type.startswith("future_"):  # definitions state ticks of spreads
            places = {place for path in directories for place in (path, path.with_name(DEFINITIONS))}
            files = (path for place in sorted(places) for path in place.glob("*.definition*") if path.is_file())
            self._beside[key] = [self._of_path(path) for path in files]

    def _identity(self, raw: RawFile) -> FileIdentity:
        return FileIdentity(self._name(raw.path), raw.size_bytes, str(raw.mtime_ns))

    def _of_path(self, path: Path) -> FileIdentity:
        try:
            status = path.stat()
        except FileNotFoundError:
            return FileIdentity(self._name(path), 0, "")
        return FileIdentity(self._name(path), status.st_size, str(status.st_mtime_ns))

    def _name(self, path: Path) -> str:
        text = str(path)
        return text.removeprefix(self._raw) if text.startswith(self._raw) else path.name
