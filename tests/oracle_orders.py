"""What rests: the orders and levels of each publisher, and the ladder of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracle_records import bucket_of

SIDES = ("B", "A")


Key = int | tuple[str, int | None]
"""What a publisher knows a resting thing by: an order's id; a level's side and price; the side of a best quote."""


@dataclass(eq=False)
class Order:
    """A resting order, or a level or best quote as its publisher gives it.

    `pending` is what fills have taken that no cancel or modify has realised yet.
    """

    publisher: int
    key: Key
    side: str
    price: int
    size: int
    pending: int = 0

    @property
    def order_id(self) -> int:
        """The id of an order; levels and quotes have none, and 0 stands for it."""
        return self.key if isinstance(self.key, int) else 0


@dataclass
class Publisher:
    """The book of one publisher, and what the flags of its records say of it."""

    number: int
    resting: dict[Key, Order] = field(default_factory=dict)
    in_snapshot: bool = False
    last_was_snapshot: bool = False
    maybe_bad: bool = False
    sends_orders: bool = False
    is_complete: bool = False


class Ladder:
    """All that rests, by side and price, in queue order; the depth of buckets is kept beside it."""

    def __init__(self, bucket_int: int) -> None:
        self.bucket_int = bucket_int
        self.queues: dict[str, dict[int, list[Order]]] = {"B": {}, "A": {}}
        self.bucket_depths: dict[int, int] = {}

    def append(self, order: Order) -> None:
        """Put an order at the end of its price's queue."""
        self.queues[order.side].setdefault(order.price, []).append(order)
        self._add_depth(order.price, order.size)

    def remove(self, order: Order) -> None:
        queue = self.queues[order.side][order.price]
        queue.remove(order)
        if not queue:
            del self.queues[order.side][order.price]
        self._add_depth(order.price, -order.size)

    def shrink(self, order: Order, quantity: int) -> None:
        """Take from an order where it stands."""
        order.size -= quantity
        self._add_depth(order.price, -quantity)

    def prices(self, side: str) -> list[int]:
        """Best first."""
        return sorted(self.queues[side], reverse=side == "B")

    def size(self, side: str, price: int) -> int:
        return sum(order.size for order in self.queues[side].get(price, ()))

    def _add_depth(self, price: int, change: int) -> None:
        bucket = bucket_of(price, self.bucket_int)
        depth = self.bucket_depths.pop(bucket, 0) + change
        if depth != 0:
            self.bucket_depths[bucket] = depth
