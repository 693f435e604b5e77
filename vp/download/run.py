"""The downloader: orders what is missing in the lake, waits for it, and lays it down."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vp.download import outcome
from vp.download.buying import Definitions
from vp.download.calendar import MISSING, PENDING, Calendar
from vp.download.fetch import Fetcher
from vp.download.files import keep_decompressed
from vp.download.jobs import Jobs
from vp.download.ledger import ABSENT, EXPIRED, LAID, REFUSED, UNKNOWN, Entry, Ledger, Want
from vp.download.plan import PRODUCT_TYPES, Request
from vp.download.quoting import Quote, Quoter, show, show_sizes, total_usd
from vp.download.search import Search
from vp.download.spend import Budget, Cashier
from vp.download.troubles import OF_ONE_FILE, Troubles
from vp.download.vendor import Vendor
from vp.download.waiting import Waiter
from vp.errors import DownloadError, UncertainSubmissionError, UnexpectedAnswerError, VendorRefusedError
from vp.lake.lake import Lake

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a run goes about it.

    Attributes
    ----------
    poll_seconds : float
        Between looks at the jobs.
    settle_seconds : float
        How long a job that has arrived may not be listed yet.
    resubmit_expired : bool
        Order anew, for money, what expired before it was fetched.
    resubmit_lost : bool
        Order anew, for money, what may have been bought already.
    """

    poll_seconds: float
    settle_seconds: float
    resubmit_expired: bool = False
    resubmit_lost: bool = False


