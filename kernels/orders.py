"""The order table: id and tag -> price, size, pending fill, side, priority stamp.

A hash table of groups of four slots in one flat int64 array (layout: contract). What rests is an order, an aggregated
level or a publisher's quote; the tag says which, and whose, so that publishers that number their orders alike do not
meet. An id belongs to the group that the top bits of its Fibonacci hash name, or, where that is full, to the next one
that is not. A group's four ids and sizes are compared at once, so a look-up has nothing to guess: it costs the
same wherever in the group the order lies, and an order that goes leaves a hole which nobody need close, unless its
group was full. There are no tombstones. The queue order of a level is the order of its priority stamps. A slot whose
size is 0 is empty, so every id, 0 and -1 included, can be stored.
"""

from __future__ import annotations

import numpy as np

from .contract import (
    GROUP_SLOTS,
    GROUP_WORDS,
    KIND_BITS,
    SIZE_MASK,
    SLOT_PRICE,
    SLOT_RANK,
    SLOT_SIZE,
    STAMP_SHIFT,
    TAG_MASK,
    TAG_SHIFT,
)
from .intrinsics import (
    leading_zeros,
    match_four,
    match_four_bits,
    multiply_wrapping,
    prefetch,
    rotate_right,
    trailing_zeros,
)
from .jit import kernel, routine, step
from .memory import words_on_lines
from .state import Int64s, UInt16s

HASH_MULTIPLIER = -7046029254386353131  # 2**64 / golden ratio, as int64
MOST_PLACES = 2**40 - 1  # tells the compiler that no place is negative, so that it need not ask at every access
TAG_HASH_SHIFT = 45  # the tag in the highest bits of an id, below the sign
AHEAD = 12


@step
def home(key: int, mask: int) -> int:
    """Where `key` (int64) belongs among `mask + 1` places (a power of two): the top bits of its hash.

    Fibonacci hashing spreads consecutive keys evenly only by its top bits (Knuth, The Art of Computer Programming,
    volume 3, section 6.4).
    """
    return rotate_right(multiply_wrapping(key, HASH_MULTIPLIER), leading_zeros(mask) & 63) & mask & MOST_PLACES


@step
def group_mask(slots: Int64s) -> int:
    """Number of groups of the table less one."""
    return slots.size // GROUP_WORDS - 1


@step
def home_group(slots: Int64s, order_id: int, tag: int) -> int:
    """Number of the group that `order_id` with this tag belongs to; equal ids of several publishers lie apart."""
    return home(order_id ^ (tag << TAG_HASH_SHIFT), group_mask(slots))


@step
def home_word(slots: Int64s, order_id: int, tag: int) -> int:
    """First word of that group."""
    return home_group(slots, order_id, tag) * GROUP_WORDS


@step
def tag_of(rank: int) -> int:
    """The tag in a slot's rank."""
    return rank >> TAG_SHIFT & TAG_MASK


@step
def rank_of(stamp: int, tag: int, side: int) -> int:
    """The rank of a slot."""
    return stamp << STAMP_SHIFT | tag << TAG_SHIFT | side


@step
def slot_word(slot: int) -> int:
    """Word of the id of slot number `slot`, counted through the table."""
    return slot // GROUP_SLOTS * GROUP_WORDS + slot % GROUP_SLOTS


@step
def first_slot(word: int, found: int, empty: int) -> int:
    """Word of the first slot found in the group at `word`, else of its first empty one (bits, a slot each)."""
    return (word + (trailing_zeros(found | empty << GROUP_SLOTS) & (GROUP_SLOTS - 1))) & MOST_PLACES


@step
def find_group(slots: Int64s, order_id: int, tag: int) -> tuple[int, int, int]:
    """The first group that holds something with the id, or has room for it: its word, and which of its slots do (bits).

    What it holds may have another tag: another publisher's, a level or a quote.
    """
    word = home_word(slots, order_id, tag)
    while True:
        empty = match_four(slots, word + SLOT_SIZE, 0)
        found = match_four(slots, word, order_id) & ~empty
        if found | empty != 0:
            return word, found, empty
        word = next_group(slots, word)


@step
def find_slot(slots: Int64s, order_id: int, tag: int) -> int:
    """Word of the slot that holds `order_id` with this tag, or of the empty slot where it belongs."""
    word = home_word(slots, order_id, tag)
    while True:
        empty = match_four(slots, word + SLOT_SIZE, 0)
        found = match_four(slots, word, order_id) & ~empty
        slot = first_slot(word, found, empty)
        if found != 0 and tag_of(slots[slot + SLOT_RANK]) != tag:  # seldom: another publisher's, a level or a quote
            found &= match_four_bits(slots, word + SLOT_RANK, TAG_MASK << TAG_SHIFT, tag << TAG_SHIFT)
            slot = first_slot(word, found, empty)
        if found | empty != 0:
            return slot
        word = next_group(slots, word)


