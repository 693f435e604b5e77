"""The oracle in cases small enough to work out by hand."""

from __future__ import annotations

from itertools import permutations
from math import exp
from typing import Any

import pytest

from tests.oracle import (
    BOOK,
    EMIT,
    GRID_COLUMNS,
    WARMUP,
    OracleBook,
    OracleEngine,
    OracleParameters,
    Rec,
    bucket_of,
    frame_differences,
    run_session,
)
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, UNDEFINED_PRICE
from tests.oracle_market import MarketState

TICK = 250_000_000
SECOND = 1_000_000_000
BID, ASK = 100 * TICK, 101 * TICK  # spot rounds up to bucket 101
SPOT_ROW = 50
BID_ROW = 49


def rec(seconds: float, action: str, side: str, price: int, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, price, size, order_id, flags)


def quotes(size: int = 10) -> list[Rec]:
    """A bid (id 1) and an ask (id 2) at clock 0."""
    return [rec(0, "A", "B", BID, size, 1), rec(0, "A", "A", ASK, size, 2)]


def last_frame(*records: Rec, engine: OracleEngine | None = None) -> dict[str, Any]:
    engine = engine or OracleEngine()
    frames = [engine.apply(record) for record in records]
    assert frames[-1] is not None
    return frames[-1]


def row(frame: dict[str, Any], index: int) -> dict[str, Any]:
    return {name: frame[name][index] for name in GRID_COLUMNS}


def test_first_touch_starts_masses_and_leaves_chains_at_zero() -> None:
    bid = row(last_frame(*quotes()), BID_ROW)
    assert {name: value for name, value in bid.items() if value} == {
        "add_mass": 10,
        "rest_depth": 10,
        "last_event_id": 1,
    }


def test_chain_of_a_second_touch() -> None:
    bid = row(last_frame(*quotes(), rec(1, "A", "B", BID, 4, 3)), BID_ROW)
    v = (1 - exp(-1 / 2)) * 4
    a = (1 - exp(-1 / 5)) * v
    j = (1 - exp(-1 / 10)) * a
    assert bid["add_mass"] == pytest.approx(10 * exp(-1 / 30) + 4)
    for chain in ("add", "rest_depth"):
        assert [bid[f"{level}_{chain}"] for level in "vaj"] == pytest.approx([v, a, j])
    assert bid["pressure"] == pytest.approx(v + 0.5 * v + 0.3 * a)
    assert bid["vacuum"] == 0


def test_a_stale_bucket_fades_as_a_zero_touch_would_leave_it() -> None:
    grown = rec(1, "A", "B", BID, 4, 3)
    elsewhere = rec(3, "N", "N", UNDEFINED_PRICE, 0, 0)
    bid = row(last_frame(*quotes(), grown, elsewhere), BID_ROW)
    v1 = (1 - exp(-1 / 2)) * 4
    a1 = (1 - exp(-1 / 5)) * v1
    v2 = exp(-2 / 2) * v1
    a2 = (1 - exp(-2 / 5)) * (v2 - v1) / 2 + exp(-2 / 5) * a1
    assert (bid["v_add"], bid["a_add"]) == pytest.approx((v2, a2))
    assert bid["rest_depth"] == 14
    assert bid["last_event_id"] == 3


@pytest.mark.parametrize(
    ("records", "fill", "pull", "left"),
    [
        pytest.param([("F", 10), ("C", 10)], 10, 0, 0, id="filled in full"),
        pytest.param([("F", 4), ("M", 6)], 4, 0, 6, id="filled in part, modify"),
        pytest.param([("F", 4), ("C", 4)], 4, 0, 6, id="filled in part, cancel"),
        pytest.param([("F", 4), ("C", 10)], 4, 6, 0, id="filled in part, the rest pulled"),
        pytest.param([("F", 4), ("C", 3), ("C", 3)], 4, 2, 4, id="a fill realised in two cancels"),
        pytest.param([("F", 3), ("F", 4), ("C", 7)], 7, 0, 3, id="two fills, one cancel"),
        pytest.param([("C", 3)], 0, 3, 7, id="partial cancel"),
        pytest.param([("C", 99)], 0, 10, 0, id="oversize cancel"),
        pytest.param([("M", 0)], 0, 10, 0, id="modify to nothing"),
        pytest.param([("F", 4), ("M", 15), ("C", 15)], 4, 11, 0, id="pending outlives growth"),
    ],
)
def test_what_fills_realise_is_no_pull(records: list[tuple[str, int]], fill: int, pull: int, left: int) -> None:
    after = [rec(0, action, "B", BID, size, 1) for action, size in records]
    bid = row(last_frame(*quotes(), *after), BID_ROW)
    assert (bid["fill_mass"], bid["pull_mass"], bid["rest_depth"]) == (fill, pull, left)


