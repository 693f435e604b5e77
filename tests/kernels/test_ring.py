"""The ring holds the buckets around its centre, and their depth is that of the levels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.entry import from_python
from tests.oracle_book import bucket_of as oracle_bucket_of
from vp.dbn.events import Events
from vp.kernels import ring as ring_kernels
from vp.kernels.contract import (
    CELL_WORDS,
    E_CENTRE,
    I_BASELINE,
    I_DEPTH,
    I_EVENT_ID,
    I_TOUCHED_NS,
    NO_BUCKET,
    RING,
    RING_HALF,
    RING_MASK,
)
from vp.model.book import Book
from vp.model.model_state import new_model
from vp.model.parameters import ModelParameters

TICK = 10_000_000
bucket_of = from_python(ring_kernels.bucket_of)
count_all_depth = from_python(ring_kernels.count_all_depth)
count_depth = from_python(ring_kernels.count_depth)
holds = from_python(ring_kernels.holds)
rebase = from_python(ring_kernels.rebase)
recentre = from_python(ring_kernels.recentre)
prices = st.integers(-(2**61), 2**61)


@settings(max_examples=200, deadline=None)
@given(price=prices, bucket_int=st.sampled_from((1, 2, 3, TICK, 50 * TICK, 250_000_000)), half=st.booleans())
def test_bucket_of_rounds_half_up_exactly(price: int, bucket_int: int, half: bool) -> None:
    if half:
        price = price // bucket_int * bucket_int + bucket_int // 2
    assert bucket_of(price, bucket_int) == oracle_bucket_of(price, bucket_int)


def test_what_the_ring_holds() -> None:
    model = new_model(ModelParameters())
    assert not any(holds(model, bucket) for bucket in (0, NO_BUCKET, 2**63 - 1, -1))
    for centre in (0, -5, 86_000, -RING):
        model.scalars[E_CENTRE] = centre
        inside = [bucket for bucket in range(centre - RING, centre + RING + 1) if holds(model, bucket)]
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
        self.model = new_model(ModelParameters())
        self.floats, self.ints = self.model.cells

    def recentre(self, centre: int) -> None:
        recentre(self.book.state, self.model, centre)

    def buckets(self) -> range:
        centre = int(self.model.scalars[E_CENTRE])
        return range(centre - RING_HALF, centre + RING_HALF)

    def column(self, place: int) -> dict[int, int]:
        """One of the cells' integers by bucket, where it is not zero."""
        found = {bucket: int(self.ints[(bucket & RING_MASK) * CELL_WORDS + place]) for bucket in self.buckets()}
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
            ring.ints[(bucket & RING_MASK) * CELL_WORDS + I_EVENT_ID] = bucket
            ring.ints[(bucket & RING_MASK) * CELL_WORDS + I_TOUCHED_NS] = 1
            ring.floats[(bucket & RING_MASK) * CELL_WORDS] = bucket
            inside.add(bucket)
        ring.recentre(int(ring.model.scalars[E_CENTRE]) + move)
        window = set(ring.buckets())
        back = {bucket for bucket in aside.values() if bucket in window}
        aside = {slot: bucket for slot, bucket in aside.items() if bucket not in back}
        aside |= {bucket & RING_MASK: bucket for bucket in inside - window}
        inside = (inside & window) | back
        assert set(ring.column(I_EVENT_ID)) == inside - {0}
        marked = {b for b in ring.buckets() if ring.floats[(b & RING_MASK) * CELL_WORDS]}
        assert marked == inside - {0}
    ring.check_depth()


@pytest.mark.parametrize("dense_levels", [2, 1 << 15])
def test_counting_depth_anew_and_rebasing(dense_levels: int) -> None:
    ring = Ring([0, TICK, -TICK, 24 * TICK, 25 * TICK, -25 * TICK, -26 * TICK, 1, 10**13], 50 * TICK, dense_levels)
    ring.recentre(0)
    ring.ints[I_DEPTH::CELL_WORDS] = -1
    count_depth(ring.book.state, ring.model.cells, 0, 0)
    assert ring.column(I_DEPTH)[0] == ring.want[0]
    assert ring.column(I_DEPTH)[1] == -1
    count_all_depth(ring.book.state, ring.model)
    ring.check_depth()
    rebase(ring.book.state, ring.model)
    assert ring.column(I_BASELINE) == ring.column(I_DEPTH)
    assert set(ring.want) == {-1, 0, 1, 20_000}


def test_no_depth_is_counted_before_there_is_a_centre() -> None:
    ring = Ring([0, TICK], TICK, 64)
    count_all_depth(ring.book.state, ring.model)
    assert not ring.ints[I_DEPTH::CELL_WORDS].any()
