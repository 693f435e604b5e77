"""Frames of several publishers: the oracle's, and no bit of them by how publishers are called."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import (
    EARLIEST_NS,
    LATEST_NS,
    TICK,
    assert_frames_are_the_oracles,
    events_of,
    frame_rows,
    run_frames,
)
from tests.market_strategies import CALM, WILD, markets, random_market
from tests.oracle import Rec
from tests.oracle_book import F_MBP, UNDEFINED_TIME
from tests.vp.model.publishers import MIXED_KINDS, S, X, Y, rec
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.parameters import ModelParameters

DEFAULT, TOUCH = ModelParameters(), ModelParameters.preset("touch")


# Laws.


def renamed(records: list[Rec], names: dict[int, int]) -> list[Rec]:
    return [record._replace(publisher=names.get(record.publisher, record.publisher)) for record in records]


def frame_bytes(records: list[Rec], **engine: Any) -> bytes:
    return run_frames(EventDrivenVPEngine(tick_int=TICK, **engine), events_of(records, start_ns=S)).tobytes()


@settings(max_examples=15, deadline=None)
@given(records=markets(max_events=20, kinds=MIXED_KINDS))
def test_which_numbers_publishers_have_changes_no_bit(records: list[Rec]) -> None:
    names = {1: 65_535, 2: 0, 65_535: 42, 41: 1, 42: 2}
    assert frame_bytes(renamed(records, names), K=5) == frame_bytes(records, K=5)


def test_whose_order_carries_an_id_changes_no_bit() -> None:
    """Two calm markets on top of each other: with equal ids of two publishers, or with other ids of one."""
    mine, others = random_market(5, 80, weights=CALM), random_market(6, 80, weights=CALM)
    merged = sorted([(r.ts_event, 0, r) for r in mine] + [(r.ts_event, 1, r) for r in others], key=lambda x: x[:2])
    start = [rec(0, "R", "N", None, 0, 0, publisher) for publisher in (X, Y)]
    of_two = [*start, *(r._replace(publisher=(X, Y)[whose]) for _, whose, r in merged)]
    of_one = [*start, *(r._replace(publisher=X, order_id=r.order_id + whose * 10**15) for _, whose, r in merged)]
    assert {r.order_id for r in mine} & {r.order_id for r in others}
    assert frame_bytes(of_two) == frame_bytes(of_one)


def test_a_levels_feed_and_a_feed_of_an_order_a_level_are_the_same_flow() -> None:
    """One order at each price, always modified, is a level: the same bits but for quality."""
    rng = Random(4)
    steps = [(i / 10, rng.choice("BA"), rng.randint(1, 4), rng.randint(1, 40)) for i in range(200)]
    priced = [(s, side, 100 + (n if side == "A" else -n), size) for s, side, n, size in steps]
    clear = [rec(0, "R", "N", None, 0, 0, X)]
    levels = [*clear, *(rec(s, "M", side, ticks, size, 0, X, F_MBP) for s, side, ticks, size in priced)]
    orders = [*clear, *(rec(s, "M", side, ticks, size, ticks, X) for s, side, ticks, size in priced)]
    assert frame_bytes(levels) == frame_bytes(orders)


# Next to the oracle.


def assert_frames_agree(
    records: list[Rec],
    *,
    K: int = 10,  # noqa: N803
    bucket_int: int | None = None,
    parameters: ModelParameters = DEFAULT,
    throttle_ns: int = 0,
    end_ns: int = LATEST_NS,
) -> int:
    engine = EventDrivenVPEngine(
        K, parameters=parameters, throttle_ns=throttle_ns, book=Book(TICK, bucket_int, dense_levels=64)
    )
    got = frame_rows(engine.layout, run_frames(engine, events_of(records, start_ns=S, end_ns=end_ns)))
    want = assert_frames_are_the_oracles(
        got,
        engine.book,
        records,
        K=K,
        bucket_int=bucket_int,
        throttle_ns=throttle_ns,
        parameters=parameters,
        session_start_ns=S,
        warmup_from_ns=EARLIEST_NS,
        emit_from_ns=EARLIEST_NS,
        end_ns=end_ns,
    )
    for row, frame in zip(got, want, strict=True):
        assert row["mid_price"] == frame["mid_price"]
        assert min(row["pressure"] + row["vacuum"]) >= 0
        assert -1 <= row["score"] <= 1
    return len(got)


@settings(max_examples=40, deadline=None)
@given(
    records=markets(max_events=20, kinds=MIXED_KINDS),
    bucket_int=st.sampled_from((TICK, 50 * TICK)),
    parameters=st.sampled_from((DEFAULT, TOUCH, ModelParameters(reach=3))),
    throttle_ns=st.sampled_from((0, 0, 25_000_000)),
)
def test_frames_are_the_oracles(
    records: list[Rec], bucket_int: int, parameters: ModelParameters, throttle_ns: int
) -> None:
    assert_frames_agree(records, bucket_int=bucket_int, parameters=parameters, throttle_ns=throttle_ns)


@pytest.mark.parametrize("parameters", [DEFAULT, TOUCH], ids=["default", "touch"])
@pytest.mark.parametrize("weights", [WILD, dict.fromkeys(MIXED_KINDS, 1)], ids=["wild", "mixed"])
def test_frames_over_a_longer_market(weights: dict[str, int], parameters: ModelParameters) -> None:
    records = random_market(23, 400, weights=weights)
    assert assert_frames_agree(records, K=50, parameters=parameters, throttle_ns=200_000_000) > 50


def test_the_window_ends_where_it_ends() -> None:
    records = random_market(29, 200, weights=dict.fromkeys(MIXED_KINDS, 1) | {"quote": 4})
    times = sorted(record.ts_event for record in records if S <= record.ts_event < UNDEFINED_TIME)
    assert assert_frames_agree(records, end_ns=times[len(times) // 2]) > 20
