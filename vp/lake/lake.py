"""The lake: where raw files and caches lie, and which sessions there are. Raw files are only ever read."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISREG

from vp.errors import LakeError, NoRawFileError, RequestError
from vp.lake.layout import LAYOUT, Place, note_path, place_of
from vp.market.products import PRODUCT_TYPES, Product, Products, load_products

BOOK_CACHE = "vp_book"
DECOMPRESSED_CACHE = "decompressed"
SOURCES = ("databento", "generated")  # searched in this order; `generated` holds the demonstration
USUAL_DATASET = {"future_mbo": "glbx-mdp3", "equity_mbo": "xnas-itch"}
RAW_NAME = re.compile(r"([a-z0-9]+(?:[-.][a-z0-9]+)*)-([0-9]{8})\.([a-z0-9]+(?:-[a-z0-9]+)*)\.dbn(\.zst)?")
SYMBOL_FORM = re.compile(r"[A-Z0-9][A-Z0-9.\-+=^#]*")
LISTED_DATES = 10
LISTED_SYMBOLS = 20


@dataclass(frozen=True)
class RawFile:
    """One raw file of one session.

    Attributes
    ----------
    path : Path
    source : str
        One of SOURCES.
    dataset : str
        As the file's name writes it: glbx-mdp3.
    date : datetime.date
    compressed : bool
    size_bytes, mtime_ns : int
        Of the file itself where `path` is a link.
    """

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

    @property
    def date(self) -> dt.date:
        """The session's date."""
        return self.raw.date


