"""Spending money: the price is asked first, the limit kept, and every order sent once."""

from __future__ import annotations

import logging
from typing import Any

from vp.download.jobs import FORM, job_id_of
from vp.download.ledger import ABSENT, LOST, REFUSED, SUBMITTED, SUBMITTING, Entry, Ledger, Order, now
from vp.download.search import Search
from vp.download.vendor import NEWER_HINT, Vendor
from vp.errors import (
    ApiKeyError,
    CostLimitError,
    UncertainSubmissionError,
    UnexpectedAnswerError,
    VendorRefusedError,
    VendorUnreachableError,
)

LOST_IN_A_ROW = 2
MOST = 1e18  # USD or bytes: more is no answer
CENT_FRACTION = 6  # decimal places to which sums of prices are compared

log = logging.getLogger(__name__)


class Budget:
    """What may be spent, in USD, and how many orders may be sent in one run.

    Attributes
    ----------
    spent_usd : float
        All that may have been paid: earlier orders of the same files, and orders whose answer was lost.
    orders : int
        Sent in this run, streams of definitions included.
    """

    def __init__(self, limit_usd: float, most_orders: int) -> None:
        self.limit_usd = limit_usd
        self.most_orders = most_orders
        self.spent_usd = 0.0
        self.orders = 0

    def require(self, cost_usd: float, orders: int, what: str) -> None:
        """Raise CostLimitError if this much more, or so many orders more, are too many."""
        total = self.spent_usd + cost_usd
        if not round(total - self.limit_usd, CENT_FRACTION) <= 0:  # so that no number is too much as well
            before = f" and {self.spent_usd:.2f} USD were spent before" if self.spent_usd else ""
            raise CostLimitError(
                f"{what} would cost {cost_usd:.2f} USD{before}, together more than --max-cost "
                f"{self.limit_usd:.2f} USD; nothing of it was ordered.",
                hint=f"Allow it with --max-cost {total * 1.005 + 0.005:.2f}, or ask for fewer dates, symbols or "
                "schemas.",
            )
        if self.orders + orders > self.most_orders:
            raise CostLimitError(
                f"{what} would be {orders} orders after {self.orders}, more than --max-orders {self.most_orders} in "
                "one run; nothing of it was ordered.",
                hint=f"Allow it with --max-orders {self.orders + orders}, or ask for fewer dates, symbols or schemas.",
            )

    def spend(self, cost_usd: float) -> None:
        """Count an order that is about to be sent."""
        self.spent_usd += cost_usd
        self.orders += 1

    def give_back(self, cost_usd: float) -> None:
        """Take off what an order cost that certainly did not arrive."""
        self.spent_usd -= cost_usd


class Cashier:
    """Prices and sends orders."""

    def __init__(self, vendor: Vendor, ledger: Ledger, search: Search, budget: Budget) -> None:
        self.vendor = vendor
        self.ledger = ledger
        self.search = search
        self.budget = budget
        self._newest_listed: dict[str, str] | None = None
        self._lost_in_a_row = 0

    def price(self, order: Order) -> float:
        """What an order costs, in USD; asking is free."""
        return self._number(f"the cost of {order.want}", "USD", self.vendor.metadata.get_cost, order)

    def size_bytes(self, order: Order) -> int:
        """How large the data are, uncompressed; asking is free."""
        return int(self._number(f"the size of {order.want}", "bytes", self.vendor.metadata.get_billable_size, order))

    def send(self, order: Order, cost_usd: float, condition: str) -> Entry:
        """Submit a job and write its number down; returns its entry.

        Raises
        ------
        VendorRefusedError, VendorUnreachableError, ApiKeyError
            It did not arrive, and costs nothing.
        UncertainSubmissionError
            It may have arrived, or answers are lost again and again: nothing more may be ordered in this run.
        LakeError
        """
        if self._newest_listed is None:
            self._newest_listed = self.search.newest_listed()  # before it, nothing is sent
        old = self.ledger.find(order.want)
        if old is not None and old.state == ABSENT:
            job_id, _ = self.search.look(old, prove=False)  # it may have been listed since
            if job_id is not None:
                return self._sent(old, job_id)
        entry = Entry(
            order, SUBMITTING, cost_usd, condition, now(),
            former=[*old.former, *([old.job_id] if old.job_id else [])] if old else [],
            former_usd=old.bought_usd if old else 0.0,
            newest_listed=self._newest_listed,
        )  # fmt: skip
        try:
            with self.vendor.stopping.shielded():  # its number is written down before a signal ends the program
                self.ledger.write(entry)
                self.budget.spend(cost_usd)
                sent = self._sent(entry, self._submit(order))
        except UncertainSubmissionError as error:
            log.warning("%s; looking for it among Databento's jobs", error.message.rstrip("."))
            return self._look_for(self.ledger.write(entry.with_(state=LOST, error=error.message)))
        except (VendorRefusedError, VendorUnreachableError, ApiKeyError) as error:
            self.budget.give_back(cost_usd)
            self.ledger.write(entry.with_(state=REFUSED, error=error.message))
            raise
        self._lost_in_a_row = 0
        return sent

    def settle(self, entry: Entry) -> Entry:
        """Find out what became of an order whose answer an earlier run did not see; raises as Search.find does."""
        log.info("%s: its order of %s was not answered; looking for the job", entry.want, entry.sent_at)
        job_id = self.search.find(entry)
        if job_id is not None:
            return self._sent(entry, job_id)
        log.info("%s: the order of %s did not arrive", entry.want, entry.sent_at)
        return self.ledger.write(entry.with_(state=ABSENT, error="It did not arrive at Databento."))

    def _look_for(self, entry: Entry) -> Entry:
        """The entry of an order whose answer was lost just now; it is not sent again in this run."""
        self._lost_in_a_row += 1
        job_id = self.search.find(entry)
        if job_id is None:
            raise UncertainSubmissionError(
                f"Databento's answer to the order of {entry.want} was lost, and no job is listed for it; it was not "
                "sent again, and nothing more was ordered.",
                hint="Run the same command again: it looks once more, and orders what did not arrive.",
            )
        found = self._sent(entry, job_id)
        if self._lost_in_a_row == LOST_IN_A_ROW:
            raise UncertainSubmissionError(
                f"Databento's answers to {LOST_IN_A_ROW} orders in a row were lost; both were found among its jobs, "
                "but nothing more was ordered.",
                hint="Run the same command again once its service answers; it goes on where it was.",
            )
        return found

    def _submit(self, order: Order) -> str:
        """The new job's number."""
        what = f"the job for {order.want}"
        answer = self.vendor.submit(what, lambda: self.vendor.batch.submit_job(**order.query(), **FORM))
        job_id = job_id_of(answer)
        if job_id is None:
            raise UncertainSubmissionError(f"Databento's answer to {what} names no job: {str(answer)[:80]}")
        return job_id

    def _sent(self, entry: Entry, job_id: str) -> Entry:
        log.info("%s: ordered as %s (%.2f USD)", entry.want, job_id, entry.cost_usd)
        return self.ledger.write(entry.with_(state=SUBMITTED, job_id=job_id, error=""))

    def _number(self, what: str, unit: str, method: Any, order: Order) -> float:
        answer = self.vendor.ask(what, lambda: method(**order.query()))
        if isinstance(answer, bool) or not isinstance(answer, (int, float)) or not 0 <= answer <= MOST:
            raise UnexpectedAnswerError(
                f"Databento's answer to {what} was {str(answer)[:80]}, expected {unit}.", hint=NEWER_HINT
            )
        return float(answer)
