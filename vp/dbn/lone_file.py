"""A file outside of the lake's layout, as the one file of a lake: what it holds says it itself."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from vp.dbn.contents import Contents, contents_of
from vp.errors import NoRawFileError, RequestError
from vp.lake.inputs import LoneFile, RawFile
from vp.lake.layout import is_futures_dataset
from vp.lake.names import RawName, parse_name
from vp.market.products import Products, is_contract
from vp.market.session_hours import NS_PER_SECOND, ONE_DAY, from_ns
from vp.market.symbols import canonical_ticker

SOURCE = "file"
DAY_NS = 86_400 * NS_PER_SECOND


def describe(path: Path, products: Products) -> LoneFile:
    """What a file holds.

    Raises
    ------
    NoRawFileError
        There is no such file.
    FileError
        It cannot be used.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise NoRawFileError(
            f"There is no file {str(path)!r}: {error.strerror or error}.", hint="Expected a .dbn or .dbn.zst file."
        ) from None
    if not path.is_file():
        raise NoRawFileError(f"{str(path)!r} is no file.", hint="Expected a .dbn or .dbn.zst file.")
    said = parse_name(path.name)
    raw = RawFile(path, SOURCE, said or UNKNOWN_NAME, status.st_size, status.st_mtime_ns)
    contents = contents_of(raw)
    dates = days_held(contents) or ([] if said is None else said.days())
    name = RawName(dataset_in_names(contents), dates[0], dates[-1], "mbo") if dates else UNKNOWN_NAME
    raw = RawFile(path, SOURCE, name, status.st_size, status.st_mtime_ns)
    names = {mapping.raw_symbol for mapping in contents.mappings}
    kind = product_type_of(contents)
    found, contracts = set(), set()
    for symbol in names:
        try:
            product = products.find(kind, symbol)
        except RequestError:
            continue
        found.add((kind, product.root))
        if is_contract(product, symbol):
            contracts.add(canonical_ticker(symbol) if kind == "equity_mbo" else symbol)
        else:
            contracts.add(symbol)
    unknown = () if found else tuple(sorted(names))
    return LoneFile(raw, tuple(sorted(found)), tuple(sorted(contracts)), tuple(dates), kind, unknown)


def days_held(contents: Contents) -> list[dt.date]:
    """The UTC days of which a file holds records, ascending; takes a pass over a file of more than a day."""
    file = contents.file
    start_ns, end_ns = file.start_ns, file.end_ns
    if start_ns > 0 and end_ns is not None and start_ns // DAY_NS == (end_ns - 1) // DAY_NS:
        return [from_ns(start_ns).date()]
    return contents.survey.dates()


def dataset_in_names(contents: Contents) -> str:
    """The dataset as names of raw files write it: glbx-mdp3."""
    return re.sub(r"[^a-z0-9]+", "-", contents.file.dataset.lower()).strip("-") or "unknown"


def product_type_of(contents: Contents) -> str:
    """Futures or equities, by the venue."""
    return "future_mbo" if is_futures_dataset(contents.file.dataset) else "equity_mbo"


UNKNOWN_NAME = RawName("unknown", dt.date(1970, 1, 1), dt.date(1970, 1, 1) + ONE_DAY, "mbo")
