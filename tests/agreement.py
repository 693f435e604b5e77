"""VP next to its oracle: the same records through both, and what must then be the same.

Frames are read back from the bytes of the wire with Arrow's own reader, so a comparison covers the layout too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tests.oracle import (
    ANOMALIES,
    Frame,
    OracleBook,
    OracleEngine,
    OracleParameters,
    Rec,
    frame_differences,
    run_session,
)
from tests.oracle_book import UNDEFINED_TIME
from vp.dbn.accounting import ORDINARY_TALLIES, REJECTED_TALLIES
from vp.dbn.events import Events
from vp.kernels.contract import ASK, BID, FAR_DEPTH, FAR_WORDS, STATE_ASKS, STATE_QUOTES
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.frames import FrameLayout
from vp.model.parameters import ModelParameters

TICK = 250_000_000
EARLIEST_NS = -(2**62)
LATEST_NS = 2**62


def events_of(records: Iterable[Rec], *, start_ns: int = EARLIEST_NS, end_ns: int = LATEST_NS) -> Events:
    """The oracle's records as columns, in a session of this window."""
    rows = (rec if rec.ts_recv is not None else rec._replace(ts_recv=UNDEFINED_TIME) for rec in records)
    return Events.from_records(rows, start_ns=start_ns, end_ns=end_ns)


OrderRow = tuple[int, str, int, int, int, int, int, str]


def oracle_orders(book: OracleBook) -> list[OrderRow]:
    """Rows of the oracle's book as `Book.to_arrow` gives them: id, side, price, size, rank, level, publisher, kind."""
    return [
        (order.order_id, side, price, order.size, rank, level, order.publisher, order.kind)
        for side in "BA"
        for level, (price, queue) in enumerate(book.orders[side])
        for rank, order in enumerate(queue)
    ]


def book_orders(book: Book) -> list[OrderRow]:
    """Rows of `Book.to_arrow`."""
    table = book.to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def assert_same_book(book: Book, oracle: OracleBook) -> None:
    """Orders in queue order, levels, best prices, spot, clock, event id and anomalies are those of the oracle."""
    assert book_orders(book) == oracle_orders(oracle)
    assert_same_top(book, oracle)
    for side, at in (("A", ASK), ("B", BID)):
        levels = oracle.levels(side)
        assert book.levels(side) == levels  # the book's from its depth arrays, the oracle's added up from its orders
        assert [book.depth_at(side, price) for price, _, _ in levels] == [size for _, size, _ in levels]
        with_depth = sum(map(np.count_nonzero, (book.state.depth[at::2], book.state.far[FAR_DEPTH + at :: FAR_WORDS])))
        assert with_depth == len(levels), "no price has depth besides those at which orders rest"
        resting = {order.publisher for _, queue in oracle.orders[side] for order in queue}
        assert all(book.state.publishers[number] & ((STATE_ASKS << at) | STATE_QUOTES) for number in resting)


def assert_same_top(book: Book, oracle: OracleBook) -> None:
    """The cheap part of `assert_same_book`: everything but orders and levels."""
    assert (book.event_id, book.clock_ns) == (oracle.event_id, oracle.clock_ns)
    assert (book.best_bid, book.best_ask, book.spot_bucket) == (oracle.best_bid, oracle.best_ask, oracle.spot)
    assert book.order_count == oracle.order_count
    if oracle.ended_event:
        assert (book.quality, book.valid) == (oracle.quality, oracle.book_valid)
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


def frame_rows(layout: FrameLayout, messages: np.ndarray, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Frames as dictionaries of all columns or of some, `ts_ns` as an integer."""
    table = read_stream(layout, messages)
    if columns is not None:
        table = table.select([*columns, "ts_ns"])
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
    return OracleParameters(*dataclasses.astuple(parameters))


def assert_frames_are_the_oracles(
    got: Sequence[dict[str, Any]],
    book: Book,
    records: Sequence[Rec],
    *,
    K: int,  # noqa: N803
    bucket_int: int | None,
    throttle_ns: int,
    parameters: ModelParameters,
    session_start_ns: int,
    warmup_from_ns: int,
    emit_from_ns: int,
    end_ns: int,
) -> list[Frame]:
    """Frames, and the book behind them, are the oracle's of the same records; returns the oracle's frames."""
    oracle = OracleEngine(
        K=K,
        tick_int=TICK,
        bucket_int=bucket_int,
        throttle_ns=throttle_ns,
        parameters=to_oracle_parameters(parameters),
    )
    want = run_session(
        records,
        session_start_ns=session_start_ns,
        warmup_from_ns=warmup_from_ns,
        emit_from_ns=emit_from_ns,
        end_ns=end_ns,
        engine=oracle,
    )
    assert [row["event_id"] for row in got] == [frame["event_id"] for frame in want]
    for row, frame in zip(got, want, strict=True):
        assert frame_differences(row, frame, lenient=True) == [], f"event {frame['event_id']}"
    assert_same_book(book, oracle.book)
    return want
