"""The ring holds the buckets around its centre, and their depth is that of the levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle_book import bucket_of as oracle_bucket_of
from vp.dbn.events import Events
from vp.kernels.contract import (
    CELL_FLOATS,
    CELL_INTS,
    E_CENTRE,
    ENGINE_SCALARS,
    I_BASELINE,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    NO_BUCKET,
    NO_TIME,
    RING,
    RING_HALF,
    RING_MASK,
)
from vp.kernels.ring import bucket_of, count_all_depth, count_depth, holds, rebase, recentre
from vp.model.book import Book

TICK = 10_000_000
prices = st.integers(-(2**61), 2**61)


@settings(max_examples=200, deadline=None)
@given(price=prices, bucket_int=st.sampled_from((1, 2, 3, TICK, 50 * TICK, 250_000_000)), half=st.booleans())
def test_bucket_of_rounds_half_up_exactly(price: int, bucket_int: int, half: bool) -> None:
    if half:
        price = price // bucket_int * bucket_int + bucket_int // 2
    assert bucket_of(price, bucket_int) == oracle_bucket_of(price, bucket_int)


def test_what_the_ring_holds() -> None:
    engine = np.zeros(ENGINE_SCALARS, np.int64)
    engine[E_CENTRE] = NO_BUCKET
    assert not any(holds(engine, bucket) for bucket in (0, NO_BUCKET, 2**63 - 1, -1))
    for centre in (0, -5, 86_000, -RING):
        engine[E_CENTRE] = centre
        inside = [bucket for bucket in range(centre - RING, centre + RING + 1) if holds(engine, bucket)]
        assert inside == list(range(centre - RING_HALF, centre + RING_HALF))
        assert len({bucket & RING_MASK for bucket in inside}) == RING


class Ring:
    """A ring over a book of one-lot orders at given prices."""

    def __init__(self, book_prices: list[int], bucket_int: int, dense_levels: int) -> None:
        self.bucket_int = bucket_int
        self.book = Book(TICK, bucket_int, dense_levels=dense_levels)
        rows = [(i, "A", "BA"[i & 1], price, i + 1, i, 0) for i, price in enumerate(book_prices)]
        self.book.fast_forward(Events.from_records(rows))
        self.want: dict[int, int] = {}
        for i, price in enumerate(book_prices):
            bucket = oracle_bucket_of(price, bucket_int)
            self.want[bucket] = self.want.get(bucket, 0) + i + 1
        self.floats = np.zeros(RING * CELL_FLOATS)
        self.ints = np.zeros(RING * CELL_INTS, np.int64)
        self.ints[I_TOUCHED_NS::CELL_INTS] = NO_TIME
        self.outer = (self.floats.copy(), self.ints.copy(), np.full(RING, NO_BUCKET, np.int64))
        self.engine = np.zeros(ENGINE_SCALARS, np.int64)
        self.engine[E_CENTRE] = NO_BUCKET

    @property
    def levels(self) -> tuple[np.ndarray, ...]:
        return self.book.depth, self.book.far_price, self.book.far_depth, self.book.scalars

    def recentre(self, centre: int) -> None:
        recentre(*self.levels, self.floats, self.ints, *self.outer, self.engine, centre)

    def buckets(self) -> range:
        centre = int(self.engine[E_CENTRE])
        return range(centre - RING_HALF, centre + RING_HALF)

    def column(self, place: int) -> dict[int, int]:
        """One of the cells' integers by bucket, where it is not zero."""
        found = {bucket: int(self.ints[(bucket & RING_MASK) * CELL_INTS + place]) for bucket in self.buckets()}
        return {bucket: value for bucket, value in found.items() if value}

    def check_depth(self) -> None:
        assert self.column(I_DEPTH) == {b: n for b, n in self.want.items() if b in self.buckets()}


steps = st.sampled_from((0, 1, -1, 60, -700, RING_HALF, RING - 1, -RING, RING + 1, -3 * RING, 10**6))


@settings(max_examples=60, deadline=None)
@given(
    ticks=st.lists(st.one_of(st.integers(-30, 30), st.integers(-3000, 3000), st.just(10**7)), max_size=20),
    off=st.sampled_from((0, 0, 1, -1, TICK // 2)),
    buckets_wide=st.sampled_from((1, 2, 50)),
    dense_levels=st.sampled_from((2, 64, 1 << 15)),
    moves=st.lists(steps, min_size=1, max_size=5),
)
def test_recentring_keeps_what_stays_and_sets_aside_what_leaves(
    ticks: list[int], off: int, buckets_wide: int, dense_levels: int, moves: list[int]
) -> None:
    ring = Ring([n * TICK + off for n in ticks], buckets_wide * TICK, dense_levels)
    ring.recentre(0)
    inside: set[int] = set()
    aside: dict[int, int] = {}
    for move in moves:
        ring.check_depth()
        for bucket in ring.buckets():  # mark each cell with its own number
            ring.ints[(bucket & RING_MASK) * CELL_INTS + I_EVENT_ID] = bucket
            ring.ints[(bucket & RING_MASK) * CELL_INTS + I_TOUCHED_NS] = 1
            ring.floats[(bucket & RING_MASK) * CELL_FLOATS] = bucket
            inside.add(bucket)
        ring.recentre(int(ring.engine[E_CENTRE]) + move)
        window = set(ring.buckets())
        back = {bucket for bucket in aside.values() if bucket in window}
        aside = {slot: bucket for slot, bucket in aside.items() if bucket not in back}
        aside |= {bucket & RING_MASK: bucket for bucket in inside - window}
        inside = (inside & window) | back
        assert set(ring.column(I_EVENT_ID)) == inside - {0}
        marked = {b for b in ring.buckets() if ring.floats[(b & RING_MASK) * CELL_FLOATS]}
        assert marked == inside - {0}
    ring.check_depth()


@pytest.mark.parametrize("dense_levels", [2, 1 << 15])
def test_counting_depth_anew_and_rebasing(dense_levels: int) -> None:
    ring = Ring([0, TICK, -TICK, 24 * TICK, 25 * TICK, -25 * TICK, -26 * TICK, 1, 10**13], 50 * TICK, dense_levels)
    ring.recentre(0)
    ring.ints[I_DEPTH::CELL_INTS] = -1
    count_depth(*ring.levels, ring.ints, 0, 0)
    assert ring.column(I_DEPTH)[0] == ring.want[0]
    assert ring.column(I_DEPTH)[1] == -1
    count_all_depth(*ring.levels, ring.ints, ring.engine)
    ring.check_depth()
    rebase(*ring.levels, ring.ints, *ring.outer[1:])
    assert ring.column(I_BASELINE) == ring.column(I_DEPTH)
    assert set(ring.want) == {-1, 0, 1, 20_000}


def test_no_depth_is_counted_before_there_is_a_centre() -> None:
    ring = Ring([0, TICK], TICK, 64)
    count_all_depth(*ring.levels, ring.ints, ring.engine)
    assert not ring.ints[I_DEPTH::CELL_INTS].any()
