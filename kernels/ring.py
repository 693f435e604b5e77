"""The ring of cells around spot: which buckets it holds, their depth, and where the others wait.

The ring holds exactly the buckets [centre - RING_HALF, centre + RING_HALF); the centre is spot. The depth of its
cells is kept up to date with every record. A bucket outside is touched too: its cell lies in the outer ring, with the
bucket's number in `outer_bucket`, until a bucket RING away takes its place. A cell goes over from one to the other as
spot moves.
"""

from __future__ import annotations

from .cells import cell_word, forget, touch
from .contract import (
    ASK,
    B_BASE_TICK,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_FAR_PRICES,
    B_SPOT,
    B_TICK,
    BID,
    CELL_WORDS,
    E_CENTRE,
    I_BASELINE,
    I_DEPTH,
    I_TOUCHED_NS,
    NO_BUCKET,
    NO_TIME,
    RING,
    RING_HALF,
    RING_MASK,
)
from .far_levels import far_depth_of_bucket
from .jit import routine, step
from .state import BookState, Cells, Model


@step
def bucket_of(price: int, bucket_size: int) -> int:
    """floor(price / B + 1/2), exact."""
    return (2 * price + bucket_size) // (2 * bucket_size)


@step
def bucket_of_level(book: BookState, word: int, price: int) -> int:
    """The bucket of `price`, whose dense level is at `word`; where a bucket is a tick, it is numbered as that is."""
    scalars = book.scalars
    if scalars[B_BUCKET] == scalars[B_TICK]:
        return scalars[B_BASE_TICK] + (word >> 1)
    return bucket_of(price, scalars[B_BUCKET])


@step
def holds(model: Model, bucket: int) -> bool:
    """Whether the ring holds `bucket`."""
    centre = model.scalars[E_CENTRE]
    return centre != NO_BUCKET and -RING_HALF <= bucket - centre < RING_HALF


@step
def change_cell_depth(model: Model, bucket: int, change: int) -> None:
    """Add `change` to the depth of the bucket's cell, where the ring holds it."""
    if holds(model, bucket):
        model.cells.ints[cell_word(bucket) + I_DEPTH] += change


@routine
def count_depth(book: BookState, cells: Cells, first: int, last: int) -> None:
    """Set the depth of the cells of buckets first to last (fewer than RING) from the levels."""
    scalars = book.scalars
    depth = book.depth
    bucket_size = scalars[B_BUCKET]
    tick = scalars[B_TICK]
    base = scalars[B_BASE_TICK]
    last_level = depth.size // 2 - 1
    has_far = scalars[B_FAR_PRICES] > 0
    for bucket in range(first, last + 1):
        low_price = (2 * bucket * bucket_size - bucket_size + 1) // 2  # lowest price that rounds to the bucket
        high_price = (2 * (bucket + 1) * bucket_size - bucket_size + 1) // 2 - 1
        total = 0
        for level in range(max(-(-low_price // tick) - base, 0), min(high_price // tick - base, last_level) + 1):
            total += depth[2 * level + ASK] + depth[2 * level + BID]
        if has_far:
            total += far_depth_of_bucket(book, bucket)
        cells.ints[cell_word(bucket) + I_DEPTH] = total


@routine
def count_all_depth(book: BookState, model: Model) -> None:
    """Set the depth of every cell of the ring from the levels."""
    centre = model.scalars[E_CENTRE]
    if centre != NO_BUCKET:
        first = centre - RING_HALF
        count_depth(book, model.cells, first, first + RING - 1)


@step
def swap_cells(model: Model, slot: int) -> None:
    """Exchange the cells that lie at `slot` of the ring and of the outer ring."""
    inner, outer = model.cells, model.outer
    for word in range(slot * CELL_WORDS, (slot + 1) * CELL_WORDS):
        inner.ints[word], outer.ints[word] = outer.ints[word], inner.ints[word]


@routine
def recentre(book: BookState, model: Model, centre: int) -> None:
    """Move the ring to `centre`: touched buckets that leave go to the outer ring, those that enter come from it."""
    old = model.scalars[E_CENTRE]
    model.scalars[E_CENTRE] = centre
    first = centre - RING_HALF
    last = first + RING - 1
    if old != NO_BUCKET and abs(centre - old) < RING:
        if centre > old:
            first = old + RING_HALF
        else:
            last = old - RING_HALF - 1
    for bucket in range(first, last + 1):
        slot = bucket & RING_MASK
        touched = model.cells.ints[slot * CELL_WORDS + I_TOUCHED_NS] != NO_TIME
        leaves = old - RING_HALF + ((bucket - old + RING_HALF) & RING_MASK) if touched else NO_BUCKET
        waits = model.outer_bucket[slot] == bucket
        if waits or touched:
            swap_cells(model, slot)
            model.outer_bucket[slot] = leaves
        if not waits:
            forget(model.cells, bucket)
    count_depth(book, model.cells, first, last)


@step
def follow_spot(book: BookState, model: Model) -> None:
    """Keep the ring's centre at spot."""
    spot = book.scalars[B_SPOT]
    if spot != model.scalars[E_CENTRE] and spot != NO_BUCKET:
        recentre(book, model, spot)


@routine
def touch_bucket(book: BookState, model: Model, bucket: int, add: int, pull: int, fill: int) -> None:
    """Touch a bucket, wherever its cell lies; of those outside the ring that share a place the newest stays."""
    cells = model.cells
    if not holds(model, bucket):
        cells = model.outer
        slot = bucket & RING_MASK
        if model.outer_bucket[slot] != bucket:
            forget(cells, bucket)
            model.outer_bucket[slot] = bucket
        count_depth(book, cells, bucket, bucket)
    touch(cells, model.decay, bucket, book.scalars[B_CLOCK], book.scalars[B_EVENT_ID], add, pull, fill)


@routine
def rebase(book: BookState, model: Model) -> None:
    """Set every bucket's depth baseline to its depth now: rebuilding a book is no activity."""
    inner, outer = model.cells.ints, model.outer.ints
    for i in range(0, inner.size, CELL_WORDS):
        inner[i + I_BASELINE] = inner[i + I_DEPTH]
    for slot in range(model.outer_bucket.size):
        bucket = model.outer_bucket[slot]
        if bucket != NO_BUCKET:
            count_depth(book, model.outer, bucket, bucket)
            outer[slot * CELL_WORDS + I_BASELINE] = outer[slot * CELL_WORDS + I_DEPTH]