def test_move_pulls_at_the_old_price_and_adds_at_the_new() -> None:
    stays = rec(0, "A", "B", BID, 1, 3)
    filled, moved = rec(0, "F", "B", BID, 4, 1), rec(0, "M", "B", BID - TICK, 7, 1)
    frame = last_frame(*quotes(), stays, filled, moved, rec(0, "C", "N", UNDEFINED_PRICE, 7, 1))
    old, new = row(frame, BID_ROW), row(frame, BID_ROW - 1)
    assert (old["pull_mass"], old["rest_depth"]) == (6, 1)
    assert (new["add_mass"], new["pull_mass"]) == (7, 7), "pending ends with the move"
    assert (old["last_event_id"], new["last_event_id"]) == (5, 6)


def test_fills_of_the_book_only_phase_are_not_remembered() -> None:
    engine = OracleEngine()
    for record in [*quotes(), rec(0, "F", "B", BID, 4, 1)]:
        assert engine.apply(record, BOOK) is None
    bid = row(last_frame(rec(1, "C", "B", BID, 4, 1), engine=engine), BID_ROW)
    assert (bid["fill_mass"], bid["pull_mass"], bid["v_pull"]) == (0, 4, 0)


def test_queue_priority() -> None:
    book = OracleBook(TICK)
    for i in (1, 2, 3):
        book.apply(rec(0, "A", "B", BID, 10, i))
    for size, order_id in ((5, 1), (10, 2), (11, 2)):  # shrinks: stays; same: stays; grows: to the back
        book.apply(rec(0, "M", "B", BID, size, order_id))
    assert [o.order_id for o in book.orders["B"][0][1]] == [1, 3, 2]
    book.apply(rec(0, "M", "B", BID - TICK, 5, 1))
    book.apply(rec(0, "M", "B", BID, 5, 1))
    assert [o.order_id for o in book.orders["B"][0][1]] == [3, 2, 1]
    assert book.levels("B") == [(BID, 26, 3)]


def test_same_clock_touches_add_up_in_any_order() -> None:
    instant = [
        rec(1, "A", "B", BID, 4, 3),
        rec(1, "C", "B", BID, 6, 1),
        rec(1, "F", "B", BID, 2, 5),
        rec(1, "A", "A", ASK, 9, 4),
    ]
    end = rec(2.5, "N", "N", UNDEFINED_PRICE, 0, 0)
    columns = [name for name in GRID_COLUMNS if name != "last_event_id"]
    start = [*quotes(), rec(0, "A", "B", BID, 8, 5), rec(0.5, "C", "B", BID, 1, 1)]
    want = last_frame(*start, *instant, end)
    for order in permutations(instant):
        assert frame_differences(last_frame(*start, *order, end), want, columns=columns) == []


SNAPSHOT = [
    rec(-99, "A", "B", BID, 30, 11, F_SNAPSHOT),
    rec(-99, "A", "A", ASK, 30, 12, F_SNAPSHOT),
]


@pytest.mark.parametrize("leading_clear", [True, False])
@pytest.mark.parametrize("last", [True, False])
def test_a_snapshot_is_no_activity(leading_clear: bool, last: bool) -> None:
    snapshot = list(SNAPSHOT)
    if leading_clear:
        snapshot.insert(0, rec(-99, "R", "N", UNDEFINED_PRICE, 0, 0, F_SNAPSHOT))
    if last:
        snapshot[-1] = snapshot[-1]._replace(flags=F_SNAPSHOT | F_LAST)
    engine = OracleEngine()
    for record in [*quotes(), *snapshot]:
        engine.apply(record)
    assert engine.book.in_snapshot is not last
    assert engine.book.clock_ns == 0
    bid = row(last_frame(rec(1, "A", "B", BID, 4, 3), engine=engine), BID_ROW)
    assert bid["rest_depth"] == 34, "what rested before is gone, with or without a clear"
    assert bid["v_rest_depth"] == bid["v_add"] == pytest.approx((1 - exp(-1 / 2)) * 4)
    assert engine.book.book_valid


