"""Databento's batch jobs as its service tells them, every field that is used checked first.

`batch.list_jobs` tells number, state and time of each job, `batch.get_job_details` the rest. Fields that are not
used here may come and go; where one that is used is missing or of another kind, the answer is refused, as a form
that is not known can neither show that a job is there nor that it is not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from vp.download.ledger import Order
from vp.download.vendor import NEWER_HINT, Vendor
from vp.errors import UnexpectedAnswerError, VendorRefusedError

RECEIVED, QUEUED, PROCESSING, DONE, EXPIRED_JOB = "received", "queued", "processing", "done", "expired"
LISTED_STATES = ",".join((QUEUED, PROCESSING, DONE, EXPIRED_JOB))  # all that the list can be asked for
SERVERS_APART = dt.timedelta(hours=1)  # between the clocks of Databento's own servers
FORM = {"encoding": "dbn", "compression": "zstd", "split_duration": "day", "delivery": "download"}
NUMBER, MAYBE_NUMBER = (int, float), (int, float, type(None))
LISTED_FIELDS: dict[str, Any] = {"id": str, "state": str, "ts_received": str}
ORDER_FIELDS: dict[str, Any] = {
    "dataset": str, "symbols": (str, list), "stype_in": str, "schema": str, "start": str, "end": str,
}  # fmt: skip
DETAIL_FIELDS: dict[str, Any] = {"id": str, "state": str, **ORDER_FIELDS}
NULLABLE_FIELDS: dict[str, Any] = {"cost_usd": MAYBE_NUMBER, "record_count": MAYBE_NUMBER}
NOT_FOUND = 404
MOST_USD = 1e9  # that one job can cost: more is no price


@dataclass(frozen=True)
class ListedJob:
    """A job as the list tells it."""

    job_id: str
    state: str
    received: dt.datetime


@dataclass(frozen=True)
class JobDetails:
    """A job with all that it was ordered as.

    Attributes
    ----------
    job_id, state : str
    cost_usd : float or None
        None as long as Databento does not tell it.
    record_count : int or None
        None likewise.
    fields : dict
        The whole answer.
    """

    job_id: str
    state: str
    cost_usd: float | None
    record_count: int | None
    fields: dict[str, Any]

    def is_of(self, order: Order) -> bool:
        """Whether it is what this order, and no other, becomes."""
        query, told = order.query(), self.fields
        symbols = told["symbols"].split(",") if isinstance(told["symbols"], str) else told["symbols"]
        return (
            all(told[name] == query[name] for name in ("dataset", "schema", "stype_in"))
            and all(told.get(name) in (value, None) for name, value in FORM.items())
            and not told.get("limit")
            and told.get("stype_out") in ("instrument_id", None)
            and not any(told.get(name) for name in ("split_symbols", "split_size"))
            and sorted(map(comparable, symbols)) == sorted(map(comparable, query["symbols"]))
            and all(_instant_ns(told[name]) == _instant_ns(query[name]) for name in ("start", "end"))
        )


class Jobs:
    """Asks Databento about its batch jobs; all of it is free of charge."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def listed(self, since: dt.datetime | None, *, received: bool = False) -> dict[str, ListedJob]:
        """Jobs by number, the oldest first.

        Parameters
        ----------
        since : datetime.datetime or None
            By Databento's own clock; None for every job that there ever was.
        received : bool
            Those too that no filter by state lets through, as they only just came.

        Raises
        ------
        UnexpectedAnswerError
            A row lacks what is expected of it; no row is believed then.
        VendorUnreachableError, VendorRefusedError, ApiKeyError
        """
        text = since.isoformat() if since is not None else None
        rows = self._rows(LISTED_STATES, text)
        if received:
            rows += self._rows(None, text)
        jobs = [ListedJob(row["id"], row["state"], _moment(row["ts_received"], row)) for row in rows]
        return {job.job_id: job for job in sorted(jobs, key=lambda job: job.received)}

    def details(self, job_id: str) -> JobDetails | None:
        """Everything about a job; None where Databento knows none of this number. Raises as `listed` does."""
        what = f"the details of the job {job_id}"
        try:
            told = self._vendor.ask(what, lambda: self._vendor.batch.get_job_details(job_id))
        except VendorRefusedError as error:
            if error.status == NOT_FOUND and "job" in error.case:
                return None
            raise
        require_fields(what, told, DETAIL_FIELDS)
        require_fields(what, told, {name: form for name, form in NULLABLE_FIELDS.items() if name in told})
        if told["id"] != job_id:
            raise UnexpectedAnswerError(f"Databento's answer to {what} tells of {told['id']}.", hint=NEWER_HINT)
        for name in ("start", "end"):
            _moment(told[name], told)
        if isinstance(told["symbols"], list) and not all(isinstance(symbol, str) for symbol in told["symbols"]):
            raise UnexpectedAnswerError(f"Databento's answer to {what} lists symbols that are none.", hint=NEWER_HINT)
        cost_usd, count = told.get("cost_usd"), told.get("record_count")
        if cost_usd is not None and not 0 <= cost_usd <= MOST_USD:
            raise UnexpectedAnswerError(f"Databento's answer to {what} tells a cost of {cost_usd}.", hint=NEWER_HINT)
        return JobDetails(job_id, told["state"], cost_usd, count, told)

    def _rows(self, states: str | None, since: str | None) -> list[dict[str, Any]]:
        what = "the list of jobs"
        rows = self._vendor.ask(what, lambda: self._vendor.batch.list_jobs(states=states, since=since))
        if not isinstance(rows, list):
            raise UnexpectedAnswerError(
                f"Databento's answer to {what} cannot be understood: {str(rows)[:80]}, expected a list.",
                hint=NEWER_HINT,
            )
        for row in rows:
            require_fields(what, row, LISTED_FIELDS)
        return rows


