"""What is noted at every event end for who studies a session: order flow of ten levels, and each change of the mid.

All of it lies in one array, `Model.notes`: scalars and the ladders of this event end and of the one before (N_), then
the changes of the mid, CHANGE_WORDS each, which whoever drives the engine takes out. An empty array notes nothing.
"""

from __future__ import annotations

from .contract import (
    ASK,
    B_BASE_PRICE,
    B_BEST_ASK,
    B_BEST_BID,
    B_CLOCK,
    B_DENSE_ASKS,
    B_FAR_ASKS,
    B_QUALITY,
    B_TICK,
    BID,
    CHANGE_AFTER_PAUSE,
    CHANGE_CLOCK,
    CHANGE_EVENT_ENDS,
    CHANGE_FLAGS,
    CHANGE_SPREAD,
    CHANGE_TWICE_MID,
    CHANGE_VALID,
    CHANGE_WORDS,
    FAR_DEPTH,
    FAR_PRICE,
    FAR_WORDS,
    LADDER_LEVELS,
    LADDER_SIDE_WORDS,
    N_CHANGES,
    N_CLOCK,
    N_EVENT_ENDS,
    N_FLAGS,
    N_FLOW,
    N_LADDERS,
    N_NEXT_BEST,
    N_NOW,
    N_TWICE_MID,
    NO_ASK,
    NO_BID,
    NO_TIME,
    NOTE_WORDS,
    OPENING_PAUSE_NS,
    QUALITY_EMPTY_SIDE,
    QUALITY_INVALID,
    QUALITY_SNAPSHOT,
    UNDEF_PRICE,
)
from .far_levels import far_price_at, heap_word, in_order
from .jit import routine, step
from .levels import dense_word
from .state import Int64s, Levels

# A side of a ladder: its best levels, prices first.
PRICES = 0
SIZES = LADDER_LEVELS
BOTH_SIDES = 1 << ASK | 1 << BID


@step
def put_level(notes: Int64s, at: int, found: int, side: int, price: int, size: int) -> int:
    """Put a level among `found` ones of a side, best first, where it is good enough; how many there are then."""
    upward = 2 * side - 1
    place = found
    while place > 0 and upward * price > upward * notes[at + PRICES + place - 1]:
        if place < LADDER_LEVELS:
            notes[at + PRICES + place] = notes[at + PRICES + place - 1]
            notes[at + SIZES + place] = notes[at + SIZES + place - 1]
        place -= 1
    if place == LADDER_LEVELS:
        return found
    notes[at + PRICES + place] = price
    notes[at + SIZES + place] = size
    return min(found + 1, LADDER_LEVELS)


@step
def read_far(book: Levels, notes: Int64s, at: int, found: int, side: int) -> int:
    """Put the best far levels of a side among its `found` dense ones; how many there are then.

    Behind the best of a heap the next best is one of the two below it, or one that was passed over before.
    """
    far = book.far
    waiting = 1
    notes[N_NEXT_BEST] = 0
    taken = 0
    while waiting > 0 and taken < LADDER_LEVELS:
        best = 0
        for other in range(1, waiting):
            price = far_price_at(far, side, notes[N_NEXT_BEST + other])
            if in_order(side, price) > in_order(side, far_price_at(far, side, notes[N_NEXT_BEST + best])):
                best = other
        place = notes[N_NEXT_BEST + best]
        word = FAR_WORDS * far[heap_word(far, side, place)]
        found = put_level(notes, at, found, side, far[word + FAR_PRICE], far[word + FAR_DEPTH + side])
        taken += 1
        waiting -= 1
        notes[N_NEXT_BEST + best] = notes[N_NEXT_BEST + waiting]
        for below in range(2 * place + 1, min(2 * place + 3, book.scalars[B_FAR_ASKS + side])):
            notes[N_NEXT_BEST + waiting] = below
            waiting += 1
    return found


@step
def read_side(book: Levels, notes: Int64s, at: int, side: int) -> None:
    """Write the best levels of a side to `at` on, prices and sizes; those that are missing have a size of 0."""
    scalars = book.scalars
    depth = book.depth
    tick = scalars[B_TICK]
    levels = depth.size // 2
    wanted = min(scalars[B_DENSE_ASKS + side], LADDER_LEVELS)
    upward = 2 * side - 1
    word = dense_word(book, scalars[B_BEST_ASK + side])
    level = word // 2 if word >= 0 else (levels - 1 if side == BID else 0)
    found = 0
    while found < wanted and 0 <= level < levels:
        size = depth[2 * level + side]
        if size != 0:
            notes[at + PRICES + found] = scalars[B_BASE_PRICE] + level * tick
            notes[at + SIZES + found] = size
            found += 1
        level -= upward
    if scalars[B_FAR_ASKS + side] != 0:
        found = read_far(book, notes, at, found, side)
    for missing in range(found, LADDER_LEVELS):
        notes[at + PRICES + missing] = NO_BID if side == BID else NO_ASK
        notes[at + SIZES + missing] = 0


