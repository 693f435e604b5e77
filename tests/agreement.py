"""VP next to its oracle: the same records through both, and what must then be the same.

Frames are read back from the bytes of the wire with Arrow's own reader, so a comparison covers the layout too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from tests.oracle import ANOMALIES, OracleBook, OracleParameters, Rec
from vp.dbn.accounting import ORDINARY_TALLIES, REJECTED_TALLIES
from vp.dbn.events import Events
from vp.kernels.contract import ASK, BID, PUB_ASKS, PUBLISHER_WORDS
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.frames import FrameLayout
from vp.model.parameters import ModelParameters

TICK = 250_000_000
EARLIEST_NS = -(2**62)
LATEST_NS = 2**62


def events_of(records: Iterable[Rec]) -> Events:
    """The oracle's records as columns."""
    return Events.from_records((r.ts_event, r.action, r.side, r.price, r.size, r.order_id, r.flags) for r in records)


def oracle_orders(book: OracleBook) -> list[tuple[int, str, int, int, int, int]]:
    """Rows of the oracle's book as `Book.to_arrow` gives them: id, side, price, size, place in queue, level."""
    return [
        (order.order_id, side, price, order.size, rank, level)
        for side in "BA"
        for level, (price, queue) in enumerate(book.orders[side])
        for rank, order in enumerate(queue)
    ]


def book_orders(book: Book, sides: str = "AB") -> list[tuple[int, str, int, int, int, int]]:
    """Rows of `Book.to_arrow`, as far as the oracle tells them."""
    names = ("order_id", "side", "price", "size", "queue_rank", "level")
    return [tuple(row[name] for name in names) for row in book.to_arrow().to_pylist() if row["side"] in sides]


def levels_of_orders(book: Book, side: str) -> list[tuple[int, int, int]]:
    """What `Book.levels` must say, added up from all that rests."""
    found: dict[int, tuple[int, int]] = {}
    for row in book.to_arrow().to_pylist():
        if row["side"] == side:
            size, orders = found.get(row["price"], (0, 0))
            found[row["price"]] = size + row["size"], orders + (row["kind"] == "order")
    return [(price, *found[price]) for price in sorted(found, reverse=side == "B")]


def assert_same_book(book: Book, oracle: OracleBook) -> None:
    """Orders in queue order, levels, best prices, spot, clock, event id and anomalies are those of the oracle."""
    assert book_orders(book) == oracle_orders(oracle)
    assert_same_top(book, oracle)
    for side, at in (("A", ASK), ("B", BID)):
        levels = oracle.levels(side)
        assert book.levels(side) == levels == levels_of_orders(book, side)  # from the depth arrays, and added up
        assert [book.depth_at(side, price) for price, _, _ in levels] == [size for _, size, _ in levels]
        with_depth = sum(np.count_nonzero(depth[at::2]) for depth in (book.state.depth, book.state.far_depth))
        assert with_depth == len(levels), "no price has depth besides those at which orders rest"
        assert book.state.publishers[PUB_ASKS + at :: PUBLISHER_WORDS].sum() == len(book_orders(book, side))


def assert_same_top(book: Book, oracle: OracleBook) -> None:
    """The cheap part of `assert_same_book`: everything but orders and levels."""
    assert (book.event_id, book.clock_ns) == (oracle.event_id, oracle.clock_ns)
    assert (book.best_bid, book.best_ask, book.spot_bucket) == (oracle.best_bid, oracle.best_ask, oracle.spot)
    assert book.order_count == len(oracle.by_id)
    counters = book.tallies()
    assert {name: counters[name] for name in ANOMALIES} == oracle.anomalies
    ignored_or_not = (*ORDINARY_TALLIES, *REJECTED_TALLIES)
    assert sum(counters[name] for name in ignored_or_not) == book.event_id


def read_stream(layout: FrameLayout, messages: np.ndarray) -> pa.Table:
    """Frame messages, uint8[n, message_bytes], as an Arrow reader gets them off the wire."""
    stream = layout.schema_message + messages.tobytes()
    table = pa.ipc.open_stream(pa.py_buffer(stream)).read_all()
    table.validate(full=True)
    return table


def frame_rows(layout: FrameLayout, messages: np.ndarray) -> list[dict[str, Any]]:
    """Frames as dictionaries, `ts_ns` as an integer."""
    table = read_stream(layout, messages)
    times = table["ts_ns"].cast("int64")
    return table.set_column(table.schema.get_field_index("ts_ns"), "ts_ns", times).to_pylist()  # type: ignore[no-any-return]


def run_frames(
    engine: EventDrivenVPEngine,
    events: Events,
    *,
    warmup_from_ns: int = EARLIEST_NS,
    emit_from_ns: int = EARLIEST_NS,
    max_frames: int | None = None,
) -> np.ndarray:
    """All frames of these records through the phases, as messages uint8[n, message_bytes]."""
    index = engine.book.fast_forward(events, 0, warmup_from_ns) if warmup_from_ns != EARLIEST_NS else 0
    index, none = engine.advance(events, index, emit_from_ns) if emit_from_ns != EARLIEST_NS else (index, None)
    assert none is None or none.count == 0
    engine.start_emitting()
    parts = [engine.no_frames().buffer.copy()]
    while index < len(events):
        index, batch = engine.advance(events, index, max_frames=max_frames)
        parts.append(batch.buffer.copy())
    return np.concatenate(parts)


def to_oracle_parameters(parameters: ModelParameters) -> OracleParameters:
    """The same numbers under the oracle's names (both keep the contract's order)."""
    return OracleParameters(*parameters.to_json().values())
