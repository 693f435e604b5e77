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

    @property
    def kind(self) -> str:
        if isinstance(self.key, int):
            return "order"
        return "quote" if self.key[1] is None else "level"


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
            side: [(price, list(self.queues[side][price])) for price in sorted(self.queues[side], reverse=side == "B")]
            for side in SIDES
        }

    def levels(self, side: str) -> list[tuple[int, int, int]]:
        """``(price, size, number of orders)`` per level, best first; levels and quotes of a publisher are no orders."""
        return [
            (price, sum(o.size for o in queue), sum(o.kind == "order" for o in queue))
            for price, queue in self.orders[side]
        ]

    def level_size(self, side: str, price: int) -> int:
        return sum(order.size for order in self.queues[side].get(price, ()))

    def depth(self, price: int) -> int:
        """Resting size at a price, both sides."""
        return self.level_size("B", price) + self.level_size("A", price)

    def bucket_depth(self, bucket: int) -> int:
        """Resting size of a bucket, both sides."""
        return self.bucket_depths.get(bucket, 0)

    def _add_depth(self, price: int, change: int) -> None:
        bucket = bucket_of(price, self.bucket_int)
        depth = self.bucket_depths.pop(bucket, 0) + change
        if depth != 0:
            self.bucket_depths[bucket] = depth
