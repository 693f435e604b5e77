"""Which files hold a contract, and which contract a symbol means: what is in them decides, not their names alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vp.dbn.contents import Contents, contents_of
from vp.dbn.contracts import (
    can_be_asked_for,
    count_records,
    is_one_contract,
    names_of_product,
    spans_of,
)
from vp.dbn.kept_surveys import KeptSurveys
from vp.dbn.selection import EVERY_INSTRUMENT, InstrumentSpan
from vp.errors import FileError, UnknownSymbolError
from vp.lake.inputs import SEGMENTS, RawFile, RawInput
from vp.lake.lake import listed
from vp.lake.segment_manifest import manifest_beside, read_manifest
from vp.market.products import Product, Products, is_contract
from vp.market.session_hours import midnight_ns
from vp.market.symbols import spelling_key


@dataclass(frozen=True)
class InputFile:
    """One file of a session's input, and the ids that the contract has in it.

    Attributes
    ----------
    raw : RawFile
    spans : tuple of InstrumentSpan
    begin : (int, int) or None
        Byte offset and number of the record from which it counts, where it begins by repeating the file before it.
    is_behind_gap : bool
        Whether records are missing between the file before it and this one.
    """

    raw: RawFile
    spans: tuple[InstrumentSpan, ...]
    begin: tuple[int, int] | None = None
    is_behind_gap: bool = False

    def received_from(self, date: dt.date) -> InputFile:
        """The same without what was received before a date began (UTC), which another file holds."""
        start_ns = midnight_ns(date)
        left = (replace(span, start_ns=max(span.start_ns, start_ns)) for span in self.spans if span.end_ns > start_ns)
        return replace(self, spans=tuple(left))


class ContractSearch:
    """Looks into files for contracts, and remembers what was wrong with one that cannot be used."""

    def __init__(
        self, products: Products, product: Product, dates: Sequence[dt.date], surveys: KeptSurveys | None
    ) -> None:
        self._surveys = surveys
        self.products = products
        self.product = product
        self.dates = dates
        self._failures: dict[Path, FileError] = {}

    @property
    def failure(self) -> FileError | None:
        """What is wrong with the first file that cannot be used."""
        return next(iter(self._failures.values()), None)

    def holder(self, inputs: Iterable[RawInput], symbol: str) -> list[InputFile] | None:
        """The files of the first input that holds a contract; of these, those that do."""
        for one in inputs:
            if self._may_hold(one, symbol) and (held := self._files_with(one, symbol)):
                return held
        return None

    def busiest(self, symbol: str, by_date: Sequence[list[RawInput]]) -> str:
        """The contract of most records in its input, of equals the one with the lowest instrument id."""
        first = next((one for inputs in by_date for one in inputs if self._names(one)), by_date[0][0])
        same = [[one for one in inputs if (one.source, one.dataset) == (first.source, first.dataset)]
                for inputs in by_date]  # fmt: skip
        names = sorted({name for inputs in same for one in inputs for name in self._names(one)})
        if not names:
            return self._busiest_number(symbol, same)
        if len(names) == 1:
            return names[0]
        best = min((self._rank(same, name), name) for name in names)
        return best[1]

    def refusal(self, symbol: str, inputs: Sequence[RawInput]) -> UnknownSymbolError:
        """What to say of a symbol that nothing holds."""
        names = {name for one in inputs for name in self._names(one)}
        offered = sorted(name for name in names if can_be_asked_for(self.products, self.product.product_type, name))
        files = sorted({raw.path.name for one in inputs for raw in one.files})
        where = f"{files[0]} does" if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files do"
        busiest = "" if self.product.root == symbol else f", or ask for {self.product.root} to take the busiest"
        busiest = busiest if self.product.product_type.startswith("future_") else ""
        if not names:
            numbers = sorted({number for one in inputs for number in self._numbers(one)})
            return UnknownSymbolError(
                f"{where.removesuffix(' do').removesuffix(' does')} has no symbol mappings and holds the instruments "
                f"{listed([str(number) for number in numbers])}, so {symbol} cannot be told among them.",
                hint=f"Download the file with its symbol mappings{busiest}.",
            )
        others = len(names) - len(offered)
        more = f" and {others} of other forms" if others and offered else ""
        return UnknownSymbolError(
            f"{where} not hold {symbol}; {'it holds' if len(files) == 1 else 'they hold'} "
            f"{listed(offered) or f'{others} symbols of other forms'}{more}.",
            hint=f"Ask for one of these{busiest}.",
        )

    def _may_hold(self, one: RawInput, symbol: str) -> bool:
        """Whether a file is worth a look: one that is named after another contract is not."""
        if one.symbol is None or not is_one_contract(self.products, self.product, one.symbol):
            return True
        return _letters(one.symbol) == _letters(symbol)

    def _files_with(self, one: RawInput, symbol: str) -> list[InputFile]:
        held = []
        files = _played(one)
        for raw in files:
            contents = self._contents(raw)
            if contents is not None and (spans := spans_of(contents, symbol, self.dates)):
                held.append(InputFile(raw, spans, _begin(raw, spans), _is_behind_gap(raw)))
        damaged = [self._failures[raw.path] for raw in files if raw.path in self._failures and raw.size_bytes]
        if held and damaged:  # without it there would be a hole that nobody sees
            raise damaged[0]
        return held

    def _names(self, one: RawInput) -> list[str]:
        """The contracts of the product that an input holds, without a look into files whose names tell."""
        if one.symbol is not None and is_one_contract(self.products, self.product, one.symbol):
            return [one.symbol]
        found = set()
        for raw in one.files:
            contents = self._contents(raw)
            if contents is not None:
                found |= set(names_of_product(contents, self.products, self.product, self.dates))
        return sorted(found)

    def _rank(self, by_date: Sequence[list[RawInput]], name: str) -> tuple[int, int, bool]:
        """Most records first, then the lowest instrument id."""
        total, lowest = 0, EVERY_INSTRUMENT
        for inputs in by_date:
            for file in self.holder(inputs, name) or ():
                contents = self._contents(file.raw)
                if contents is not None:
                    total += count_records(contents, file.spans, self.dates)
                    lowest = file.spans[0].instrument_id
        return -total, lowest, not is_contract(self.product, name)

    def _busiest_number(self, symbol: str, by_date: Sequence[list[RawInput]]) -> str:
        """The busiest instrument of files that name none: its id, as its name; the symbol where it is alone."""
        counts: dict[int, int] = {}
        for one in {id(one): one for inputs in by_date for one in inputs}.values():
            for number in self._numbers(one):
                held = (self._contents(raw) for raw in one.files)
                counts[number] = sum(contents.count(number, frozenset(self.dates)) for contents in held if contents)
        if len(counts) < 2:
            return symbol
        return str(min(counts, key=lambda number: (-counts[number], number)))

    def _numbers(self, one: RawInput) -> list[int]:
        found = set()
        for raw in one.files:
            contents = self._contents(raw)
            found |= set() if contents is None else set(contents.instrument_ids())
        return sorted(found)

    def _contents(self, raw: RawFile) -> Contents | None:
        if raw.path in self._failures:
            return None
        try:
            return contents_of(raw, self._surveys)
        except FileError as error:
            self._failures[raw.path] = error
        return None


def _played(one: RawInput) -> tuple[RawFile, ...]:
    """The files of an input without the segments of a live recording that do not go on from those before them."""
    if one.kind != SEGMENTS:
        return one.files
    return tuple(raw for raw in one.files if raw.path.name not in read_manifest(manifest_beside(raw)).set_aside)


def _begin(raw: RawFile, spans: Sequence[InstrumentSpan]) -> tuple[int, int] | None:
    """From where a contract's records are new, in a segment of a live recording."""
    if raw.kind != SEGMENTS:
        return None
    begins = read_manifest(manifest_beside(raw)).begins.get(raw.path.name, {})
    return max((begins[span.instrument_id] for span in spans if span.instrument_id in begins), default=None)


def _is_behind_gap(raw: RawFile) -> bool:
    return raw.kind == SEGMENTS and raw.path.name in read_manifest(manifest_beside(raw)).behind_gaps


def _letters(symbol: str) -> str:
    """A symbol without what names of files may write in another way."""
    return re.sub(r"[^A-Z0-9]", "", spelling_key(symbol))
