"""What each missing file would be ordered as, and what that costs."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vp.download.buying import Definitions
from vp.download.calendar import Calendar
from vp.download.definitions import MAX_SYMBOLS, front_months, parents_there_are
from vp.download.families import option_parents
from vp.download.ledger import Order, Want
from vp.download.plan import Request
from vp.download.spend import Cashier
from vp.download.troubles import Troubles
from vp.download.vendor import Vendor
from vp.errors import DownloadError, FileError, VendorRefusedError
from vp.lake import Lake

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Quote:
    """An order with its price and the day's condition."""

    order: Order
    cost_usd: float
    condition: str


def total_usd(quotes: list[Quote]) -> float:
    """The sum of the prices."""
    return sum(quote.cost_usd for quote in quotes)


def show(quotes: list[Quote], what: str, limit_usd: float) -> None:
    """Tell each price and the sum."""
    for quote in quotes:
        order = quote.order
        named = order.symbols[0] if len(order.symbols) == 1 else f"{len(order.symbols)} contracts"
        log.info("%8.2f USD  %s (%s, %s)", quote.cost_usd, order.want, named, quote.condition)
    log.info("%8.2f USD  for %d jobs %s; --max-cost is %.2f", total_usd(quotes), len(quotes), what, limit_usd)


class Quoter:
    """Finds the contracts of files that are wanted, and asks their prices."""

    def __init__(
        self, request: Request, vendor: Vendor, lake: Lake, cashier: Cashier, calendar: Calendar,
        definitions: Definitions, troubles: Troubles,
    ) -> None:  # fmt: skip
        self._request = request
        self._vendor = vendor
        self._lake = lake
        self._cashier = cashier
        self._calendar = calendar
        self._definitions = definitions
        self._troubles = troubles

    def base(self, wants: list[Want]) -> list[Quote]:
        """Of futures or equities themselves; a day without a front month has none."""
        quotes = []
        for want in wants:
            if self._request.program == "equities":
                quotes += self._quote(Order(want, (want.symbol,)))
                continue
            try:
                contract = self._front_month(want)
            except VendorRefusedError as error:
                self._troubles.give_up(want, error)
                continue
            if contract is not None:
                quotes += self._quote(Order(want, (contract,)))
        return quotes

    def options(self, wants: list[Want], reserved_usd: float) -> list[Quote]:
        """Of options; definitions are bought for it where the lake holds none.

        Raises
        ------
        CostLimitError
            These definitions and `reserved_usd` are too dear.
        """
        quotes = []
        for want in wants:
            try:
                order = self._option_order(want, reserved_usd)
            except (VendorRefusedError, DownloadError, FileError) as error:
                self._troubles.give_up(want, error)
                continue
            if order is not None:
                quotes += self._quote(order)
        return quotes

    def options_at_most(self, wants: list[Want]) -> list[Quote]:
        """Prices of whole families, which no choice of contracts exceeds, and of their definitions; buys nothing."""
        quotes = []
        seen: set[Want] = set()
        for want in wants:
            definition = self._request.definition_want(want)
            try:
                parents = self._parents(want)[:1]
            except VendorRefusedError as error:
                self._troubles.give_up(want, error)
                continue
            if not parents:
                continue
            held = {raw.date for raw in self._lake.files(definition.place, definition.symbol)}
            if definition not in seen and definition.date not in held:
                quotes += self._quote(Order(definition, (parents[0],), "parent"))
            seen.add(definition)
            quotes += self._quote(Order(want, (parents[0],), "parent"))
        return quotes

    def _quote(self, order: Order) -> list[Quote]:
        want = order.want
        try:
            return [Quote(order, self._cashier.price(order), self._calendar.condition(want.place, want.date))]
        except VendorRefusedError as error:
            self._troubles.give_up(want, error)
            return []

    def _front_month(self, want: Want) -> str | None:
        found = front_months(self._vendor, want.symbol, want.date, want.date).get(want.date)
        if found is None:
            self._troubles.give_up(want, f"Databento names no front month of {want.symbol} on that date.")
        return found

    def _parents(self, want: Want) -> list[str]:
        if self._request.program == "equities":
            candidates = [f"{want.symbol}.OPT"]
        else:
            candidates = option_parents(want.symbol, want.date)
        return parents_there_are(self._vendor, want.place.dataset, candidates, want.date)

    def _option_order(self, want: Want, reserved_usd: float) -> Order | None:
        """The contracts of the nearest expiry; the whole parent where they are too many for one job."""
        underlying = None
        if self._request.program == "futures":
            underlying = self._front_month(want)
            if underlying is None:
                return None
        definition = self._request.definition_want(want)
        if definition in self._troubles:
            return None
        symbols, parents = self._definitions.contracts(
            definition, lambda: self._parents(want), underlying, reserved_usd
        )
        if not symbols:
            self._troubles[definition] = f"{want.symbol} has no options of {want.date} or later on {underlying}"
            log.warning("%s: no options expire on the date or later on %s", want, underlying or want.symbol)
            return None
        if len(symbols) > MAX_SYMBOLS:
            return Order(want, parents, "parent")
        return Order(want, symbols)