@step
def fetch_ahead(slots: Int64s, order_ids: Int64s, publishers: UInt16s, row: int) -> None:
    """Ask for the group of the order that comes AHEAD rows later, so that it has arrived when its turn comes."""
    if row + AHEAD < order_ids.size:
        word = home_word(slots, order_ids[row + AHEAD], np.int64(publishers[row + AHEAD]) << KIND_BITS)
        prefetch(slots, word)  # its first line; the processor fetches the line beside it by itself


@step
def next_group(slots: Int64s, word: int) -> int:
    """First word of the group behind the one that begins at `word`; the first follows the last."""
    return word + GROUP_WORDS if word + GROUP_WORDS < slots.size else 0


@step
def remove_slot(slots: Int64s, word: int) -> None:
    """Empty the slot at `word`."""
    full = match_four(slots, (word & ~(GROUP_SLOTS - 1)) + SLOT_SIZE, 0) == 0
    slots[word + SLOT_SIZE] = 0
    if full:
        fill_hole(slots, word)


@routine
def fill_hole(slots: Int64s, hole: int) -> None:
    """Close the hole at `hole`, in a group that was full, with an order that had gone on to a later group for it."""
    mask = group_mask(slots)
    group = hole // GROUP_WORDS
    later = group
    full = True
    while full:
        later = (later + 1) & mask
        first = later * GROUP_WORDS
        full = match_four(slots, first + SLOT_SIZE, 0) == 0
        for word in range(first, first + GROUP_SLOTS):
            belongs = home_group(slots, slots[word], tag_of(slots[word + SLOT_RANK]))
            passed_by = (later - belongs) & mask >= (later - group) & mask
            if slots[word + SLOT_SIZE] != 0 and passed_by:
                copy_slot(slots, word, slots, hole)
                slots[word + SLOT_SIZE] = 0
                hole = word
                group = later
                break


@step
def copy_slot(source: Int64s, source_word: int, target: Int64s, target_word: int) -> None:
    """Copy one slot's fields."""
    for field in range(0, GROUP_WORDS, GROUP_SLOTS):
        target[target_word + field] = source[source_word + field]


@kernel
def rehash(source: Int64s, target: Int64s) -> None:
    """Copy every order of the table `source` into the empty, roomier table `target`."""
    for slot in range(source.size // GROUP_WORDS * GROUP_SLOTS):
        word = slot_word(slot)
        if source[word + SLOT_SIZE] != 0:
            copy_slot(source, word, target, find_slot(target, source[word], tag_of(source[word + SLOT_RANK])))


@kernel
def insert_orders(
    slots: Int64s, order_id: Int64s, tag: Int64s, price: Int64s, size: Int64s, side: Int64s, stamp: Int64s
) -> None:
    """Fill a table from columns (int64 each, one row an order, ids and tags distinct, sizes > 0); no pending fills."""
    for i in range(order_id.size):
        word = find_slot(slots, order_id[i], tag[i])
        slots[word] = order_id[i]
        slots[word + SLOT_PRICE] = price[i]
        slots[word + SLOT_SIZE] = size[i]
        slots[word + SLOT_RANK] = rank_of(stamp[i], tag[i], side[i])


@kernel
def list_orders(
    slots: Int64s, order_id: Int64s, tag: Int64s, price: Int64s, size: Int64s, side: Int64s, stamp: Int64s
) -> int:
    """Write what rests, in table order, to int64 columns of at least that many rows; return how many."""
    n = 0
    for slot in range(slots.size // GROUP_WORDS * GROUP_SLOTS):
        word = slot_word(slot)
        if slots[word + SLOT_SIZE] != 0:
            order_id[n] = slots[word]
            tag[n] = tag_of(slots[word + SLOT_RANK])
            price[n] = slots[word + SLOT_PRICE]
            size[n] = slots[word + SLOT_SIZE] & SIZE_MASK
            side[n] = slots[word + SLOT_RANK] & 1
            stamp[n] = slots[word + SLOT_RANK] >> STAMP_SHIFT
            n += 1
    return n


def capacity(slots: np.ndarray) -> int:
    """How many orders the table has slots for."""
    return slots.size // GROUP_WORDS * GROUP_SLOTS


def empty_slots(count: int) -> np.ndarray:
    """A table of `count` slots (a power of two, at least 8) with nothing in it, its groups on cache lines: int64."""
    return words_on_lines(count // GROUP_SLOTS * GROUP_WORDS)
