"""Looking for an order whose answer was lost among Databento's jobs, until it is certain what became of it.

It is certain that it arrived where a job is listed that no other entry of the ledger owns and whose details are
the order's, field by field. It is taken as not arrived where, for as long as an order may take to be listed, no such
job was, and the last look proved that it would have shown: every job of which it is known that it is there was
listed, and one of this lake's own was told as what it was ordered as. No clock is compared with another: what came
since is told by Databento's own times, and the wait is measured by a clock that nobody sets.
"""

from __future__ import annotations

import datetime as dt
import logging
import time

from vp.download.jobs import SERVERS_APART, Jobs, ListedJob
from vp.download.ledger import EMPTY, LAID, SUBMITTED, Entry, Ledger, Order
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
        """The number of the job that an order became; None where it did not arrive, as far as a list can prove it.

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
            job_id, listed = self.look(entry, prove=settled)
            if job_id is not None or settled:
                return job_id
            pause = min(LOOK_SECONDS, self._settle_seconds / (LEAST_LOOKS - 1))
            log.info("%s: not among the %d jobs since; looking again in %.1f s", entry.want, len(listed), pause)
            self._stopping.sleep(pause)

    def look(self, entry: Entry, *, prove: bool) -> tuple[str | None, dict[str, ListedJob]]:
        """One look: the job's number, where it is there, and the jobs since; raises as `find` does.

        `prove` raises also where no job is there and the list does not prove to be whole.
        """
        try:
            listed = self._jobs.listed(_since(entry), received=True)
            job_id = self._among(entry, listed)
            if prove and job_id is None:
                self._require_whole(entry, listed)
        except (VendorUnreachableError, VendorRefusedError, UnexpectedAnswerError) as error:
            raise self._uncertain(entry, f"its jobs cannot be looked at: {error.message}") from error
        return job_id, listed

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
        """Raise where the list does not show the jobs that must be in it, or none is known that must be."""
        since = _came_after(entry)
        later = [
            other
            for other in self._ledger.entries(self._product_types)
            if other.job_id and other.state in (SUBMITTED, LAID, EMPTY) and _came_after(other) >= since
        ]
        known = [other.job_id or "" for other in later] or [entry.newest_listed.get("id", "")]
        if known == [""]:
            raise self._uncertain(entry, "no job is known by which its list could prove to be whole")
        hidden = next((job_id for job_id in known if job_id not in listed), None)
        if hidden is not None:
            raise self._uncertain(entry, f"its list does not show the job {hidden} either, which must be there")
        if later:  # that it is found at all shows that a job is told in the words in which it is ordered
            details = self._jobs.details(known[-1])
            if details is None or not details.is_of(later[-1].order):
                raise self._uncertain(
                    entry, f"it tells the job {known[-1]} otherwise than it was ordered, so that none can be recognised"
                )

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
