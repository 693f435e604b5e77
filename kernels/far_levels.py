"""Depth at prices far from the market or off the tick grid, however many there are.

One flat array, `far`, of a power of two of slots, FAR_WORDS words each (FAR_), holds three things. The first words of a
slot are those of a price, which lies where its hash says or behind: depth by side, and where the price stands in the
heap of the side. The next are those of a bucket, likewise: what rests at far prices in it, of both sides. The last is
one of the two heaps, asks in the first half of the slots and bids in the second: slots of prices, the best price at
its top. Prices, buckets and heaps hold what has depth and nothing else, so that no step looks at all prices, a file of
far prices alone is no slower than another, and what has gone leaves nothing behind.
"""

from __future__ import annotations

import numpy as np

from .contract import (
    ASK,
    B_BUCKET,
    B_FAR_ASKS,
    B_FAR_PRICES,
    BID,
    FAR_BUCKET,
    FAR_BUCKET_DEPTH,
    FAR_DEPTH,
    FAR_HEAP,
    FAR_PLACE,
    FAR_PRICE,
    FAR_WORDS,
    NO_ASK,
    NO_BID,
    UNDEF_PRICE,
)
from .jit import routine, step
from .orders import home
from .state import BookState, Int64s

FREE = UNDEF_PRICE  # no order rests at the undefined price, and no bucket has so high a number
PRICE_WORDS = FAR_BUCKET - FAR_PRICE
BUCKET_WORDS = FAR_HEAP - FAR_BUCKET


@step
def in_order(side: int, price: int) -> int:
    """What is greater for the better price of a side: the price of a bid, its complement of an ask."""
    return price ^ (side - 1)


@step
def far_bucket_of(price: int, bucket_size: int) -> int:
    """floor(price / B + 1/2), exact for prices too that cannot be doubled; most records would pay for it."""
    return price // bucket_size + (2 * (price % bucket_size) >= bucket_size)


@step
def word_of(far: Int64s, key: int, kind: int) -> int:
    """Word of `key`, a price (FAR_PRICE) or a bucket (FAR_BUCKET), or that of the free slot where it belongs."""
    mask = far.size // FAR_WORDS - 1
    slot = home(key, mask)
    while far[FAR_WORDS * slot + kind] != key and far[FAR_WORDS * slot + kind] != FREE:
        slot = (slot + 1) & mask
    return FAR_WORDS * slot + kind


