"""Market events of every kind, written out as records: what `market_strategies.py` strings together."""

from __future__ import annotations

from collections.abc import Callable

from tests.market_orders import BASE_PRICE, PUBLISHERS, QUIET_NS, SECOND_NS, SESSION_START_NS, OrderEvents
from tests.oracle_book import (
    F_BAD_TS_RECV,
    F_LAST,
    F_MAYBE_BAD_BOOK,
    F_MBP,
    F_SNAPSHOT,
    F_TOB,
    UNDEFINED_PRICE,
    UNDEFINED_TIME,
)

__all__ = ["BASE_PRICE", "KINDS", "LEVEL_PUBLISHER", "QUOTE_PUBLISHER", "SESSION_START_NS", "MarketWriter"]

QUOTE_PUBLISHER = 41
LEVEL_PUBLISHER = 42
DAY_NS = 86_400 * SECOND_NS


class MarketWriter(OrderEvents):
    """Beside orders and trades, what concerns whole books and times: publishers, quotes, levels, snapshots, clears."""

    def write(self, kind: str) -> None:
        """Append one event of a kind in `KINDS`."""
        self.now_ns += self.rng.choice(QUIET_NS)
        KINDS[kind](self)
        self.end_event()

    def _as(self, publisher: int, *events: Callable[[MarketWriter], None]) -> None:
        """Let another publisher speak."""
        before, self.publisher = self.publisher, publisher
        for event in events:
            event(self)
        self.publisher = before

    # Publishers.

    def other_publisher(self) -> None:
        """The next one that sends orders speaks from now on; it numbers its orders as the others do."""
        self.publisher = self.rng.choice(PUBLISHERS)
        self.quote()

    def id_of_another(self) -> None:
        """Whatever can be said of an order, under an id that rests with another publisher."""
        ids = [i for publisher, book in self.books.items() if publisher != self.publisher for i in book]
        side = self.side()
        order_id = self.rng.choice(ids or [self.new_id()])
        self.put(self.rng.choice("AACMF"), side, self.price(side), self.size(), order_id)

    def clear(self) -> None:
        self.put("R", "N", UNDEFINED_PRICE, 0, 0)

    def clear_and_rebuild(self) -> None:
        """A clear inside an event, with ordinary adds after it at the same clock."""
        self.clear()
        for side in "BABA":
            self.put("A", side, self.price(side), self.size(), self.new_id())

    def bad_book(self) -> None:
        self.put(self.rng.choice("NTR"), "N", UNDEFINED_PRICE, 0, 0, flags=F_MAYBE_BAD_BOOK)

    # Quotes and levels.

    def best_quotes(self) -> None:
        """A publisher that sends nothing but best quotes, all with order id 0."""
        self._as(QUOTE_PUBLISHER, MarketWriter._quotes)

    def _quotes(self) -> None:
        for side in self.rng.sample("BA", self.rng.randint(1, 2)):
            price = UNDEFINED_PRICE if self.rng.random() < 0.2 else self.price(side, reach=3)
            size = 0 if price == UNDEFINED_PRICE or self.rng.random() < 0.1 else self.size()
            self.put(self.rng.choice("AAM"), side, price, size, 0, flags=F_TOB)
        if self.rng.random() < 0.2:
            self.put(self.rng.choice("TFCRN"), self.rng.choice("BAN"), self.mid, self.size(), 0, flags=F_TOB)

    def top_of_book(self) -> None:
        """Quotes of a publisher of orders, under one id for both sides or one each, and a side without a quote."""
        for side in self.rng.sample("BA", self.rng.randint(1, 2)):
            order_id = self.rng.choice((0, 1 if side == "B" else 2, self.new_id(), self.resting_id()))
            nothing = self.rng.random() < 0.25
            price, size = (UNDEFINED_PRICE, 0) if nothing else (self.price(side), self.size())
            self.put(self.rng.choice("AAM"), side, price, size, order_id, flags=F_TOB)

    def price_levels(self) -> None:
        """A publisher that sends the sizes of levels."""
        self._as(LEVEL_PUBLISHER, MarketWriter._levels)

    def price_levels_among_orders(self) -> None:
        self._levels()

    def _levels(self) -> None:
        for _ in range(self.rng.randint(1, 4)):
            side = self.side()
            size = self.rng.choice((0, self.size(), self.size()))
            self.put(self.rng.choice("AAMMC"), side, self.price(side, reach=4), size, 0, flags=F_MBP)
        if self.rng.random() < 0.1:
            self.put(self.rng.choice("TFRN"), self.rng.choice("BAN"), self.mid, self.size(), 0, flags=F_MBP)

    # Snapshots.

    def snapshot(self) -> None:
        """In the middle of whatever there is; with or without a clear before it and F_LAST, its times days old."""
        rows = [(self.side(), self.new_id()) for _ in range(self.rng.randint(0, 8))]
        rows += [(side, self.new_id()) for side in ("BA" if rows else "")]
        if self.live and self.rng.random() < 0.3:
            rows.append((self.side(), self.resting_id()))
        old_ns = self.now_ns - self.rng.choice((0, 60 * SECOND_NS, 3 * DAY_NS))
        with_clear = not rows or self.rng.random() < 0.5
        self.live.clear()
        if with_clear:
            self.put("R", "N", UNDEFINED_PRICE, 0, 0, flags=F_SNAPSHOT | F_BAD_TS_RECV, ts_event=old_ns)
        for side, order_id in rows:
            price, size = self.price(side), self.size()
            self.put("A", side, price, size, order_id, flags=F_SNAPSHOT | F_BAD_TS_RECV, ts_event=old_ns)
            if self.rng.random() < 0.1:
                self._as(self.rng.choice(PUBLISHERS), MarketWriter.add, MarketWriter.cancel_part)
        if self.rng.random() < 0.5:
            self.event[-1] = self.event[-1]._replace(flags=self.event[-1].flags | F_LAST)

    def snapshot_oddities(self) -> None:
        """Actions and kinds that no venue replays, in case one does."""
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        kind = self.rng.choice((0, 0, F_TOB, F_MBP))
        for action in self.rng.sample("AMCFTN", 3):
            self.put(action, side, price, self.rng.randint(1, size), order_id, flags=F_SNAPSHOT | kind)

    # Times.

    def late(self) -> None:
        """A record whose time lies before the clock."""
        side = self.side()
        ts_event = self.now_ns - self.rng.choice((1, 1_000, 2 * SECOND_NS))
        self.put("A", side, self.price(side), self.size(), self.new_id(), ts_event=ts_event)

    def before_the_window(self) -> None:
        """What was stamped before the session began and arrives among its records."""
        ts_event = self.start_ns - self.rng.choice((1, 5_000, 3600 * SECOND_NS, 3 * DAY_NS))
        for action in self.rng.choices("AACCMTFRN", (4, 4, 4, 4, 3, 2, 2, 1, 1), k=self.rng.randint(1, 4)):
            side, order_id = self.side(), self._some_id()
            price, size = self.price(side, reach=4), self.size()
            if action in "CF" and order_id in self.live:
                side, price, size = self.live[order_id]
            self.put(action, side, price, size, order_id, ts_event=ts_event)

    def ahead_of_receipt(self) -> None:
        """Times an hour after their receipt; or two seconds after one that says that it cannot be trusted."""
        trusted = self.rng.random() < 0.8
        ts_event = self.now_ns + (3600 if trusted else 2) * SECOND_NS
        for action in self.rng.sample("AMCTFN", self.rng.randint(1, 3)):
            side = self.side()
            self.put(action, side, self.price(side, reach=4), self.size(), self._some_id(), ts_event=ts_event)
            flags = self.event[-1].flags & ~F_BAD_TS_RECV | (0 if trusted else F_BAD_TS_RECV)
            self.event[-1] = self.event[-1]._replace(flags=flags, ts_recv=self.now_ns + 999)

    def undefined_time(self) -> None:
        """A record without a time, received before the window, in it, or nobody knows when."""
        self.rng.choice((self.add, self.cancel_part, self.trade, self.clear))()
        ts_recv = self.rng.choice((None, self.now_ns, self.start_ns - 5))
        self.event = [rec._replace(ts_event=UNDEFINED_TIME, ts_recv=ts_recv) for rec in self.event]

    # Where spot goes.

    def drift(self) -> None:
        self._move_spot(self.rng.randint(-3, 3))

    def jump(self) -> None:
        """Spot leaves the grid, or comes back to where it was."""
        home = (BASE_PRICE - self.mid) // self.tick_int
        self._move_spot(home + self.rng.choice((0, 60, -60, 130, -130)))

    def jump_far(self) -> None:
        """Spot goes so far that buckets may be forgotten."""
        home = (BASE_PRICE - self.mid) // self.tick_int
        self._move_spot(home + self.rng.choice((0, 700, -3_000)))

    def _move_spot(self, ticks: int) -> None:
        """Everybody cancels what is in the way, and quotes again."""
        self.mid += ticks * self.tick_int
        for publisher in sorted({*self.books, *(publisher for publisher, *_ in self.levels)}):
            self._as(publisher, MarketWriter._make_way)
        self.quote()

    def _make_way(self) -> None:
        for order_id, (side, price, size) in list(self.live.items()):
            if self._is_in_the_way(side, price):
                self.put("C", side, price, size, order_id)
        for level in sorted(level for level in self.levels if level[0] == self.publisher):
            _, flag, side, price = level
            if self._is_in_the_way(side, price):
                self.put("M", side, price, 0, 0, flags=flag)
                self.levels.remove(level)

    def _is_in_the_way(self, side: str, price: int) -> bool:
        return price >= self.mid if side == "B" else price <= self.mid


NOT_KINDS = {"write", "end_event", "put", "side", "size", "price", "new_id", "resting_id"}
KINDS: dict[str, Callable[[MarketWriter], None]] = {
    name: method
    for written in (OrderEvents, MarketWriter)
    for name, method in vars(written).items()
    if callable(method) and not name.startswith("_") and name not in NOT_KINDS
}
