"""On which dates a dataset has data, as Databento's conditions tell; so holidays need no table here."""

from __future__ import annotations

import datetime as dt

from vp.download.vendor import NEWER_HINT, Vendor, understood
from vp.errors import UnexpectedAnswerError, VendorRefusedError
from vp.lake.layout import FUTURES, Place

MISSING, PENDING = "missing", "pending"
CONDITIONS = ("available", "degraded", PENDING, MISSING)
SATURDAY, SUNDAY = 5, 6
DAYS_AFTER = 10  # asked for too: among so many days one is listed, whatever the holidays


class Calendar:
    """Conditions of the dates from `start` to `end`, both included, asked once a dataset."""

    def __init__(self, vendor: Vendor, start: dt.date, end: dt.date) -> None:
        self._vendor = vendor
        self._start = start
        self._end = end
        self._known: dict[str, dict[dt.date, str]] = {}
        self._refused: dict[str, VendorRefusedError] = {}

    def condition(self, place: Place, date: dt.date) -> str:
        """The condition of a date: available, degraded, pending or missing. Raises as Vendor.ask does.

        A UTC day that is not over is pending, whatever is listed: a file of it would lack its end for good. A day that
        is not listed is missing only where a later one is listed: until then the list may not reach it yet.
        """
        if date >= _today():
            return PENDING
        known = self._of(place.dataset)
        closed = date.weekday() == SATURDAY or (date.weekday() == SUNDAY and place.dataset != FUTURES)
        return known.get(date, MISSING if closed or date < max(known, default=date) else PENDING)

    def why_missing(self, place: Place, date: dt.date) -> str:
        """Why a date of the condition `missing` has no data."""
        if date.weekday() >= SATURDAY:
            return f"a {date:%A}"
        if date not in self._of(place.dataset):
            return f"a holiday: {place.dataset} lists no such date"
        return f"missing in {place.dataset}"

    def forget(self) -> None:
        """Ask anew from now on: what was pending may be there."""
        self._known.clear()
        self._refused.clear()

    def _of(self, dataset: str) -> dict[dt.date, str]:
        if dataset in self._refused:
            raise self._refused[dataset]
        if dataset not in self._known:
            try:
                self._known[dataset] = self._ask(dataset, min(self._end + dt.timedelta(days=DAYS_AFTER), _today()))
            except VendorRefusedError as error:
                self._refused[dataset] = error
                raise
        return self._known[dataset]

    def _ask(self, dataset: str, end: dt.date) -> dict[dt.date, str]:
        what = f"the condition of {dataset}"
        answer = self._vendor.ask(what, lambda: self._vendor.metadata.get_dataset_condition(dataset, self._start, end))
        with understood(what):
            known = {dt.date.fromisoformat(str(day["date"])): str(day["condition"]) for day in answer}
        strange = set(known.values()).difference(CONDITIONS)
        if strange or (not known and end - self._start >= dt.timedelta(days=DAYS_AFTER)):
            said = f"tells {', '.join(sorted(strange))[:80]}" if strange else "lists no date"
            raise UnexpectedAnswerError(
                f"Databento's answer to {what} from {self._start} to {end} {said}, expected dates that are "
                f"{', '.join(CONDITIONS)}.",
                hint=NEWER_HINT,
            )
        return known


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
