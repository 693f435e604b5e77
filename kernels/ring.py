"""The ring of cells around spot: which buckets it holds, their depth, and where the others wait.

The ring holds exactly the buckets [centre - RING_HALF, centre + RING_HALF); the centre is spot. The depth of its
cells is kept up to date with every record. A bucket outside is touched too: its cell lies in the outer ring,
`outer_floats` and `outer_ints` (as the ring's own) with the bucket's number in `outer_bucket` (int64[RING],
NO_BUCKET: free), until a bucket RING away takes its place. A cell goes over from one to the other as spot moves.
"""

from __future__ import annotations

from .cells import forget, touch
from .contract import (
    ASK,
    B_BASE_TICK,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_SPARSE_ASKS,
    B_TICK,
    BID,
    CELL_FLOATS,
    CELL_INTS,
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
from .jit import kernel, step
from .types import Float64s, Int64s


@step
def bucket_of(price: int, bucket_size: int) -> int:
    """floor(price / B + 1/2), exact."""
    return (2 * price + bucket_size) // (2 * bucket_size)


@step
def holds(engine: Int64s, bucket: int) -> bool:
    """Whether the ring holds `bucket`."""
    return engine[E_CENTRE] != NO_BUCKET and -RING_HALF <= bucket - engine[E_CENTRE] < RING_HALF


@kernel
def count_depth(
    depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, cell_ints: Int64s, first: int, last: int
) -> None:
    """Set the depth of the cells of buckets first to last (within the ring) from the levels."""
    bucket_size = book[B_BUCKET]
    tick = book[B_TICK]
    base = book[B_BASE_TICK]
    for bucket in range(first, last + 1):
        low_price = (2 * bucket * bucket_size - bucket_size + 1) // 2  # lowest price that rounds to the bucket
        high_price = (2 * (bucket + 1) * bucket_size - bucket_size + 1) // 2 - 1
        total = 0
        for level in range(
            max(-(-low_price // tick) - base, 0), min(high_price // tick - base, depth.size // 2 - 1) + 1
        ):
            total += depth[2 * level] + depth[2 * level + 1]
        cell_ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] = total
    if book[B_SPARSE_ASKS + ASK] + book[B_SPARSE_ASKS + BID] > 0:
        for slot in range(far_price.size):
            size = far_depth[2 * slot] + far_depth[2 * slot + 1]
            if size != 0:
                bucket = bucket_of(far_price[slot], bucket_size)
                if first <= bucket <= last:
                    cell_ints[(bucket & RING_MASK) * CELL_INTS + I_DEPTH] += size


@kernel
def count_all_depth(
    depth: Int64s, far_price: Int64s, far_depth: Int64s, book: Int64s, cell_ints: Int64s, engine: Int64s
) -> None:
    """Set the depth of every cell from the levels."""
    centre = engine[E_CENTRE]
    if centre != NO_BUCKET:
        first = centre - RING_HALF
        count_depth(depth, far_price, far_depth, book, cell_ints, first, first + RING - 1)


@step
def swap_cells(cell_floats: Float64s, cell_ints: Int64s, outer_floats: Float64s, outer_ints: Int64s, slot: int) -> None:
    """Exchange the cells that lie at `slot` of the ring and of the outer ring."""
    for k in range(slot * CELL_FLOATS, (slot + 1) * CELL_FLOATS):
        cell_floats[k], outer_floats[k] = outer_floats[k], cell_floats[k]
    for k in range(slot * CELL_INTS, (slot + 1) * CELL_INTS):
        cell_ints[k], outer_ints[k] = outer_ints[k], cell_ints[k]


@kernel
def recentre(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    cell_floats: Float64s,
    cell_ints: Int64s,
    outer_floats: Float64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
    engine: Int64s,
    centre: int,
) -> None:
    """Move the ring to `centre`: touched buckets that leave go to the outer ring, those that enter come from it."""
    old = engine[E_CENTRE]
    engine[E_CENTRE] = centre
    first = centre - RING_HALF
    last = first + RING - 1
    if old != NO_BUCKET and abs(centre - old) < RING:
        if centre > old:
            first = old + RING_HALF
        else:
            last = old - RING_HALF - 1
    for bucket in range(first, last + 1):
        slot = bucket & RING_MASK
        touched = cell_ints[slot * CELL_INTS + I_TOUCHED_NS] != NO_TIME
        leaves = old - RING_HALF + ((bucket - old + RING_HALF) & RING_MASK) if touched else NO_BUCKET
        waits = outer_bucket[slot] == bucket
        if waits or touched:
            swap_cells(cell_floats, cell_ints, outer_floats, outer_ints, slot)
            outer_bucket[slot] = leaves
        if not waits:
            forget(cell_floats, cell_ints, bucket)
    count_depth(depth, far_price, far_depth, book, cell_ints, first, last)


@kernel
def touch_outside(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    outer_floats: Float64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
    parameters: Float64s,
    bucket: int,
    add: int,
    pull: int,
    fill: int,
) -> None:
    """Touch a bucket that the ring does not hold; the newest of those that share a place stays."""
    if outer_bucket[bucket & RING_MASK] != bucket:
        forget(outer_floats, outer_ints, bucket)
        outer_bucket[bucket & RING_MASK] = bucket
    count_depth(depth, far_price, far_depth, book, outer_ints, bucket, bucket)
    touch(outer_floats, outer_ints, parameters, bucket, book[B_CLOCK], book[B_EVENT_ID], add, pull, fill)


@kernel
def rebase(
    depth: Int64s,
    far_price: Int64s,
    far_depth: Int64s,
    book: Int64s,
    cell_ints: Int64s,
    outer_ints: Int64s,
    outer_bucket: Int64s,
) -> None:
    """Set every bucket's depth baseline to its depth now: rebuilding a book is no activity."""
    for i in range(0, cell_ints.size, CELL_INTS):
        cell_ints[i + I_BASELINE] = cell_ints[i + I_DEPTH]
    for slot in range(outer_bucket.size):
        if outer_bucket[slot] != NO_BUCKET:
            count_depth(depth, far_price, far_depth, book, outer_ints, outer_bucket[slot], outer_bucket[slot])
            outer_ints[slot * CELL_INTS + I_BASELINE] = outer_ints[slot * CELL_INTS + I_DEPTH]
