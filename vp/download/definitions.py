"""Definitions of options: streaming them, and choosing the contracts of the nearest expiry from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from vp.dbn.definitions import read_definitions
from vp.dbn.file import DbnFile
from vp.download.ledger import Order
from vp.download.vendor import Vendor
from vp.errors import FileError, UncertainSubmissionError
from vp.market.session_hours import from_ns

MAX_SYMBOLS = 2000  # in one job
CALLS_AND_PUTS = ("C", "P")
USER_DEFINED = "UD:"


def stream(vendor: Vendor, order: Order, temporary: Path) -> None:
    """Stream definitions to a file once, which costs money, and check that it is whole.

    Raises
    ------
    UncertainSubmissionError
        It broke off or cannot be read, and may have been charged.
    VendorRefusedError, VendorUnreachableError, ApiKeyError
        Nothing came and nothing was charged.
    """
    what = f"the definitions of {', '.join(order.symbols)}"

    def call() -> Any:
        temporary.unlink(missing_ok=True)  # of a stream that broke off
        return vendor.timeseries.get_range(**order.query(), path=temporary)

    vendor.ask(what, call, charged=True)
    try:
        for _ in read_definitions(temporary):
            pass
    except FileError as error:
        raise UncertainSubmissionError(f"What came as {what} cannot be read: {error.message}") from error


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
    FileError
        The file is damaged or holds something else.
    """
    by_expiry: dict[dt.date, set[str]] = {}
    for definition in read_definitions(path):
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
