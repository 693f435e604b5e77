"""The downloader: orders what is missing in the lake, waits for it, and lays it down."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vp.download.definitions import MAX_SYMBOLS, choose, front_months, parents_of_file, parents_there_are, query
from vp.download.families import option_parents
from vp.download.fetch import Fetcher, keep_decompressed
from vp.download.files import lay_down
from vp.download.ledger import EMPTY, EXPIRED, LAID, REFUSED, SUBMITTED, SUBMITTING, Entry, Ledger, Order, Want, now
from vp.download.plan import MISSING, PENDING, PRODUCT_TYPES, Calendar, Request
from vp.download.spend import Budget, Cashier, list_jobs
from vp.download.vendor import Vendor
from vp.errors import DownloadError, FileError, VendorRefusedError, VendorUnreachableError
from vp.lake import Lake

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Quote:
    """An order with its price and the day's condition."""

    order: Order
    cost_usd: float
    condition: str


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
        self.fetcher = fetcher
        self.budget = budget
        self.cashier = Cashier(vendor, ledger, PRODUCT_TYPES[request.program], settle_seconds)
        self.calendar = Calendar(vendor, request.start, request.end)
        self.resubmit_expired = resubmit_expired
        self.pending: set[Want] = set()
        self.faulty: dict[Want, str] = {}

    # Ordering

    def submit(self, *, dry_run: bool = False) -> None:
        """Price what is missing, show it, and order it unless it is too dear or only asked about.

        Raises
        ------
        CostLimitError
            Nothing was ordered; definitions, which contracts are chosen from, may have been bought before.
        ApiKeyError, VendorUnreachableError, LakeError
        """
        self.pending.clear()
        self.calendar.forget_pending()
        self._settle_earlier(dry_run=dry_run)
        base = self._to_order(self.request.base_wants())
        options = self._to_order(self.request.option_wants())
        self.budget.spent_usd = self._spent_usd()
        quotes = self._quotes(base)
        if dry_run:
            self._show(quotes + self._option_quotes_at_most(options), "would be ordered (options: at most)")
            return
        self.budget.require(sum(quote.cost_usd for quote in quotes), f"{len(quotes)} jobs")
        quotes += self._option_quotes(options, sum(quote.cost_usd for quote in quotes))
        if not quotes:
            return
        self._show(quotes, "to be ordered")
        self.budget.require(sum(quote.cost_usd for quote in quotes), f"{len(quotes)} jobs")
        for quote in quotes:
            try:
                self.cashier.send(quote.order, quote.cost_usd, quote.condition)
            except VendorRefusedError as error:
                self._give_up(quote.order.want, error)

    def _settle_earlier(self, *, dry_run: bool) -> None:
        """Find out about submissions that a killed run left behind."""
        for want in self.request.base_wants() + self.request.option_wants():
            entry = self.ledger.find(want)
            if entry is not None and entry.state == SUBMITTING and not dry_run and self.cashier.settle(entry) is None:
                self.ledger.write(entry.with_(state=REFUSED, error="it did not arrive"))

    def _to_order(self, wants: Iterable[Want]) -> list[Want]:
        """Those that nothing was ordered for, that are not in the lake, and whose day Databento has."""
        found = []
        for want in wants:
            entry = self.ledger.find(want)
            again = entry is None or entry.state == REFUSED or (entry.state == EXPIRED and self.resubmit_expired)
            if not again or want in self.faulty or self._in_lake(want):
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

    def _quotes(self, wants: list[Want]) -> list[Quote]:
        quotes = []
        for want in wants:
            if self.request.program == "equities":
                symbols: tuple[str, ...] = (want.symbol,)
            else:
                contract = self._front_month(want)
                if contract is None:
                    continue
                symbols = (contract,)
            quotes += self._quote(Order(want, symbols))
        return quotes

    def _quote(self, order: Order) -> list[Quote]:
        want = order.want
        try:
            return [Quote(order, self.cashier.price(order), self.calendar.condition(want.place, want.date))]
        except VendorRefusedError as error:
            self._give_up(want, error)
            return []

    def _front_month(self, want: Want) -> str | None:
        try:
            found = front_months(self.vendor, want.symbol, want.date, want.date).get(want.date)
        except VendorRefusedError as error:
            self._give_up(want, error)
            return None
        if found is None:
            log.info("%s: no contract of %s has a volume that names it the front month", want, want.symbol)
        return found

    def _option_quotes(self, wants: list[Want], reserved_usd: float) -> list[Quote]:
        quotes = []
        for want in wants:
            try:
                order = self._option_order(want, reserved_usd)
            except (VendorRefusedError, DownloadError, FileError) as error:
                self._give_up(want, error)
                continue
            if order is not None:
                quotes += self._quote(order)
        return quotes

    def _option_quotes_at_most(self, wants: list[Want]) -> list[Quote]:
        """Prices of whole families, which no choice of contracts exceeds, and of their definitions."""
        quotes = []
        seen: set[Want] = set()
        for want in wants:
            definition = self.request.definition_want(want)
            parents = self._parents(want)[:1]
            if not parents:
                continue
            if definition not in seen and self._in_lake(definition) is None:
                quotes += self._quote(Order(definition, (parents[0],), "parent"))
            seen.add(definition)
            quotes += self._quote(Order(want, (parents[0],), "parent"))
        return quotes

    def _parents(self, want: Want) -> list[str]:
        if self.request.program == "equities":
            candidates = [f"{want.symbol}.OPT"]
        else:
            candidates = option_parents(want.symbol, want.date)
        return parents_there_are(self.vendor, want.place.dataset, candidates, want.date)

    def _option_order(self, want: Want, reserved_usd: float) -> Order | None:
        """The contracts of the nearest expiry; buys definitions where the lake holds none."""
        underlying = None
        if self.request.program == "futures":
            underlying = self._front_month(want)
            if underlying is None:
                return None
        definition = self.request.definition_want(want)
        if definition in self.faulty:
            return None
        path = self._in_lake(definition)
        if path is not None:
            symbols, parents = choose(path, want.date, underlying), parents_of_file(path)
        else:
            symbols, parents = self._buy_definitions(definition, underlying, reserved_usd)
        if not symbols:
            self.faulty[definition] = f"{want.symbol} has no options of {want.date} or later on {underlying}"
            log.warning("%s: no options expire on the date or later on %s", want, underlying or want.symbol)
            return None
        if len(symbols) > MAX_SYMBOLS:
            return Order(want, parents, "parent")
        return Order(want, symbols)

    def _buy_definitions(
        self, want: Want, underlying: str | None, reserved_usd: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Definitions of the first family whose options fit, laid into the lake; the contracts and the parent."""
        path = self.lake.directory(want.place, want.symbol) / want.place.file_name(want.date)
        part = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in self._parents(want):
            order = Order(want, (parent,), "parent")
            cost_usd = self.cashier.price(order)
            self.budget.require(reserved_usd + cost_usd, f"The definitions of {parent} and the jobs before them")
            query(self.vendor, order, part)
            self.budget.spent_usd += cost_usd
            symbols = choose(part, want.date, underlying)
            log.info("%s: %s holds %d contracts (%.2f USD)", want, parent, len(symbols), cost_usd)
            if symbols:
                condition = self.calendar.condition(want.place, want.date)
                lay_down(part, path)
                self.ledger.write(Entry(order, LAID, cost_usd, condition, now()))
                return symbols, (parent,)
            part.unlink()
        return (), ()

    def _show(self, quotes: list[Quote], what: str) -> None:
        for quote in quotes:
            order = quote.order
            named = order.symbols[0] if len(order.symbols) == 1 else f"{len(order.symbols)} contracts"
            log.info("%8.2f USD  %s (%s, %s)", quote.cost_usd, order.want, named, quote.condition)
        total = sum(quote.cost_usd for quote in quotes)
        log.info("%8.2f USD  for %d jobs %s; --max-cost is %.2f", total, len(quotes), what, self.budget.limit_usd)

    def _give_up(self, want: Want, error: Exception) -> None:
        self.faulty[want] = str(error)
        log.error("%s: %s", want, error)

    # Waiting and fetching

    def poll(self, entries: list[Entry]) -> int:
        """Fetch what is done; returns how many jobs are still outstanding.

        Raises
        ------
        ApiKeyError, VendorUnreachableError, LakeError
        """
        waiting = [entry for entry in entries if entry.state == SUBMITTED and entry.want not in self.faulty]
        if not waiting:
            return 0
        jobs = list_jobs(self.vendor, min(entry.sent_at for entry in waiting))
        state_of = {job.get("id"): job.get("state") for job in jobs}
        outstanding = 0
        for entry in waiting:
            state = state_of.get(entry.job_id)
            if state == "done":
                outstanding += not self._fetch(entry)
            elif state == "expired":
                self._expire(entry)
            else:
                outstanding += 1
                if state is None:
                    log.warning("%s: Databento does not list the job %s", entry.want, entry.job_id)
        return outstanding

    def _fetch(self, entry: Entry) -> bool:
        """Whether nothing is left to do for an entry in this run."""
        try:
            self.fetcher.fetch(entry)
        except VendorUnreachableError as error:
            log.warning("%s: %s", entry.want, error)
            return False
        except (DownloadError, VendorRefusedError) as error:
            self.ledger.write(entry.with_(error=error.message))
            self._give_up(entry.want, error)
        return True

    def _expire(self, entry: Entry) -> None:
        said = f"The job {entry.job_id} expired before its file was fetched."
        self.ledger.write(entry.with_(state=EXPIRED, error=said))
        log.error("%s: %s Order it anew, for money, with --resubmit-expired.", entry.want, said)

    def decompress_laid(self, entries: list[Entry]) -> None:
        """Keep uncompressed files beside those that were laid down before; raises DownloadError, OSError."""
        for entry in entries:
            if entry.state == LAID:
                path = self._in_lake(entry.want)
                if path is not None and path.name.endswith(".zst"):
                    keep_decompressed(path)

    def entries(self) -> list[Entry]:
        """Entries of the request's files."""
        wants = self.request.base_wants() + self.request.option_wants()
        return [entry for entry in map(self.ledger.find, wants) if entry is not None]

    def summary(self, entries: list[Entry]) -> bool:
        """Say how it stands; whether all is well."""
        count = {state: sum(entry.state == state for entry in entries) for state in (LAID, EMPTY, SUBMITTED, EXPIRED)}
        log.info(
            "%d in the lake, %d without data, %d outstanding, %d expired, %d with errors, %d not there yet",
            count[LAID], count[EMPTY], count[SUBMITTED], count[EXPIRED], len(self.faulty), len(self.pending),
        )  # fmt: skip
        for entry in entries:
            if entry.state == EXPIRED:
                log.error("%s: %s", entry.want, entry.error)
        return not (count[EXPIRED] or self.faulty)


def restrict(entries: list[Entry], symbols: tuple[str, ...], start: dt.date | None, end: dt.date | None) -> list[Entry]:
    """Entries of some symbols and dates; none named means all."""
    return [
        entry
        for entry in entries
        if (not symbols or entry.want.symbol in symbols)
        and (start is None or entry.want.date >= start)
        and (end is None or entry.want.date <= end)
    ]
