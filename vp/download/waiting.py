"""Waiting for jobs that were ordered, and fetching what is done."""

from __future__ import annotations

import logging
import math
from typing import Any

from vp.download.fetch import Fetcher
from vp.download.ledger import EMPTY, EXPIRED, LAID, REFUSED, SUBMITTED, SUBMITTING, Entry, Ledger
from vp.download.spend import Cashier, list_jobs
from vp.download.troubles import Troubles
from vp.download.vendor import Vendor
from vp.errors import DownloadError, VendorRefusedError, VendorUnreachableError

log = logging.getLogger(__name__)
CENT_USD = 0.01


class Waiter:
    """Looks after entries of the ledger until their files are in the lake."""

    def __init__(self, vendor: Vendor, ledger: Ledger, cashier: Cashier, fetcher: Fetcher, troubles: Troubles) -> None:
        self._vendor = vendor
        self._ledger = ledger
        self._cashier = cashier
        self._fetcher = fetcher
        self._troubles = troubles

    def settle(self, entries: list[Entry]) -> None:
        """Find out about submissions that a killed run left behind."""
        for entry in entries:
            if entry.state == SUBMITTING and self._cashier.settle(entry) is None:
                self._ledger.write(entry.with_(state=REFUSED, error="It did not arrive at Databento."))

    def poll(self, entries: list[Entry]) -> int:
        """Fetch what is done; returns how many jobs are still outstanding.

        Raises
        ------
        ApiKeyError, VendorUnreachableError, LakeError
        """
        waiting = [entry for entry in entries if entry.state == SUBMITTED and entry.want not in self._troubles]
        if not waiting:
            return 0
        jobs = {job.get("id"): job for job in list_jobs(self._vendor, min(entry.sent_at for entry in waiting))}
        outstanding = 0
        for entry in waiting:
            job = jobs.get(entry.job_id)
            state = job.get("state") if job is not None else None
            if job is not None and state == "done":
                outstanding += not self._fetch(self._billed(entry, job))
            elif state == "expired":
                self._expire(entry)
            else:
                outstanding += 1
                if job is None:
                    log.warning("%s: Databento does not list the job %s", entry.want, entry.job_id)
        return outstanding

    def _billed(self, entry: Entry, job: dict[str, Any]) -> Entry:
        """The entry with the price that the job tells, where it tells one."""
        try:
            billed_usd = float(job["cost_usd"])
        except (KeyError, TypeError, ValueError):
            return entry
        if not math.isfinite(billed_usd) or abs(billed_usd - entry.cost_usd) < CENT_USD:
            return entry
        log.warning(
            "%s: the job %s cost %.2f USD, %.2f were asked for", entry.want, entry.job_id, billed_usd, entry.cost_usd
        )
        return self._ledger.write(entry.with_(cost_usd=billed_usd))

    def _fetch(self, entry: Entry) -> bool:
        """Whether nothing is left to do for an entry in this run."""
        try:
            self._fetcher.fetch(entry)
        except VendorUnreachableError as error:
            log.warning("%s: %s", entry.want, error)
            return False
        except (DownloadError, VendorRefusedError) as error:
            self._troubles.give_up(entry.want, error)
            self._ledger.write(entry.with_(error=error.message))
        return True

    def _expire(self, entry: Entry) -> None:
        said = f"The job {entry.job_id} expired before its file was fetched."
        self._ledger.write(entry.with_(state=EXPIRED, error=said))
        log.error("%s: %s Order it anew, for money, with --resubmit-expired.", entry.want, said)


def summary(entries: list[Entry], troubles: Troubles, pending: int) -> bool:
    """Say how it stands; whether all is well."""
    states = (LAID, EMPTY, SUBMITTED, EXPIRED)
    count = {state: sum(entry.state == state for entry in entries) for state in states}
    log.info(
        "%d in the lake, %d without data, %d outstanding, %d expired, %d with errors, %d not there yet",
        count[LAID], count[EMPTY], count[SUBMITTED], count[EXPIRED], len(troubles), pending,
    )  # fmt: skip
    for entry in entries:
        if entry.state == EXPIRED:
            log.error("%s: %s", entry.want, entry.error)
    return not (count[EXPIRED] or troubles)
