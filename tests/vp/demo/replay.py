"""The generated records, and a book of its own that they are replayed on."""

from __future__ import annotations

import bisect
import io
from typing import Any

import numpy as np
import pytest

from vp.demo import session as demo
from vp.demo.script import OPEN_SECOND
from vp.kernels.contract import MBO_DTYPE

FIRST_SECOND = OPEN_SECOND + 40  # a part with the whole of the first episode in it
SECONDS = 110
SNAPSHOT = 32
LAST = 128


def session_bytes(**options: Any) -> bytes:
    file = io.BytesIO()
    demo.write_session(file, **options)
    return file.getvalue()


def records_of(data: bytes) -> np.ndarray:
    start = 8 + int.from_bytes(data[4:8], "little")
    return np.frombuffer(data, MBO_DTYPE, offset=start)


class Replay:
    """An order book in dictionaries that accepts nothing but what can be."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.queues: dict[tuple[str, int], dict[int, None]] = {}
        self.prices: dict[str, list[int]] = {"A": [], "B": []}  # ascending

    def rest(self, order_id: int, side: str, price: int, size: int) -> None:
        assert order_id not in self.orders
        assert size > 0
        self.orders[order_id] = side, price, size
        if (side, price) not in self.queues:
            self.queues[side, price] = {}
            bisect.insort(self.prices[side], price)
        self.queues[side, price][order_id] = None

    def leave(self, order_id: int) -> None:
        side, price, _ = self.orders.pop(order_id)
        queue = self.queues[side, price]
        del queue[order_id]
        if not queue:
            del self.queues[side, price]
            self.prices[side].remove(price)

    def best(self, side: str) -> int:
        return self.prices[side][-1 if side == "B" else 0]

    def apply(self, event: list[tuple[str, str, int, int, int]]) -> None:
        filled: dict[int, int] = {}
        for action, side, price, size, order_id in event:
            if action == "A":
                self.rest(order_id, side, price, size)
            elif action == "T":
                assert (price, side) == (self.best_left("A" if side == "B" else "B", filled), side)
            elif action == "F":
                assert self.orders[order_id][:2] == (side, price)
                assert next(i for i in self.queues[side, price] if self.left(i, filled)) == order_id
                filled[order_id] = filled.get(order_id, 0) + size
                assert self.left(order_id, filled) >= 0
            elif action == "C":
                assert self.orders[order_id][:2] == (side, price)
                resting = self.orders[order_id][2]
                assert size <= resting
                if order_id in filled:
                    assert (size, filled.pop(order_id)) == (resting, resting)
                if size == resting:
                    self.leave(order_id)
                else:
                    self.orders[order_id] = side, price, resting - size
            elif action == "M":
                _, old_price, old_size = self.orders[order_id]
                assert self.orders[order_id][0] == side
                assert (price, size) != (old_price, old_size)
                if order_id in filled:
                    assert (price, size) == (old_price, old_size - filled.pop(order_id))
                if price == old_price and size < old_size:
                    self.orders[order_id] = side, price, size
                else:
                    self.leave(order_id)
                    self.rest(order_id, side, price, size)
            else:
                pytest.fail(f"action {action}")
        assert not filled  # every fill is realised within its event

    def left(self, order_id: int, filled: dict[int, int]) -> int:
        return self.orders[order_id][2] - filled.get(order_id, 0)

    def best_left(self, side: str, filled: dict[int, int]) -> int:
        """The best price of a side, were the fills so far realised."""
        best_first = reversed(self.prices[side]) if side == "B" else iter(self.prices[side])
        return next(p for p in best_first if any(self.left(i, filled) for i in self.queues[side, p]))

    def depth(self, side: str, prices: range) -> int:
        queues = (self.queues.get((side, price), {}) for price in prices)
        return sum(self.orders[order_id][2] for queue in queues for order_id in queue)
