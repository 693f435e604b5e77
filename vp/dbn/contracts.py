"""Which instrument of a raw file a request means."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from vp.dbn.file import DbnFile
from vp.dbn.reader import count_by_instrument
from vp.errors import UnknownSymbolError
from vp.market.products import Product, is_contract

LISTED_SYMBOLS = 20


@dataclass(frozen=True)
class Contract:
    """The instrument chosen: its name, and its id in this file on this date."""

    name: str
    instrument_id: int


def choose_contract(file: DbnFile, product: Product, symbol: str, date: dt.date) -> Contract:
    """Find `symbol` in the file's own mappings; a bare root or continuous name is the busiest instrument.

    A file without mappings and with a single instrument id is that instrument.

    Raises
    ------
    UnknownSymbolError
        The file does not hold the symbol; the message lists what it holds.
    """
    on_date = [m for m in file.mappings if m.start <= date < m.end] or list(file.mappings)
    names = {m.raw_symbol: m.instrument_id for m in on_date}
    if symbol in names:
        return Contract(symbol, names[symbol])
    wants_busiest = not is_contract(product, symbol)
    if names and not wants_busiest:
        raise UnknownSymbolError(
            f"{file.path.name} does not hold {symbol}; it holds {_listed(sorted(names))}.",
            hint=f"Ask for one of these{_or_the_busiest(product, symbol)}.",
        )
    by_id = {number: name for name, number in names.items()}
    if len(by_id) == 1 and wants_busiest:
        number, name = next(iter(by_id.items()))
        return Contract(name, number)
    counts = count_by_instrument(file)
    if not counts:
        return Contract(symbol, -1)
    if not names and len(counts) > 1 and not wants_busiest:
        raise UnknownSymbolError(
            f"{file.path.name} has no symbol mappings and holds the instruments "
            f"{_listed([str(number) for number in sorted(counts)])}, so {symbol} cannot be told among them.",
            hint=f"Download the file with its symbol mappings{_or_the_busiest(product, symbol)}.",
        )
    busiest = min(counts, key=lambda number: (-counts[number], number))
    fallback = symbol if len(counts) == 1 else str(busiest)
    return Contract(by_id.get(busiest, fallback), busiest)


def _or_the_busiest(product: Product, symbol: str) -> str:
    return "" if product.root == symbol else f", or ask for {product.root} to take the busiest"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:LISTED_SYMBOLS])
    more = len(names) - LISTED_SYMBOLS
    return f"{shown} and {more} more" if more > 0 else shown