class Downloader:
    """One run over one request.

    Attributes
    ----------
    pending : set of Want
        Files of dates that Databento does not have yet.
    troubles : Troubles
    """

    def __init__(
        self, request: Request, vendor: Vendor, lake: Lake, ledger: Ledger, fetcher: Fetcher, budget: Budget,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.request = request
        self.vendor = vendor
        self.ledger = ledger
        self.pending: set[Want] = set()
        self.troubles = Troubles()
        self._lake = lake
        self._fetcher = fetcher
        self._budget = budget
        self._settings = settings
        self._product_types = PRODUCT_TYPES[request.program]
        self._passed_over: dict[Want, str] = {}
        self._begun = False
        jobs = Jobs(vendor)
        search = Search(jobs, ledger, vendor.stopping, self._product_types, settings.settle_seconds)
        self._cashier = Cashier(vendor, ledger, search, budget)
        self._calendar = Calendar(vendor, request.start, request.end)
        definitions = Definitions(vendor, lake, ledger, self._cashier, budget, self._calendar)
        self._quoter = Quoter(request, vendor, lake, self._cashier, self._calendar, definitions, self.troubles)
        self._waiter = Waiter(jobs, ledger, fetcher, self.troubles, settings.poll_seconds)

    def begin(self, entries: list[Entry]) -> None:
        """Find out about orders that an earlier run did not see answered, and fetch anew what is in the lake no more.

        Raises
        ------
        UncertainSubmissionError
            What became of an order cannot be found out.
        """
        if self._begun:
            return
        uncertain = None
        for entry in self.ledger.entries(self._product_types):
            if entry.state not in UNKNOWN:
                continue
            try:
                self._cashier.settle(entry)
            except UncertainSubmissionError as error:
                if self._settings.resubmit_lost:
                    log.warning("%s: %s", entry.want, error.message)
                    continue
                self.troubles.give_up(entry.want, error)
                uncertain = error
        self._waiter.restore(entries)
        if uncertain is not None:
            raise uncertain
        self._begun = True

    def submit(self) -> None:
        """Price what is missing, show it, and order it unless it is too dear.

        Raises
        ------
        CostLimitError
            Nothing was ordered; definitions, which contracts are chosen from, may have been bought before. Where
            a price rose meanwhile, what was ordered before that stays ordered.
        UncertainSubmissionError
            Nothing more may be ordered.
        ApiKeyError, VendorUnreachableError, LakeError
        """
        self.begin(self.entries())
        base, options = self._to_order()
        self._budget.spent_usd = sum(entry.bought_usd for entry in self._paid())
        quotes = self._quoter.base(base)
        self._budget.require(total_usd(quotes), len(quotes), f"{len(quotes)} jobs")
        quotes += self._quoter.options(options, total_usd(quotes))
        if not quotes:
            return
        show(quotes, "to be ordered", self._budget.limit_usd)
        self._budget.require(total_usd(quotes), len(quotes), f"{len(quotes)} jobs")
        for i, quote in enumerate(quotes):
            try:
                self._order(quote, quotes[i + 1 :])
            except (VendorRefusedError, UnexpectedAnswerError) as error:
                self.troubles.give_up(quote.order.want, error)

    def dry_run(self) -> None:
        """Show what would be ordered: cost, size, and the free space; buys nothing."""
        base, options = self._to_order()
        self._budget.spent_usd = sum(entry.bought_usd for entry in self._paid())
        quotes = self._quoter.base(base) + self._quoter.options_at_most(options)
        show(quotes, "would be ordered (options: at most)", self._budget.limit_usd)
        sizes_bytes = self._quoter.sizes(quotes)
        show_sizes(quotes, sizes_bytes, shutil.disk_usage(_nearest(self._lake.root)).free)

    def poll(self, entries: list[Entry]) -> int:
        """Fetch what is done; returns how many jobs are still outstanding. Raises as Waiter.poll does."""
        return self._waiter.poll(entries)

    def say_waiting(self) -> None:
        """Tell what is being waited for."""
        self._waiter.say(len(self.pending), self._settings.poll_seconds)

    def entries(self) -> list[Entry]:
        """Entries of the request's files."""
        return [entry for entry in map(self.ledger.find, self._wants()) if entry is not None]

    def decompress_laid(self, entries: list[Entry]) -> None:
        """Keep uncompressed files beside those that were laid down before."""
        for entry in entries:
            for path in self._fetcher.laid_paths(entry) if entry.state == LAID else []:
                if not path.name.endswith(".zst"):
                    continue
                try:
                    keep_decompressed(path, entry.want.place.schema)
                except DownloadError as error:
                    self.troubles.give_up(entry.want, error)

    def summary(self, entries: list[Entry] | None = None) -> bool:
        """Tell what became of the request's files, or of some entries'; whether all is well."""
        asked = self._wants() if entries is None else [entry.want for entry in entries]
        wants = [want for want in asked if want.place.schema != "definition"]  # no job is for these
        now = [entry for entry in map(self.ledger.find, wants) if entry is not None]
        by_want = {entry.want: entry for entry in now}
        rows = [
            outcome.outcome_of(
                want, by_want.get(want), self.troubles.get(want), self._passed_over.get(want),
                held=self._in_lake(want) is not None,
            )
            for want in wants
        ]  # fmt: skip
        outcome.show(rows, now, len(self.pending))
        outcome.show_money(self._paid() if entries is None else now, self._budget.limit_usd)
        return all(row.well for row in rows) and not self.troubles

    def _order(self, quote: Quote, rest: list[Quote]) -> None:
        """Send one order, at the price of this moment."""
        want = quote.order.want
        cost_usd = self._cashier.price(quote.order)
        if cost_usd > quote.cost_usd:
            log.warning("%s: the price rose from %.2f to %.2f USD", want, quote.cost_usd, cost_usd)
        what = f"{want} and {len(rest)} jobs after it"
        self._budget.require(cost_usd + total_usd(rest), 1 + len(rest), what)
        self._cashier.send(quote.order, cost_usd, quote.condition)

    def _wants(self) -> list[Want]:
        return self.request.base_wants() + self.request.option_wants()

    def _to_order(self) -> tuple[list[Want], list[Want]]:
        """Files of the underlyings and of options that must be ordered, and can."""
        self.pending.clear()
        self._passed_over.clear()
        self._calendar.forget()
        found = self._missing(self.request.base_wants()), self._missing(self.request.option_wants())
        if self.pending:
            log.info("%d files are of dates that Databento does not have yet", len(self.pending))
        return found

    def _missing(self, wants: Iterable[Want]) -> list[Want]:
        """Those that nothing was ordered for, that are not in the lake, and whose day Databento has."""
        found = []
        for want in wants:
            if want in self.troubles or not self._may_order(self.ledger.find(want)) or self._in_lake(want):
                continue
            try:
                condition = self._calendar.condition(want.place, want.date)
            except OF_ONE_FILE as error:
                self.troubles.give_up(want, error)
                continue
            if condition == PENDING:
                self.pending.add(want)
                self._passed_over[want] = "not there yet: Databento does not have the date"
            elif condition == MISSING:
                self._passed_over[want] = f"no data: {self._calendar.why_missing(want.place, want.date)}"
            else:
                found.append(want)
        return found

    def _may_order(self, entry: Entry | None) -> bool:
        return (
            entry is None
            or entry.state in (REFUSED, ABSENT)
            or (entry.state == EXPIRED and self._settings.resubmit_expired)
            or (entry.state in UNKNOWN and self._settings.resubmit_lost)
        )

    def _in_lake(self, want: Want) -> Path | None:
        files = self._lake.files(want.place, want.symbol)
        return next((raw.path for raw in files if raw.date == want.date), None)

    def _paid(self) -> list[Entry]:
        """Entries of all that may have been paid for the request, and of every order whose answer was lost."""
        options = self.request.option_wants()
        wants = dict.fromkeys([*self._wants(), *map(self.request.definition_want, options)])
        found = {want: entry for want in wants if (entry := self.ledger.find(want)) is not None}
        lost = {entry.want: entry for entry in self.ledger.entries(self._product_types) if entry.state in UNKNOWN}
        return list((lost | found).values())


def restrict(entries: list[Entry], request: Request) -> list[Entry]:
    """Entries of a request's symbols and dates, for `poll`, where none named means all."""
    return [
        entry
        for entry in entries
        if (not request.symbols or entry.want.symbol in request.symbols)
        and request.start <= entry.want.date <= request.end
    ]


def _nearest(path: Path) -> Path:
    """The path, or the nearest directory above it that there is."""
    return next(above for above in (path.absolute(), *path.absolute().parents) if above.exists())