def require_fields(what: str, answer: Any, expected: dict[str, Any]) -> None:
    """Raise UnexpectedAnswerError, naming the fields, where an answer does not hold those expected."""
    if not isinstance(answer, dict):
        raise UnexpectedAnswerError(
            f"Databento's answer to {what} cannot be understood: it holds {str(answer)[:80]}, expected the fields "
            f"{', '.join(expected)}.",
            hint=NEWER_HINT,
        )
    wrong = [name for name, form in expected.items() if not isinstance(answer.get(name), form) or answer[name] == ""]
    if wrong:
        held = ", ".join(map(str, list(answer)[:40]))
        raise UnexpectedAnswerError(
            f"Databento's answer to {what} cannot be understood: {', '.join(wrong)} missing or of another kind; "
            f"it holds {held or 'nothing'}.",
            hint=NEWER_HINT,
        )


def job_id_of(answer: Any) -> str | None:
    """The number of the job in an answer to an order; None where it names none."""
    job_id = answer.get("id") if isinstance(answer, dict) else None
    return job_id if isinstance(job_id, str) and job_id else None


def comparable(text: str) -> str:
    """A symbol without what the client and the service write differently: case, and how far OPRA's roots are padded."""
    return "".join(text.split()).upper()


def _moment(text: str, told: dict[str, Any]) -> dt.datetime:
    """A moment in any of the forms that Databento writes; in UTC where it tells no zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UnexpectedAnswerError(
            f"Databento tells the time {text[:60]!r} of the job {told['id']}, expected one such as "
            "2026-02-06T00:00:00.000000000Z.",
            hint=NEWER_HINT,
        ) from None
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)


def _instant_ns(text: str) -> tuple[dt.datetime, str]:
    """A moment to the second, and its decimal places without zeros at the end."""
    moment = dt.datetime.fromisoformat(text)
    decimals = text.partition(".")[2]
    digits = decimals[: len(decimals) - len(decimals.lstrip("0123456789"))].rstrip("0")
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC, microsecond=0), digits
