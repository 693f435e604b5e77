"""Every frame and column against the oracle's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from tests.market_strategies import CALM, FAR, WILD, markets, random_market
from tests.market_writer import KINDS, SESSION_START_NS
from tests.oracle import Rec
from tests.oracle_book import F_LAST, UNDEFINED_TIME
from tests.vp.model.quotes import EQUITY_BUCKET, QUOTES, SECOND, rec
from vp.model.book import Book
from vp.model.engine import EventDrivenVPEngine
from vp.model.parameters import ModelParameters

DEFAULTS = ModelParameters()
OTHERS = ModelParameters(
    tau_mass_seconds=12.0,
    tau_velocity_seconds=0.5,
    tau_acceleration_seconds=3.0,
    tau_jerk_seconds=20.0,
    pressure_add=0.8,
    pressure_rest=1.5,
    pressure_acceleration=0.05,
    vacuum_pull=1.2,
    vacuum_fill=0.4,
    vacuum_rest=0.9,
    vacuum_acceleration=0.6,
    tau_baseline_seconds=5.0,
    weak_share=0.6,
    enter_score=0.35,
    leave_score=0.05,
)
TOUCH = ModelParameters.preset("touch")


def assert_frames_agree(
    records: Sequence[Rec],
    *,
    K: int = 50,  # noqa: N803
    bucket_int: int | None = None,
    parameters: ModelParameters = DEFAULTS,
    throttle_ns: int = 0,
    warmup_from_ns: int = EARLIEST_NS,
    emit_from_ns: int = EARLIEST_NS,
) -> int:
    """The same records through engine and oracle, every frame and column; returns the number of frames."""
    book = Book(TICK, bucket_int)
    engine = EventDrivenVPEngine(K, TICK, bucket_int, parameters=parameters, throttle_ns=throttle_ns, book=book)
    if warmup_from_ns != EARLIEST_NS:  # the book alone first, the engine made from it
        index = book.fast_forward(events_of(records), 0, warmup_from_ns)
        engine = EventDrivenVPEngine(K, parameters=parameters, throttle_ns=throttle_ns, book=book)
        events = events_of(records[index:])
    else:
        events = events_of(records)
    got = frame_rows(engine.layout, run_frames(engine, events, emit_from_ns=emit_from_ns))
    assert_frames_are_the_oracles(
        got,
        engine.book,
        records,
        K=K,
        bucket_int=bucket_int,
        throttle_ns=throttle_ns,
        parameters=parameters,
        session_start_ns=EARLIEST_NS,
        warmup_from_ns=warmup_from_ns,
        emit_from_ns=emit_from_ns,
        end_ns=LATEST_NS,
    )
    return len(got)


NEAR_KINDS = tuple(kind for kind in KINDS if kind not in {"jump_far", "add_stub", "add_stub_across"})


@settings(max_examples=40, deadline=None)
@given(
    records=markets(max_events=20, kinds=NEAR_KINDS),
    bucket_int=st.sampled_from((TICK, EQUITY_BUCKET)),
    parameters=st.sampled_from((DEFAULTS, OTHERS, TOUCH)),
    throttle_ns=st.sampled_from((0, 0, 25_000_000)),
    grid=st.sampled_from((3, 50)),
)
def test_frames_are_the_oracles(
    records: list[Rec], bucket_int: int, parameters: ModelParameters, throttle_ns: int, grid: int
) -> None:
    assert_frames_agree(records, K=grid, bucket_int=bucket_int, parameters=parameters, throttle_ns=throttle_ns)


@settings(max_examples=20, deadline=None)
@given(records=markets(max_events=20, kinds=NEAR_KINDS), untimed=st.integers(1, 12))
def test_frames_are_the_oracles_where_the_first_records_have_no_time(records: list[Rec], untimed: int) -> None:
    begins = [rec._replace(ts_event=UNDEFINED_TIME) for rec in records[:untimed]]
    assert_frames_agree([*begins, *records[untimed:]])


@settings(max_examples=30, deadline=None)
@given(records=markets(max_events=20, kinds=NEAR_KINDS), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_three_phases_are_the_oracles(records: list[Rec], cuts: tuple[float, float]) -> None:
    times = [rec.ts_event for rec in records if rec.ts_event != UNDEFINED_TIME]
    first, last = min(times, default=0), max(times, default=0)
    low, high = sorted(first + int(cut * (last - first + 1)) for cut in cuts)
    assert_frames_agree(records, K=10, warmup_from_ns=low, emit_from_ns=high)


@pytest.mark.parametrize("bucket_int", [TICK, EQUITY_BUCKET], ids=["futures", "equity"])
@pytest.mark.parametrize(("weights", "seed"), [(CALM, 21), (WILD, 22), (WILD, 23)], ids=["calm", "wild", "wild again"])
def test_frames_over_a_longer_market(weights: dict[str, int], seed: int, bucket_int: int) -> None:
    records = random_market(seed, 1200, weights=weights)
    assert assert_frames_agree(records, bucket_int=bucket_int, throttle_ns=500_000_000) > 200


@pytest.mark.parametrize("bucket_int", [TICK, EQUITY_BUCKET], ids=["futures", "equity"])
@pytest.mark.parametrize("seed", [3, 5, 6])
def test_frames_where_spot_goes_thousands_of_ticks_away(seed: int, bucket_int: int) -> None:
    opening = random_market(seed, 1, weights={"quote": 1})
    records = [*opening, *random_market(seed, 250, weights=FAR, start_ns=SESSION_START_NS + SECOND)]
    assert_frames_agree(records, bucket_int=bucket_int)


@pytest.mark.parametrize("parameters", [OTHERS, TOUCH, replace(OTHERS, reach=4)], ids=["other", "touch", "reach of 4"])
@pytest.mark.parametrize("bucket_int", [TICK, 3 * TICK], ids=["futures", "buckets of three ticks"])
def test_frames_under_other_parameters(parameters: ModelParameters, bucket_int: int) -> None:
    assert_frames_agree(random_market(31, 300, weights=WILD), parameters=parameters, bucket_int=bucket_int)


def test_book_alone_then_warmup_then_frames() -> None:
    records = random_market(41, 900, weights=WILD)
    times = sorted(rec.ts_event for rec in records)
    boundaries = times[len(times) // 3], times[2 * len(times) // 3]
    assert assert_frames_agree(records, warmup_from_ns=boundaries[0], emit_from_ns=boundaries[1]) > 100


def test_fills_of_the_book_only_phase_are_not_remembered() -> None:
    filled, cancelled = rec(0, "F", "B", 0, 4, 1), rec(2, "C", "B", 0, 10, 1)
    records = [*QUOTES, rec(0, "A", "B", -1, 5, 3), filled, cancelled, rec(3, "N", "N", 0, 0, 0)]
    assert_frames_agree(records, warmup_from_ns=SECOND, emit_from_ns=2 * SECOND)


@pytest.mark.parametrize("throttle_ns", [0, 1, 25_000_000, SECOND, 3600 * SECOND])
def test_throttle(throttle_ns: int) -> None:
    records = random_market(51, 150, weights=CALM)
    count = assert_frames_agree(records, K=5, throttle_ns=throttle_ns)
    assert (count == 1) == (throttle_ns == 3600 * SECOND)


@pytest.mark.parametrize("jump_ticks", [513, 1023, 1024, 1025, 5000, -1024, -1025, -5000])
def test_the_record_that_takes_spot_far_away_counts_at_its_own_bucket(jump_ticks: int) -> None:
    """Its bucket is next to spot once it has been applied: nothing lets an engine forget it."""
    low, high = rec(0, "A", "B", 0, 5, 1), rec(0, "A", "A", 1, 5, 2)
    if jump_ticks > 0:
        away = [rec(1, "C", "A", 1, 5, 2), rec(2, "A", "A", 2 * jump_ticks, 7, 3)]
    else:
        away = [rec(1, "C", "B", 0, 5, 1), rec(2, "A", "B", 2 * jump_ticks, 7, 3)]
    near = rec(3, "A", "BA"[jump_ticks < 0], 2 * jump_ticks - (1 if jump_ticks > 0 else -1), 9, 4)
    assert_frames_agree([low, high, *away, near, rec(4, "C", "N", 2 * jump_ticks, 2, 3)])


def test_what_comes_before_the_first_spot_counts_wherever_the_first_order_was() -> None:
    """As at an equity's opening: a stub quote first, then the market, one side before the other."""
    stub = Rec(0, "A", "B", 0, 2, 1, F_LAST)
    one_side = [rec(1, "A", "B", 0, 5, 2), rec(2, "A", "B", -1, 4, 3), rec(3, "C", "B", 0, 5, 2)]
    assert_frames_agree([stub, *one_side, rec(4, "A", "A", 1, 3, 4), rec(5, "N", "N", 0, 0, 0)])


def test_a_market_that_comes_back_within_reach_finds_its_buckets() -> None:
    """Spot 500 buckets away and back: nothing is forgotten."""
    records = [rec(0, "A", "B", 0, 5, 1), rec(0, "A", "A", 1, 5, 2), rec(1, "A", "B", 0, 3, 3)]
    records += [rec(2, "C", "A", 1, 5, 2), rec(2, "A", "A", 1000, 7, 4), rec(3, "A", "A", 1, 6, 5)]
    assert_frames_agree(records)


def test_the_highest_grid_reads_its_own_ring_only() -> None:
    assert_frames_agree(random_market(91, 30, weights=CALM), K=512)
