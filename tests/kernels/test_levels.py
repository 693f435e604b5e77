"""Depth by price and the best prices against two dictionaries, wherever the dense window stands."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from vp.kernels import levels as level_kernels
from vp.kernels import orders as order_kernels
from vp.kernels.contract import (
    ASK,
    B_BASE_TICK,
    B_BEST_ASK,
    B_BEST_BID,
    B_DENSE_ASKS,
    B_SPARSE_ASKS,
    B_SPARSE_USED,
    BID,
    BOOK_SCALARS,
    COUNTERS,
    GROUP_SLOTS,
    GROUP_WORDS,
    NO_ASK,
    NO_BID,
    PUBLISHERS,
)
from vp.kernels.levels import FREE, build_levels, empty_far_levels, empty_levels, place_window, set_tick
from vp.kernels.orders import empty_slots
from vp.kernels.state import BookState

# ES, equities, 6E, SI; a power of two, odd ones.
TICKS = (250_000_000, 10_000_000, 50_000, 5_000_000, 1 << 28, 999_999_937, 7)
FAR_SLOTS = 256
add_depth = from_python(level_kernels.add_depth)
dense_word = from_python(level_kernels.dense_word)
find_slot = from_python(order_kernels.find_slot)
level_depth = from_python(level_kernels.level_depth)
next_ask = from_python(level_kernels.next_ask)
next_bid = from_python(level_kernels.next_bid)
remove_depth = from_python(level_kernels.remove_depth)


class Levels:
    """The arrays of one book's levels, and what is on them by a plain reckoning."""

    def __init__(self, tick: int, dense_levels: int, centre: int) -> None:
        self.tick = tick
        self.state = BookState(
            slots=empty_slots(16),
            depth=np.zeros(2 * dense_levels, np.int64),
            **empty_far_levels(FAR_SLOTS),
            publishers=np.zeros(PUBLISHERS, np.int64),
            scalars=np.zeros(BOOK_SCALARS, np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )
        self.scalars = self.state.scalars
        set_tick(self.scalars, tick)
        self.scalars[B_BEST_BID], self.scalars[B_BEST_ASK] = NO_BID, NO_ASK
        place_window(self.state, centre)
        self.want: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def add(self, side: int, price: int, size: int) -> None:
        add_depth(self.state, side, price, size)
        if size:
            self.want[side][price] = self.want[side].get(price, 0) + size

    def remove(self, side: int, price: int, size: int) -> None:
        remove_depth(self.state, side, price, size)
        self.want[side][price] -= size
        if not self.want[side][price]:
            del self.want[side][price]

    def check(self) -> None:
        assert self.scalars[B_BEST_BID] == max(self.want[BID], default=NO_BID)
        assert self.scalars[B_BEST_ASK] == min(self.want[ASK], default=NO_ASK)
        prices = {*self.want[ASK], *self.want[BID]}
        prices |= {price + 1 for price in prices} | {max(price - self.tick, NO_BID) for price in prices}
        for side in (ASK, BID):
            want = self.want[side]
            for price in prices:
                assert level_depth(self.state, side, price) == want.get(price, 0)
            dense = [price for price in want if dense_word(self.state, price) >= 0]
            assert self.scalars[B_DENSE_ASKS + side] == len(dense)
            assert self.scalars[B_SPARSE_ASKS + side] == len(want) - len(dense)


@st.composite
def price_changes(draw: st.DrawFn) -> tuple[Levels, list[tuple[int, int, int]]]:
    tick = draw(st.sampled_from(TICKS))
    middle = draw(st.sampled_from((0, 86_000, -500, 1 << 32))) * tick
    dense_levels = draw(st.sampled_from((1, 2, 8, 64, 1024)))
    centre = middle + draw(st.integers(-40, 40)) * tick + draw(st.sampled_from((0, 1, -1)))
    near = st.integers(-20, 20).map(lambda n: middle + n * tick)
    off = st.tuples(near, st.integers(-3, 3)).map(sum)
    far = st.sampled_from((0, 1, -tick, 10_000_000, 199_999_990_000_000, 2**62, -(2**62), 2**63 - 2, -(2**63) + 1))
    price = st.one_of(near, near, off, far)
    changes = draw(st.lists(st.tuples(st.sampled_from((ASK, BID)), price, st.integers(0, 5)), max_size=50))
    return Levels(tick, dense_levels, centre), changes


@settings(max_examples=150, deadline=None)
@given(case=price_changes())
def test_levels_are_a_dictionary_a_side(case: tuple[Levels, list[tuple[int, int, int]]]) -> None:
    book, changes = case
    for side, price, size in changes:
        resting = book.want[side].get(price, 0)
        if resting and size < 3:
            book.remove(side, price, min(size, resting))
        else:
            book.add(side, price, size)
        book.check()
    while book.want[BID]:  # the best level goes, again and again
        best = max(book.want[BID])
        book.remove(BID, best, book.want[BID][best])
        book.check()
    empty_levels(book.state)
    book.want = ({}, {})
    book.check()
    assert not book.state.depth.any()
    assert not book.state.far_depth.any()
    assert (book.state.far_price == FREE).all()
    assert book.scalars[B_SPARSE_USED] == 0


@pytest.mark.parametrize("tick", TICKS)
@pytest.mark.parametrize("dense_levels", [1, 2, 8, 64])
@pytest.mark.parametrize("centre_tick", [0, -3, 86_000, -(1 << 20)])
def test_dense_word_is_exact_division(tick: int, dense_levels: int, centre_tick: int) -> None:
    book = Levels(tick, dense_levels, centre_tick * tick)
    base = int(book.scalars[B_BASE_TICK])
    assert base <= centre_tick < base + dense_levels
    edges = (base - 2, base - 1, base, base + dense_levels - 1, base + dense_levels, base + dense_levels + 1)
    prices = {n * tick + off for n in (*edges, 0) for off in (0, 1, -1, tick // 2, tick // 3, tick // 4)}
    for price in prices | {2**63 - 1, -(2**63), 2**62, -(2**62)}:
        level = price // tick - base
        want = 2 * level if 0 <= level < dense_levels and price % tick == 0 else -1
        got = dense_word(book.state, price)
        assert got == want or (want == -1 and got < 0), price


def test_a_caller_may_ask_whether_a_price_is_dense() -> None:
    """Signed overflow is undefined in compiled code: a caller that compares the word must not be fooled by it."""

    def compared(state: BookState, price: int) -> int:
        return 1 if level_kernels.dense_word(state, price) >= 0 else 0

    is_dense: Any = numba.njit(compared)

    for tick in TICKS:
        book = Levels(tick, 8, 86_000 * tick)
        for price in (86_000 * tick + off for off in (0, 1, -1, tick // 3, 333_333, 10 * tick, -10 * tick)):
            want = price % tick == 0 and -4 <= price // tick - 86_000 < 4
            assert is_dense(book.state, price) == want, (tick, price)


def test_depth_of_all_orders() -> None:
    book = Levels(250_000_000, 8, 0)
    slots = book.state.slots
    orders = [(1, 0, 5, ASK), (2, 0, 7, BID), (3, 0, 2, BID), (4, 10**15, 9, ASK), (5, -1, 4, BID)]
    for order_id, price, size, side in orders:
        word = find_slot(slots, order_id, 0)
        slots[word : word + GROUP_WORDS : GROUP_SLOTS] = (order_id, price, size | 3 << 32, side)
        book.want[side][price] = book.want[side].get(price, 0) + size
    build_levels(book.state)
    book.check()
    assert next_bid(book.state, 0) == -1
    assert next_bid(book.state, -1) == NO_BID
    assert next_ask(book.state, 0) == 10**15
    assert next_ask(book.state, 10**15) == NO_ASK
