"""The engine by hand: single records, batches, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import TICK, events_of, frame_rows
from tests.market_strategies import markets, random_market
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT, UNDEFINED_PRICE, UNDEFINED_TIME
from tests.vp.model.quotes import SECOND
from vp.dbn.events import Events
from vp.errors import BadParameterError
from vp.kernels.contract import GRID_COLUMNS
from vp.model.engine import GRID_DTYPE, EventDrivenVPEngine

MARKET = random_market(61, 30)


@settings(max_examples=25, deadline=None)
@given(records=markets(max_events=25), seed=st.integers(0, 2**32 - 1))
def test_hand_fed_records_give_the_same_frames_and_grid(records: list[Rec], seed: int) -> None:
    """`update` record by record, without times of receipt; `grid` is the frame that an event's end would make."""
    records = [record for record in records if record.ts_event != UNDEFINED_TIME]  # by hand, a time is said
    fed, framed = EventDrivenVPEngine(K=5), EventDrivenVPEngine(K=5)
    framed.start_emitting()
    events = events_of(record._replace(ts_recv=None) for record in records)
    for i, record in enumerate(records):
        fed.update(*record[:7], publisher=record.publisher)
        _, batch = framed.advance(events.slice(i, i + 1))
        if batch.count:
            (row,) = frame_rows(framed.layout, batch.buffer)
            fed.start_emitting()
            assert_grid_is(fed.grid, {**row, "bought": fed.grid["bought"], "sold": fed.grid["sold"]})
    assert fed.book.to_arrow().equals(framed.book.to_arrow(), check_metadata=True)
    assert fed.anomalies() == framed.anomalies()


def assert_grid_is(grid: np.ndarray, row: dict[str, Any]) -> None:
    assert grid.dtype == GRID_DTYPE
    for name in GRID_COLUMNS:
        wanted = np.array(row[name], grid.dtype[name])
        np.testing.assert_array_equal(grid[name].astype(np.float32) if name != "last_event_id" else grid[name], wanted)
    spot = row["spot_price"]
    reach = len(grid) // 2
    np.testing.assert_array_equal(grid["k"], np.arange(-reach, reach + 1))
    np.testing.assert_array_equal(grid["price"], 0 if spot is None else spot + grid["k"].astype(np.int64) * TICK)


