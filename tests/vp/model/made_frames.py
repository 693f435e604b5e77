"""Frames of a few records by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.agreement import EARLIEST_NS, TICK, events_of, frame_rows, run_frames
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT
from vp.model.engine import EventDrivenVPEngine

SECOND = 1_000_000_000


def rec(seconds: float, action: str, side: str, ticks: int, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, ticks * TICK, size, order_id, flags)


def trade(seconds: float, side: str, ticks: int, size: int, flags: int = F_LAST) -> Rec:
    return rec(seconds, "T", side, ticks, size, 0, flags)


def snapshot(seconds: float, bid_size: int, last: int) -> list[Rec]:
    return [
        rec(seconds, "R", "N", 0, 0, 0, F_SNAPSHOT),
        rec(seconds, "A", "B", 100, bid_size, 11, F_SNAPSHOT),
        rec(seconds, "A", "A", 101, 30, 12, F_SNAPSHOT | last),
    ]


def frames_of(
    records: Sequence[Rec],
    emit_from_ns: int = EARLIEST_NS,
    columns: Sequence[str] | None = None,
    **engine: Any,
) -> list[dict[str, Any]]:
    machine = EventDrivenVPEngine(**engine)
    return frame_rows(machine.layout, run_frames(machine, events_of(records), emit_from_ns=emit_from_ns), columns)


QUOTES = [rec(0, "A", "B", 100, 10, 1), rec(0, "A", "A", 101, 20, 2)]
