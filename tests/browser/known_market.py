"""A minute of a market whose every sign is known: first liquidity points up, then down, by unequal amounts.

Prices are ticks from the middle, times are seconds from the first event.
"""

from __future__ import annotations

from tests.oracle_book import F_LAST, UNDEFINED_PRICE, Rec

FIRST_NS = 1_770_336_600_000_000_000  # 2026-02-06 00:10 UTC
TICK_INT = 250_000_000
MID_INT = 21_500_000_000_000
STEP_SECONDS = 0.25
UP_UNTIL_SECONDS = 20
LOCKED_SECONDS = (44.0, 50.0)
ONE_TICK_SECONDS = 51.0  # from then on the best ask is the price in the middle, and with it spot
END_SECONDS = 56
LEVELS = 8  # of each side
SIZE_OF_BID, SIZE_OF_ASK = 30, 12  # of each order that rests from the start
ORDERS_A_LEVEL = 60
# When, at which price, who was the aggressor, how much.
TRADES = (
    (4.0, 1, "B", 40),
    (8.0, -1, "A", 10),
    (12.0, 3, "B", 9),
    (12.5, 3, "A", 27),
    (16.0, -3, "A", 25),
)
# One buyer takes several prices in one event: when, and at which price how much.
SWEEP_SECONDS = 14.0
SWEEP = ((2, 6), (4, 30), (5, 16))
# One that names no aggressor.
SIDELESS_SECONDS, SIDELESS_TICKS, SIDELESS_SIZE = 6.0, 2, 50


def price(ticks: int) -> int:
    """In 1e-9 units."""
    return MID_INT + ticks * TICK_INT


def at_ns(seconds: float) -> int:
    """UTC."""
    return FIRST_NS + round(seconds * 1e9)


class _Writer:
    def __init__(self) -> None:
        self.records: list[Rec] = []
        self.resting: dict[int, list[tuple[str, int, int]]] = {}  # ticks -> side, size, id
        self.next_id = 1

    def add(self, seconds: float, side: str, ticks: int, size: int) -> int:
        order_id = self.next_id
        self.next_id += 1
        self.records.append(Rec(at_ns(seconds), "A", side, price(ticks), size, order_id, F_LAST))
        self.resting.setdefault(ticks, []).append((side, size, order_id))
        return order_id

    def cancel(self, seconds: float, ticks: int) -> None:
        side, size, order_id = self.resting[ticks].pop()
        self.records.append(Rec(at_ns(seconds), "C", side, price(ticks), size, order_id, F_LAST))


def known_market() -> list[Rec]:
    """The records, in order.

    Until UP_UNTIL_SECONDS bids are added and asks are cancelled, then asks are added and bids are cancelled; a little
    of the reverse goes on all the time. While the book is locked a bid lies at the best ask; in the end an ask lies in
    the middle.
    """
    writer = _Writer()
    writer.records.append(Rec(at_ns(0), "R", "N", UNDEFINED_PRICE, 0, 0, 0))  # the book is whole from here on
    for ticks in range(1, LEVELS + 1):
        for _ in range(ORDERS_A_LEVEL):
            writer.add(0, "B", -ticks, SIZE_OF_BID)
            writer.add(0, "A", ticks, SIZE_OF_ASK)
    trades = list(TRADES)
    locked = False
    for step in range(1, round(END_SECONDS / STEP_SECONDS)):
        seconds = step * STEP_SECONDS
        # the first event at an instant makes its frame
        if trades and trades[0][0] <= seconds:
            _, where, aggressor, size = trades.pop(0)
            writer.records.append(Rec(at_ns(seconds), "T", aggressor, price(where), size, 0, F_LAST))
        if seconds == SWEEP_SECONDS:
            for i, (where, size) in enumerate(SWEEP, 1):
                flags = F_LAST if i == len(SWEEP) else 0
                writer.records.append(Rec(at_ns(seconds), "T", "B", price(where), size, 0, flags))
        if seconds == SIDELESS_SECONDS:
            writer.records.append(Rec(at_ns(seconds), "T", "N", price(SIDELESS_TICKS), SIDELESS_SIZE, 0, F_LAST))
        if seconds >= ONE_TICK_SECONDS:
            writer.add(seconds, "A", 0, 40)
        if locked != (LOCKED_SECONDS[0] <= seconds < LOCKED_SECONDS[1]):
            locked = not locked
            if locked:
                writer.add(seconds, "B", 1, 1)
            else:
                writer.cancel(seconds, 1)
        ticks = 2 + step % (LEVELS - 1)
        up = seconds < UP_UNTIL_SECONDS
        if up:
            writer.add(seconds, "B", -ticks, 21)
            writer.cancel(seconds, ticks)
        else:
            writer.add(seconds, "A", ticks, 33)
            writer.cancel(seconds, -ticks)
        if step % 4 == 0:
            writer.add(seconds, "A" if up else "B", (1 if up else -1) * 4, 2)
            writer.cancel(seconds, -4 if up else 4)
    return writer.records
