"""Market events of orders and trades, written out as records, one publisher speaking at a time."""

from __future__ import annotations

from random import Random

from tests.oracle_book import F_LAST, F_MBP, F_SNAPSHOT, F_TOB, UNDEFINED_PRICE, UNDEFINED_SIZE, Rec

SESSION_START_NS = 1_770_336_000_000_000_000  # 2026-02-06 00:00 UTC
BASE_PRICE = 21_500_000_000_000
MAX_ID = 2**64 - 1
STUB_PRICES = (10_000_000, 199_999_990_000_000, -5_000_000_000, 0)
QUIET_NS = (0, 0, 0, 1, 999, 40_000, 3_000_000, 25_000_000, 180_000_000, 1_000_000_000, 7_500_000_000)
OTHER_FLAGS = (0, 0, 0, 1, 2, 8, 10)


PUBLISHERS = (1, 2, 65_535)
"""Publishers that send orders, numbered by each on its own: the same ids everywhere."""
FIRST_ID = 6_800_000_000_000
SECOND_NS = 1_000_000_000

Resting = dict[int, tuple[str, int, int]]
"""Side, price and size by order id."""


class OrderEvents:
    """Writes events as records, and keeps a rough view of what rests so that cancels and fills can hit."""

    def __init__(
        self,
        rng: Random,
        *,
        tick_int: int = 250_000_000,
        start_ns: int = SESSION_START_NS,
        mid: int = BASE_PRICE,
    ) -> None:
        self.rng = rng
        self.tick_int = tick_int
        self.start_ns = start_ns
        self.mid = mid
        self.now_ns = start_ns
        self.publisher = PUBLISHERS[0]
        self.next_ids = dict.fromkeys(PUBLISHERS, FIRST_ID)
        self.books: dict[int, Resting] = {}
        self.levels: set[tuple[int, int, str, int]] = set()  # publisher, flag (quote or level), side, price
        self.event: list[Rec] = []
        self.records: list[Rec] = []

    @property
    def live(self) -> Resting:
        """What rests of the publisher that speaks."""
        return self.books.setdefault(self.publisher, {})

    def end_event(self) -> None:
        """F_LAST at the event's end; now and then on each record (as Nasdaq does), now and then nowhere."""
        style = self.rng.randrange(12)
        for i, rec in enumerate(self.event):
            snapshot = bool(rec.flags & F_SNAPSHOT)
            last = style == 1 or (style != 0 and i == len(self.event) - 1)
            ends = last and not snapshot
            self.records.append(rec._replace(flags=rec.flags | (F_LAST if ends else 0)))
        self.event = []

    def put(
        self,
        action: str,
        side: str,
        price: int,
        size: int,
        order_id: int,
        *,
        flags: int = 0,
        ts_event: int | None = None,
    ) -> None:
        """Append a record of the publisher that speaks, and follow what it does to the rough view of its book."""
        if not flags & F_SNAPSHOT:
            flags |= self.rng.choice(OTHER_FLAGS)
        ts_event = self.now_ns if ts_event is None else ts_event
        ts_recv = self.rng.choice((None, ts_event + 1000, ts_event - SECOND_NS))
        self.event.append(Rec(ts_event, action, side, price, size, order_id, flags, self.publisher, ts_recv))
        if action == "R":
            self.live.clear()
        elif flags & (F_TOB | F_MBP):
            self._follow_level(action, side, price, flags)
        elif action in "AM" and side in "BA" and price != UNDEFINED_PRICE and size != UNDEFINED_SIZE:
            self.live.pop(order_id, None)
            if size:
                self.live[order_id] = (side, price, size)
        elif action == "C" and order_id in self.live:
            rest_side, rest_price, rest_size = self.live.pop(order_id)
            if rest_size > size:
                self.live[order_id] = (rest_side, rest_price, rest_size - size)

    def _follow_level(self, action: str, side: str, price: int, flags: int) -> None:
        if action in "AM" and flags & F_TOB:
            for gone in [i for i, order in self.live.items() if order[0] == side]:
                del self.live[gone]
        if action in "AM" and side in "BA" and price != UNDEFINED_PRICE:
            self.levels.add((self.publisher, flags & F_TOB or F_MBP, side, price))

    # What events are made of.

    def side(self) -> str:
        return self.rng.choice("BA")

    def size(self) -> int:
        return self.rng.choice((1, 1, 2, 3, 5, self.rng.randint(1, 40), 10_000))

    def price(self, side: str, *, reach: int = 12) -> int:
        ticks = self.rng.randint(1, reach)
        return self.mid + (ticks if side == "A" else -ticks) * self.tick_int

    def new_id(self) -> int:
        self.next_ids[self.publisher] += 1 if self.rng.random() < 0.97 else 97
        return self.next_ids[self.publisher]

    def resting_id(self) -> int:
        """An order that rests; a fresh one is added when nothing does."""
        if not self.live:
            self.add()
        return self.rng.choice(list(self.live))

    # Events.

    def add(self) -> None:
        side = self.side()
        self.put("A", side, self.price(side), self.size(), self.new_id())

    def add_far(self) -> None:
        side = self.side()
        self.put("A", side, self.price(side, reach=200), self.size(), self.new_id())

    def add_off_tick(self) -> None:
        side = self.side()
        off = self.rng.choice((1, -1, self.tick_int // 2, self.tick_int // 2 + 1, self.tick_int // 3))
        self.put("A", side, self.price(side) + off, self.size(), self.new_id())

    def add_stub(self) -> None:
        price = self.rng.choice(STUB_PRICES)
        self.put("A", "B" if price < self.mid else "A", price, self.size(), self.new_id())

    def add_stub_across(self) -> None:
        """A sell at next to nothing: crosses everything and takes spot along."""
        price = self.rng.choice(STUB_PRICES)
        self.put("A", "A" if price < self.mid else "B", price, self.size(), self.new_id())

    def add_nothing(self) -> None:
        side = self.side()
        self.put("A", side, self.price(side), 0, self.new_id())

    def add_extreme_id(self) -> None:
        side = self.side()
        self.put("A", side, self.price(side), self.size(), self.rng.choice((0, 1, 2**63 - 1, 2**63, MAX_ID)))

    def add_known(self) -> None:
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        if self.rng.random() < 0.5:
            side = self.side()
            price = self.price(side)
        self.put("A", side, price, self.rng.choice((size, size + 2, self.size())), order_id)

    def add_crossing(self) -> None:
        """A locked or crossed book, until somebody cancels."""
        side = self.side()
        away = self.rng.randint(0, 2) * self.tick_int
        self.put("A", side, self.mid + (away if side == "B" else -away), self.size(), self.new_id())

    def cancel(self) -> None:
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        self.put("C", side, price, size, order_id)

    def cancel_part(self) -> None:
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        self.put("C", side, price, self.rng.randint(0, size), order_id)

    def cancel_too_much(self) -> None:
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        self.put("C", side, price, size + self.rng.randint(1, 9), order_id)

    def cancel_unknown(self) -> None:
        side = self.side()
        self.put("C", side, self.price(side), self.size(), self.rng.choice((self.new_id(), 0, MAX_ID)))

    def modify_size(self) -> None:
        order_id = self.resting_id()
        side, price, size = self.live[order_id]
        self.put("M", side, price, max(0, size + self.rng.randint(-size, 9)), order_id)

    def modify_price(self) -> None:
        order_id = self.resting_id()
        side, _, size = self.live[order_id]
        self.put("M", side, self.price(side), self.rng.choice((size, self.size(), 0)), order_id)

    def modify_side(self) -> None:
        order_id = self.resting_id()
        side = self.side()
        self.put("M", side, self.price(side), self.size(), order_id)

    def modify_unknown(self) -> None:
        side = self.side()
        self.put("M", side, self.price(side), self.rng.choice((0, self.size())), self.new_id())

    def undefined_price(self) -> None:
        self.put(self.rng.choice("AM"), self.side(), UNDEFINED_PRICE, self.size(), self._some_id())

    def undefined_size(self) -> None:
        flags = self.rng.choice((0, 0, F_TOB, F_MBP))
        side = self.side()
        self.put(self.rng.choice("AMFT"), side, self.price(side), UNDEFINED_SIZE, self._some_id(), flags=flags)

    def undefined_side(self) -> None:
        price = self.rng.choice((self.mid, UNDEFINED_PRICE))
        flags = self.rng.choice((0, F_TOB, F_MBP))
        self.put(self.rng.choice("AM"), "N", price, self.size(), self._some_id(), flags=flags)

    def _some_id(self) -> int:
        return self.rng.choice((self.resting_id(), self.new_id()))

    def trade_through(self) -> None:
        """As on CME: the trade, the fills, then what realises them (or part of them, or more)."""
        aggressor = self.side()
        hit = [i for i, (side, _, _) in self.live.items() if side != aggressor][: self.rng.randint(1, 3)]
        sizes = {i: self.rng.randint(1, self.live[i][2]) for i in hit}
        self.put("T", aggressor, self.mid, sum(sizes.values()) or 1, self.new_id())
        for order_id, filled in sizes.items():
            side, price, _ = self.live[order_id]
            self.put("F", self.rng.choice((side, side, "N")), price, filled, order_id)
        for order_id, filled in sizes.items():
            side, price, size = self.live[order_id]
            taken = self.rng.choice((filled, filled, filled, size, self.rng.randint(0, size)))
            if size > taken and self.rng.random() < 0.6:
                self.put("M", side, price, size - taken, order_id)
            else:
                self.put("C", side, price, taken, order_id)

    def fill_alone(self) -> None:
        """A fill whose cancel comes in a later event, or never."""
        order_id = self.resting_id()
        side, price, _ = self.live[order_id]
        self.put("F", side, self.rng.choice((price, UNDEFINED_PRICE)), self.size(), order_id)

    def fill_unknown(self) -> None:
        side = self.side()
        price = self.rng.choice((self.price(side), UNDEFINED_PRICE))
        self.put("F", self.rng.choice((side, "N")), price, self.size(), self.new_id())

    def trade(self) -> None:
        price = self.rng.choice((self.mid, self.mid + self.tick_int, UNDEFINED_PRICE))
        self.put("T", self.rng.choice("BAN"), price, self.size(), self.rng.choice((0, self.new_id())))

    def nothing(self) -> None:
        self.put("N", self.rng.choice("BAN"), UNDEFINED_PRICE, 0, 0)

    def burst(self) -> None:
        """Many records at one clock, partly on the same few prices."""
        for _ in range(self.rng.randint(3, 10)):
            self.rng.choice((self.add, self.cancel_part, self.modify_size))()

    def quote(self) -> None:
        """Both sides get an order next to the middle."""
        for side in "BA":
            self.put("A", side, self.price(side, reach=1), self.size(), self.new_id())

    def long_quiet(self) -> None:
        self.now_ns += self.rng.choice((30_000_000_000, 90_000_000_000))
        self.add()