@step
def heap_word(far: Int64s, side: int, place: int) -> int:
    """Word of the slot that stands at `place` of a side's heap."""
    return FAR_WORDS * place + side * (far.size // 2) + FAR_HEAP


@step
def put_into_heap(far: Int64s, side: int, place: int, slot: int) -> None:
    """Let a slot stand at `place` of a side's heap."""
    far[heap_word(far, side, place)] = slot
    far[FAR_WORDS * slot + FAR_PLACE + side] = place


@step
def far_price_at(far: Int64s, side: int, place: int) -> int:
    """The price at `place` of a side's heap, the best at 0; those at 2 * place + 1 and 2 * place + 2 are worse."""
    return far[FAR_WORDS * far[heap_word(far, side, place)] + FAR_PRICE]


@routine
def far_depth(book: BookState, side: int, price: int) -> int:
    """Resting size at a far price of one side."""
    return book.far[word_of(book.far, price, FAR_PRICE) + FAR_DEPTH + side]


@step
def far_depth_of_bucket(book: BookState, bucket: int) -> int:
    """What rests at far prices in a bucket, on both sides."""
    return book.far[word_of(book.far, bucket, FAR_BUCKET) + FAR_BUCKET_DEPTH - FAR_BUCKET]


@step
def best_far(book: BookState, side: int) -> int:
    """The best far price of a side, or NO_ASK or NO_BID."""
    if book.scalars[B_FAR_ASKS + side] == 0:
        return NO_BID if side == BID else NO_ASK
    return far_price_at(book.far, side, 0)


@routine
def add_far(book: BookState, side: int, price: int, size: int) -> None:
    """Add `size` (above 0) at `price`."""
    far = book.far
    scalars = book.scalars
    word = word_of(far, price, FAR_PRICE)
    if far[word] == FREE:
        far[word] = price
        scalars[B_FAR_PRICES] += 1
    if far[word + FAR_DEPTH + side] == 0:
        place = scalars[B_FAR_ASKS + side]
        scalars[B_FAR_ASKS + side] = place + 1
        rise(far, side, place, word // FAR_WORDS)
    far[word + FAR_DEPTH + side] += size
    change_bucket(book, price, size)


@routine
def remove_far(book: BookState, side: int, price: int, size: int) -> int:
    """Take `size` away at `price`; returns what is left there."""
    far = book.far
    word = word_of(far, price, FAR_PRICE)
    left = far[word + FAR_DEPTH + side] - size
    far[word + FAR_DEPTH + side] = left
    change_bucket(book, price, -size)
    if left == 0:
        leave_heap(book, side, far[word + FAR_PLACE + side])
        if far[word + FAR_DEPTH + ASK] == 0 and far[word + FAR_DEPTH + BID] == 0:
            free_price(book, word // FAR_WORDS)
    return left


@step
def change_bucket(book: BookState, price: int, change: int) -> None:
    """Add `change` to what rests in the bucket of `price`."""
    far = book.far
    bucket = far_bucket_of(price, book.scalars[B_BUCKET])
    word = word_of(far, bucket, FAR_BUCKET)
    far[word] = bucket
    far[word + FAR_BUCKET_DEPTH - FAR_BUCKET] += change
    if far[word + FAR_BUCKET_DEPTH - FAR_BUCKET] == 0:
        hole = word // FAR_WORDS
        slot = hole
        while True:
            slot = next_that_fits(far, hole, slot, FAR_BUCKET)
            if slot == hole:
                break
            copy_words(far, slot, hole, FAR_BUCKET, BUCKET_WORDS)
            hole = slot
        far[FAR_WORDS * hole + FAR_BUCKET] = FREE
        far[FAR_WORDS * hole + FAR_BUCKET_DEPTH] = 0


@step
def free_price(book: BookState, hole: int) -> None:
    """Take the price of a slot, which has no depth, out of the hash; others that had gone on past it close the gap."""
    far = book.far
    slot = hole
    while True:
        slot = next_that_fits(far, hole, slot, FAR_PRICE)
        if slot == hole:
            break
        copy_words(far, slot, hole, FAR_PRICE, PRICE_WORDS)
        for side in (ASK, BID):
            if far[FAR_WORDS * hole + FAR_DEPTH + side] != 0:
                far[heap_word(far, side, far[FAR_WORDS * hole + FAR_PLACE + side])] = hole
        hole = slot
    far[FAR_WORDS * hole + FAR_PRICE] = FREE
    for side in (ASK, BID):
        far[FAR_WORDS * hole + FAR_DEPTH + side] = 0
    book.scalars[B_FAR_PRICES] -= 1


@step
def next_that_fits(far: Int64s, hole: int, slot: int, kind: int) -> int:
    """The next slot behind `slot` whose key may lie in `hole`; `hole` where none does."""
    mask = far.size // FAR_WORDS - 1
    while True:
        slot = (slot + 1) & mask
        key = far[FAR_WORDS * slot + kind]
        if key == FREE:
            return hole
        if (slot - home(key, mask)) & mask >= (slot - hole) & mask:
            return slot


@step
def copy_words(far: Int64s, source: int, target: int, first: int, count: int) -> None:
    """Copy some of a slot's words."""
    for word in range(first, first + count):
        far[FAR_WORDS * target + word] = far[FAR_WORDS * source + word]


@step
def rise(far: Int64s, side: int, place: int, slot: int) -> None:
    """Put a slot into a side's heap at `place`, or nearer to the top where its price is better."""
    rank = in_order(side, far[FAR_WORDS * slot + FAR_PRICE])
    while place > 0 and in_order(side, far_price_at(far, side, (place - 1) >> 1)) < rank:
        put_into_heap(far, side, place, far[heap_word(far, side, (place - 1) >> 1)])
        place = (place - 1) >> 1
    put_into_heap(far, side, place, slot)


@step
def leave_heap(book: BookState, side: int, place: int) -> None:
    """Take the slot at `place` out of a side's heap: the last one comes into its place, then sinks or rises."""
    far = book.far
    count = book.scalars[B_FAR_ASKS + side] - 1
    book.scalars[B_FAR_ASKS + side] = count
    if place == count:
        return
    slot = far[heap_word(far, side, count)]
    rank = in_order(side, far[FAR_WORDS * slot + FAR_PRICE])
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        best = in_order(side, far_price_at(far, side, below))
        if below + 1 < count:
            other = in_order(side, far_price_at(far, side, below + 1))
            if other > best:
                best = other
                below += 1
        if best < rank:
            break
        put_into_heap(far, side, place, far[heap_word(far, side, below)])
        place = below
    rise(far, side, place, slot)


@routine
def empty_far(book: BookState) -> None:
    """No depth at any far price, in the time of those that have some."""
    far = book.far
    for side in (ASK, BID):
        while book.scalars[B_FAR_ASKS + side] > 0:
            last = far[heap_word(far, side, book.scalars[B_FAR_ASKS + side] - 1)] * FAR_WORDS
            remove_far(book, side, far[last + FAR_PRICE], far[last + FAR_DEPTH + side])


def empty_far_levels(capacity: int) -> np.ndarray:
    """`far` of a BookState, with `capacity` slots (a power of two, half of which may be taken): int64."""
    slots = np.zeros((capacity, FAR_WORDS), np.int64)
    slots[:, (FAR_PRICE, FAR_BUCKET)] = FREE
    return slots.ravel()
