"""Records by hand around one price: two quotes, and a book that is built anew."""

from __future__ import annotations

from tests.agreement import TICK
from tests.market_writer import BASE_PRICE
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT

SECOND = 1_000_000_000
EQUITY_BUCKET = 50 * TICK


def rec(seconds: float, action: str, side: str, ticks: int, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, BASE_PRICE + ticks * TICK, size, order_id, flags)


QUOTES = [rec(0, "A", "B", 0, 10, 1), rec(0, "A", "A", 1, 10, 2)]


def rebuilt(at_seconds: int, flags: int, *, clear_flags: int | None) -> list[Rec]:
    """A book of other sizes and orders after a clear, or without one where its flags are None.

    With the flag F_SNAPSHOT its records are a day old.
    """
    stamp = at_seconds - 86_400 if flags & F_SNAPSHOT else at_seconds
    orders = [(side, ticks, 40 + 7 * ticks, 50 + 2 * ticks + (side == "A")) for ticks in range(8) for side in "BA"]
    return [
        *([] if clear_flags is None else [rec(at_seconds, "R", "N", 0, 0, 0, clear_flags)]),
        *(rec(stamp, "A", side, 1 + t if side == "A" else -t, size, order, flags) for side, t, size, order in orders),
        rec(at_seconds, "N", "N", 0, 0, 0),
    ]