class Lake:
    """A lake on disk, which need not be there yet.

    Parameters
    ----------
    root : str or Path, optional
        Left out: the environment's VP_LAKE, else `lake` in the current directory.
    products : str or Path, optional
        A file of products that adds to those of the package and of the lake's own products.yaml.

    Raises
    ------
    LakeError
        The root names the home directory of nobody.
    """

    def __init__(self, root: str | Path | None = None, products: str | Path | None = None) -> None:
        self.products_file = None if products is None else Path(products)
        given = root or os.environ.get("VP_LAKE") or "lake"
        try:
            self.root = Path(given).expanduser()
        except RuntimeError as error:
            raise LakeError(f"The lake {given} has no place: {error}", hint="Name the whole path.") from error

    @cached_property
    def products(self) -> Products:
        """The products that can be asked for; raises ProductsFileError."""
        return load_products(self.root, self.products_file)

    @property
    def cache_dir(self) -> Path:
        """What may be deleted at any time."""
        return self.root / "cache"

    @property
    def recordings_dir(self) -> Path:
        """Where recordings are looked for."""
        return self.root / "recordings"

    def find_raw(self, product: Product, date: dt.date) -> RawFile:
        """The raw file of a session.

        Where there are several: databento before generated, then the product type's usual dataset (glbx-mdp3,
        xnas-itch) before others by name, then uncompressed before compressed.

        Raises
        ------
        NoRawFileError
            The message says where the file was looked for and lists the dates there are.
        LakeError
            A directory cannot be read, or something else than a file stands in the file's place.
        """
        held = list(self._raw_files(product.product_type, product.root))
        found = [raw for raw in held if raw.date == date]
        if not found:
            self._refuse_other_things(product, date)
            raise self._no_raw_file(product, date, sorted({raw.date for raw in held}))
        return min(found, key=lambda raw: _rank(product.product_type, raw))

    def sessions(self) -> list[SessionEntry]:
        """Every session that can be asked for, with the file that would be read.

        Ordered by product type, symbol and date. Directories of unknown roots are left out. Raises LakeError.
        """
        entries = []
        for product_type in PRODUCT_TYPES:
            for symbol in self._symbols(product_type):
                chosen: dict[dt.date, RawFile] = {}
                for raw in self._raw_files(product_type, symbol):
                    rivals = (raw, chosen.get(raw.date, raw))
                    chosen[raw.date] = min(rivals, key=lambda rival: _rank(product_type, rival))
                entries += [SessionEntry(product_type, symbol, chosen[date]) for date in sorted(chosen)]
        return sorted(entries, key=lambda entry: (entry.product_type, entry.symbol, entry.date))

    def directory(self, place: Place, symbol: str) -> Path:
        """Where downloaded files of a kind lie, by futures root or ticker; raises LakeError for odd symbols."""
        return self._table_dir(SOURCES[0], place.product_type, symbol, place)

    def files(self, place: Place, symbol: str) -> list[RawFile]:
        """Downloaded files of a kind, of every dataset, by date and then uncompressed first; raises LakeError."""
        directory = self.directory(place, symbol)
        found = [_raw_file(directory / name, SOURCES[0], place.schema) for name in _names(directory)]
        return sorted((raw for raw in found if raw), key=lambda raw: (raw.date, raw.dataset, raw.compressed))

    def held_symbols(self, place: Place) -> list[str]:
        """Roots and tickers that have a directory for a kind of data, of every source; raises LakeError."""
        found = set()
        for source in SOURCES:
            for name in _names(self._product_dir(source, place.product_type)):
                key, _, symbol = name.partition("=")
                if key == "symbol" and SYMBOL_FORM.fullmatch(symbol):
                    found.add(symbol)
        return sorted(found)

    def every_file(self, place: Place, symbol: str) -> list[RawFile]:
        """As `files`, of every source."""
        found = []
        for source in SOURCES:
            directory = self._table_dir(source, place.product_type, symbol, place)
            found += [_raw_file(directory / name, source, place.schema) for name in _names(directory)]
        return sorted((raw for raw in found if raw), key=lambda raw: (raw.date, raw.source, raw.dataset))

    def condition(self, raw: RawFile) -> str | None:
        """How complete Databento says the day is (available, degraded, ...); None where nobody wrote it down."""
        try:
            note = json.loads(note_path(raw.path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        condition = note.get("condition") if isinstance(note, dict) else None
        return condition if isinstance(condition, str) else None

    def _symbols(self, product_type: str) -> list[str]:
        """Roots and tickers that have a directory and are known."""
        symbols = set()
        for source in SOURCES:
            for name in _names(self._product_dir(source, product_type)):
                key, _, symbol = name.partition("=")
                if key == "symbol" and self._is_root(product_type, symbol):
                    symbols.add(symbol)
        return sorted(symbols)

    def _is_root(self, product_type: str, symbol: str) -> bool:
        """Whether `symbol` is, letter for letter, a known root or a possible ticker."""
        try:
            return self.products.find(product_type, symbol).root == symbol
        except RequestError:
            return False

    def _product_dir(self, source: str, product_type: str) -> Path:
        return self.root / "raw" / f"source={source}" / f"product_type={product_type}"

    def _table_dir(self, source: str, product_type: str, symbol: str, place: Place | None = None) -> Path:
        known = {known.product_type for known in LAYOUT}
        if product_type not in known or not SYMBOL_FORM.fullmatch(symbol):  # find_product makes none such
            raise LakeError(
                f"The lake has no directory for the symbol {symbol!r} of {product_type!r}.",
                hint="Expected a served product type and a root or ticker in capitals.",
            )
        table = (place or place_of(product_type, "mbo")).table
        return self._product_dir(source, product_type) / f"symbol={symbol}" / f"table={table}"

    def _raw_files(self, product_type: str, symbol: str) -> Iterator[RawFile]:
        for source in SOURCES:
            directory = self._table_dir(source, product_type, symbol)
            for name in _names(directory):
                raw = _raw_file(directory / name, source)
                if raw is not None:
                    yield raw

    def _refuse_other_things(self, product: Product, date: dt.date) -> None:
        """Say so where the file's place is taken by a directory or a link that leads nowhere."""
        for source in SOURCES:
            directory = self._table_dir(source, product.product_type, product.root)
            for name in _names(directory):
                named = _parse_name(name)
                if named is not None and named[1] == date:
                    what = "is a directory" if (directory / name).is_dir() else "leads to no file"
                    raise LakeError(
                        f"{directory / name} {what}, expected a raw file.",
                        hint="Put the file itself there, or take this away.",
                    )

    def _no_raw_file(self, product: Product, date: dt.date, dates: list[dt.date]) -> NoRawFileError:
        directory = self._table_dir(SOURCES[0], product.product_type, product.root)
        name = f"{USUAL_DATASET[product.product_type]}-{date:%Y%m%d}.mbo.dbn"
        get_it = f"put {name} or {name}.zst there"
        missing = f"There is no raw file of {product.root} for {date} in {directory}"
        if not dates:
            known = [f"{kind} {symbol}" for kind in PRODUCT_TYPES for symbol in self._symbols(kind)]
            others = f"there are files of {_listed(known)}" if known else "there are no raw files at all"
            return NoRawFileError(
                f"{missing}, nor for any other date; under {self.root} {others}.",
                hint=f"{get_it[0].upper()}{get_it[1:]}; --lake or VP_LAKE chooses another lake.",
            )
        nearest = sorted(sorted(dates, key=lambda day: abs(day - date))[:LISTED_DATES])
        named = ", ".join(str(day) for day in nearest)
        which = (
            "the lake has" if len(dates) <= LISTED_DATES else f"the nearest of the {len(dates)} dates in the lake are"
        )
        return NoRawFileError(f"{missing}; {which} {named}.", hint=f"Choose one of these dates, or {get_it}.")


def _rank(product_type: str, raw: RawFile) -> tuple[int, bool, str, bool, str]:
    unusual = raw.dataset != USUAL_DATASET[product_type]
    return SOURCES.index(raw.source), unusual, raw.dataset, raw.compressed, raw.path.name


def _parse_name(name: str, schema: str = "mbo") -> tuple[str, dt.date, bool] | None:
    """Dataset, date and whether it is compressed out of a raw file's name; None for foreign names."""
    named = RAW_NAME.fullmatch(name)
    if named is None or named[3] != schema:
        return None
    dataset, day, _, ending = named.groups()
    try:
        return dataset, dt.date(int(day[:4]), int(day[4:6]), int(day[6:])), ending is not None
    except ValueError:
        return None


def _raw_file(path: Path, source: str, schema: str = "mbo") -> RawFile | None:
    named = _parse_name(path.name, schema)
    if named is None:
        return None
    try:
        status = path.stat()
    except FileNotFoundError:  # gone in the meantime, or a link that leads nowhere
        return None
    except OSError as error:
        raise LakeError(f"{path} cannot be looked at: {_reason(error)}.", hint="Expected a raw file.") from error
    if not S_ISREG(status.st_mode):
        return None
    dataset, date, compressed = named
    return RawFile(path, source, dataset, date, compressed, status.st_size, status.st_mtime_ns)


def _names(directory: Path) -> list[str]:
    """What stands in a directory, sorted; nothing where there is no such directory."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LakeError(
            f"{directory} cannot be read: {_reason(error)}.",
            hint="Expected a directory; see to its rights, or choose another lake with --lake or VP_LAKE.",
        ) from error


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED_SYMBOLS
    return ", ".join(names[:LISTED_SYMBOLS]) + (f" and {more} more" if more > 0 else "")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
