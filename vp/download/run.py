"""The downloader: orders what is missing in the lake, waits for it, and lays it down."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from vp.download.buying import Definitions
from vp.download.calendar import MISSING, PENDING, Calendar
from vp.download.fetch import Fetcher
from vp.download.files import keep_decompressed
from vp.download.ledger import EXPIRED, LAID, REFUSED, Entry, Ledger, Want
from vp.download.plan import PRODUCT_TYPES, Request
from vp.download.quoting import Quote, Quoter, show, total_usd
from vp.download.spend import Budget, Cashier
from vp.download.troubles import Troubles
from vp.download.vendor import Vendor
from vp.download.waiting import Waiter, summary
from vp.errors import DownloadError, VendorRefusedError
from vp.lake import Lake

log = logging.getLogger(__name__)


class Downloader:
    """One run over one request.

    Parameters
    ----------
    request : Request
    vendor, lake, ledger, fetcher
    budget : Budget
    settle_seconds : float
        How long after a submission whose answer was lost Databento's list of jobs may still not tell it.
    resubmit_expired : bool
        Order anew, for money, what expired before it was fetched.

    Attributes
    ----------
    pending : set of Want
        Files of dates that Databento does not have yet.
    """

    def __init__(
        self,
        request: Request,
        vendor: Vendor,
        lake: Lake,
        ledger: Ledger,
        fetcher: Fetcher,
        budget: Budget,
        *,
        settle_seconds: float,
        resubmit_expired: bool = False,
    ) -> None:
        self.request = request
        self.vendor = vendor
        self.lake = lake
        self.ledger = ledger
        self.budget = budget
        self.resubmit_expired = resubmit_expired
        self.pending: set[Want] = set()
        self.troubles = Troubles()
        self.cashier = Cashier(vendor, ledger, PRODUCT_TYPES[request.program], settle_seconds)
        self.calendar = Calendar(vendor, request.start, request.end)
        definitions = Definitions(vendor, lake, ledger, self.cashier, budget, self.calendar)
        self.quoter = Quoter(request, vendor, lake, self.cashier, self.calendar, definitions, self.troubles)
        self.waiter = Waiter(vendor, ledger, self.cashier, fetcher, self.troubles)

    def submit(self, *, dry_run: bool = False) -> None:
        """Price what is missing, show it, and order it unless it is too dear or only asked about.

        Raises
        ------
        CostLimitError
            Nothing was ordered; definitions, which contracts are chosen from, may have been bought before. Where
            a price rose meanwhile, what was ordered before that stays ordered.
        ApiKeyError, VendorUnreachableError, VendorRefusedError, LakeError
        """
        self.pending.clear()
        self.calendar.forget()
        if not dry_run:
            self.waiter.settle(self.entries())
        base = self._to_order(self.request.base_wants())
        options = self._to_order(self.request.option_wants())
        self.budget.spent_usd = self._spent_usd()
        quotes = self.quoter.base(base)
        if dry_run:
            show(
                quotes + self.quoter.options_at_most(options), "would be ordered (options: at most)",
                self.budget.limit_usd,
            )  # fmt: skip
            return
        self.budget.require(total_usd(quotes), f"{len(quotes)} jobs")
        quotes += self.quoter.options(options, total_usd(quotes))
        if not quotes:
            return
        show(quotes, "to be ordered", self.budget.limit_usd)
        self.budget.require(total_usd(quotes), f"{len(quotes)} jobs")
        for i, quote in enumerate(quotes):
            try:
                self._order(quote, quotes[i + 1 :])
            except VendorRefusedError as error:
                self.troubles.give_up(quote.order.want, error)

    def poll(self, entries: list[Entry]) -> int:
        """Fetch what is done; returns how many jobs are still outstanding. Raises as Waiter.poll does."""
        return self.waiter.poll(entries)

    def entries(self) -> list[Entry]:
        """Entries of the request's files."""
        wants = self.request.base_wants() + self.request.option_wants()
        return [entry for entry in map(self.ledger.find, wants) if entry is not None]

    def decompress_laid(self, entries: list[Entry]) -> None:
        """Keep uncompressed files beside those that were laid down before."""
        for entry in entries:
            path = self._in_lake(entry.want) if entry.state == LAID else None
            if path is None or not path.name.endswith(".zst"):
                continue
            try:
                keep_decompressed(path)
            except DownloadError as error:
                self.troubles.give_up(entry.want, error)

    def summary(self, entries: list[Entry]) -> bool:
        """Say how it stands; whether all is well."""
        return summary(entries, self.troubles, len(self.pending))

    def _order(self, quote: Quote, rest: list[Quote]) -> None:
        """Send one order, at the price of this moment."""
        want = quote.order.want
        cost_usd = self.cashier.price(quote.order)
        if cost_usd > quote.cost_usd:
            log.warning("%s: the price rose from %.2f to %.2f USD", want, quote.cost_usd, cost_usd)
            self.budget.require(cost_usd + total_usd(rest), f"{want} and {len(rest)} jobs after it")
        self.cashier.send(quote.order, cost_usd, quote.condition)
        self.budget.spent_usd += cost_usd

    def _to_order(self, wants: Iterable[Want]) -> list[Want]:
        """Those that nothing was ordered for, that are not in the lake, and whose day Databento has."""
        found = []
        for want in wants:
            entry = self.ledger.find(want)
            again = entry is None or entry.state == REFUSED or (entry.state == EXPIRED and self.resubmit_expired)
            if not again or want in self.troubles or self._in_lake(want):
                continue
            condition = self.calendar.condition(want.place, want.date)
            if condition == PENDING:
                self.pending.add(want)
            elif condition != MISSING:
                found.append(want)
        if self.pending:
            log.info("%d files are of dates that Databento does not have yet", len(self.pending))
        return found

    def _in_lake(self, want: Want) -> Path | None:
        files = self.lake.files(want.place, want.symbol)
        return next((raw.path for raw in files if raw.date == want.date), None)

    def _spent_usd(self) -> float:
        wants = self.request.base_wants() + self.request.option_wants()
        every = dict.fromkeys([*wants, *(self.request.definition_want(want) for want in self.request.option_wants())])
        entries = [self.ledger.find(want) for want in every]
        return sum(entry.cost_usd for entry in entries if entry is not None and entry.state != REFUSED)


def restrict(entries: list[Entry], request: Request) -> list[Entry]:
    """Entries of a request's symbols and dates, for `poll`, where none named means all."""
    return [
        entry
        for entry in entries
        if (not request.symbols or entry.want.symbol in request.symbols)
        and request.start <= entry.want.date <= request.end
    ]
