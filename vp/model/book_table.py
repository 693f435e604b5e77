"""A book as a table and back: what rests, one row an order, level or quote (order_schema); beside it, what it knows."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from vp.kernels.contract import (
    B_BAD_BOOK,
    B_BUCKET,
    B_CLOCK,
    B_EVENT_ID,
    B_IN_SNAPSHOT,
    B_INCOMPLETE,
    B_LAST_PRICE,
    B_QUALITY,
    B_RESTING,
    B_SPOT,
    B_SPOT_ASK,
    B_SPOT_BID,
    B_STANDING,
    B_TICK,
    BID,
    COUNTER_NAMES,
    KIND_ASK_LEVEL,
    KIND_BID_LEVEL,
    KIND_BITS,
    KIND_MASK,
    KIND_ORDER,
    KIND_QUOTE,
)
from vp.kernels.state import BookState
from vp.model.arrow_columns import arrow_column, fixed_width
from vp.model.order_schema import KINDS, ORDER_SCHEMA

SIDE_NAMES = ("A", "B")
KIND_OF = np.array([0, 1, 1, 2], np.int8)
"""Which of KINDS a tag's kind is."""


STATE_KEY = b"vp.book"
# The scalars that a book in the cache keeps; the rest follow from what rests.
SAVED_SCALARS = {
    "event_id": B_EVENT_ID,
    "clock_ns": B_CLOCK,
    "tick_int": B_TICK,
    "bucket_int": B_BUCKET,
    "in_snapshot": B_IN_SNAPSHOT,
    "bad_book": B_BAD_BOOK,
    "incomplete": B_INCOMPLETE,
    "standing": B_STANDING,
    "resting": B_RESTING,
    "quality": B_QUALITY,
    "spot_bucket": B_SPOT,
    "spot_bid": B_SPOT_BID,
    "spot_ask": B_SPOT_ASK,
    "last_price": B_LAST_PRICE,
}


class RestingOrders(NamedTuple):
    """All that rests in a book, in any order: int64[n] each."""

    order_id: np.ndarray  # what a tag's kind makes of it: an order's id, a level's price, a quote's side
    tag: np.ndarray
    price: np.ndarray  # 1e-9 units
    size: np.ndarray
    side: np.ndarray
    stamp: np.ndarray  # of priority: the queue order of a level


class SavedState:
    """What the schema of a table tells of its book.

    Attributes
    ----------
    tick_int, bucket_int : int
        In 1e-9 units.
    """

    def __init__(self, table: pa.Table) -> None:
        self._saved: dict[str, Any] = json.loads(table.schema.metadata[STATE_KEY])
        self.tick_int: int = self._saved["tick_int"]
        self.bucket_int: int = self._saved["bucket_int"]

    def restore(self, state: BookState) -> None:
        """Give a book, in which nothing rests yet, the scalars, counters and publishers that it had."""
        for name, at in SAVED_SCALARS.items():
            state.scalars[at] = self._saved[name]
        for i, name in enumerate(COUNTER_NAMES):
            state.counters[i] = self._saved["counters"][name]
        for name, bits in self._saved["publishers"].items():
            state.publishers[int(name)] = bits


def _told(state: BookState) -> str:
    """What SavedState reads."""
    told: dict[str, Any] = {name: int(state.scalars[at]) for name, at in SAVED_SCALARS.items()}
    publishers = np.flatnonzero(state.publishers)
    told["publishers"] = {int(publisher): int(state.publishers[publisher]) for publisher in publishers}
    told["counters"] = dict(zip(COUNTER_NAMES, state.counters.tolist(), strict=True))
    return json.dumps(told)


def table_of(orders: RestingOrders, state: BookState) -> pa.Table:
    """What rests as ORDER_SCHEMA: bids then asks, best level first, in queue order; the rest in its metadata."""
    order_id, tag, price, size, side, stamp = orders
    away = np.where(side == BID, -price, price)
    order = np.lexsort((stamp, away, -side))
    order_id, tag, price, size, side = (column[order] for column in (order_id, tag, price, size, side))
    kind = KIND_OF[tag & KIND_MASK]
    n = len(order)
    new_side = np.ones(n, bool)
    new_side[1:] = side[1:] != side[:-1]
    new_level = new_side.copy()
    new_level[1:] |= price[1:] != price[:-1]
    index = np.arange(n)
    level_start = np.maximum.accumulate(np.where(new_level, index, 0)) if n else index
    level_number = np.cumsum(new_level) - 1
    side_start = np.maximum.accumulate(np.where(new_side, level_number, 0)) if n else index
    letters = np.array([ord(name) for name in SIDE_NAMES], np.uint8)
    arrays = [
        arrow_column(pa.uint64(), np.where(kind == 0, order_id, 0)),
        arrow_column(pa.string(), np.arange(n + 1, dtype=np.int32), letters[side]),
        arrow_column(pa.int64(), price),
        arrow_column(pa.int64(), size),
        arrow_column(pa.int32(), (index - level_start).astype(np.int32)),
        arrow_column(pa.int32(), (level_number - side_start).astype(np.int32)),
        arrow_column(pa.uint16(), (tag >> KIND_BITS).astype(np.uint16)),
        pa.DictionaryArray.from_arrays(arrow_column(pa.int8(), kind), pa.array(KINDS)),
    ]
    return pa.Table.from_arrays(arrays, schema=ORDER_SCHEMA.with_metadata({STATE_KEY: _told(state)}))


def orders_of(table: pa.Table) -> RestingOrders:
    """What `table_of` was given, with the places in the queues as stamps; rows may come in any order."""
    price = fixed_width(table, "price", np.int64)
    size = fixed_width(table, "size", np.int64)
    side = (_letters(table, "side") == ord(SIDE_NAMES[BID])).astype(np.int64)
    stamp = fixed_width(table, "queue_rank", np.int32).astype(np.int64)
    publisher = fixed_width(table, "publisher_id", np.uint16).astype(np.int64)
    level_kind = np.where(side == BID, KIND_BID_LEVEL, KIND_ASK_LEVEL)
    is_order, is_level = (_codes(table, "kind", KINDS) == KINDS.index(word) for word in ("order", "level"))
    kind = np.where(is_order, KIND_ORDER, np.where(is_level, level_kind, KIND_QUOTE))
    order_id = np.where(is_order, fixed_width(table, "order_id", np.int64), np.where(is_level, price, side))
    tag = publisher << KIND_BITS | kind
    return RestingOrders(order_id, tag, price, size, side, stamp)


def _letters(table: pa.Table, name: str) -> np.ndarray:
    """A column of one-letter strings without nulls as their codes: uint8[n]."""
    array = table[name].combine_chunks()
    if not len(array):
        return np.zeros(0, np.uint8)
    _, offsets, letters = array.buffers()
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4)
    if ends[-1] - ends[0] != len(array):
        raise ValueError(f"column {name} holds strings of more or less than one letter")
    return np.frombuffer(letters, np.uint8, len(array), int(ends[0]))


def _codes(table: pa.Table, name: str, words: tuple[str, ...]) -> np.ndarray:
    """A dictionary column without nulls as places in `words`: int8[n]."""
    array = table[name].combine_chunks()
    if not len(array):
        return np.zeros(0, np.int8)
    known = np.array([words.index(word) for word in array.dictionary.to_pylist()], np.int8)
    indices = array.indices
    return known[np.frombuffer(indices.buffers()[1], np.int8, len(indices), indices.offset)]
