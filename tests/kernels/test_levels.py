"""Depth by price and the best prices against two dictionaries, wherever the dense window stands."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from vp.kernels import far_levels
from vp.kernels import levels as level_kernels
from vp.kernels import orders as order_kernels
from vp.kernels.contract import (
    ASK,
    B_BASE_TICK,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_DENSE_ASKS,
    B_FAR_ASKS,
    B_FAR_PRICES,
    BID,
    BOOK_SCALARS,
    COUNTERS,
    FAR_BUCKET,
    FAR_HEAP,
    FAR_PLACE,
    FAR_PRICE,
    FAR_WORDS,
    GROUP_SLOTS,
    GROUP_WORDS,
    NO_ASK,
    NO_BID,
    PUBLISHERS,
)
from vp.kernels.far_levels import FREE, empty_far_levels
from vp.kernels.levels import build_levels, empty_levels, place_window, set_tick
from vp.kernels.orders import empty_slots
from vp.kernels.state import BookState

# ES, equities, 6E, SI; a power of two, odd ones.
TICKS = (250_000_000, 10_000_000, 50_000, 5_000_000, 1 << 28, 999_999_937, 7)
FAR_SLOTS = 256
add_depth = from_python(level_kernels.add_depth)
dense_word = from_python(level_kernels.dense_word)
find_slot = from_python(order_kernels.find_slot)
level_depth = from_python(level_kernels.level_depth)
far_depth_of_bucket = from_python(far_levels.far_depth_of_bucket)
far_price_at = from_python(far_levels.far_price_at)
remove_depth = from_python(level_kernels.remove_depth)


class Levels:
    """The arrays of one book's levels, and what is on them by a plain reckoning."""

    def __init__(self, tick: int, dense_levels: int, centre: int) -> None:
        self.tick = tick
        self.state = BookState(
            slots=empty_slots(16),
            depth=np.zeros(2 * dense_levels, np.int64),
            far=empty_far_levels(FAR_SLOTS),
            publishers=np.zeros(PUBLISHERS, np.int64),
            scalars=np.zeros(BOOK_SCALARS, np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )
        self.scalars = self.state.scalars
        set_tick(self.scalars, tick)
        self.scalars[B_BUCKET] = tick + tick // 2
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
            far = sorted(set(want) - set(dense), reverse=side == BID)
            assert self.scalars[B_FAR_ASKS + side] == len(far)
            heap = [far_price_at(self.state.far, side, place) for place in range(len(far))]
            assert sorted(heap, reverse=side == BID) == far
            assert all(far.index(heap[(place - 1) // 2]) < far.index(heap[place]) for place in range(1, len(heap)))
        self.check_hashes()

    def check_hashes(self) -> None:
        """The far prices are those with depth, and the buckets those that exact fractions say, with their depth."""
        bucket_size = int(self.scalars[B_BUCKET])
        prices: set[int] = set()
        buckets: dict[int, int] = {}
        for price, size in [*self.want[ASK].items(), *self.want[BID].items()]:
            if dense_word(self.state, price) < 0:
                bucket = math.floor(Fraction(price, bucket_size) + Fraction(1, 2))
                prices.add(price)
                buckets[bucket] = buckets.get(bucket, 0) + size
        slots = self.state.far.reshape(-1, FAR_WORDS)
        assert self.scalars[B_FAR_PRICES] == len(prices)
        assert sorted(slots[:, FAR_PRICE][slots[:, FAR_PRICE] != FREE].tolist()) == sorted(prices)
        assert sorted(slots[:, FAR_BUCKET][slots[:, FAR_BUCKET] != FREE].tolist()) == sorted(buckets)
        for bucket in {*buckets, *(bucket + 1 for bucket in buckets), 0}:
            assert far_depth_of_bucket(self.state, bucket) == buckets.get(bucket, 0)


@st.composite
def price_changes(draw: st.DrawFn) -> tuple[Levels, list[tuple[int, int, int]]]:
    tick = draw(st.sampled_from(TICKS))
    middle = draw(st.sampled_from((0, 86_000, -500, 1 << 32))) * tick
    dense_levels = draw(st.sampled_from((1, 2, 8, 64, 1024)))
    centre = middle + draw(st.integers(-40, 40)) * tick + draw(st.sampled_from((0, 1, -1)))
    near = st.integers(-20, 20).map(lambda n: middle + n * tick)
    off = st.tuples(near, st.integers(-3, 3)).map(sum)
    ends = (2**62, -(2**62), 2**63 - 2, -(2**63) + 1)
    far = st.sampled_from((0, 1, -tick, 10_000_000, 199_999_990_000_000, *ends, *range(10**15, 10**15 + 20)))
    price = st.one_of(near, near, off, far)
    changes = draw(st.lists(st.tuples(st.sampled_from((ASK, BID)), price, st.integers(0, 5)), max_size=50))
    return Levels(tick, dense_levels, centre), changes


@settings(max_examples=150, deadline=None)
@given(case=price_changes())
def test_levels_are_a_dictionary_a_side(case: tuple[Levels, list[tuple[int, int, int]]]) -> None:
    book, changes = case
    no_far = empty_far_levels(FAR_SLOTS).reshape(-1, FAR_WORDS)
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
    assert np.array_equal(book.state.far.reshape(-1, FAR_WORDS)[:, :FAR_PLACE], no_far[:, :FAR_PLACE])
    assert np.array_equal(book.state.far.reshape(-1, FAR_WORDS)[:, FAR_BUCKET:FAR_HEAP], no_far[:, FAR_BUCKET:FAR_HEAP])


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
    for side, price, size in ((BID, 0, 9), (ASK, 0, 5), (ASK, 10**15, 9), (BID, -1, 4)):
        book.remove(side, price, size)
        book.check()


@pytest.mark.parametrize("side", [ASK, BID])
def test_the_best_of_many_far_prices_goes_and_comes_back(side: int) -> None:
    """In any order, with the table as full as it gets, so that prices lie behind others of other places."""
    book = Levels(250_000_000, 8, 0)
    rng = np.random.default_rng(3)
    prices = rng.integers(-(2**62), 2**62, FAR_SLOTS // 2).tolist()
    for number, price in enumerate(prices):
        book.add(side, price, 1)
        book.add(1 - side, price, 1 + number % 2)
    book.check()
    for _ in range(100):
        best = (max if side == BID else min)(book.want[side])
        for price in (best, *(prices[i] for i in rng.integers(len(prices), size=3))):
            for at in (side, 1 - side):
                if price in book.want[at]:
                    book.remove(at, price, book.want[at][price])
                elif rng.integers(2):
                    book.add(at, price, 1)
        book.check()
    for at in (side, 1 - side):
        while book.want[at]:
            best = (max if at == BID else min)(book.want[at])
            book.remove(at, best, book.want[at][best])
            book.check()


def test_a_far_price_halfway_lies_in_the_upper_bucket() -> None:
    book = Levels(2, 8, 0)
    book.scalars[B_BUCKET] = 4
    for price in (4_000_002, -4_000_002, 2**63 - 6):
        book.add(ASK, price, 7)
        assert far_depth_of_bucket(book.state, (price + 2) // 4) == 7
        book.check_hashes()


@pytest.mark.skipif(not os.environ.get("NUMBA_DISABLE_JIT"), reason="only interpreted kernels can be counted")
def test_a_clear_takes_the_time_of_the_far_prices_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    word_of = far_levels.word_of

    def counted(far: Any, key: int, kind: int) -> int:
        looked.append(key)
        return int(word_of(far, key, kind))

    book = Levels(250_000_000, 8, 0)
    for i in range(1, 121):
        book.add(ASK, i * 10**15, 1)
    monkeypatch.setattr(far_levels, "word_of", counted)
    empty_levels(book.state)
    assert len(looked) == 2 * 120
    for i in range(1, 121):
        add_depth(book.state, BID, i * 10**15, 1)
    looked.clear()
    for i in range(120, 0, -1):  # the best one goes, again and again
        remove_depth(book.state, BID, i * 10**15, 1)
    assert len(looked) == 2 * 120
