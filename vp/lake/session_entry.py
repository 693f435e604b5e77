"""The sessions of one symbol: which there are, by the names of its files, and what each is played from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from vp.lake.inputs import RawFile, RawInput, inputs_of

QUIET_WEEKDAYS = {"future_mbo": (5,), "equity_mbo": (5, 6)}  # of these, files of several days seldom hold a record
MOST_DAYS = 1_000_000


@dataclass(frozen=True)
class SessionEntry:
    """One session that the lake holds; `symbol` is the futures root or the ticker.

    Attributes
    ----------
    product_type, symbol : str
    date : datetime.date
    inputs : tuple of RawInput
        All that can be read for it, of one source and dataset, the ones tried first at the front.
    """

    product_type: str
    symbol: str
    date: dt.date
    inputs: tuple[RawInput, ...]

    @property
    def raw(self) -> RawFile:
        """The file that is looked into first."""
        return self.inputs[0].files[0]

    @property
    def size_bytes(self) -> int:
        """Of all files of the kind that is tried first."""
        return sum(raw.size_bytes for one in self._tried_first() for raw in one.files)

    @property
    def contracts(self) -> list[str]:
        """The symbols that the names of its files tell; of a file that holds several, they tell none."""
        return sorted({one.symbol for one in self._tried_first() if one.symbol is not None})

    def _tried_first(self) -> list[RawInput]:
        first = self.inputs[0]
        return [first] if first.symbol is None else [one for one in self.inputs if one.symbol is not None]


def entries_of(product_type: str, symbol: str, files: Iterable[RawFile]) -> list[SessionEntry]:
    """The sessions of a root or ticker, by date; of MOST_DAYS days that names of its files speak of."""
    by_date: dict[dt.date, list[RawInput]] = {}
    left = MOST_DAYS
    for one in inputs_of(product_type, files):
        days = one.files[0].name.days()[:left]
        left -= len(days)
        for date in days:
            if one.first == one.last or date.weekday() not in QUIET_WEEKDAYS[product_type]:
                by_date.setdefault(date, []).append(one)
    entries = []
    for date, inputs in sorted(by_date.items()):
        best = inputs[0].source, inputs[0].dataset
        same = tuple(one for one in inputs if (one.source, one.dataset) == best)
        entries.append(SessionEntry(product_type, symbol, date, same))
    return entries
