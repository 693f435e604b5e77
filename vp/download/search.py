"""Looking for an order whose answer was lost among Databento's jobs, until it is certain what became of it.

It is certain that it arrived where a job is listed that no other entry of the ledger owns and whose details are
the order's, field by field. It is certain that it did not where, for as long as an order may take to be listed,
no such job was, and the list proved in the last look that it is whole: it showed the newest job of which it is
known that it is there. No clock is compared with another: what came since is told by Databento's own times, and
the wait is measured by a clock that nobody sets.
"""

from __future__ import annotations

import datetime as dt
import logging
import time

from vp.download.jobs import SERVERS_APART, Jobs, ListedJob
from vp.download.ledger import EMPTY, LAID, SUBMITTED, SUBMITTING, Entry, Ledger, Order
from vp.download.stopping import Stopping
from vp.errors import UncertainSubmissionError, UnexpectedAnswerError, VendorRefusedError, VendorUnreachableError

LOOK_SECONDS = 5.0
LEAST_LOOKS = 5
MOST_DETAILS = 1000  # jobs of others since then, each asked for by itself

log = logging.getLogger(__name__)


class Search:
    """Looks for lost orders.

    Parameters
    ----------
    jobs : Jobs
    ledger : Ledger
    stopping : Stopping
    product_types : tuple of str
        Whose entries may own a job.
    settle_seconds : float
        How long a job that has arrived may not be listed yet.
    """

    def __init__(
        self, jobs: Jobs, ledger: Ledger, stopping: Stopping, product_types: tuple[str, ...], settle_seconds: float
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._stopping = stopping
        self._product_types = product_types
        self._settle_seconds = settle_seconds
        self._others: set[tuple[str, Order]] = set()

    def newest_listed(self) -> dict[str, str]:
        """The newest job that Databento lists, as an entry keeps it; raises as Jobs.listed does."""
        listed = list(self._jobs.listed(None, received=True).values())
        return {"id": listed[-1].job_id, "ts_received": listed[-1].received.isoformat()} if listed else {}

    def find(self, entry: Entry) -> str | None:
        """The number of the job that an order became; None where it is certain that it did not arrive.

        Raises
        ------
        UncertainSubmissionError
            Nobody can tell.
        """
        begun = time.monotonic()
        looks = 0
        while True:
            looks += 1
            settled = looks >= LEAST_LOOKS and time.monotonic() - begun >= self._settle_seconds
            try:
                listed = self._jobs.listed(_since(entry), received=True)
                job_id = self._among(entry, listed)
            except (VendorUnreachableError, VendorRefusedError, UnexpectedAnswerError) as error:
                raise self._uncertain(entry, f"its jobs cannot be looked at: {error.message}") from error
            if job_id is not None:
                return job_id
            if settled:
                self._require_whole(entry, listed)
                return None
            pause = min(LOOK_SECONDS, self._settle_seconds / (LEAST_LOOKS - 1))
            log.info("%s: not among the %d jobs since; looking again in %.1f s", entry.want, len(listed), pause)
            self._stopping.sleep(pause)

    def _among(self, entry: Entry, listed: dict[str, ListedJob]) -> str | None:
        owned = {
            job_id
            for other in self._ledger.entries(self._product_types)
            for job_id in (other.job_id, *other.former)
        }  # fmt: skip
        strange = [id_ for id_ in reversed(listed) if id_ not in owned and (id_, entry.order) not in self._others]
        if len(strange) > MOST_DETAILS:
            raise UnexpectedAnswerError(f"{len(strange)} jobs since then are none of this lake's.")
        for job_id in strange:
            details = self._jobs.details(job_id)
            if details is None:
                raise UnexpectedAnswerError(f"The job {job_id} is listed, but nothing is told of it.")
            if details.is_of(entry.order):
                return job_id
            self._others.add((job_id, entry.order))
        return None

    def _require_whole(self, entry: Entry, listed: dict[str, ListedJob]) -> None:
        """Raise where the list does not show the newest job that must be in it.

        Where no job is known that could prove it, the list of a program that was killed is believed, as it waited
        twice; that of a program which saw the answer being lost is not.
        """
        since = _came_after(entry)
        later = [
            other
            for other in self._ledger.entries(self._product_types)
            if other.job_id and other.state in (SUBMITTED, LAID, EMPTY) and _came_after(other) >= since
        ]
        newest = max(later, key=lambda other: other.sent_at).job_id if later else entry.newest_listed.get("id")
        if newest is None and entry.state == SUBMITTING:
            return
        if newest is None:
            raise self._uncertain(entry, "no job is known by which its list could prove to be whole")
        if newest not in listed:
            raise self._uncertain(entry, f"its list does not show the job {newest} either, which must be there")

    @staticmethod
    def _uncertain(entry: Entry, why: str) -> UncertainSubmissionError:
        query = entry.order.query()
        named = query["symbols"][0] if len(query["symbols"]) == 1 else f"{len(query['symbols'])} contracts"
        return UncertainSubmissionError(
            f"Whether the order of {entry.want} sent at {entry.sent_at} ({entry.cost_usd:.2f} USD) was bought is not "
            f"known: Databento's answer was lost, and {why}. Nothing more was ordered.",
            hint=f"Look in Databento's portal for a batch job of {query['dataset']} {query['schema']} {named} from "
            f"{query['start']}. The same command looks again; if there is no such job, --resubmit-lost orders it anew.",
        )


def _came_after(entry: Entry) -> dt.datetime:
    text = entry.newest_listed.get("ts_received")
    return dt.datetime.fromisoformat(text) if text else dt.datetime.min.replace(tzinfo=dt.UTC)


def _since(entry: Entry) -> dt.datetime | None:
    return _came_after(entry) - SERVERS_APART if entry.newest_listed else None
