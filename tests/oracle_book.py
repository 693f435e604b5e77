"""The order book of SPEC 3 in plain dictionaries: the slow half of the oracle.

A level is a dict from order id to order; Python keeps insertion order, which is the queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

UNDEFINED_PRICE = 2**63 - 1

F_LAST = 128
F_TOB = 64
F_SNAPSHOT = 32
F_MAYBE_BAD_BOOK = 4

ANOMALIES = (
    "unknown_cancel",
    "unknown_modify",
    "unknown_fill",
    "duplicate_add",
    "oversize_cancel",
    "undefined_price",
    "undefined_side",
    "out_of_order_time",
    "locked_book",
    "crossed_book",
    "maybe_bad_book",
)


class Rec(NamedTuple):
    """One MBO record, as far as the book needs it."""

    ts_event: int
    action: str
    side: str
    price: int
    size: int
    order_id: int
    flags: int

    @property
    def is_snapshot(self) -> bool:
        return bool(self.flags & F_SNAPSHOT)

    @property
    def is_last(self) -> bool:
        return bool(self.flags & F_LAST)


@dataclass
class Order:
    """A resting order. `pending` is what fills have taken that no cancel or modify has realised yet."""

    order_id: int
    side: str
    price: int
    size: int
    pending: int = 0


class Touch(NamedTuple):
    """What one record did at one price: the deltas of SPEC 4."""

    price: int
    add: int = 0
    pull: int = 0
    fill: int = 0


def bucket_of(price: int, bucket_int: int) -> int:
    """``floor(price / B + 1/2)`` in integers, also for negative prices."""
    return (2 * price + bucket_int) // (2 * bucket_int)


class OracleBook:
    """Book, clock, spot and anomaly counters of one instrument."""

    def __init__(self, bucket_int: int) -> None:
        self.bucket_int = bucket_int
        self.by_id: dict[int, Order] = {}
        self.queues: dict[str, dict[int, dict[int, Order]]] = {"B": {}, "A": {}}
        self.bucket_depths: dict[int, int] = {}
        self.anomalies = dict.fromkeys(ANOMALIES, 0)
        self.clock_ns: int | None = None
        self.event_id = 0
        self.spot: int | None = None
        self.in_snapshot = False
        self.maybe_bad = False

    # What can be asked of the book.

    @property
    def best_bid(self) -> int | None:
        return max(self.queues["B"], default=None)

    @property
    def best_ask(self) -> int | None:
        return min(self.queues["A"], default=None)

    @property
    def orders(self) -> dict[str, list[tuple[int, list[Order]]]]:
        """Per side the levels, best first, each with its orders in queue order."""
        return {
            side: [(price, list(self.queues[side][price].values())) for price in self._prices(side)]
            for side in ("B", "A")
        }

    def levels(self, side: str) -> list[tuple[int, int, int]]:
        """``(price, size, number of orders)`` per level, best first."""
        return [
            (price, sum(o.size for o in self.queues[side][price].values()), len(self.queues[side][price]))
            for price in self._prices(side)
        ]

    def level_size(self, side: str, price: int) -> int:
        return sum(order.size for order in self.queues[side].get(price, {}).values())

    def depth(self, price: int) -> int:
        """Resting size at a price, both sides."""
        return self.level_size("B", price) + self.level_size("A", price)

    def bucket_depth(self, bucket: int) -> int:
        """Resting size of a bucket, both sides."""
        return self.bucket_depths.get(bucket, 0)

    @property
    def book_valid(self) -> bool:
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None or bid >= ask:
            return False
        return not self.in_snapshot and not self.maybe_bad

    def clock_after(self, rec: Rec) -> int | None:
        """The clock to which a record brings the book: snapshots neither set nor advance it."""
        if rec.is_snapshot:
            return self.clock_ns
        return rec.ts_event if self.clock_ns is None else max(self.clock_ns, rec.ts_event)

    # One record.

    def end_snapshot_before(self, rec: Rec) -> bool:
        """End a running snapshot if `rec` is not of it. Returns whether one ended."""
        if not self.in_snapshot or rec.is_snapshot:
            return False
        self.in_snapshot = False
        self._set_spot()
        return True

    def apply(self, rec: Rec, *, track_fills: bool = True) -> list[Touch]:
        """Apply one record; returns its activity (empty for snapshot and clear records)."""
        self.end_snapshot_before(rec)
        if not rec.is_snapshot and self.clock_ns is not None and rec.ts_event < self.clock_ns:
            self.anomalies["out_of_order_time"] += 1
        self.clock_ns = self.clock_after(rec)
        self.event_id += 1
        self.in_snapshot = rec.is_snapshot

        touches: list[Touch] = []
        if rec.action == "R":
            self._clear()
        elif rec.action in "AM":
            touches = self._add_or_modify(rec)
        elif rec.action == "C":
            touches = self._cancel(rec)
        elif rec.action == "F":
            touches = self._fill(rec, track_fills=track_fills)

        if rec.flags & F_MAYBE_BAD_BOOK:
            self.maybe_bad = True
            self.anomalies["maybe_bad_book"] += 1
        if rec.is_last:
            self.in_snapshot = False
            bid, ask = self._set_spot()
            if bid is not None and ask is not None:
                self.anomalies["locked_book"] += bid == ask
                self.anomalies["crossed_book"] += bid > ask
        return [] if rec.is_snapshot else touches

    def _clear(self) -> None:
        self.by_id.clear()
        self.queues = {"B": {}, "A": {}}
        self.bucket_depths.clear()
        self.maybe_bad = False

    def _add_or_modify(self, rec: Rec) -> list[Touch]:
        if rec.side not in "BA":
            self.anomalies["undefined_side"] += 1
            return []
        top_of_book = bool(rec.flags & F_TOB)
        if rec.price == UNDEFINED_PRICE:
            if top_of_book:
                self._clear_side(rec.side, keep=None)
            else:
                self.anomalies["undefined_price"] += 1
            return []

        order = self.by_id.get(rec.order_id)
        if order is None:
            self.anomalies["unknown_modify"] += rec.action == "M"
            touches = [Touch(rec.price, add=rec.size)]
            self._rest(Order(rec.order_id, rec.side, rec.price, rec.size))
        else:
            self.anomalies["duplicate_add"] += rec.action == "A"
            touches = self._replace(order, rec)
        if top_of_book and (rec.action == "A" or order is None):
            self._clear_side(rec.side, keep=rec.order_id)
        return touches

    def _replace(self, order: Order, rec: Rec) -> list[Touch]:
        if (order.side, order.price) != (rec.side, rec.price):
            pulled = order.size - min(order.size, order.pending)
            touches = [Touch(order.price, pull=pulled), Touch(rec.price, add=rec.size)]
            self._unrest(order)
            self._rest(Order(rec.order_id, rec.side, rec.price, rec.size))
            return touches
        if rec.size < order.size:
            return [self._shrink(order, order.size - rec.size)]
        grown = rec.size - order.size
        if grown > 0:  # back of the queue
            self._unrest(order)
            order.size = rec.size
            self._rest(order)
        return [Touch(order.price, add=grown)]

    def _cancel(self, rec: Rec) -> list[Touch]:
        order = self.by_id.get(rec.order_id)
        if order is None:
            self.anomalies["unknown_cancel"] += 1
            return []
        if rec.size > order.size:
            self.anomalies["oversize_cancel"] += 1
        return [self._shrink(order, min(rec.size, order.size))]

    def _shrink(self, order: Order, quantity: int) -> Touch:
        """Take `quantity` off an order where it stands: first what fills announced, the rest is a pull."""
        realised = min(quantity, order.pending)
        order.pending -= realised
        if quantity == order.size:
            self._unrest(order)
        else:
            order.size -= quantity
            self._add_depth(order.price, -quantity)
        return Touch(order.price, pull=quantity - realised)

    def _fill(self, rec: Rec, *, track_fills: bool) -> list[Touch]:
        order = self.by_id.get(rec.order_id)
        if order is not None:
            if track_fills and not rec.is_snapshot:
                order.pending += rec.size
            return [Touch(order.price, fill=rec.size)]
        self.anomalies["unknown_fill"] += 1
        if rec.price == UNDEFINED_PRICE:
            self.anomalies["undefined_price"] += 1
            return []
        return [Touch(rec.price, fill=rec.size)]

    # The two places where orders come to rest and go, and what hangs on them.

    def _rest(self, order: Order) -> None:
        if order.size == 0:
            return
        self.by_id[order.order_id] = order
        self.queues[order.side].setdefault(order.price, {})[order.order_id] = order
        self._add_depth(order.price, order.size)

    def _unrest(self, order: Order) -> None:
        del self.by_id[order.order_id]
        level = self.queues[order.side][order.price]
        del level[order.order_id]
        if not level:
            del self.queues[order.side][order.price]
        self._add_depth(order.price, -order.size)

    def _clear_side(self, side: str, keep: int | None) -> None:
        for order in [o for o in self.by_id.values() if o.side == side and o.order_id != keep]:
            self._unrest(order)

    def _add_depth(self, price: int, change: int) -> None:
        bucket = bucket_of(price, self.bucket_int)
        depth = self.bucket_depths.pop(bucket, 0) + change
        if depth != 0:
            self.bucket_depths[bucket] = depth

    def _prices(self, side: str) -> list[int]:
        return sorted(self.queues[side], reverse=side == "B")

    def _set_spot(self) -> tuple[int | None, int | None]:
        bid, ask = self.best_bid, self.best_ask
        if bid is not None and ask is not None:  # floor((bid + ask) / 2 / B + 1/2)
            self.spot = (bid + ask + self.bucket_int) // (2 * self.bucket_int)
        return bid, ask
