"""Waiting for jobs that were ordered, and fetching what is done."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter

from vp.download.fetch import Fetcher
from vp.download.jobs import DONE, EXPIRED_JOB, PROCESSING, QUEUED, RECEIVED, SERVERS_APART, JobDetails, Jobs, ListedJob
from vp.download.ledger import EMPTY, EXPIRED, LAID, SUBMITTED, Entry, Ledger, Want
from vp.download.troubles import OF_ONE_FILE, Troubles
from vp.errors import DownloadError, VendorUnreachableError

CENT_USD = 0.01
EMPTY_LOOKS = 4  # in one run, each after twice the pause of the one before
KEPT = dt.timedelta(days=30)  # after which Databento may forget a job

log = logging.getLogger(__name__)


class Waiter:
    """Looks after entries of the ledger until their files are in the lake.

    Parameters
    ----------
    jobs, ledger, fetcher, troubles
    poll_seconds : float
        Between looks at the jobs.

    Attributes
    ----------
    states : dict
        By file, the state of its job as last seen.
    """

    def __init__(self, jobs: Jobs, ledger: Ledger, fetcher: Fetcher, troubles: Troubles, poll_seconds: float) -> None:
        self.states: dict[Want, str] = {}
        self._jobs = jobs
        self._ledger = ledger
        self._fetcher = fetcher
        self._troubles = troubles
        self._poll_seconds = poll_seconds
        self._empty_looks: Counter[Want] = Counter()
        self._found_empty: set[Want] = set()
        self._look_again_at: dict[Want, float] = {}

    def restore(self, entries: list[Entry]) -> None:
        """Fetch anew what was in the lake and is there no more; that is free as long as its job has not expired.

        Whether one that counts as expired is so is asked again: what was concluded from this machine's clock, or from
                an answer that did not last, must not have it bought anew.

        Raises
        ------
        ApiKeyError, VendorUnreachableError, LakeError
        """
        for entry in entries:
            if entry.state == EXPIRED and entry.job_id:
                self._restore_expired(entry, entry.job_id)
            if entry.state == LAID and entry.job_id and entry.files and not self._fetcher.laid_paths(entry):
                log.warning("%s: its file is in the lake no more, or not whole; fetching it again from the job %s",
                            entry.want, entry.job_id)  # fmt: skip
                said = "Its file was in the lake and is there no more, or not whole."
                self._ledger.write(entry.with_(state=SUBMITTED, error=said))

    def poll(self, entries: list[Entry]) -> int:
        """Fetch what is done; returns how many jobs are still outstanding.

        Raises
        ------
        ApiKeyError, VendorUnreachableError, UnexpectedAnswerError, LakeError
        """
        waiting = [entry for entry in entries if self._is_waiting(entry)]
        if not waiting:
            return 0
        listed = self._jobs.listed(_earliest(waiting))
        return sum(self._look(entry, listed) for entry in waiting)

    def say(self, pending: int, pause_seconds: float) -> None:
        """Tell what is being waited for."""
        count = Counter(self.states.values())
        parts = [f"{number} {state}" for state, number in sorted(count.items())]
        if pending:
            parts.append(f"{pending} of dates that Databento does not have yet")
        log.info("waiting: %s; next look in %.0f s", ", ".join(parts) or "for an answer", pause_seconds)

    def _restore_expired(self, entry: Entry, job_id: str) -> None:
        try:
            details = self._jobs.details(job_id)
        except OF_ONE_FILE as error:
            self._troubles.give_up(entry.want, error)
            return
        if details is not None and details.state != EXPIRED_JOB:
            log.warning("%s: the job %s has not expired; it is %s", entry.want, job_id, details.state)
            self._ledger.write(entry.with_(state=SUBMITTED, error=""))

    def _is_waiting(self, entry: Entry) -> bool:
        if entry.job_id is None or entry.want in self._troubles:
            return False
        return entry.state == SUBMITTED or (entry.state == EMPTY and entry.want not in self._found_empty)

    def _look(self, entry: Entry, listed: dict[str, ListedJob]) -> bool:
        """Whether a job is still outstanding."""
        want, job_id = entry.want, entry.job_id or ""
        if time.monotonic() < self._look_again_at.get(want, 0.0):
            return True
        try:
            job = listed.get(job_id)
            details = None if job is not None and job.state != DONE else self._jobs.details(job_id)
            state = details.state if details is not None else job.state if job is not None else "not known to Databento"
            self.states[want] = state
            if details is None and job is None:
                return self._missing(entry)
            if state == EXPIRED_JOB:
                self._expire(entry, f"The job {job_id} expired before its file was fetched.")
            elif state == DONE and details is not None:
                return self._fetch(self._billed(entry, details), details)
            elif state not in (RECEIVED, QUEUED, PROCESSING, DONE):
                raise DownloadError(
                    f"The job {job_id} is {state!r}, which VP does not know.", hint="Look at it in Databento's portal."
                )
            else:
                return True
        except VendorUnreachableError as error:
            log.warning("%s: %s", want, error)
            return True
        except OF_ONE_FILE as error:
            self._troubles.give_up(want, error)
            self._ledger.write(entry.with_(error=error.message))
        self.states.pop(want, None)
        return False

    def _fetch(self, entry: Entry, details: JobDetails) -> bool:
        """Whether its files are to be looked for again in this run."""
        want = entry.want
        if self._fetcher.fetch(entry) is not None:
            self.states.pop(want, None)
            return False
        looks = self._empty_looks[want] = self._empty_looks[want] + 1
        if details.record_count == 0:
            self._found_empty.add(want)
            log.info("%s: the job %s holds no records", want, entry.job_id)
            self._ledger.write(entry.with_(state=EMPTY, error=""))
        elif looks < EMPTY_LOOKS:
            log.warning("%s: the job %s is done, but lists no data file yet", want, entry.job_id)
            self._look_again_at[want] = time.monotonic() + self._poll_seconds * (2.0**looks - 1)
            self.states[want] = "done without files"
            return True
        else:
            said = f"The job {entry.job_id} was paid and is done, but lists no data file; each run looks again."
            self._troubles.give_up(want, said)
            self._ledger.write(entry.with_(state=EMPTY, error=said))
        self.states.pop(want, None)
        return False

    def _billed(self, entry: Entry, details: JobDetails) -> Entry:
        """The entry with the price that the job tells, where it tells one."""
        billed_usd = details.cost_usd
        if billed_usd is None or billed_usd == entry.cost_usd:
            return entry
        if abs(billed_usd - entry.cost_usd) >= CENT_USD:
            log.warning(
                "%s: the job %s cost %.2f USD, %.2f were asked for", entry.want, entry.job_id, billed_usd,
                entry.cost_usd,
            )  # fmt: skip
        return self._ledger.write(entry.with_(cost_usd=float(billed_usd)))

    def _missing(self, entry: Entry) -> bool:
        """Whether to wait for a job that Databento knows nothing of: just after it was ordered, but not for ever."""
        log.warning("%s: Databento knows nothing of the job %s", entry.want, entry.job_id)
        if dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(entry.sent_at) < KEPT:
            return True
        self._expire(entry, f"Databento knows nothing of the job {entry.job_id} any more.")
        self.states.pop(entry.want, None)
        return False

    def _expire(self, entry: Entry, said: str) -> None:
        self._ledger.write(entry.with_(state=EXPIRED, error=said))
        log.error("%s: %s Order it anew, for money, with --resubmit-expired.", entry.want, said)


def _earliest(waiting: list[Entry]) -> dt.datetime | None:
    """Since when, by Databento's clock, all of the jobs came; None where one tells nothing of it."""
    times = [entry.newest_listed.get("ts_received") for entry in waiting]
    known = [dt.datetime.fromisoformat(text) for text in times if text]
    return min(known) - SERVERS_APART if len(known) == len(times) else None
