"""What is counted from one frame to the next: traded volume by aggressor and bucket, and order-flow imbalance.

Volume by bucket lies in a hash table of TRADED_INTS int64 an entry, whose entries bear the number of the frame that
they are counted for: with a frame all of them are free at once. A bucket's place is its number, so that neighbours
lie side by side, or the next free one behind it.
"""

from __future__ import annotations

from typing import NamedTuple

from .contract import (
    ASK,
    B_BEST_ASK,
    B_BEST_BID,
    B_BUCKET,
    B_QUALITY,
    BID,
    E_BUY_VOLUME,
    E_FRAME,
    E_OFI,
    E_OTHER_VOLUME,
    E_QUOTE_ASK,
    E_QUOTE_ASK_SIZE,
    E_QUOTE_BID,
    E_QUOTE_BID_SIZE,
    E_SELL_VOLUME,
    E_TRADED_BUCKETS,
    NO_BID,
    QUALITY_EMPTY_SIDE,
    QUALITY_SNAPSHOT,
    SIDE_ASK,
    SIDE_BID,
    T_BOUGHT,
    T_BUCKET,
    T_FRAME,
    T_SOLD,
    TRADED_INTS,
    UNDEF_PRICE,
    UNDEF_SIZE,
)
from .jit import kernel, step
from .levels import dense_word, level_depth
from .ring import bucket_of
from .state import BookState, Int64, Model, Record


@step
def find_traded(model: Model, bucket: int) -> int:
    """Where the entry of `bucket` begins, or where it would: there, T_FRAME is not the next frame's number."""
    traded = model.traded
    frame = model.scalars[E_FRAME]
    last = traded.size // TRADED_INTS - 1
    entry = bucket & last
    while traded[entry * TRADED_INTS + T_FRAME] == frame and traded[entry * TRADED_INTS + T_BUCKET] != bucket:
        entry = (entry + 1) & last
    return entry * TRADED_INTS


@step
def trades_of_room(model: Model) -> int:
    """How many trades surely find an entry: half of the table stays free, so that a search is short."""
    return model.traded.size // (2 * TRADED_INTS) - model.scalars[E_TRADED_BUCKETS]


@kernel
def move_traded(model: Model, to: Model) -> None:
    """Copy the entries that count for the next frame to the table of `to`, which is empty and at its frame too."""
    for at in range(0, model.traded.size, TRADED_INTS):
        if model.traded[at + T_FRAME] == model.scalars[E_FRAME]:
            place = find_traded(to, model.traded[at + T_BUCKET])
            for i in range(TRADED_INTS):
                to.traded[place + i] = model.traded[at + i]


@step
def count_trade(book: BookState, model: Model, record: Record) -> None:
    """Add a trade to the volume of its aggressor, and to that of its price's bucket; none where it has no size."""
    if record.size == UNDEF_SIZE:
        return
    scalars = model.scalars
    if record.side == SIDE_BID:
        scalars[E_BUY_VOLUME] += record.size
    elif record.side == SIDE_ASK:
        scalars[E_SELL_VOLUME] += record.size
    else:
        scalars[E_OTHER_VOLUME] += record.size
        return
    if record.price == UNDEF_PRICE:
        return
    bucket = bucket_of(record.price, book.scalars[B_BUCKET])
    at = find_traded(model, bucket)
    if model.traded[at + T_FRAME] != scalars[E_FRAME]:
        model.traded[at + T_FRAME] = scalars[E_FRAME]
        model.traded[at + T_BUCKET] = bucket
        model.traded[at + T_BOUGHT] = 0
        model.traded[at + T_SOLD] = 0
        scalars[E_TRADED_BUCKETS] += 1
    model.traded[at + (T_BOUGHT if record.side == SIDE_BID else T_SOLD)] += record.size


@step
def forget_quote(model: Model) -> None:
    """The next event end has no quote to be compared with."""
    model.scalars[E_QUOTE_BID] = NO_BID


class Quote(NamedTuple):
    """Where the dense levels of the best prices at the event end before lie; below 0: not known, or not dense."""

    bid_word: Int64
    ask_word: Int64


NO_QUOTE = Quote(-1, -1)


@step
def count_order_flow(book: BookState, model: Model, active: int, quote: Quote) -> Quote:
    """Compare the best prices and sizes with those of the event end before (Cont, Kukanov, Stoikov 2014).

    What builds the book only (`active` is 0) is no flow, nor is what comes before there is a time. `quote` is what was
    returned at the event end before: it spares most of the work while the best prices stay, and the levels their place.
    """
    scalars = model.scalars
    if active == 0 or book.scalars[B_QUALITY] & (QUALITY_EMPTY_SIDE | QUALITY_SNAPSHOT) != 0:
        forget_quote(model)
        return quote
    bid = book.scalars[B_BEST_BID]
    ask = book.scalars[B_BEST_ASK]
    bid_before = scalars[E_QUOTE_BID]
    ask_before = scalars[E_QUOTE_ASK]
    bid_size_before = scalars[E_QUOTE_BID_SIZE]
    ask_size_before = scalars[E_QUOTE_ASK_SIZE]
    if bid == bid_before and ask == ask_before and quote.bid_word | quote.ask_word >= 0:
        bid_size = book.depth[quote.bid_word + BID]
        ask_size = book.depth[quote.ask_word + ASK]
        scalars[E_OFI] += (bid_size - bid_size_before) - (ask_size - ask_size_before)
    else:
        bid_size = level_depth(book, BID, bid)
        ask_size = level_depth(book, ASK, ask)
        if bid_before != NO_BID:
            scalars[E_OFI] += bid_size if bid >= bid_before else 0
            scalars[E_OFI] -= bid_size_before if bid <= bid_before else 0
            scalars[E_OFI] -= ask_size if ask <= ask_before else 0
            scalars[E_OFI] += ask_size_before if ask >= ask_before else 0
        scalars[E_QUOTE_BID] = bid
        scalars[E_QUOTE_ASK] = ask
        quote = Quote(dense_word(book, bid), dense_word(book, ask))
    scalars[E_QUOTE_BID_SIZE] = bid_size
    scalars[E_QUOTE_ASK_SIZE] = ask_size
    return quote


@step
def begin_interval(model: Model) -> None:
    """Count anew, for the frame after the one that has been written."""
    scalars = model.scalars
    scalars[E_BUY_VOLUME] = 0
    scalars[E_SELL_VOLUME] = 0
    scalars[E_OTHER_VOLUME] = 0
    scalars[E_OFI] = 0
    scalars[E_TRADED_BUCKETS] = 0
    scalars[E_FRAME] += 1
