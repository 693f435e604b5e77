"""The order book of SPEC 3 in lists and dictionaries: the slow half of the oracle.

What a record says goes to the book of its publisher; prices, sizes and spot are those of all publishers together.
"""

from __future__ import annotations

from tests.oracle_orders import SIDES, Key, Ladder, Order, Publisher
from tests.oracle_records import (
    ANOMALIES,
    BAD_BOOK,
    EMPTY_SIDE,
    F_BAD_TS_RECV,
    F_LAST,
    F_MAYBE_BAD_BOOK,
    F_MBP,
    F_SNAPSHOT,
    F_TOB,
    INCOMPLETE,
    LOCKED_OR_CROSSED,
    UNDEFINED_PRICE,
    UNDEFINED_SIZE,
    UNDEFINED_TIME,
    WITHIN_SNAPSHOT,
    Rec,
    Touch,
    bucket_of,
)

__all__ = [
    "F_BAD_TS_RECV",
    "F_LAST",
    "F_MAYBE_BAD_BOOK",
    "F_MBP",
    "F_SNAPSHOT",
    "F_TOB",
    "UNDEFINED_PRICE",
    "UNDEFINED_SIZE",
    "UNDEFINED_TIME",
    "OracleBook",
    "Order",
    "Rec",
    "Touch",
    "bucket_of",
]

EVER = 2**70


