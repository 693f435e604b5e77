"""The engine of SPEC 4 and its frames of SPEC 5, in plain Python: the oracle's second half."""

from __future__ import annotations

from typing import Any

from tests.oracle_book import OracleBook
from tests.oracle_cells import CHAINS, DEFAULT_PARAMETERS, MASSES, Cell, CellState, OracleParameters, pressure, vacuum
from tests.oracle_market import MarketState, OrderFlow, Trades
from tests.oracle_records import Rec, Touch, bucket_of

KEPT_BUCKETS = 512

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
    "bought",
    "sold",
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
    "other_volume",
    "last_price",
    "ofi",
    "state",
    "score",
    "strength",
    "pressure_above",
    "pressure_below",
    "vacuum_above",
    "vacuum_below",
    "book_valid",
    "quality",
)
SUMS = ("pressure_above", "pressure_below", "vacuum_above", "vacuum_below")


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
        self.bucket_int = tick_int if bucket_int is None else bucket_int
        self.throttle_ns = throttle_ns
        self.p = parameters
        self.book = OracleBook(self.bucket_int)
        self.cells: dict[int, Cell] = {}
        self.forgettable: set[int] = set()
        self.last_spot: int | None = None
        self.market = MarketState(parameters)
        self.trades = Trades()
        self.flow = OrderFlow()
        self.emitting = False
        self.last_frame_ns: int | None = None

    def apply(self, rec: Rec, phase: str = EMIT) -> Frame | None:
        """Apply one record in phase BOOK, WARMUP or EMIT; returns the frame it makes, if it makes one."""
        if phase == EMIT and not self.emitting:
            self.emitting = True
            self.trades.forget()
            self.flow.imbalance = 0

        if self.book.end_snapshot_before(rec):
            self._rebase_depths()
        rebuilds = rec.action == "R" or self.book.begins_snapshot(rec) or (rec.is_snapshot and rec.is_last)
        touches = self.book.apply(rec, track_fills=phase != BOOK)
        if rebuilds:
            self._rebase_depths()
        is_activity = self.book.is_activity(rec)
        if rec.action == "T" and not self.book.builds_only(rec):
            self.trades.add(rec, is_activity=is_activity)
        if phase == BOOK:
            return None

        if rec.action == "R" or not is_activity:
            self.flow.start_afresh()
        if rec.is_last and is_activity:
            self.flow.end_event(self.book)
        for touch in touches:
            self._touch(touch)
        self._mark_forgettable([bucket_of(touch.price, self.bucket_int) for touch in touches])
        if phase == EMIT and rec.is_last and self._frame_is_due():
            return self._frame()
        return None

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
            "mid_price": None if bid is None or ask is None else (bid + ask) / 2e9,
            "bid_size": 0 if bid is None else book.level_size("B", bid),
            "ask_size": 0 if ask is None else book.level_size("A", ask),
            "buy_volume": self.trades.volume("B"),
            "sell_volume": self.trades.volume("A"),
            "other_volume": self.trades.volume("N"),
            "last_price": self.trades.last_price,
            "ofi": self.flow.imbalance,
            "book_valid": book.book_valid,
            "quality": book.quality,
        }
        frame |= self._grid(clock_ns, spot)
        self.trades.forget()
        self.flow.imbalance = 0
        self.last_frame_ns = clock_ns

        above, below = self._rows_above_and_below()
        for force in ("pressure", "vacuum"):
            for name, rows in (("above", above), ("below", below)):
                frame[f"{force}_{name}"] = sum((frame[force][row] for row in rows), 0.0)
        rows_are_sure = not any(frame["may_be_forgotten"][row] for row in (*above, *below))
        frame |= {f"{name}_is_sure": rows_are_sure for name in SUMS}
        pressure_above, pressure_below, vacuum_above, vacuum_below = (frame[name] for name in SUMS)
        net = (pressure_below - pressure_above) + (vacuum_above - vacuum_below)
        total = pressure_below + pressure_above + vacuum_above + vacuum_below
        verdict = self.market.judge(clock_ns, net, total, total_is_sure=rows_are_sure)
        return frame | verdict._asdict()

    def _rows_above_and_below(self) -> tuple[list[int], list[int]]:
        """The rows whose forces count on each side of the mid."""
        spot, bid, ask = self.book.spot, self.book.best_bid, self.book.best_ask
        if spot is None:
            return [], []
        above, below = list(range(1, self.K + 1)), list(range(-self.K, 0))
        if bid is not None and ask is not None:
            twice_spot, twice_mid = 2 * spot * self.bucket_int, bid + ask
            if twice_spot > twice_mid:
                above.append(0)
            elif twice_spot < twice_mid:
                below.append(0)
        if self.p.reach:
            beyond = self.p.reach - 1
            above = [k for k in above if ask is not None and spot + k <= bucket_of(ask, self.bucket_int) + beyond]
            below = [k for k in below if bid is not None and spot + k >= bucket_of(bid, self.bucket_int) - beyond]
        return [k + self.K for k in above], [k + self.K for k in below]

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
            for name, side in (("bought", "B"), ("sold", "A")):
                volume = 0.0 if spot is None else self.trades.volume_in(spot + k, side, self.bucket_int)
                columns[name].append(volume)
            columns["last_event_id"].append(0 if cell is None else cell.last_event_id)
            columns["may_be_forgotten"].append(spot is not None and spot + k in self.forgettable)
        return columns
