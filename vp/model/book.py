"""The order book: all that rests of one instrument, in queue order, and the levels that it makes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from vp.dbn.accounting import ORDINARY_TALLIES
from vp.dbn.events import Events
from vp.kernels import far_levels as far_kernels
from vp.kernels import forward
from vp.kernels import levels as level_kernels
from vp.kernels import orders as order_kernels
from vp.kernels.contract import (
    B_BASE_TICK,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_FAR_ASKS,
    B_FAR_BIDS,
    B_FAR_PRICES,
    B_LAST_PRICE,
    B_LIVE,
    B_NEXT_RANK,
    B_OUTSIDE,
    B_PLACED,
    B_QUALITY,
    B_SPOT,
    B_SPOT_ASK,
    B_SPOT_BID,
    B_STANDING,
    B_TICK,
    BOOK_SCALARS,
    C_OUT_OF_ORDER,
    COUNTER_NAMES,
    COUNTERS,
    FAR_DEPTH,
    FAR_PRICE,
    FAR_WORDS,
    GROW_LEVELS,
    GROW_ORDERS,
    KIND_MASK,
    KIND_ORDER,
    NO_ASK,
    NO_BID,
    NO_BUCKET,
    NO_TIME,
    PUBLISHERS,
    QUALITY_EMPTY_SIDE,
    QUALITY_GAP,
    QUALITY_INVALID,
    UNDEF_PRICE,
)
from vp.kernels.state import BookState
from vp.model.book_table import SIDE_NAMES, RestingOrders, SavedState, orders_of, table_of

NO_LIMIT = 2**63 - 1
FIRST_ORDER_SLOTS = 1 << 12
FIRST_FAR_SLOTS = 1 << 8
DENSE_LEVELS = 1 << 15


class Book:
    """The book of one instrument, by the rules of DBN's market-by-order records.

    Parameters
    ----------
    tick_int : int
        Tick size in 1e-9 units.
    bucket_int : int, optional
        Bucket size in 1e-9 units, for `spot_bucket`; the tick where it is left out.
    dense_levels : int, optional
        Ticks in the fast window around the market, a power of two; a matter of speed alone.
    """

    def __init__(self, tick_int: int, bucket_int: int | None = None, *, dense_levels: int = DENSE_LEVELS) -> None:
        self.state = BookState(
            slots=order_kernels.empty_slots(FIRST_ORDER_SLOTS),
            depth=np.zeros(2 * dense_levels, np.int64),
            far=far_kernels.empty_far_levels(FIRST_FAR_SLOTS),
            publishers=np.zeros(PUBLISHERS, np.int64),  # takes memory where it is written to
            scalars=np.zeros(BOOK_SCALARS, np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )
        level_kernels.set_tick(self.scalars, tick_int)
        self.scalars[B_BUCKET] = tick_int if bucket_int is None else bucket_int
        self.scalars[B_CLOCK] = NO_TIME
        self.scalars[B_BEST_BID] = NO_BID
        self.scalars[B_BEST_ASK] = NO_ASK
        self.scalars[B_SPOT] = NO_BUCKET
        self.scalars[B_LAST_PRICE] = UNDEF_PRICE
        self.scalars[B_QUALITY] = QUALITY_EMPTY_SIDE

    @property
    def scalars(self) -> np.ndarray:
        """The book's scalars, int64[BOOK_SCALARS], by the B_ constants of kernels.contract."""
        return self.state.scalars

    def fast_forward(self, events: Events, first: int = 0, until_ns: int = NO_LIMIT) -> int:
        """Run records from `first` on while the clock stays under `until_ns`; return the next record's index."""
        columns = events.columns
        while True:
            first, why = forward.fast_forward(columns, first, until_ns, self.state)
            if not self.make_room(why):
                return int(first)

    def make_room(self, why: int) -> bool:
        """Answer a kernel that came back for want of room; False where it came back for another reason."""
        if why == GROW_ORDERS:
            self._resize_orders()
        elif why == GROW_LEVELS:
            self._rebuild_levels()
        else:
            return False
        return True

    def rescale(self, tick_int: int, bucket_int: int) -> None:
        """Go on with another tick and bucket, in 1e-9 units, as if the book had had them from the start."""
        if (tick_int, bucket_int) != (self.scalars[B_TICK], self.scalars[B_BUCKET]):
            level_kernels.set_tick(self.scalars, tick_int)
            self.scalars[B_BUCKET] = bucket_int
            if self.order_count:
                self._rebuild_levels()
        if self.scalars[B_SPOT] != NO_BUCKET:
            twice_mid = self.scalars[B_SPOT_BID] + self.scalars[B_SPOT_ASK]
            self.scalars[B_SPOT] = (twice_mid + bucket_int) // (2 * bucket_int)

    @property
    def event_id(self) -> int:
        """Records processed since the session's start."""
        return int(self.scalars[B_EVENT_ID])

    @property
    def clock_ns(self) -> int | None:
        """Running maximum of ts_event over the window's non-snapshot records, ns UTC."""
        clock = int(self.scalars[B_CLOCK])
        return None if clock == NO_TIME else clock

    @property
    def best_bid(self) -> int | None:
        """Highest bid price in 1e-9 units."""
        price = int(self.scalars[B_BEST_BID])
        return None if price == NO_BID else price

    @property
    def best_ask(self) -> int | None:
        """Lowest ask price in 1e-9 units."""
        price = int(self.scalars[B_BEST_ASK])
        return None if price == NO_ASK else price

    @property
    def spot_bucket(self) -> int | None:
        """Bucket of the BBO mid as of the last event end with both sides present."""
        bucket = int(self.scalars[B_SPOT])
        return None if bucket == NO_BUCKET else bucket

    @property
    def valid(self) -> bool:
        """Whether the book could be trusted at the last event end."""
        return not self.quality & QUALITY_INVALID

    @property
    def quality(self) -> int:
        """What spoke against the book at the last event end: the QUALITY_ bits of kernels.contract (docs/frames.md)."""
        return int(self.scalars[B_QUALITY])

    @property
    def order_count(self) -> int:
        """Orders resting now, and levels and quotes of publishers that send no orders."""
        return int(self.scalars[B_LIVE])

    def mark_gap(self) -> None:
        """Say that records are missing here: the book's quality tells so until the next snapshot."""
        self.scalars[B_STANDING] |= QUALITY_GAP

    def tallies(self) -> dict[str, int]:
        """Every counter by name. Records processed = applied + ignored + rejected (vp.dbn.accounting)."""
        return dict(zip(COUNTER_NAMES, self.state.counters.tolist(), strict=True))

    @property
    def out_of_order(self) -> int:
        """How many records were older than the clock."""
        return int(self.state.counters[C_OUT_OF_ORDER])

    def anomalies(self) -> dict[str, int]:
        """The counters of what should not be, by name."""
        return {name: count for name, count in self.tallies().items() if name not in ORDINARY_TALLIES}

    def depth_at(self, side: str, price: int) -> int:
        """Resting size of one side ("A" or "B") at a price in 1e-9 units."""
        return int(level_kernels.read_depth(self.state, SIDE_NAMES.index(side), price))

    def levels(self, side: str, count: int | None = None) -> list[tuple[int, int, int]]:
        """The best `count` levels of a side as (price, size, orders), best first.

        Sizes are those of all publishers; aggregated levels and quotes add size and no orders.
        """
        at = SIDE_NAMES.index(side)
        state = self.state
        near = np.flatnonzero(state.depth[at::2])
        far_price, far_depth = state.far[FAR_PRICE::FAR_WORDS], state.far[FAR_DEPTH + at :: FAR_WORDS]
        far = np.flatnonzero(far_depth)
        near_price = (near + int(self.scalars[B_BASE_TICK])) * int(self.scalars[B_TICK])
        prices = np.concatenate((near_price, far_price[far]))
        sizes = np.concatenate((state.depth[at::2][near], far_depth[far]))
        best_first = np.argsort(-prices if side == "B" else prices)[:count]
        orders = self._orders()
        mine = orders.price[(orders.side == at) & (orders.tag & KIND_MASK == KIND_ORDER)]
        counts = dict(zip(*(column.tolist() for column in np.unique(mine, return_counts=True)), strict=True))
        rows = zip(prices[best_first].tolist(), sizes[best_first].tolist(), strict=True)
        return [(price, size, counts.get(price, 0)) for price, size in rows]

    def to_arrow(self) -> pa.Table:
        """The book as ORDER_SCHEMA, one row an order, level or quote: bids then asks, best level first, in queue order.

        `queue_rank` counts from 0 at the front of the queue, `level` from 0 at the best price. The schema
        metadata holds what else the book knows, so that `from_arrow` continues as if nothing had been.
        """
        return table_of(self._orders(), self.state)

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Book:
        """A book from what `to_arrow` gave; rows may come in any order."""
        saved = SavedState(table)
        book = cls(saved.tick_int, saved.bucket_int)
        saved.restore(book.state)
        orders = orders_of(table)
        slots = FIRST_ORDER_SLOTS
        while slots <= 4 * len(orders.price):
            slots *= 2
        book.state = book.state._replace(slots=order_kernels.empty_slots(slots))
        order_kernels.insert_orders(book.state.slots, *orders)
        book.scalars[B_LIVE] = len(orders.price)
        book.scalars[B_NEXT_RANK] = int(orders.stamp.max(initial=-1)) + 1
        if len(orders.price):
            book._rebuild_levels()
        return book

    def _orders(self) -> RestingOrders:
        orders = RestingOrders(*(np.zeros(self.order_count, np.int64) for _ in RestingOrders._fields))
        order_kernels.list_orders(self.state.slots, *orders)
        return orders

    def _resize_orders(self) -> None:
        """Twice the slots that what rests must have at least."""
        slots = FIRST_ORDER_SLOTS
        while slots < 8 * self.order_count:
            slots *= 2
        grown = order_kernels.empty_slots(slots)
        order_kernels.rehash(self.state.slots, grown)
        self.state = self.state._replace(slots=grown)

    def _rebuild_levels(self) -> None:
        """Place the dense window where the market is, with room for all prices outside it."""
        price = self._orders().price
        bid, ask = int(self.scalars[B_BEST_BID]), int(self.scalars[B_BEST_ASK])
        self.scalars[[B_FAR_ASKS, B_FAR_BIDS, B_FAR_PRICES]] = 0  # an empty array takes the place of theirs
        level_kernels.empty_levels(self.state)
        self.scalars[B_PLACED] = 0
        self.scalars[B_OUTSIDE] = 0
        if not len(price):
            return
        two_sided = bid != NO_BID and ask != NO_ASK
        level_kernels.place_window(self.state, (bid + ask) >> 1 if two_sided else int(np.median(price)))
        far_prices = self._far_prices(price)
        capacity = FIRST_FAR_SLOTS
        while capacity < 4 * far_prices:
            capacity *= 2
        self.state = self.state._replace(far=far_kernels.empty_far_levels(capacity))
        level_kernels.build_levels(self.state)
        assert int(self.scalars[B_FAR_PRICES]) == far_prices

    def _far_prices(self, price: np.ndarray) -> int:
        tick = int(self.scalars[B_TICK])
        level = price // tick - int(self.scalars[B_BASE_TICK])
        near = (level >= 0) & (level < self.state.depth.size // 2) & (price % tick == 0)
        return len(np.unique(price[~near]))
