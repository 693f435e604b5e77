"""Records of several publishers by hand."""

from __future__ import annotations

from typing import Any

from tests.agreement import TICK, events_of, frame_rows, run_frames
from tests.market_writer import SESSION_START_NS
from tests.oracle import Rec
from tests.oracle_book import F_LAST, UNDEFINED_PRICE
from vp.model.engine import EventDrivenVPEngine

S = SESSION_START_NS
SECOND = 1_000_000_000
X, Y, Z = 39, 40, 41
MIXED_KINDS = (
    "quote",
    "add",
    "cancel",
    "trade_through",
    "other_publisher",
    "id_of_another",
    "best_quotes",
    "top_of_book",
    "price_levels",
    "price_levels_among_orders",
    "snapshot",
    "snapshot_oddities",
    "clear",
    "bad_book",
    "before_the_window",
    "ahead_of_receipt",
    "undefined_time",
    "undefined_size",
    "trade",
    "drift",
)


def rec(
    seconds: float, action: str, side: str, ticks: int | None, size: int, order_id: int, publisher: int, flags: int = 0
) -> Rec:
    price = UNDEFINED_PRICE if ticks is None else ticks * TICK
    return Rec(S + int(seconds * SECOND), action, side, price, size, order_id, flags | F_LAST, publisher)


def rows_of(records: list[Rec], **engine: Any) -> list[dict[str, Any]]:
    made = EventDrivenVPEngine(tick_int=TICK, **engine)
    return frame_rows(made.layout, run_frames(made, events_of(records, start_ns=S)))
