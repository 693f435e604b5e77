"""What a frame says of the market as a whole: score and state of SPEC 4, volumes and order flow of SPEC 5."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle_book import OracleBook
from tests.oracle_cells import OracleParameters, alpha, kept
from tests.oracle_records import UNDEFINED_PRICE, UNDEFINED_SIZE, Rec, bucket_of

SURE_TOTAL = 1e-6
SURE_MARGIN = 1e-9


class Verdict(NamedTuple):
    """State, score and strength, and which of them rounding cannot change."""

    state: int
    score: float
    strength: float
    state_is_sure: bool
    score_is_sure: bool
    strength_is_sure: bool


class MarketState:
    """Score, strength and state of SPEC 4, frame after frame."""

    def __init__(self, p: OracleParameters) -> None:
        self.p = p
        self.state = 0
        self.baseline: float | None = None
        self.clock_ns = 0
        self.possible = {0}  # the states that an engine with other rounding may be in
        self.baseline_is_sure = True

    def judge(self, clock_ns: int, net: float, total: float, *, total_is_sure: bool = True) -> Verdict:
        """Judge one frame. `total_is_sure` is false where forgettable buckets are part of `total`."""
        if self.baseline is None:
            self.baseline = total
        else:
            dt, tau = (clock_ns - self.clock_ns) / 1e9, self.p.baseline_tau_seconds
            self.baseline = alpha(dt, tau) * total + kept(dt, tau) * self.baseline
        self.clock_ns = clock_ns

        score = max(-1.0, min(1.0, net / total)) if total > 0 else 0.0
        strength = total / self.baseline if self.baseline > 0 else 0.0
        weak = total == 0 or total < self.p.weak_fraction * self.baseline
        self.state = self._next(self.state, score, weak=weak)

        self.baseline_is_sure &= total_is_sure
        score_is_sure = total_is_sure and total > SURE_TOTAL
        strength_is_sure = self.baseline_is_sure and self.baseline > SURE_TOTAL
        edges = (self.p.enter_score, self.p.leave_score, 0.0)
        clear_cut = abs(strength - self.p.weak_fraction) > SURE_MARGIN and all(
            abs(abs(score) - edge) > SURE_MARGIN for edge in edges
        )
        if score_is_sure and strength_is_sure and clear_cut:
            self.possible = {self._next(state, score, weak=weak) for state in self.possible}
        else:
            self.possible = {-1, 0, 1}
        return Verdict(self.state, score, strength, len(self.possible) == 1, score_is_sure, strength_is_sure)

    def _next(self, state: int, score: float, *, weak: bool) -> int:
        if weak:
            return 0
        held = state != 0 and abs(score) >= self.p.leave_score and state * score > 0
        if held:
            return state
        return (score >= self.p.enter_score) - (score <= -self.p.enter_score)


class Trades:
    """What traded since the last frame, and the last price of the session."""

    def __init__(self) -> None:
        self.since_frame: list[Rec] = []
        self.last_price: int | None = None

    def add(self, rec: Rec, *, is_activity: bool) -> None:
        if is_activity and rec.size != UNDEFINED_SIZE:
            self.since_frame.append(rec)
        if rec.price != UNDEFINED_PRICE:
            self.last_price = rec.price

    def forget(self) -> None:
        """A frame told of them, or the emit boundary lies after them."""
        self.since_frame.clear()

    def volume(self, side: str) -> int:
        return sum(rec.size for rec in self.since_frame if rec.side == side)

    def volume_in(self, bucket: int, side: str, bucket_int: int) -> float:
        """Volume at the prices of one bucket."""
        return float(
            sum(
                rec.size
                for rec in self.since_frame
                if rec.side == side and rec.price != UNDEFINED_PRICE and bucket_of(rec.price, bucket_int) == bucket
            )
        )


class OrderFlow:
    """Order-flow imbalance at the best level, from event end to event end."""

    def __init__(self) -> None:
        self.imbalance = 0
        self.before: tuple[int, int, int, int] | None = None  # bid, its size, ask, its size

    def start_afresh(self) -> None:
        self.before = None

    def end_event(self, book: OracleBook) -> None:
        bid, ask = book.best_bid, book.best_ask
        if bid is None or ask is None or book.in_snapshot:
            self.before = None
            return
        bid_size, ask_size = book.level_size("B", bid), book.level_size("A", ask)
        if self.before is not None:
            bid0, bid_size0, ask0, ask_size0 = self.before
            self.imbalance += (bid >= bid0) * bid_size - (bid <= bid0) * bid_size0
            self.imbalance += (ask >= ask0) * ask_size0 - (ask <= ask0) * ask_size
        self.before = (bid, bid_size, ask, ask_size)
