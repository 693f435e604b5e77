"""The lake: where raw files and caches lie, and which sessions there are. Raw files are only ever read."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from vp.errors import LakeError, NoRawFileError, RequestError, quoted
from vp.lake.directories import names_in, raw_file, symbol_directories
from vp.lake.inputs import SOURCES, USUAL_DATASET, LoneFile, RawFile, RawInput, inputs_of
from vp.lake.layout import Place, note_path
from vp.lake.names import parse_name
from vp.lake.raw_directories import SYMBOL_FORM, RawDirectories
from vp.lake.seen import Seen, reason
from vp.lake.session_entry import SessionEntry, entries_of
from vp.lake.stated_totals import read_note
from vp.market.products import LAKE_FILE, PRODUCT_TYPES, Product, Products, load_products

LAKE_VARIABLE = "VP_LAKE"
LISTED_DATES = 10
LISTED_SYMBOLS = 20


def listed(names: Iterable[str]) -> str:
    """Names with commas between, the first of many."""
    names = list(names)
    more = len(names) - LISTED_SYMBOLS
    return ", ".join(names[:LISTED_SYMBOLS]) + (f" and {more} more" if more > 0 else "")


class Lake:
    """A lake on disk, which need not be there yet.

    Parameters
    ----------
    root : str or Path, optional
        Left out: the environment's VP_LAKE, else `lake` in the current directory.
    products : str or Path, optional
        A file of products that adds to those of the package and of the lake's own products.yaml.
    lone_file : LoneFile, optional
        Sessions are those of this file alone, and their caches lie in the lake.

    Raises
    ------
    LakeError
        The root names the home directory of nobody, or no directory.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        products: str | Path | None = None,
        *,
        lone_file: LoneFile | None = None,
    ) -> None:
        self.lone_file = lone_file
        self.products_file = None if products is None else Path(products)
        given = root or os.environ.get(LAKE_VARIABLE) or "lake"
        if isinstance(given, str) and "://" in given:
            raise LakeError(
                f"The lake {quoted(given.rpartition('@')[2])} is no directory.",
                hint="Only `vp backfill` reads object storage: copy the days wanted to a disk, or mount the lake.",
            )
        try:
            self.root = Path(given).expanduser()
        except RuntimeError as error:
            raise LakeError(f"The lake {given} has no place: {error}", hint="Name the whole path.") from error
        self._directories = RawDirectories(self.root)

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

    def inputs(self, product: Product, date: dt.date) -> list[RawInput]:
        """What can be read for a session, in the order in which it is to be tried (vp.lake.inputs.inputs_of).

        Raises
        ------
        NoRawFileError
            There is nothing. The message says where it was looked for and lists the dates there are.
        LakeError
            A directory cannot be read, or something else than a file stands in the file's place.
        """
        if self.lone_file is not None:
            return self._of_lone_file(self.lone_file, product, date)
        found = inputs_of(product.product_type, self._raw_files(product.product_type, product.root, date))
        if not found:
            self._refuse_other_things(product, date)
            raise self._no_raw_file(product, date, self.dates(product))
        return found

    def every_input(self, product: Product) -> list[RawInput]:
        """What can be read for any session of a product; raises LakeError."""
        if self.lone_file is not None:
            return [RawInput((self.lone_file.raw,))]
        return inputs_of(product.product_type, self._raw_files(product.product_type, product.root))

    def inputs_by_date(self, product: Product, dates: Iterable[dt.date]) -> dict[dt.date, list[RawInput]]:
        """As `inputs`, of each of the days for which there is anything; raises as `inputs` where there is nothing."""
        found: dict[dt.date, list[RawInput]] = {}
        missing: NoRawFileError | None = None
        for date in dates:
            try:
                found[date] = self.inputs(product, date)
            except NoRawFileError as error:
                missing = missing or error
        if not found and missing is not None:
            raise missing
        return found

    def dates(self, product: Product) -> list[dt.date]:
        """The dates for which there is a file, ascending; raises LakeError."""
        if self.lone_file is not None:
            holds = self.lone_file.holds(product.product_type, product.root)
            return list(self.lone_file.dates) if holds else []
        return [entry.date for entry in self._entries(product.product_type, product.root, None)]

    def sessions_of(self, product: Product) -> list[SessionEntry]:
        """The sessions of a product, by date; raises LakeError."""
        return self._entries(product.product_type, product.root, None)

    def sessions(self, seen: Seen | None = None) -> list[SessionEntry]:
        """Every session that can be asked for, with the files that would be read.

        Ordered by product type, symbol and date. Directories of unknown roots are left out, and of files of several
        days the days on which their markets are closed. No file is opened. What cannot be looked at is passed over,
        and `seen` tells.
        """
        seen = Seen() if seen is None else seen
        for path in (self.root / LAKE_FILE, self.products_file):
            if path is not None:
                seen.depend_on(path)
        if self.lone_file is not None:
            seen.depend_on(self.lone_file.raw.path)
            lone = RawInput((self.lone_file.raw,))
            return sorted(
                (
                    SessionEntry(product_type, symbol, date, (lone,))
                    for product_type, symbol in self.lone_file.products
                    for date in self.lone_file.dates
                ),
                key=lambda entry: (entry.product_type, entry.symbol, entry.date),
            )
        return [
            entry
            for product_type in sorted(PRODUCT_TYPES)
            for symbol in self._symbols(product_type, seen)
            for entry in self._entries(product_type, symbol, seen)
        ]

    def directory(self, place: Place, symbol: str) -> Path:
        """Where downloaded files of a kind lie, by futures root or ticker; raises LakeError for odd symbols."""
        return self._directories.table(SOURCES[0], place.product_type, symbol, place)

    def files(self, place: Place, symbol: str) -> list[RawFile]:
        """Downloaded files that hold all of one day, by date, uncompressed ones first; raises LakeError."""
        directory = self.directory(place, symbol)
        found = (raw_file(directory / name, SOURCES[0], place.schema) for name in names_in(directory))
        days = [raw for raw in found if raw is not None and raw.name.is_whole_day]
        return sorted(days, key=lambda raw: (raw.date, raw.dataset, raw.compressed))

    def held_symbols(self, place: Place) -> list[str]:
        """Roots and tickers that have a directory for a kind of data, of every source."""
        seen = Seen()
        found = {
            symbol
            for source in SOURCES
            for symbol in symbol_directories(self._directories.product(source, place.product_type), seen)
            if SYMBOL_FORM.fullmatch(symbol)
        }
        return sorted(found)

    def every_file(self, place: Place, symbol: str) -> list[RawFile]:
        """Every raw file of a kind, of every source and name; what cannot be looked at is passed over."""
        seen = Seen()
        found = [
            raw
            for source, directory in self._directories.tables(place.product_type, symbol, place, seen)
            for name in names_in(directory, seen)
            if (raw := raw_file(directory / name, source, place.schema)) is not None
        ]
        return sorted(found, key=lambda raw: (raw.date, raw.source, raw.dataset, raw.path.name))

    def condition(self, raw: RawFile) -> str | None:
        """How complete Databento says the day is (available, degraded, ...); None where nobody wrote it down."""
        condition = read_note(note_path(raw.path)).get("condition")
        return condition if isinstance(condition, str) else None

    def _of_lone_file(self, lone: LoneFile, product: Product, date: dt.date) -> list[RawInput]:
        if date in self.dates(product):
            return [RawInput((lone.raw,))]
        symbols = listed(f"{kind} {symbol}" for kind, symbol in lone.products) or "nothing that it names"
        raise NoRawFileError(
            f"{lone.raw.path} holds no session of {product.root} on {date}; it holds {symbols} on "
            f"{listed(map(str, lone.dates)) or 'no day'}.",
            hint="Choose one of these.",
        )

    def _entries(self, product_type: str, symbol: str, seen: Seen | None) -> list[SessionEntry]:
        return entries_of(product_type, symbol, self._raw_files(product_type, symbol, seen=seen))

    def _symbols(self, product_type: str, seen: Seen) -> list[str]:
        """Roots and tickers that have a directory and are known."""
        found = {
            symbol
            for source in SOURCES
            for symbol in symbol_directories(self._directories.product(source, product_type), seen)
            if self._is_root(product_type, symbol)
        }
        return sorted(found)

    def _is_root(self, product_type: str, symbol: str) -> bool:
        """Whether `symbol` is, letter for letter, a known root or a possible ticker."""
        try:
            return self.products.find(product_type, symbol).root == symbol
        except RequestError:
            return False

    def _raw_files(
        self, product_type: str, symbol: str, date: dt.date | None = None, seen: Seen | None = None
    ) -> Iterator[RawFile]:
        """The market-by-order files of a root or ticker; with `date`, those whose name says that they hold it."""
        for source, directory in self._directories.tables(product_type, symbol, seen=seen):
            for name in names_in(directory, seen):
                said = parse_name(name)
                if said is not None and (date is None or said.first <= date <= said.last):
                    raw = raw_file(directory / name, source, seen=seen)
                    if raw is not None:
                        yield raw

    def _refuse_other_things(self, product: Product, date: dt.date) -> None:
        """Say so where the file's place is taken by a directory or a link that leads nowhere."""
        for _source, directory in self._directories.tables(product.product_type, product.root):
            for name in names_in(directory):
                said = parse_name(name)
                if said is not None and said.first <= date <= said.last:
                    raise LakeError(
                        f"{directory / name} {_what_stands(directory / name)}, expected a raw file.",
                        hint="Put the file itself there, or take this away.",
                    )

    def _no_raw_file(self, product: Product, date: dt.date, dates: list[dt.date]) -> NoRawFileError:
        directory = self._directories.table(SOURCES[0], product.product_type, product.root)
        name = f"{USUAL_DATASET[product.product_type]}-{date:%Y%m%d}.mbo.dbn"
        get_it = f"put {name} or {name}.zst there"
        missing = f"There is no raw file of {product.root} for {date} in {directory}"
        if not dates:
            known = [f"{kind} {symbol}" for kind in PRODUCT_TYPES for symbol in self._symbols(kind, Seen())]
            others = f"there are files of {listed(known)}" if known else "there are no raw files at all"
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


def _what_stands(path: Path) -> str:
    """What stands at the place of a raw file and is none."""
    try:
        path.stat()
    except FileNotFoundError:
        return "leads to no file"
    except OSError as error:
        return f"cannot be looked at: {reason(error)}"
    return "is a directory" if path.is_dir() else "is no file"
