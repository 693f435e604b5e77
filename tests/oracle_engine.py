"""The engine of SPEC 4 and its frames of SPEC 5, in plain Python: the oracle's second half."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.oracle_book import UNDEFINED_PRICE, OracleBook, Rec, Touch, bucket_of
from tests.oracle_cells import (
    CHAINS,
    DEFAULT_PARAMETERS,
    MASSES,
    Cell,
    CellState,
    OracleParameters,
    alpha,
    pressure,
    vacuum,
)

KEPT_BUCKETS = 512
SURE_TOTAL = 1e-6
SURE_MARGIN = 1e-9

BOOK = "book"
WARMUP = "warmup"
EMIT = "emit"

Frame = dict[str, Any]

GRID_COLUMNS = (
    "pressure",
    "vacuum",
    *(f"{name}_mass" for name in MASSES),
    "rest_depth",
    *(f"{level}_{name}" for level in "vaj" for name in CHAINS),
    "last_event_id",
)
SCALAR_COLUMNS = (
    "ts_ns",
    "event_id",
    "spot_price",
    "bid_price",
    "ask_price",
    "mid_price",
    "bid_size",
    "ask_size",
    "buy_volume",
    "sell_volume",
    "last_price",
    "state",
    "score",
    "strength",
    "book_valid",
)


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
            weight = alpha((clock_ns - self.clock_ns) / 1e9, self.p.baseline_tau_seconds)
            self.baseline = weight * total + (1 - weight) * self.baseline
        self.clock_ns = clock_ns

        score = net / total if total > 0 else 0.0
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


class OracleEngine:
    """Records in, frames out. Buckets are never forgotten."""

    def __init__(
        self,
        *,
        K: int = 50,  # noqa: N803
        tick_int: int = 250_000_000,
        bucket_int: int | None = None,
        throttle_ns: int = 0,
        parameters: OracleParameters = DEFAULT_PARAMETERS,
    ) -> None:
        self.K = K
        self.tick_int = tick_int
        self.bucket_int = tick_int if bucket_int is None else bucket_int
        self.throttle_ns = throttle_ns
        self.p = parameters
        self.book = OracleBook(self.bucket_int)
        self.cells: dict[int, Cell] = {}
        self.forgettable: set[int] = set()
        self.last_spot: int | None = None
        self.market = MarketState(parameters)
        self.emitting = False
        self.last_frame_ns: int | None = None
        self.buy_volume = 0
        self.sell_volume = 0
        self.last_price: int | None = None

    def apply(self, rec: Rec, phase: str = EMIT) -> Frame | None:
        """Apply one record in phase BOOK, WARMUP or EMIT; returns the frame it makes, if it makes one."""
        if phase == EMIT and not self.emitting:
            self.emitting = True
            self.buy_volume = self.sell_volume = 0

        if self.book.end_snapshot_before(rec):
            self._rebase_depths()
        touches = self.book.apply(rec, track_fills=phase != BOOK)
        if rec.action == "R" or (rec.is_snapshot and rec.is_last):
            self._rebase_depths()
        if rec.action == "T" and not rec.is_snapshot:
            self._trade(rec)
        if phase == BOOK:
            return None
        for touch in touches:
            self._touch(touch)
        self._mark_forgettable([bucket_of(touch.price, self.bucket_int) for touch in touches])
        if phase == EMIT and rec.is_last and self._frame_is_due():
            return self._frame()
        return None

    def _trade(self, rec: Rec) -> None:
        if rec.price != UNDEFINED_PRICE:
            self.last_price = rec.price
        if rec.side == "B":
            self.buy_volume += rec.size
        elif rec.side == "A":
            self.sell_volume += rec.size

    def _touch(self, touch: Touch) -> None:
        clock_ns = self.book.clock_ns
        assert clock_ns is not None
        bucket = bucket_of(touch.price, self.bucket_int)
        depth = self.book.bucket_depth(bucket)
        if bucket not in self.cells:
            self.cells[bucket] = Cell(clock_ns, depth)
        self.cells[bucket].touch(clock_ns, touch, depth, self.book.event_id, self.p)

    def _rebase_depths(self) -> None:
        for bucket, cell in self.cells.items():
            cell.depth_baseline = self.book.bucket_depth(bucket)

    def _mark_forgettable(self, just_touched: list[int]) -> None:
        """Remember the buckets that SPEC 4 lets an engine forget: those once over 512 away from spot."""
        spot = self.book.spot
        if spot is None:
            return
        changed = just_touched if spot == self.last_spot else list(self.cells)
        self.forgettable |= {b for b in changed if abs(b - spot) > KEPT_BUCKETS}
        self.last_spot = spot

    def _frame_is_due(self) -> bool:
        clock_ns = self.book.clock_ns
        if clock_ns is None:
            return False
        return self.last_frame_ns is None or clock_ns - self.last_frame_ns >= self.throttle_ns

    def _frame(self) -> Frame:
        """All columns of SPEC 5 in float64 and int, and what `frame_differences` needs to be lenient.

        `may_be_forgotten` marks rows an engine may have lost; `*_is_sure` says what rounding cannot change.
        """
        book, clock_ns, spot = self.book, self.book.clock_ns, self.book.spot
        assert clock_ns is not None
        bid, ask = book.best_bid, book.best_ask
        frame: Frame = {
            "ts_ns": clock_ns,
            "event_id": book.event_id,
            "spot_price": None if spot is None else spot * self.bucket_int,
            "bid_price": bid,
            "ask_price": ask,
            "mid_price": None if bid is None or ask is None else (bid + ask) / 2 * 1e-9,
            "bid_size": 0 if bid is None else book.level_size("B", bid),
            "ask_size": 0 if ask is None else book.level_size("A", ask),
            "buy_volume": self.buy_volume,
            "sell_volume": self.sell_volume,
            "last_price": self.last_price,
            "book_valid": book.book_valid,
        }
        self.buy_volume = self.sell_volume = 0
        self.last_frame_ns = clock_ns
        frame |= self._grid(clock_ns, spot)

        below, above = slice(0, self.K), slice(self.K + 1, None)
        p_below, p_above = sum(frame["pressure"][below]), sum(frame["pressure"][above])
        v_below, v_above = sum(frame["vacuum"][below]), sum(frame["vacuum"][above])
        net = (p_below - p_above) + (v_above - v_below)
        total = p_below + p_above + v_above + v_below
        verdict = self.market.judge(clock_ns, net, total, total_is_sure=not any(frame["may_be_forgotten"]))
        return frame | verdict._asdict()

    def _grid(self, clock_ns: int, spot: int | None) -> Frame:
        columns: Frame = {name: [] for name in GRID_COLUMNS}
        columns["may_be_forgotten"] = []
        for k in range(-self.K, self.K + 1):
            cell = None if spot is None else self.cells.get(spot + k)
            state = CellState() if cell is None else cell.read(clock_ns, self.p)
            columns["pressure"].append(pressure(state, self.p))
            columns["vacuum"].append(vacuum(state, self.p))
            for name in MASSES:
                columns[f"{name}_mass"].append(state.mass[name])
            columns["rest_depth"].append(0.0 if spot is None else float(self.book.bucket_depth(spot + k)))
            for name in CHAINS:
                columns[f"v_{name}"].append(state.v[name])
                columns[f"a_{name}"].append(state.a[name])
                columns[f"j_{name}"].append(state.j[name])
            columns["last_event_id"].append(0 if cell is None else cell.last_event_id)
            columns["may_be_forgotten"].append(spot is not None and spot + k in self.forgettable)
        return columns
