"""What the oracle reads and tells: market-by-order records, their flags, and the activity of one of them."""

from __future__ import annotations

from typing import NamedTuple

UNDEFINED_PRICE = 2**63 - 1
UNDEFINED_SIZE = 2**32 - 1
UNDEFINED_TIME = 2**64 - 1

F_LAST = 128
F_TOB = 64
F_SNAPSHOT = 32
F_MBP = 16
F_BAD_TS_RECV = 8
F_MAYBE_BAD_BOOK = 4

EMPTY_SIDE, LOCKED_OR_CROSSED, WITHIN_SNAPSHOT, BAD_BOOK, INCOMPLETE = 1, 2, 4, 8, 16

AHEAD_NS = 1_000_000_000

ANOMALIES = (
    "unknown_cancel",
    "unknown_modify",
    "unknown_fill",
    "duplicate_add",
    "oversize_cancel",
    "undefined_price",
    "undefined_size",
    "undefined_side",
    "out_of_order_time",
    "time_ahead",
    "undefined_time",
    "locked_book",
    "crossed_book",
    "maybe_bad_book",
)


class Rec(NamedTuple):
    """One record of an instrument, as far as the book needs it.

    `ts_event` is UNDEFINED_TIME and `ts_recv` None where they are undefined.
    """

    ts_event: int
    action: str
    side: str
    price: int
    size: int
    order_id: int
    flags: int
    publisher: int = 1
    ts_recv: int | None = None

    @property
    def is_snapshot(self) -> bool:
        return bool(self.flags & F_SNAPSHOT)

    @property
    def is_last(self) -> bool:
        return bool(self.flags & F_LAST)

    @property
    def is_order(self) -> bool:
        """Whether it speaks of one order, which has an id, and not of a level."""
        return self.action in "ACMF" and not self.flags & (F_TOB | F_MBP)

    @property
    def is_level(self) -> bool:
        """Whether it says what a level has, whatever its action."""
        return bool(self.flags & F_MBP) and not self.flags & F_TOB

    @property
    def is_ahead(self) -> bool:
        """Whether its time lies further after its receipt than two clocks can differ."""
        if self.ts_event == UNDEFINED_TIME or self.ts_recv is None or self.flags & F_BAD_TS_RECV:
            return False
        return self.ts_event > self.ts_recv + AHEAD_NS

    def is_of_the_session(self, start_ns: int, end_ns: int) -> bool:
        """Whether a session of this window counts it: what lies after the window is dropped.

        A time that is undefined, or that cannot be true, says nothing: the receipt decides.
        """
        if self.action == "R" or self.is_snapshot or self.ts_event == UNDEFINED_TIME:
            return self.ts_recv is None or self.ts_recv < end_ns
        if self.is_ahead and self.ts_event >= end_ns:
            return self.ts_recv is not None and start_ns <= self.ts_recv < end_ns
        return self.ts_event < end_ns

    def builds_only(self, start_ns: int, end_ns: int) -> bool:
        """Whether it builds the book in a session of this window, without being activity or moving the clock."""
        if self.is_snapshot:
            return True
        if self.action == "R":
            return self.ts_event == UNDEFINED_TIME or not start_ns <= self.ts_event < end_ns
        if self.ts_event == UNDEFINED_TIME:
            return self.ts_recv is not None and self.ts_recv < start_ns
        return self.ts_event < start_ns


class Touch(NamedTuple):
    """What one record did at one price: the deltas of SPEC 4."""

    price: int
    add: int = 0
    pull: int = 0
    fill: int = 0


def bucket_of(price: int, bucket_int: int) -> int:
    """``floor(price / B + 1/2)`` in integers, also for negative prices."""
    return (2 * price + bucket_int) // (2 * bucket_int)
