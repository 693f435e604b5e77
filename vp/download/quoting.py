"""What each missing file would be ordered as, and what that costs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vp.download.buying import Definitions
from vp.download.calendar import Calendar
from vp.download.definitions import MAX_SYMBOLS
from vp.download.families import option_parents
from vp.download.ledger import Order, Want
from vp.download.plan import Request
from vp.download.spend import Cashier
from vp.download.symbology import Symbology, option_parent_of
from vp.download.troubles import OF_ONE_FILE, Troubles
from vp.download.vendor import Vendor
from vp.lake.lake import Lake

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


def show_sizes(quotes: list[Quote], sizes_bytes: list[int | None], free_bytes: int) -> None:
    """Tell each size (None: not known), the sum, and the free space of the lake's disk."""
    for quote, size in zip(quotes, sizes_bytes, strict=True):
        shown = "unknown" if size is None else f"{size:,}"
        log.info("%15s bytes uncompressed  %s", shown, quote.order.want)
    total = sum(size or 0 for size in sizes_bytes)
    log.info("%15s bytes uncompressed at most; files come compressed; the lake's disk has %s bytes free",
             f"{total:,}", f"{free_bytes:,}")  # fmt: skip
    if total > free_bytes:
        log.warning("the lake's disk may be too small; compressed files usually take a quarter to a tenth")


class Quoter:
    """Finds the contracts of files that are wanted, and asks their prices."""

    def __init__(
        self, request: Request, vendor: Vendor, lake: Lake, cashier: Cashier, calendar: Calendar,
        definitions: Definitions, troubles: Troubles,
    ) -> None:  # fmt: skip
        self._request = request
        self._symbology = Symbology(vendor)
        self._lake = lake
        self._cashier = cashier
        self._calendar = calendar
        self._definitions = definitions
        self._troubles = troubles

    def base(self, wants: list[Want]) -> list[Quote]:
        """Of futures or equities themselves; a day without a front month has none."""
        return self._each(wants, self._base_order)

    def options(self, wants: list[Want], reserved_usd: float) -> list[Quote]:
        """Of options; definitions are bought for it where the lake holds none.

        Raises
        ------
        CostLimitError
            These definitions and `reserved_usd` are too dear.
        """
        return self._each(wants, lambda want: self._option_order(want, reserved_usd))

    def options_at_most(self, wants: list[Want]) -> list[Quote]:
        """Prices of whole families, which no choice of contracts exceeds, and of their definitions; buys nothing."""
        definitions = dict.fromkeys(map(self._request.definition_want, wants))
        held = {want for want in definitions if self._lake_holds(want)}
        unheld = [want for want in definitions if want not in held]
        return self._each([*unheld, *wants], self._family_order)

    def sizes(self, quotes: list[Quote]) -> list[int | None]:
        """How large the data of each are, in bytes uncompressed; None where Databento does not tell."""
        sizes: list[int | None] = []
        for quote in quotes:
            try:
                sizes.append(self._cashier.size_bytes(quote.order))
            except OF_ONE_FILE as error:
                log.warning("%s: %s", quote.order.want, error)
                sizes.append(None)
        return sizes

    def _each(self, wants: list[Want], order_of: Callable[[Want], Order | None]) -> list[Quote]:
        """Quotes of those that can be ordered; why one cannot is a trouble of its own."""
        quotes = []
        for want in wants:
            try:
                order = order_of(want)
                if order is not None:
                    condition = self._calendar.condition(want.place, want.date)
                    quotes.append(Quote(order, self._cashier.price(order), condition))
            except OF_ONE_FILE as error:
                self._troubles.give_up(want, error)
        return quotes

    def _base_order(self, want: Want) -> Order | None:
        contract = want.symbol if self._request.program == "equities" else self._front_month(want)
        return Order(want, (contract,)) if contract is not None else None

    def _option_order(self, want: Want, reserved_usd: float) -> Order | None:
        """The contracts of the nearest expiry; the whole parent where they are too many for one job."""
        underlying = None
        if self._request.program == "futures":
            underlying = self._front_month(want)
            if underlying is None:
                return None
        definition = self._request.definition_want(want)
        symbols, parents = self._definitions.contracts(definition, self._parents(want), underlying, reserved_usd)
        if not symbols:
            self._give_up_options(want, underlying)
            return None
        if len(symbols) > MAX_SYMBOLS:
            return Order(want, parents, "parent")
        return Order(want, symbols)

    def _family_order(self, want: Want) -> Order | None:
        parent = next(self._parents(want), None)
        if parent is None:
            self._give_up_options(want, None)
            return None
        return Order(want, (parent,), "parent")

    def _front_month(self, want: Want) -> str | None:
        found = self._symbology.front_month(want.symbol, want.date)
        if found is None:
            self._troubles.give_up(want, f"Databento names no front month of {want.symbol} on that date.")
        return found

    def _parents(self, want: Want) -> Iterator[str]:
        """Those that Databento has, each asked for only when it is needed."""
        if self._request.program == "equities":
            candidates = [option_parent_of(want.symbol)]
        else:
            candidates = option_parents(want.symbol, want.date)
        for parent in candidates:
            if self._symbology.has_parent(want.place.dataset, parent, want.date):
                yield parent

    def _give_up_options(self, want: Want, underlying: str | None) -> None:
        self._troubles.give_up(want, f"No options expire on the date or later on {underlying or want.symbol}.")

    def _lake_holds(self, want: Want) -> bool:
        return any(raw.date == want.date for raw in self._lake.files(want.place, want.symbol))
