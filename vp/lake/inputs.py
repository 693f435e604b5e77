"""Which raw files can be a session's input, in the order in which they are to be tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vp.lake.names import RawName

SOURCES = ("databento", "generated")  # searched in this order; `generated` holds the demonstration
USUAL_DATASET = {"future_mbo": "glbx-mdp3", "equity_mbo": "xnas-itch"}
WHOLE, SPLIT, SEGMENTS = range(3)


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Attributes
    ----------
    path : Path
    source : str
        One of SOURCES.
    name : RawName
        What its name says of it.
    size_bytes, mtime_ns : int
        Of the file itself where `path` is a link.
    """

    path: Path
    source: str
    name: RawName
    size_bytes: int
    mtime_ns: int

    @property
    def dataset(self) -> str:
        """As the file's name writes it: glbx-mdp3."""
        return self.name.dataset

    @property
    def date(self) -> dt.date:
        """The first day that it holds."""
        return self.name.first

    @property
    def compressed(self) -> bool:
        """Whether its name ends in .zst."""
        return self.name.compressed

    @property
    def kind(self) -> int:
        """WHOLE, SPLIT (by symbols) or SEGMENTS (of a live recording)."""
        if self.name.segment is not None:
            return SEGMENTS
        return WHOLE if self.name.symbol is None else SPLIT

    def covers(self, date: dt.date) -> bool:
        """Whether its name says that it holds a day."""
        return self.name.first <= date <= self.name.last


@dataclass(frozen=True)
class LoneFile:
    """A file outside of the lake's layout that is played by its path.

    Attributes
    ----------
    raw : RawFile
    products : tuple of (product type, root or ticker)
        What it holds; none where it does not say.
    contracts : tuple of str
        The names that it maps, as far as they can be asked for.
    dates : tuple of datetime.date
        The sessions that it holds, ascending.
    product_type : str
        What its dataset is of.
    unknown : tuple of str
        The names that it maps, where none is of a known product.
    """

    raw: RawFile
    products: tuple[tuple[str, str], ...]
    contracts: tuple[str, ...]
    dates: tuple[dt.date, ...]
    product_type: str
    unknown: tuple[str, ...] = ()

    def holds(self, product_type: str, root: str) -> bool:
        """Whether it holds a product, as far as it says."""
        return not self.products or (product_type, root) in self.products


@dataclass(frozen=True)
class RawInput:
    """Files that are read one behind the other: a file alone, the parts of one, or the segments of a day.

    Attributes
    ----------
    files : tuple of RawFile
        In the order in which they are read; of one source, dataset, kind and span of days.
    """

    files: tuple[RawFile, ...]

    @property
    def source(self) -> str:
        """One of SOURCES."""
        return self.files[0].source

    @property
    def dataset(self) -> str:
        """As the files' names write it."""
        return self.files[0].dataset

    @property
    def kind(self) -> int:
        """WHOLE, SPLIT or SEGMENTS."""
        return self.files[0].kind

    @property
    def symbol(self) -> str | None:
        """The symbol in the names, of files that are split by symbols."""
        return self.files[0].name.symbol

    @property
    def first(self) -> dt.date:
        """The first day that the files hold."""
        return self.files[0].name.first

    @property
    def last(self) -> dt.date:
        """The last day that the files hold."""
        return self.files[0].name.last


def inputs_of(product_type: str, files: Iterable[RawFile]) -> list[RawInput]:
    """Group files, each but once, into inputs.

    In the order in which they are tried: by source (databento before generated), by dataset (the product type's usual
    one before others by name), whole days before files split by symbols before live segments, shorter spans of days
    before longer. Where a file is there both ways, the uncompressed one is taken.
    """
    by_stem: dict[str, RawFile] = {}
    for raw in sorted(files, key=lambda raw: raw.compressed):
        by_stem.setdefault(str(raw.path).removesuffix(".zst"), raw)  # a string has its hash at once, a path has not
    groups: dict[tuple[object, ...], list[RawFile]] = {}
    for raw in by_stem.values():
        name = raw.name
        pieces = name.part is not None
        directory = str(raw.path).removesuffix(raw.path.name)
        key = (directory, raw.source, name.dataset, raw.kind, name.first, name.last, name.symbol, pieces)
        groups.setdefault(key, []).append(raw)
    found = [RawInput(tuple(sorted(group, key=_place_in_time))) for group in groups.values()]
    return sorted(found, key=lambda one: _rank(product_type, one))


def _place_in_time(raw: RawFile) -> tuple[str, int, str]:
    return raw.name.segment or "", raw.name.part or 0, raw.path.name


def _rank(product_type: str, one: RawInput) -> tuple[object, ...]:
    unusual = one.dataset != USUAL_DATASET[product_type]
    source = SOURCES.index(one.source)
    first = one.files[0]
    in_parts = first.name.part is not None
    span = one.last - one.first
    return source, unusual, one.dataset, one.kind, span, in_parts, one.first, one.symbol or "", str(first.path)
