"""Which contracts a job is for: the front-month future, and the options of the nearest expiry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import databento_dbn

from vp.compressed import DAMAGED_HINT
from vp.dbn import DbnFile
from vp.download.ledger import Order
from vp.download.vendor import Vendor, understood
from vp.errors import DownloadError, TruncatedFileError
from vp.layout import FUTURES
from vp.session import from_ns

ONE_DAY = dt.timedelta(days=1)
MAX_SYMBOLS = 2000  # in one job
CALLS_AND_PUTS = ("C", "P")
USER_DEFINED = "UD:"


def front_months(vendor: Vendor, root: str, start: dt.date, end: dt.date) -> dict[dt.date, str]:
    """Contract with most volume by date, both ends included; free of charge.

    The contract is ordered by its own name rather than as `MNQ.v.0`, so that the file's symbol mappings tell it.
    """
    ids = resolve(vendor, FUTURES, [f"{root}.v.0"], "continuous", "instrument_id", start, end)
    by_date = {
        date: number
        for number_of in ids.values()
        for date, number in number_of.items()
        if number.isdecimal()  # nothing else is an instrument id
    }
    if not by_date:
        return {}
    names = resolve(vendor, FUTURES, sorted(set(by_date.values())), "instrument_id", "raw_symbol", start, end)
    return {date: names[number][date] for date, number in by_date.items() if date in names.get(number, {})}


def parents_there_are(vendor: Vendor, dataset: str, parents: list[str], date: dt.date) -> list[str]:
    """Those of `parents` that hold instruments on a date, in their order; free of charge."""
    known = resolve(vendor, dataset, parents, "parent", "instrument_id", date, date)
    return [parent for parent in parents if date in known.get(parent, {})]


def resolve(
    vendor: Vendor, dataset: str, symbols: list[str], stype_in: str, stype_out: str, start: dt.date, end: dt.date
) -> dict[str, dict[dt.date, str]]:
    """What symbols stood for: symbol in to date to a symbol out; both dates included."""
    shown = ", ".join(symbols[:3]) + (", ..." if len(symbols) > 3 else "")

    def ask() -> Any:
        return vendor.client.symbology.resolve(
            dataset=dataset, symbols=symbols, stype_in=stype_in, stype_out=stype_out,
            start_date=start, end_date=end + ONE_DAY,
        )  # fmt: skip

    what = f"the symbols of {shown}"
    answer = vendor.ask(what, ask)
    with understood(what):
        return {
            symbol: {
                date: interval["s"]
                for interval in intervals
                if interval["s"]
                for date in _days(max(start, _date(interval["d0"])), min(end + ONE_DAY, _date(interval["d1"])))
            }
            for symbol, intervals in answer["result"].items()
        }


def query(vendor: Vendor, order: Order, temporary: Path) -> None:
    """Stream definitions to a file, which costs money, and check that it is whole."""

    def stream() -> Any:
        temporary.unlink(missing_ok=True)  # of a stream that broke off
        return vendor.client.timeseries.get_range(**order.query(), path=temporary)

    vendor.ask(f"the definitions of {', '.join(order.symbols)}", stream)
    for _ in _definitions(temporary):
        pass


def choose(path: Path, date: dt.date, underlying: str | None) -> tuple[str, ...]:
    """Calls and puts of the nearest expiry on or after a date, in alphabetical order.

    Parameters
    ----------
    path : Path
        A definition file.
    date : datetime.date
    underlying : str or None
        The future that the options must be on; None takes any.

    Raises
    ------
    DownloadError, FileError
        The file is damaged or holds something else.
    """
    by_expiry: dict[dt.date, set[str]] = {}
    for definition in _definitions(path):
        symbol = definition.raw_symbol
        if str(definition.instrument_class) not in CALLS_AND_PUTS or symbol.startswith(USER_DEFINED):
            continue
        if underlying is not None and definition.underlying != underlying:
            continue
        # Of options, Databento states the expiry as an instant of that UTC day, for OPRA as its midnight.
        expiry = from_ns(definition.expiration).date() if definition.expiration < 2**63 else dt.date.min
        if expiry >= date:
            by_expiry.setdefault(expiry, set()).add(symbol)
    return tuple(sorted(by_expiry[min(by_expiry)])) if by_expiry else ()


def parents_of_file(path: Path) -> tuple[str, ...]:
    """The parents that a definition file was ordered by."""
    return DbnFile(path, "definition").asked_symbols


def _definitions(path: Path) -> Iterator[Any]:
    file = DbnFile(path, "definition")
    decoder = databento_dbn.DBNDecoder()
    try:
        for block in file.blocks(0):
            decoder.write(block)
            for record in decoder.decode():
                if hasattr(record, "instrument_class"):
                    yield record
    except (databento_dbn.DBNError, ValueError) as error:
        raise DownloadError(
            f"{path.name} holds a definition that cannot be read: {error}.", hint=DAMAGED_HINT
        ) from None
    if decoder.buffer():
        raise TruncatedFileError(f"{path.name} ends within a definition.", hint=DAMAGED_HINT, path=str(path))


def _days(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    return (start + ahead * ONE_DAY for ahead in range((end - start).days))


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])
