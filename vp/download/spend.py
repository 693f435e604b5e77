"""Spending money: the price is asked first, the limit kept, and every order sent once."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from vp.download.ledger import REFUSED, SUBMITTED, SUBMITTING, Entry, Ledger, Order, now
from vp.download.vendor import Vendor, understood
from vp.errors import CostLimitError, UncertainSubmissionError, VendorRefusedError

STATES_LISTED = "queued,processing,done,expired"
CLOCK_SLACK = dt.timedelta(days=2)  # between this machine's clock and Databento's; a job not listed is bought again
LOOKS_SECONDS = 2.0
SENDINGS = 3
FORM: dict[str, Any] = {"encoding": "dbn", "compression": "zstd", "split_duration": "day", "delivery": "download"}
LIST_TELLS = "Its list of jobs will tell."

log = logging.getLogger(__name__)


class Budget:
    """What may be spent, in USD; orders of earlier runs for the same files count."""

    def __init__(self, limit_usd: float) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = 0.0

    def require(self, cost_usd: float, what: str) -> None:
        """Raise CostLimitError if this much more is more than the limit."""
        total = self.spent_usd + cost_usd
        if total > self.limit_usd:
            before = f" and {self.spent_usd:.2f} USD were spent before" if self.spent_usd else ""
            raise CostLimitError(
                f"{what} would cost {cost_usd:.2f} USD{before}, together more than --max-cost "
                f"{self.limit_usd:.2f} USD; nothing of it was ordered.",
                hint=f"Allow it with --max-cost {total * 1.005:.2f}, or ask for fewer dates, symbols or schemas.",
            )


class Cashier:
    """Prices and sends orders."""

    def __init__(self, vendor: Vendor, ledger: Ledger, product_types: tuple[str, ...], settle_seconds: float) -> None:
        self.vendor = vendor
        self.ledger = ledger
        self.product_types = product_types
        self.settle_seconds = settle_seconds

    def price(self, order: Order) -> float:
        """What an order costs, in USD; asking is free."""
        query = order.query()
        what = f"the cost of {order.want}"
        cost = self.vendor.ask(what, lambda: self.vendor.client.metadata.get_cost(**query))
        try:
            cost_usd = float(cost)
        except (TypeError, ValueError):
            cost_usd = -1.0
        if not 0 <= cost_usd < float("inf"):
            raise VendorRefusedError(f"Databento's answer to {what} was {cost!r}, expected USD.", hint="Ask again.")
        return cost_usd

    def send(self, order: Order, cost_usd: float, condition: str) -> Entry:
        """Submit a job and write its number down; returns its entry.

        Raises
        ------
        VendorRefusedError, VendorUnreachableError, ApiKeyError, LakeError
        """
        old = self.ledger.find(order.want)
        former = [*old.former, *([old.job_id] if old.job_id else [])] if old else []
        entry = Entry(order, SUBMITTING, cost_usd, condition, now(), former=former)
        for _ in range(SENDINGS):
            entry = entry.with_(sent_at=now())
            try:
                # A signal waits until the job's number is written down; a kill leaves `submitting` behind.
                with self.vendor.stopping.shielded():
                    self.ledger.write(entry)
                    return self._sent(entry, self._submit(order))
            except UncertainSubmissionError as error:
                log.warning("%s", error)
                found = self._look_for(entry)
                if found is not None:
                    return found
            except VendorRefusedError as error:
                self.ledger.write(entry.with_(state=REFUSED, error=error.message))
                raise
        raise UncertainSubmissionError(
            f"{order.want} was sent {SENDINGS} times, and every answer was lost.",
            hint="Run the same command again later; it looks first whether one of them arrived.",
        )

    def settle(self, entry: Entry) -> Entry | None:
        """Find out whether a submission of a killed program arrived; None where it did not, and may be sent."""
        log.info("%s: was being submitted when the program ended; looking for the job", entry.want)
        return self._look_for(entry)

    def _look_for(self, entry: Entry) -> Entry | None:
        wait = dt.timedelta(seconds=self.settle_seconds)
        until = min(dt.datetime.fromisoformat(entry.sent_at), dt.datetime.now(dt.UTC)) + wait
        while True:
            last = dt.datetime.now(dt.UTC) >= until  # judged before looking, so that one look comes after
            job_id = self._find(entry)
            if job_id is not None:
                return self._sent(entry, job_id)
            if last:
                log.info("%s: the submission of %s did not arrive", entry.want, entry.sent_at)
                return None
            self.vendor.stopping.sleep(min(LOOKS_SECONDS, self.settle_seconds / 4))

    def _find(self, entry: Entry) -> str | None:
        """The job that this very order became, among those since, which no other entry owns."""
        entries = self.ledger.entries(self.product_types)
        owned = {job_id for other in entries for job_id in (other.job_id, *other.former)}
        for job in list_jobs(self.vendor, entry.sent_at):
            if job.get("id") not in owned and _is_of(job, entry.order):
                return str(job["id"])
        return None

    def _submit(self, order: Order) -> str:
        """The new job's number."""
        what = f"the job for {order.want}"
        job = self.vendor.submit(what, lambda: self.vendor.client.batch.submit_job(**order.query(), **FORM))
        if not isinstance(job, dict) or not isinstance(job.get("id"), str):
            raise UncertainSubmissionError(f"Databento's answer to {what} names no job.", hint=LIST_TELLS)
        return str(job["id"])

    def _sent(self, entry: Entry, job_id: str) -> Entry:
        log.info("%s: submitted as %s (%.2f USD)", entry.want, job_id, entry.cost_usd)
        return self.ledger.write(entry.with_(state=SUBMITTED, job_id=job_id))


def list_jobs(vendor: Vendor, sent_at: str) -> list[dict[str, Any]]:
    """Databento's jobs in every state since shortly before a moment (ISO 8601)."""
    since = (dt.datetime.fromisoformat(sent_at) - CLOCK_SLACK).isoformat()
    what = "the list of jobs"
    jobs = vendor.ask(what, lambda: vendor.client.batch.list_jobs(states=STATES_LISTED, since=since))
    with understood(what):
        return [{"id": job["id"], **job} for job in jobs]


def _is_of(job: dict[str, Any], order: Order) -> bool:
    query = order.query()
    symbols = job.get("symbols", "")
    listed = symbols.split(",") if isinstance(symbols, str) else symbols
    return (
        (job.get("dataset"), job.get("schema"), job.get("stype_in"))
        == (query["dataset"], query["schema"], query["stype_in"])
        and all(job.get(name, value) == value for name, value in FORM.items())
        and sorted(listed or ()) == sorted(query["symbols"])
        and [_instant(job.get(name)) for name in ("start", "end")]
        == [_instant(query[name]) for name in ("start", "end")]
    )


def _instant(text: Any) -> dt.datetime | None:
    """A moment in any of the forms that Databento writes, to the second: 2026-02-06T00:00:00.000000000Z."""
    try:
        moment = dt.datetime.fromisoformat(str(text)[:19])
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC)