def test_update_by_hand() -> None:
    engine = EventDrivenVPEngine(K=2, tick_int=TICK)
    assert not engine.grid["price"].any()
    engine.update(0, "A", "B", 100 * TICK, 10, 1)
    engine.update(0, "A", "A", 101 * TICK, 10, 2, flags=F_LAST)
    engine.update(SECOND, "A", "B", 100 * TICK, 4, 2**64 - 1)
    grid = engine.grid
    assert grid["k"].tolist() == [-2, -1, 0, 1, 2]
    assert (grid["price"] // TICK).tolist() == [99, 100, 101, 102, 103]
    assert grid["rest_depth"].tolist() == [0, 14, 10, 0, 0]
    assert grid["last_event_id"].tolist() == [0, 3, 2, 0, 0]
    assert grid["v_add"][1] == pytest.approx((1 - np.exp(-1 / 2)) * 4)
    assert grid["add_mass"][1] == pytest.approx(10 * np.exp(-1 / 30) + 4)
    assert (EventDrivenVPEngine().clock_ns, engine.clock_ns) == (None, SECOND)
    assert engine.grid.tobytes() == grid.tobytes(), "reading changes nothing"


def test_frame_times_and_messages_of_a_batch() -> None:
    engine = EventDrivenVPEngine(K=3, frame_capacity=10)
    engine.start_emitting()
    index, batch = engine.advance(events_of(MARKET))
    assert batch.count == 10
    rows = frame_rows(engine.layout, batch.buffer)
    assert batch.ts_ns.tolist() == [row["ts_ns"] for row in rows]
    assert [bytes(batch.message(i)) for i in range(10)] == [message.tobytes() for message in batch.buffer]
    assert index == rows[-1]["event_id"]
    times = batch.ts_ns
    engine.advance(events_of(MARKET), index)
    assert times.tolist() == [row["ts_ns"] for row in rows], "a copy outlives the buffer"
    assert engine.no_frames().count == 0


def test_volumes_count_from_the_start_of_emitting() -> None:
    engine = EventDrivenVPEngine(K=1)
    trade = (SECOND, "T", "B", 5 * TICK, 7, 0, F_LAST)
    _, before = engine.advance(Events.from_records([trade, (SECOND, "T", "A", 4 * TICK, 3, 0, F_LAST)]))
    assert before.count == 0
    engine.start_emitting()
    unflagged = (SECOND, "T", "A", UNDEFINED_PRICE, 2, 0, 0)
    _, batch = engine.advance(Events.from_records([unflagged, (SECOND, "T", "N", 9 * TICK, 50, 0, F_LAST), trade]))
    first, second = frame_rows(engine.layout, batch.buffer)
    assert (first["buy_volume"], first["sell_volume"], first["last_price"]) == (0, 2, 9 * TICK)
    assert (second["buy_volume"], second["sell_volume"], second["last_price"]) == (7, 0, 5 * TICK)


def test_a_trade_of_a_snapshot_is_neither_volume_nor_a_price() -> None:
    engine = EventDrivenVPEngine(K=1)
    engine.start_emitting()
    quotes = [(0, "A", "B", TICK, 1, 1, F_LAST), (0, "T", "B", 2 * TICK, 3, 0, F_LAST)]
    replayed = [(0, "T", side, 7 * TICK, 50, 0, F_SNAPSHOT) for side in "BA"]
    _, batch = engine.advance(Events.from_records([*quotes, *replayed, (1, "N", "N", 0, 0, 0, F_LAST)]))
    _, traded, last = frame_rows(engine.layout, batch.buffer)
    assert (traded["buy_volume"], traded["sell_volume"], traded["last_price"]) == (3, 0, 2 * TICK)
    assert (last["buy_volume"], last["sell_volume"], last["last_price"]) == (0, 0, 2 * TICK)


def test_no_frame_before_there_is_a_clock() -> None:
    engine = EventDrivenVPEngine(K=1)
    engine.start_emitting()
    snapshot = [(5, "A", "B", TICK, 1, 1, F_SNAPSHOT), (5, "A", "A", 2 * TICK, 1, 2, F_SNAPSHOT | F_LAST)]
    _, batch = engine.advance(Events.from_records(snapshot))
    assert (batch.count, engine.clock_ns, engine.book.valid) == (0, None, True)
    _, batch = engine.advance(Events.from_records([(9, "N", "N", 0, 0, 0, F_LAST)]))
    (row,) = frame_rows(engine.layout, batch.buffer)
    assert (row["ts_ns"], row["event_id"], row["rest_depth"]) == (9, 3, [1, 1, 0])
    assert row["last_event_id"] == [0, 0, 0]


@pytest.mark.parametrize("K", [0, -1, 513, 10_000])
def test_a_grid_that_is_too_high_or_none(K: int) -> None:  # noqa: N803
    with pytest.raises(BadParameterError, match=f"K was {K}"):
        EventDrivenVPEngine(K)


@pytest.mark.parametrize(("tick_int", "bucket_int"), [(0, None), (-1, None), (TICK, 0), (TICK, -TICK)])
def test_a_tick_or_bucket_that_is_none(tick_int: int, bucket_int: int | None) -> None:
    wrong = "tick_int" if tick_int <= 0 else "bucket_int"
    with pytest.raises(BadParameterError, match=f"{wrong} was .* whole number of 1e-9 units from 1"):
        EventDrivenVPEngine(50, tick_int, bucket_int)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("K", 50.0), ("K", True), ("K", "50"), ("tick_int", 0.25), ("tick_int", None), ("bucket_int", 2**61),
        ("parameters", {"tau_mass_seconds": 1.0}), ("parameters", "touch"), ("throttle_ns", -1), ("throttle_ns", 2.5),
        ("throttle_ns", 2**63), ("frame_capacity", 0), ("frame_capacity", 2**40), ("book", "book"),
        ("metadata", "symbol"), ("metadata", {"symbol": 1}),
    ],
)  # fmt: skip
def test_what_an_engine_cannot_be_made_of(argument: str, value: Any) -> None:
    of: dict[str, Any] = {argument: value}
    with pytest.raises(BadParameterError, match=argument) as caught:
        EventDrivenVPEngine(**of)
    assert "expected" in caught.value.message


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("ts_ns", -1), ("ts_ns", 2**63), ("ts_ns", 1.5), ("action", "X"), ("action", "AC"), ("action", ""),
        ("action", 65), ("side", "C"), ("side", None), ("price_int", 2**63), ("price_int", 0.25), ("size", -1),
        ("size", 2**32), ("order_id", -1), ("order_id", 2**64), ("flags", 256), ("flags", None),
    ],
)  # fmt: skip
def test_what_no_record_can_be(argument: str, value: Any) -> None:
    engine = EventDrivenVPEngine()
    record: dict[str, Any] = {"ts_ns": 0, "action": "A", "side": "B", "price_int": TICK, "size": 1, "order_id": 1}
    with pytest.raises(BadParameterError, match=f"^{argument} was {value!r}"):
        engine.update(**(record | {argument: value}))
    assert engine.book.event_id == 0
    engine.update(**record)
    assert engine.book.event_id == 1


@pytest.mark.parametrize(
    ("argument", "value"),
    [("first", -1), ("first", 2), ("first", 0.0), ("until_ns", 2**63), ("max_frames", -1), ("events", [])],
)
def test_what_an_engine_cannot_be_told_to_do(argument: str, value: Any) -> None:
    engine = EventDrivenVPEngine()
    asked: dict[str, Any] = {"events": Events.from_records([(0, "A", "B", TICK, 1, 1, F_LAST)])}
    with pytest.raises(BadParameterError, match=f"^{argument} was"):
        engine.advance(**(asked | {argument: value}))
    assert engine.book.event_id == 0
