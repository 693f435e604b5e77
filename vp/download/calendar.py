"""On which dates a dataset has data, as Databento's conditions tell; so holidays need no table here."""

from __future__ import annotations

import datetime as dt

from vp.download.vendor import Vendor, understood
from vp.layout import Place

MISSING, PENDING = "missing", "pending"


class Calendar:
    """Conditions of the dates from `start` to `end`, both included, asked once a dataset."""

    def __init__(self, vendor: Vendor, start: dt.date, end: dt.date) -> None:
        self._vendor = vendor
        self._start = start
        self._end = end
        self._known: dict[str, dict[dt.date, str]] = {}

    def condition(self, place: Place, date: dt.date) -> str:
        """The condition of a date: available, degraded, pending or missing.

        A UTC day that is not over is pending, whatever is listed: a file of it would lack its end for good.
        """
        today = dt.datetime.now(dt.UTC).date()
        if date >= today:
            return PENDING
        if place.dataset not in self._known:
            self._known[place.dataset] = self._ask(place.dataset, min(self._end, today))
        return self._known[place.dataset].get(date, MISSING)

    def forget(self) -> None:
        """Ask anew from now on: what was pending may be there."""
        self._known.clear()

    def _ask(self, dataset: str, end: dt.date) -> dict[dt.date, str]:
        what = f"the condition of {dataset}"
        answer = self._vendor.ask(
            what, lambda: self._vendor.client.metadata.get_dataset_condition(dataset, self._start, end)
        )
        with understood(what):
            return {dt.date.fromisoformat(str(day["date"])): str(day["condition"]) for day in answer}