@step
def ladder_at(notes: Int64s, side: int) -> int:
    """Where the last ladder of a side lies."""
    return N_LADDERS + 2 * side * LADDER_SIDE_WORDS + notes[N_NOW + side]


@step
def count_side(book: Levels, notes: Int64s, side: int, comparable: bool) -> None:
    """Read a side anew, and add what changed at each level to its flow: what bids grew by, and asks shrank by."""
    before = ladder_at(notes, side)
    notes[N_NOW + side] = LADDER_SIDE_WORDS - notes[N_NOW + side]
    now = ladder_at(notes, side)
    read_side(book, notes, now, side)
    if not comparable:
        return
    upward = 2 * side - 1
    for level in range(LADDER_LEVELS):
        price = upward * notes[now + PRICES + level]
        price_before = upward * notes[before + PRICES + level]
        grew = notes[now + SIZES + level] if price >= price_before else 0
        grew -= notes[before + SIZES + level] if price <= price_before else 0
        notes[N_FLOW + level] += upward * grew


@step
def count_price(book: Levels, notes: Int64s, price: int) -> int:
    """Count an event that changed one price alone, where no level has come or gone with it.

    Where no bid is, or was, as high as the price, an ask changed; likewise a bid. Behind the last level of a ladder
    nothing counts. Returns the sides that are left to be read anew, as bits `1 << side`.
    """
    asks = ladder_at(notes, ASK)
    bids = ladder_at(notes, BID)
    if price > max(book.scalars[B_BEST_BID], notes[bids + PRICES]):
        side = ASK
        at = asks
    elif price < min(book.scalars[B_BEST_ASK], notes[asks + PRICES]):
        side = BID
        at = bids
    else:
        return BOTH_SIDES
    upward = 2 * side - 1
    last = at + LADDER_LEVELS - 1
    if notes[last + SIZES] != 0 and upward * price < upward * notes[last + PRICES]:
        return 0
    word = dense_word(book, price)
    if word < 0:
        return 1 << side
    size = book.depth[word + side]
    for level in range(LADDER_LEVELS):
        if notes[at + PRICES + level] == price:
            before = notes[at + SIZES + level]
            if before == 0 or size == 0:
                return 1 << side
            notes[N_FLOW + level] += upward * (size - before)
            notes[at + SIZES + level] = size
            return 0
    return 1 << side


@step
def note_change(book: Levels, notes: Int64s, flags: int, twice_mid: int) -> None:
    """Add a row to the changes."""
    at = NOTE_WORDS + notes[N_CHANGES] * CHANGE_WORDS
    notes[at + CHANGE_CLOCK] = book.scalars[B_CLOCK]
    notes[at + CHANGE_EVENT_ENDS] = notes[N_EVENT_ENDS]
    notes[at + CHANGE_TWICE_MID] = twice_mid
    notes[at + CHANGE_FLAGS] = flags
    notes[at + CHANGE_SPREAD] = book.scalars[B_BEST_ASK] - book.scalars[B_BEST_BID] if flags & CHANGE_VALID != 0 else 0
    notes[N_CHANGES] += 1
    notes[N_FLAGS] = flags & CHANGE_VALID
    notes[N_TWICE_MID] = twice_mid


@routine
def note_event_end(book: Levels, notes: Int64s, active: int, comparable: bool, price: int) -> None:
    """Note an event end: the flow of its levels since the one before, and its mid where that is another.

    `active` is 0 for what builds the book only; it, an empty side and a snapshot are no flow, as in `interval`.
    Where it is not `comparable` with what was before, there is none either.
    `price` is the only one of which the size may have changed, or UNDEF_PRICE where that is not known.
    """
    scalars = book.scalars
    notes[N_EVENT_ENDS] += 1
    quality = scalars[B_QUALITY]
    flags = CHANGE_VALID if active != 0 and quality & QUALITY_INVALID == 0 else 0
    twice_mid = scalars[B_BEST_BID] + scalars[B_BEST_ASK] if flags != 0 else 0
    clock = scalars[B_CLOCK]
    if notes[N_CLOCK] != NO_TIME and clock - notes[N_CLOCK] > OPENING_PAUSE_NS:
        note_change(book, notes, flags | CHANGE_AFTER_PAUSE, twice_mid)
    elif flags != notes[N_FLAGS] or twice_mid != notes[N_TWICE_MID]:
        note_change(book, notes, flags, twice_mid)
    notes[N_CLOCK] = clock
    if active == 0 or quality & (QUALITY_EMPTY_SIDE | QUALITY_SNAPSHOT) != 0:
        return
    sides = BOTH_SIDES
    if comparable and price != UNDEF_PRICE:
        sides = count_price(book, notes, price)
    if sides & 1 << ASK != 0:
        count_side(book, notes, ASK, comparable)
    if sides & 1 << BID != 0:
        count_side(book, notes, BID, comparable)