class OracleBook(Ladder):
    """Book, clock, spot and anomaly counters of one instrument.

    Parameters
    ----------
    bucket_int
        Size of a bucket, price_int.
    start_ns, end_ns
        The session's window: what lies before it builds the book only.
    """

    def __init__(self, bucket_int: int, *, start_ns: int = -EVER, end_ns: int = EVER) -> None:
        super().__init__(bucket_int)
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.publishers: dict[int, Publisher] = {}
        self.anomalies = dict.fromkeys(ANOMALIES, 0)
        self.clock_ns: int | None = None
        self.event_id = 0
        self.spot: int | None = None
        self.ended_event = False  # with the last record

    # What can be asked of the book.

    @property
    def order_count(self) -> int:
        return sum(len(publisher.resting) for publisher in self.publishers.values())

    @property
    def in_snapshot(self) -> bool:
        return any(publisher.in_snapshot for publisher in self.publishers.values())

    @property
    def quality(self) -> int:
        """The bits of SPEC 3, but for a gap of the feed, of which no record tells."""
        bid, ask = self.best_bid, self.best_ask
        publishers = self.publishers.values()
        return (
            EMPTY_SIDE * (bid is None or ask is None)
            | LOCKED_OR_CROSSED * (bid is not None and ask is not None and bid >= ask)
            | WITHIN_SNAPSHOT * self.in_snapshot
            | BAD_BOOK * any(publisher.maybe_bad for publisher in publishers)
            | INCOMPLETE * any(publisher.sends_orders and not publisher.is_complete for publisher in publishers)
        )

    @property
    def book_valid(self) -> bool:
        return self.quality & ~INCOMPLETE == 0

    def builds_only(self, rec: Rec) -> bool:
        """Whether a record builds the book without being activity or moving the clock."""
        return rec.builds_only(self.start_ns, self.end_ns)

    def is_activity(self, rec: Rec) -> bool:
        """Whether a record is activity: it does not build the book only, and there is a clock at which it is."""
        return not self.builds_only(rec) and self.clock_after(rec) is not None

    def clock_after(self, rec: Rec) -> int | None:
        """The clock to which a record brings the book."""
        if self.builds_only(rec) or rec.is_ahead or rec.ts_event == UNDEFINED_TIME:
            return self.clock_ns
        return rec.ts_event if self.clock_ns is None else max(self.clock_ns, rec.ts_event)

    # One record.

    def end_snapshot_before(self, rec: Rec) -> bool:
        """End a snapshot of the record's publisher that it is not of. Returns whether one ended."""
        publisher = self.publishers.get(rec.publisher)
        if publisher is None or not publisher.in_snapshot or rec.is_snapshot:
            return False
        publisher.in_snapshot = False
        self._set_spot()
        return True

    def begins_snapshot(self, rec: Rec) -> bool:
        """Whether a record is the first of a snapshot, which clears."""
        publisher = self.publishers.get(rec.publisher)
        return rec.is_snapshot and not (publisher is not None and publisher.last_was_snapshot)

    def apply(self, rec: Rec, *, track_fills: bool = True) -> list[Touch]:
        """Apply one record; returns its activity (empty where it builds the book only)."""
        self.end_snapshot_before(rec)
        self._tell_time(rec)
        self.event_id += 1
        begins_snapshot = self.begins_snapshot(rec)
        publisher = self.publishers.setdefault(rec.publisher, Publisher(rec.publisher))
        publisher.in_snapshot = publisher.last_was_snapshot = rec.is_snapshot
        publisher.sends_orders |= rec.is_order

        touches: list[Touch] = []
        if begins_snapshot or rec.action == "R":
            self._clear(publisher)
        if rec.action in "AM" or (rec.action == "C" and rec.is_level and rec.size == 0):
            touches = self._add_or_modify(publisher, rec)
        elif rec.action == "C":
            touches = self._cancel(publisher, rec)
        elif rec.action == "F":
            touches = self._fill(publisher, rec, track_fills=track_fills and self.is_activity(rec))
        elif rec.action == "T":
            self.anomalies["undefined_size"] += rec.size == UNDEFINED_SIZE

        if rec.flags & F_MAYBE_BAD_BOOK:
            publisher.maybe_bad = True
            self.anomalies["maybe_bad_book"] += 1
        self.ended_event = rec.is_last
        if rec.is_last:
            publisher.in_snapshot = False
            bid, ask = self._set_spot()
            if bid is not None and ask is not None:
                self.anomalies["locked_book"] += bid == ask
                self.anomalies["crossed_book"] += bid > ask
        return touches if self.is_activity(rec) else []

    def _tell_time(self, rec: Rec) -> None:
        if not self.builds_only(rec):
            if rec.is_ahead:
                self.anomalies["time_ahead"] += 1
            elif rec.ts_event == UNDEFINED_TIME:
                self.anomalies["undefined_time"] += 1
            elif self.clock_ns is not None and rec.ts_event < self.clock_ns:
                self.anomalies["out_of_order_time"] += 1
        self.clock_ns = self.clock_after(rec)

    def _clear(self, publisher: Publisher) -> None:
        for order in list(publisher.resting.values()):
            self._unrest(publisher, order)
        publisher.maybe_bad = False
        publisher.is_complete = True

    def _add_or_modify(self, publisher: Publisher, rec: Rec) -> list[Touch]:
        if rec.side not in SIDES:
            self.anomalies["undefined_side"] += 1
        elif rec.flags & F_TOB and (rec.price == UNDEFINED_PRICE or rec.size != UNDEFINED_SIZE):
            return self._quote(publisher, rec)
        elif rec.price == UNDEFINED_PRICE:
            self.anomalies["undefined_price"] += 1
        elif rec.size == UNDEFINED_SIZE:
            self.anomalies["undefined_size"] += 1
        elif rec.is_level:
            return self._put(publisher, Order(rec.publisher, (rec.side, rec.price), rec.side, rec.price, rec.size))
        else:
            is_known = rec.order_id in publisher.resting
            self.anomalies["unknown_modify"] += rec.action == "M" and not is_known
            self.anomalies["duplicate_add"] += rec.action == "A" and is_known
            return self._put(publisher, Order(rec.publisher, rec.order_id, rec.side, rec.price, rec.size))
        return []

    def _quote(self, publisher: Publisher, rec: Rec) -> list[Touch]:
        """One level in place of the side, or none; what else stood there goes without activity."""
        key = (rec.side, None)
        for order in list(publisher.resting.values()):
            if order.side == rec.side and order.key != key:
                self._unrest(publisher, order)
        if rec.price != UNDEFINED_PRICE:
            return self._put(publisher, Order(rec.publisher, key, rec.side, rec.price, rec.size))
        quote = publisher.resting.get(key)
        return [] if quote is None else [self._shrink(publisher, quote, quote.size)]

    def _put(self, publisher: Publisher, wanted: Order) -> list[Touch]:
        """Make what rests under a key, or nothing, what is wanted."""
        order = publisher.resting.get(wanted.key)
        if order is None:
            self._rest(publisher, wanted)
            return [Touch(wanted.price, add=wanted.size)]
        if (order.side, order.price) != (wanted.side, wanted.price):
            pulled = order.size - min(order.size, order.pending)
            self._unrest(publisher, order)
            self._rest(publisher, wanted)
            return [Touch(order.price, pull=pulled), Touch(wanted.price, add=wanted.size)]
        if wanted.size < order.size:
            return [self._shrink(publisher, order, order.size - wanted.size)]
        grown = wanted.size - order.size
        if grown > 0:  # to the back of the queue
            self._unrest(publisher, order)
            wanted.pending = order.pending
            self._rest(publisher, wanted)
        return [Touch(order.price, add=grown)]

    def _cancel(self, publisher: Publisher, rec: Rec) -> list[Touch]:
        if rec.is_level and rec.side not in SIDES:
            self.anomalies["undefined_side"] += 1
            return []
        order = None if rec.flags & F_TOB else publisher.resting.get(self._key(rec))
        if order is None:
            self.anomalies["unknown_cancel"] += 1
            return []
        if rec.size > order.size:
            self.anomalies["oversize_cancel"] += 1
        return [self._shrink(publisher, order, min(rec.size, order.size))]

    def _shrink(self, publisher: Publisher, order: Order, quantity: int) -> Touch:
        """Take `quantity` off an order where it stands: first what fills announced, the rest is a pull."""
        realised = min(quantity, order.pending)
        order.pending -= realised
        if quantity == order.size:
            self._unrest(publisher, order)
        else:
            self.shrink(order, quantity)
        return Touch(order.price, pull=quantity - realised)

    def _fill(self, publisher: Publisher, rec: Rec, *, track_fills: bool) -> list[Touch]:
        if rec.size == UNDEFINED_SIZE:
            self.anomalies["undefined_size"] += 1
            return []
        order = self._filled(publisher, rec)
        if order is not None:
            order.pending += rec.size * track_fills
            return [Touch(order.price, fill=rec.size)]
        self.anomalies["unknown_fill"] += rec.is_order
        if rec.price == UNDEFINED_PRICE:
            self.anomalies["undefined_price"] += 1
            return []
        return [Touch(rec.price, fill=rec.size)]

    def _filled(self, publisher: Publisher, rec: Rec) -> Order | None:
        """What a fill takes from: an order, a level, or a best quote at that price."""
        if not rec.flags & F_TOB:
            return publisher.resting.get(self._key(rec))
        quote = publisher.resting.get((rec.side, None))
        return quote if quote is not None and quote.price == rec.price else None

    def _key(self, rec: Rec) -> Key:
        """What a record without F_TOB is about."""
        return (rec.side, rec.price) if rec.is_level else rec.order_id

    # Where orders and levels come to rest and go.

    def _rest(self, publisher: Publisher, order: Order) -> None:
        if order.size > 0:
            publisher.resting[order.key] = order
            self.append(order)

    def _unrest(self, publisher: Publisher, order: Order) -> None:
        del publisher.resting[order.key]
        self.remove(order)

    def _set_spot(self) -> tuple[int | None, int | None]:
        bid, ask = self.best_bid, self.best_ask
        if bid is not None and ask is not None:  # floor((bid + ask) / 2 / B + 1/2)
            self.spot = (bid + ask + self.bucket_int) // (2 * self.bucket_int)
        return bid, ask