def test_a_clear_is_no_pull_and_spot_stays() -> None:
    clear = rec(1, "R", "N", UNDEFINED_PRICE, 0, 0)
    frame = last_frame(*quotes(), clear)
    assert (frame["spot_price"], frame["bid_price"], frame["mid_price"]) == (ASK, None, None)
    assert (sum(frame["rest_depth"]), sum(frame["vacuum"]), frame["book_valid"]) == (0, 0, False)
    bid = row(last_frame(*quotes(), clear, rec(1, "A", "B", BID, 4, 1)), BID_ROW)
    assert bid["v_rest_depth"] == bid["v_add"] == pytest.approx((1 - exp(-1 / 2)) * 4)


def test_a_bad_book_stays_bad_until_the_next_clear() -> None:
    book = OracleBook(TICK)
    for record in [*quotes(), rec(1, "N", "N", UNDEFINED_PRICE, 0, 0, F_LAST | F_MAYBE_BAD_BOOK), *quotes()]:
        book.apply(record)
    assert not book.book_valid
    for record in [rec(2, "R", "N", UNDEFINED_PRICE, 0, 0), *quotes()]:
        book.apply(record)
    assert book.book_valid


def test_spot_and_buckets_round_half_up_below_zero_too() -> None:
    assert [bucket_of(price, 10) for price in (4, 5, -5, -6, 14, 15)] == [0, 1, 0, -1, 1, 2]
    book = OracleBook(10)
    book.apply(rec(0, "A", "B", -30, 1, 1))
    book.apply(rec(0, "A", "A", -21, 1, 2))  # mid -25.5
    assert book.spot == -3


def test_market_state_holds_and_lets_go() -> None:
    market = MarketState(OracleParameters())
    steps = [
        (0.19, 1.0, 0),
        (0.20, 1.0, 1),
        (0.10, 1.0, 1),  # held
        (0.09, 1.0, 0),
        (0.15, 1.0, 0),
        (-0.2, 1.0, -1),
        (-0.12, 1.0, -1),
        (0.15, 1.0, 0),  # the sign turned, judged afresh
        (0.9, 1.0, 1),
        (-0.9, 1.0, -1),  # afresh means at once
        (-0.9, 0.2, 0),  # weak
        (0.9, 0.0, 0),
    ]
    for score, total, state in steps:
        verdict = market.judge(0, score * total, total)
        assert (verdict.state, verdict.strength) == (state, total)


def test_volumes_count_from_the_emit_boundary_and_the_last_price_from_the_start() -> None:
    engine = OracleEngine(throttle_ns=SECOND)
    trade = rec(1, "T", "B", ASK, 5, 0)
    for record in quotes():
        engine.apply(record, BOOK)
    engine.apply(trade, BOOK)
    engine.apply(trade._replace(price=BID), WARMUP)
    trades = [
        trade._replace(price=UNDEFINED_PRICE),
        trade,
        trade,
        trade._replace(ts_event=2 * SECOND, side="A"),
    ]
    first, second, third, fourth = (engine.apply(record, EMIT) for record in trades)
    assert first is not None
    assert fourth is not None
    assert second is third is None
    assert (first["buy_volume"], first["sell_volume"], first["last_price"]) == (5, 0, BID)
    assert (fourth["buy_volume"], fourth["sell_volume"], fourth["last_price"]) == (10, 5, ASK)


def test_phases_and_the_session_window() -> None:
    records = [rec(-5, "A", "B", BID, 1, 9), *quotes()]
    records += [rec(s, "A", "B", BID, 1, 100 + s) for s in range(1, 12)]
    frames = run_session(
        records, session_start_ns=0, warmup_from_ns=3 * SECOND, emit_from_ns=6 * SECOND, end_ns=9 * SECOND
    )
    assert [frame["ts_ns"] // SECOND for frame in frames] == [6, 7, 8]
    assert frames[0]["event_id"] == 1 + 2 + 6
    assert frames[0]["rest_depth"][BID_ROW] == 1 + 10 + 6
    assert frames[0]["add_mass"][BID_ROW] == pytest.approx(1 + sum(exp(-s / 30) for s in (1, 2, 3)))


def test_frames_before_any_spot_are_zero() -> None:
    frame = last_frame(rec(0, "A", "B", BID, 5, 1))
    assert (frame["spot_price"], frame["bid_price"], frame["bid_size"], frame["ask_size"]) == (
        None,
        BID,
        5,
        0,
    )
    assert not any(any(frame[name]) for name in GRID_COLUMNS)
    assert (frame["state"], frame["score"], frame["strength"]) == (0, 0, 0)
