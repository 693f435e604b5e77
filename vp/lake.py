"""The lake: where raw files, caches and recordings lie, and which sessions there are. Raw files are only read."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vp.errors import LakeError, NoRawFileError
from vp.products import PRODUCT_TYPES, Product

SOURCES = ("databento", "generated")  # searched in this order; `generated` holds the demonstration
TABLE = "market_by_order_dbn"
RAW_NAME = re.compile(r"([a-z0-9-]+)-(\d{8})\.mbo\.dbn(\.zst)?")
LISTED_DATES = 10


@dataclass(frozen=True)
class RawFile:
    """One raw file of one session."""

    path: Path
    source: str
    dataset: str
    date: dt.date
    compressed: bool
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class SessionEntry:
    """One session that the lake holds; `symbol` is the futures root or the ticker."""

    product_type: str
    symbol: str
    raw: RawFile


class Lake:
    """A lake on disk.

    Parameters
    ----------
    root : str or Path, optional
        Left out: the environment's VP_LAKE, else `lake` in the current directory.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get("VP_LAKE") or "lake")

    @property
    def cache_dir(self) -> Path:
        """What may be deleted at any time."""
        return self.root / "cache"

    def find_raw(self, product: Product, date: dt.date) -> RawFile:
        """The raw file of a session: databento before generated, uncompressed before compressed, then by name.

        Raises
        ------
        NoRawFileError
            The message lists the dates there are.
        """
        found = [raw for raw in self._raw_files(product.product_type, product.root) if raw.date == date]
        if found:
            return min(found, key=lambda raw: (SOURCES.index(raw.source), raw.compressed, raw.path.name))
        looked = self._table(SOURCES[0], product.product_type, product.root)
        dates = self.dates(product)
        if not dates:
            raise NoRawFileError(
                f"The lake holds no raw file of {product.root} for {date}, nor for any other date.",
                hint=f"Put one into {looked}, or point --lake (or VP_LAKE) at a lake that has it.",
            )
        nearest = sorted(sorted(dates, key=lambda day: abs(day - date))[:LISTED_DATES])
        named = ", ".join(str(day) for day in nearest)
        which = "it holds" if len(dates) <= LISTED_DATES else f"the nearest of its {len(dates)} dates are"
        raise NoRawFileError(
            f"The lake holds no raw file of {product.root} for {date}; {which} {named}.",
            hint=f"Choose one of these dates, or put the file into {looked}.",
        )

    def dates(self, product: Product) -> list[dt.date]:
        """Dates of which the lake holds a raw file of the product, ascending."""
        return sorted({raw.date for raw in self._raw_files(product.product_type, product.root)})

    def sessions(self) -> list[SessionEntry]:
        """Every session there is, the file that would be read for each."""
        chosen: dict[tuple[str, str, dt.date], RawFile] = {}
        for source in SOURCES:
            for product_type in PRODUCT_TYPES:
                parent = self._table(source, product_type, "x").parent.parent
                symbols = sorted(path.name[7:] for path in parent.glob("symbol=*") if path.is_dir())
                for symbol in symbols:
                    for raw in self._raw_files(product_type, symbol):
                        key = (product_type, symbol, raw.date)
                        best = chosen.get(key, raw)
                        chosen[key] = min(best, raw, key=lambda r: (SOURCES.index(r.source), r.compressed, r.path.name))
        return [SessionEntry(*key[:2], chosen[key]) for key in sorted(chosen)]

    def require_writable(self, directory: Path) -> None:
        """Make `directory` and prove that a file can be written there.

        Raises
        ------
        LakeError
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=directory, prefix=".writable-"):
                pass
        except OSError as error:
            raise LakeError(
                f"{directory} cannot be written: {error.strerror}.",
                hint="Choose another lake with --lake or VP_LAKE, or make the directory writable.",
            ) from error

    def _table(self, source: str, product_type: str, symbol: str) -> Path:
        return (
            self.root
            / "raw"
            / f"source={source}"
            / f"product_type={product_type}"
            / f"symbol={symbol}"
            / f"table={TABLE}"
        )

    def _raw_files(self, product_type: str, symbol: str) -> list[RawFile]:
        found = []
        for source in SOURCES:
            directory = self._table(source, product_type, symbol)
            try:
                paths = sorted(directory.iterdir()) if directory.exists() else []
            except OSError as error:
                raise LakeError(
                    f"{directory} cannot be read: {error.strerror}.", hint="Expected a directory of raw files."
                ) from error
            found += [raw for path in paths if (raw := _raw_file(path, source)) is not None]
        return found


def _raw_file(path: Path, source: str) -> RawFile | None:
    named = RAW_NAME.fullmatch(path.name)
    if named is None or not path.is_file():
        return None
    try:
        date = dt.datetime.strptime(named.group(2), "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None
    status = path.stat()
    return RawFile(path, source, named.group(1), date, named.group(3) is not None, status.st_size, status.st_mtime_ns)
