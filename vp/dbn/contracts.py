"""Which instruments of a raw file a symbol means, on the days of a session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from vp.dbn.contents import Contents
from vp.dbn.selection import EVERY_INSTRUMENT, InstrumentSpan
from vp.dbn.symbol_mappings import Mapping
from vp.errors import RequestError
from vp.market.products import Product, Products, is_contract
from vp.market.session_hours import ONE_DAY, midnight_ns
from vp.market.symbols import find_spelling


def names_on(contents: Contents, dates: Sequence[dt.date]) -> frozenset[str]:
    """The names that a file's instruments have on these days; of a file that knows none of the days, on any."""
    return frozenset(mapping.raw_symbol for mapping in _on(contents.mappings, dates))


def names_of_product(contents: Contents, products: Products, product: Product, dates: Sequence[dt.date]) -> list[str]:
    """Those of the names that belong to a root or ticker, sorted; all of them where none does."""
    names = sorted(names_on(contents, dates))
    return [name for name in names if belongs(products, product, name)] or names


def belongs(products: Products, product: Product, name: str) -> bool:
    """Whether a name, as files write it, is that of a contract of a product."""
    try:
        return products.find(product.product_type, name).root == product.root
    except RequestError:
        return False


def can_be_asked_for(products: Products, product_type: str, name: str) -> bool:
    """Whether a name, as files write it, is understood by every program."""
    try:
        products.find(product_type, name)
    except RequestError:
        return False
    return True


def spans_of(contents: Contents, symbol: str, dates: Sequence[dt.date]) -> tuple[InstrumentSpan, ...]:
    """The ids that a symbol has in a file; none where the file does not hold it on these days.

    A file without any names and with a single instrument id is that instrument; one without records may be any. Of
    several ids without names, each is its own name.
    """
    if not contents.mappings:
        numbers = contents.instrument_ids()
        if symbol in map(str, numbers):
            return (InstrumentSpan(int(symbol)),)
        return (InstrumentSpan(numbers[0] if numbers else EVERY_INSTRUMENT),) if len(numbers) < 2 else ()
    name = find_spelling(symbol, names_on(contents, dates))
    if name is None:
        return ()
    own = [mapping for mapping in contents.mappings if mapping.raw_symbol == name]
    ids = {mapping.instrument_id for mapping in own}
    others = {mapping.instrument_id for mapping in contents.mappings if mapping.raw_symbol != name}
    if len(ids) == 1 and not ids & others:  # nothing else is meant by it, whenever that was written down to begin
        return (InstrumentSpan(ids.pop()),)
    return tuple(InstrumentSpan(m.instrument_id, m.start_ns, m.end_ns) for m in sorted(own, key=lambda m: m.start_ns))


def count_records(contents: Contents, spans: Sequence[InstrumentSpan], dates: Sequence[dt.date]) -> int:
    """Market-by-order records of a contract that a file holds of these UTC days."""
    total = 0
    for span in spans:
        days = (day for day in dates if midnight_ns(day) < span.end_ns and midnight_ns(day + ONE_DAY) > span.start_ns)
        total += contents.count(span.instrument_id, frozenset(days))
    return total


def is_one_contract(products: Products, product: Product, symbol: str) -> bool:
    """Whether a symbol, as a file's name writes it, names one contract of the product."""
    return belongs(products, product, symbol) and is_contract(product, symbol)


def _on(mappings: Sequence[Mapping], dates: Sequence[dt.date]) -> list[Mapping]:
    start_ns, end_ns = midnight_ns(min(dates)), midnight_ns(max(dates) + ONE_DAY)
    return [m for m in mappings if m.start_ns < end_ns and m.end_ns > start_ns] or list(mappings)
