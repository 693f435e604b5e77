"""What Databento's symbology says: front months, and which parents there are. Asking is free of charge."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

from vp.download.vendor import Vendor, understood
from vp.errors import VendorRefusedError
from vp.lake.layout import FUTURES

ONE_DAY = dt.timedelta(days=1)
NO_SUCH_SYMBOL = "symbology_invalid_request"

log = logging.getLogger(__name__)


class Symbology:
    """Answers that are kept, so that nothing is asked twice in a run."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._front_months: dict[tuple[str, dt.date], str | None] = {}
        self._parents: dict[tuple[str, str, dt.date], bool] = {}

    def front_month(self, root: str, date: dt.date) -> str | None:
        """The contract with most volume on a date; None where Databento names none.

        It is ordered by its own name rather than as `MNQ.v.0`, so that the file's symbol mappings tell it.
        """
        if (root, date) not in self._front_months:
            self._front_months[root, date] = self._ask_front_month(root, date)
        return self._front_months[root, date]

    def has_parent(self, dataset: str, parent: str, date: dt.date) -> bool:
        """Whether a parent holds instruments on a date.

        Each is asked for by itself, as one that does not exist has a whole list refused. The answer is keyed by the
        symbols of its contracts.
        """
        asked = (dataset, parent, date)
        if asked not in self._parents:
            try:
                held = self._resolve(dataset, parent, "parent", "instrument_id", date)
            except VendorRefusedError as error:
                if error.case != NO_SUCH_SYMBOL:
                    raise
                held = {}
            if not held:
                log.info("%s has no %s on %s; passed over", dataset, parent, date)
            self._parents[asked] = bool(held)
        return self._parents[asked]

    def _ask_front_month(self, root: str, date: dt.date) -> str | None:
        try:
            numbers = self._resolve(FUTURES, f"{root}.v.0", "continuous", "instrument_id", date)
        except VendorRefusedError as error:
            if error.case != NO_SUCH_SYMBOL:
                raise
            return None
        number = next((number for number in numbers.values() if number.isdecimal()), None)
        if number is None:
            return None
        return next(iter(self._resolve(FUTURES, number, "instrument_id", "raw_symbol", date).values()), None)

    def _resolve(self, dataset: str, symbol: str, stype_in: str, stype_out: str, date: dt.date) -> dict[str, str]:
        """What a symbol stood for on a date: the answer's keys to symbols out."""
        what = f"the symbols of {symbol}"

        def ask() -> Any:
            return self._vendor.symbology.resolve(
                dataset=dataset, symbols=[symbol], stype_in=stype_in, stype_out=stype_out,
                start_date=date, end_date=date + ONE_DAY,
            )  # fmt: skip

        answer = self._vendor.ask(what, ask)
        with understood(what):
            return {
                str(key): str(interval["s"])
                for key, intervals in answer["result"].items()
                for interval in intervals
                if interval["s"] and _date(interval["d0"]) <= date < _date(interval["d1"])
            }


def option_parent_of(ticker: str) -> str:
    """The parent of a ticker's options; OPRA writes roots without dots: BRK.B has BRKB.OPT."""
    return f"{''.join(_letters(ticker))}.OPT"


def _letters(ticker: str) -> Iterator[str]:
    return (character for character in ticker if character.isalnum())


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])
