"""What the oracle's frames say of the whole: sums split at the mid, reach, order flow, trades by row."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest

from tests.oracle import BOOK, DEFAULT_PARAMETERS, TOUCH_PARAMETERS, WARMUP, OracleEngine, OracleParameters, Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT, UNDEFINED_PRICE

TICK = 250_000_000
SECOND = 1_000_000_000
SUMS = ("pressure_above", "pressure_below", "vacuum_above", "vacuum_below")


def rec(seconds: float, action: str, side: str, ticks: float, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, int(ticks * TICK), size, order_id, flags)


def frames_of(*records: Rec, engine: OracleEngine | None = None) -> list[dict[str, Any]]:
    engine = engine or OracleEngine()
    return [frame for frame in (engine.apply(record) for record in records) if frame is not None]


def quotes(bid: float = 100, ask: float = 101) -> list[Rec]:
    return [rec(0, "A", "B", bid, 10, 1), rec(0, "A", "A", ask, 10, 2)]


@pytest.mark.parametrize(
    ("bid", "ask", "side_of_spot"),
    [
        pytest.param(100, 101, "above", id="one tick: spot is the best ask"),
        pytest.param(99, 101, None, id="two ticks: spot is the mid"),
        pytest.param(99.75, 100.5, "below", id="off the tick: spot lies below the mid"),
    ],
)
def test_rows_are_split_at_the_mid(bid: float, ask: float, side_of_spot: str | None) -> None:
    spot = int((bid + ask) / 2 + 0.5)
    resting = [rec(0, "A", "B", spot, 8, 3), rec(0, "A", "B", spot - 5, 9, 4), rec(0, "A", "A", spot + 5, 1, 5)]
    flow = [rec(1, "C", "B", spot, 8, 3), rec(1, "C", "B", spot - 5, 4, 4), rec(1, "A", "A", spot + 5, 7, 6)]
    frame = frames_of(*quotes(bid, ask), *resting, *flow)[-1]
    assert frame["spot_price"] == spot * TICK
    for force in ("pressure", "vacuum"):
        below, at_spot, above = frame[force][:50], frame[force][50], frame[force][51:]
        want = {"below": sum(below), "above": sum(above)}
        if side_of_spot is not None:
            want[side_of_spot] += at_spot
        for name, value in want.items():
            assert frame[f"{force}_{name}"] == pytest.approx(value)
    assert frame["vacuum"][50] > 0
    assert frame["pressure_above"] > 0
    assert frame["vacuum_below"] > 0
    net = frame["pressure_below"] - frame["pressure_above"] + frame["vacuum_above"] - frame["vacuum_below"]
    assert frame["score"] == pytest.approx(net / sum(frame[name] for name in SUMS))


def test_spot_counts_nowhere_while_there_is_no_mid() -> None:
    frame = frames_of(*quotes(), rec(1, "A", "A", 101, 5, 3), rec(1, "C", "B", 100, 10, 1))[-1]
    assert frame["mid_price"] is None
    assert frame["pressure"][50] > 0
    assert (frame["pressure_above"], frame["pressure_below"], frame["vacuum_below"] > 0) == (0, 0, True)


@pytest.mark.parametrize(
    ("reach", "counted"), [(0, (100, 99, 97, 102, 103, 106)), (1, (100, 102)), (2, (100, 99, 102, 103))]
)
def test_reach_counts_rows_up_to_so_far_beyond_the_touch(reach: int, counted: tuple[int, ...]) -> None:
    parameters = OracleParameters(reach=reach)
    start = [rec(0, "A", "B" if t < 101 else "A", t, 10, t) for t in (100, 99, 97, 102, 103, 106)]
    grown = [rec(1, "M", "B" if t < 101 else "A", t, 10 + t, t) for t in (100, 99, 97, 102, 103, 106)]
    frame = frames_of(*start, *grown, engine=OracleEngine(parameters=parameters))[-1]
    assert frame["pressure_below"] == pytest.approx(sum(frame["pressure"][t - 101 + 50] for t in counted if t < 101))
    assert frame["pressure_above"] == pytest.approx(sum(frame["pressure"][t - 101 + 50] for t in counted if t > 101))
    assert frame["pressure"][106 - 101 + 50] > 0


def test_touch_is_reach_one_and_slower() -> None:
    touch, default = TOUCH_PARAMETERS, DEFAULT_PARAMETERS
    assert (touch.reach, touch.v_tau_seconds, touch.a_tau_seconds, touch.j_tau_seconds) == (1, 10, 25, 50)
    assert touch.mass_tau_seconds == default.mass_tau_seconds == 30
    assert default.reach == 0


def test_a_long_silence_leaves_nothing_negative() -> None:
    flow = [rec(i / 10, "A", "B", 100 - i % 3, 5, 10 + i) for i in range(9)]
    flow += [rec(1 + i / 10, "C", "B", 100 - i % 3, 5, 10 + i) for i in range(9)]
    for silence in (40, 70, 80, 200, 5000):
        frame = frames_of(*quotes(), *flow, rec(silence, "N", "N", 0, 0, 0))[-1]
        for name in ("pressure", "vacuum", "v_add", "v_pull", "v_fill", "add_mass", "pull_mass", "fill_mass"):
            assert min(frame[name]) >= 0, name
        assert -1 <= frame["score"] <= 1


def ofi_of(*records: Rec) -> list[int]:
    return [frame["ofi"] for frame in frames_of(*records)]


def test_order_flow_imbalance() -> None:
    assert ofi_of(
        *quotes(),
        rec(1, "A", "B", 100, 4, 3),  # the bid grows
        rec(1, "A", "A", 101, 3, 4),  # the ask grows
        rec(1, "C", "B", 100, 10, 1),  # the bid shrinks
        rec(1, "A", "B", 100.5, 6, 5),  # a better bid
        rec(1, "A", "A", 100.75, 7, 6),  # a better ask
        rec(1, "C", "A", 100.75, 7, 6),  # it goes: 7 left it, back to 13
        rec(1, "C", "B", 100.5, 6, 5),
        rec(1, "A", "B", 90, 50, 7),  # not the best level
    ) == [0, 0, 4, -3, -10, 6, -7, 7, -6, 0]


def test_order_flow_starts_afresh_where_the_book_does() -> None:
    clear = rec(2, "R", "N", 0, 0, 0)
    assert ofi_of(*quotes(), clear, *quotes(99, 103), rec(3, "A", "B", 99, 2, 3)) == [0, 0, 0, 0, 0, 2]
    snapshot = [rec(0, "A", "B", 98, 30, 7, F_SNAPSHOT), rec(0, "A", "A", 103, 30, 8, F_SNAPSHOT | F_LAST)]
    assert ofi_of(*quotes(), *snapshot, rec(3, "C", "A", 103, 4, 8), rec(3, "C", "A", 103, 1, 8)) == [0, 0, 0, 0, 1]
    book_only = OracleEngine()
    book_only.book.start_ns = 0
    late = Rec(-5, "A", "B", 100 * TICK, 3, 7, F_LAST)
    of_late = frames_of(*quotes(), late, *[rec(1, "A", "B", 100, 1, i) for i in (8, 9)], engine=book_only)
    assert [frame["ofi"] for frame in of_late] == [0, 0, 0, 0, 1], "what builds the book only is no flow"
    empty = rec(2, "C", "A", 101, 10, 2)
    assert ofi_of(*quotes(), empty, rec(2, "A", "A", 101, 10, 2), rec(2, "C", "A", 101, 1, 2)) == [0, 0, 0, 0, 1]


def test_order_flow_adds_up_between_frames_and_from_the_boundary() -> None:
    engine = OracleEngine(throttle_ns=SECOND)
    for record in quotes():
        engine.apply(record, BOOK)
    for record in (rec(0, "A", "B", 100, 5, 3), rec(0, "A", "B", 100, 7, 4)):
        engine.apply(record, WARMUP)
    additions = [rec(s, "A", "B", 100, 1 + i, 10 + i) for i, s in enumerate((1, 1.2, 1.9, 2))]
    assert [frame["ofi"] for frame in frames_of(*additions, engine=engine)] == [1, 2 + 3 + 4]


def test_trades_stand_in_the_row_of_their_own_price() -> None:
    engine = OracleEngine(throttle_ns=SECOND, K=3)
    frames = frames_of(
        *quotes(),
        rec(0.5, "T", "B", 101, 5, 0),
        rec(0.5, "T", "B", 102, 6, 0),
        rec(0.6, "T", "A", 100, 7, 0),
        rec(0.7, "T", "N", 101, 8, 0),
        rec(0.7, "T", "A", 97, 9, 0),  # outside the rows
        Rec(int(0.8 * SECOND), "T", "B", UNDEFINED_PRICE, 11, 0, F_LAST),
        rec(1, "N", "N", 0, 0, 0),
        engine=engine,
    )
    frame = frames[-1]
    assert frame["bought"] == [0, 0, 0, 5, 6, 0, 0]
    assert frame["sold"] == [0, 0, 7, 0, 0, 0, 0]
    assert (frame["buy_volume"], frame["sell_volume"], frame["other_volume"]) == (22, 16, 8)
    assert frame["last_price"] == 97 * TICK
    moved = frames_of(*[rec(2, "N", "N", 0, 0, 0)], engine=engine)[-1]
    assert not any(moved["bought"] + moved["sold"])


def test_trades_lie_around_the_spot_of_their_frame() -> None:
    engine = OracleEngine(throttle_ns=SECOND, K=3)
    away = [rec(0.6, "C", "B", 100, 10, 1), rec(0.6, "C", "A", 101, 10, 2)]
    moved = [rec(1, "A", "B", 102, 1, 3, 0), rec(1, "A", "A", 103, 1, 4)]
    frame = frames_of(*quotes(), rec(0.5, "T", "B", 101, 5, 0), *away, *moved, engine=engine)[-1]
    assert frame["spot_price"] == 103 * TICK
    assert frame["bought"] == [0, 5, 0, 0, 0, 0, 0]


def test_mass_by_hand_under_other_time_constants() -> None:
    parameters = OracleParameters(mass_tau_seconds=3)
    frame = frames_of(*quotes(), rec(1.5, "N", "N", 0, 0, 0), engine=OracleEngine(parameters=parameters))[-1]
    assert frame["add_mass"][49] == pytest.approx(10 * exp(-0.5))
