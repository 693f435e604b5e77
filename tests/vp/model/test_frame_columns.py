"""What the scalar columns and traded rows of frames say, in markets small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import EARLIEST_NS, TICK, events_of, frame_rows, run_frames
from tests.market_strategies import CALM, random_market
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, UNDEFINED_PRICE, UNDEFINED_SIZE
from tests.places import DATA
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.kernels.contract import TRADED_INTS
from vp.model.engine import FIRST_TRADED_ENTRIES, EventDrivenVPEngine
from vp.model.parameters import ModelParameters

SECOND = 1_000_000_000
TOUCH = ModelParameters.preset("touch")
SUMS = ("pressure_above", "pressure_below", "vacuum_above", "vacuum_below")


def rec(seconds: float, action: str, side: str, ticks: int, size: int, order_id: int, flags: int = F_LAST) -> Rec:
    return Rec(int(seconds * SECOND), action, side, ticks * TICK, size, order_id, flags)


def trade(seconds: float, side: str, ticks: int, size: int, flags: int = F_LAST) -> Rec:
    return rec(seconds, "T", side, ticks, size, 0, flags)


def frames_of(records: Sequence[Rec], emit_from_ns: int = EARLIEST_NS, **engine: Any) -> list[dict[str, Any]]:
    machine = EventDrivenVPEngine(**engine)
    return frame_rows(machine.layout, run_frames(machine, events_of(records), emit_from_ns=emit_from_ns))


QUOTES = [rec(0, "A", "B", 100, 10, 1), rec(0, "A", "A", 101, 20, 2)]


# Above and below.


def added_to(side: str, ticks: int, quotes: Sequence[Rec] = QUOTES, **engine: Any) -> dict[str, Any]:
    """The frame after an order came to a price that was touched a second before."""
    first = rec(1, "A", side, ticks, 1, 3)
    return frames_of([*quotes, first, rec(2, "A", side, ticks, 50, 4)], **engine)[-1]


def test_the_row_of_spot_is_on_the_side_of_the_mid_on_which_spot_is() -> None:
    """With a spread of one tick spot is the ask: what comes to it is above, what comes to the bid below."""
    at_ask, at_bid = added_to("A", 101), added_to("B", 100)
    assert at_ask["spot_price"] == at_bid["spot_price"] == 101 * TICK
    assert at_ask["pressure_above"] > 0 == at_ask["pressure_below"]
    assert at_bid["pressure_below"] > 0 == at_bid["pressure_above"]
    assert (at_ask["score"], at_ask["state"]) == (-1.0, -1)
    assert (at_bid["score"], at_bid["state"]) == (1.0, 1)


def test_the_row_of_spot_counts_on_neither_side_where_spot_is_the_mid() -> None:
    quotes = [rec(0, "A", "B", 100, 10, 1), rec(0, "A", "A", 102, 20, 2)]
    cancelled = [rec(1, "A", "B", 101, 50, 3), rec(2, "C", "B", 101, 49, 3), rec(3, "C", "B", 101, 1, 3)]
    last = frames_of([*quotes, *cancelled])[-1]
    assert (last["spot_price"], last["mid_price"]) == (101 * TICK, 101 * TICK / 1e9)
    assert last["vacuum"][50] > 0
    assert [last[name] for name in SUMS] == [0.0] * 4
    assert (last["score"], last["strength"], last["state"]) == (0.0, 0.0, 0)


def test_spot_below_the_mid_is_below() -> None:
    """Buckets of five ticks: bid 106 and ask 107 have their mid above bucket 21, whose price is 105."""
    quotes = [rec(0, "A", "B", 106, 10, 1), rec(0, "A", "A", 107, 20, 2)]
    for side, ticks in (("B", 106), ("A", 107)):
        row = added_to(side, ticks, quotes, bucket_int=5 * TICK)
        assert row["spot_price"] == 105 * TICK
        assert row["pressure_below"] > 0 == row["pressure_above"]


def test_without_a_mid_the_row_of_spot_counts_nowhere() -> None:
    records = [*QUOTES, rec(1, "A", "A", 101, 9, 3), rec(2, "C", "B", 100, 10, 1), rec(3, "A", "A", 101, 9, 4)]
    last = frames_of(records)[-1]
    assert last["mid_price"] is None
    assert last["pressure"][50] > 0
    assert last["pressure_above"] == 0
    assert last["vacuum_below"] > 0, "the bid's own row counts as ever"


@pytest.mark.parametrize(("reach", "counts"), [(0, True), (1, False), (3, False), (4, True), (400, True)])
@pytest.mark.parametrize(("side", "best", "sign"), [("B", 100, -1), ("A", 101, 1)])
def test_rows_count_up_to_the_reach(reach: int, counts: bool, side: str, best: int, sign: int) -> None:
    """Three buckets behind the best price is the fourth."""
    parameters = ModelParameters(reach=reach)
    row = added_to(side, best + 3 * sign, parameters=parameters)
    own = row["pressure_above" if side == "A" else "pressure_below"]
    assert (own > 0) == counts
    assert added_to(side, best, parameters=parameters)["score"] == -sign, "the best price always counts"


@pytest.mark.parametrize(("side", "best", "sign"), [("B", 100, -1), ("A", 107, 1)])
def test_reach_is_counted_from_the_best_price_of_each_side_wherever_spot_is(side: str, best: int, sign: int) -> None:
    quotes = [rec(0, "A", "B", 100, 10, 1), rec(0, "A", "A", 107, 20, 2)]
    own = "pressure_above" if side == "A" else "pressure_below"
    for behind, counts in ((0, True), (1, True), (2, False)):
        row = added_to(side, best + behind * sign, quotes, parameters=ModelParameters(reach=2))
        assert abs(row["spot_price"] // TICK - best) >= 3
        assert (row[own] > 0) == counts


@pytest.mark.parametrize(("side", "best", "order_id", "sums"), [("B", 100, 1, SUMS[1::2]), ("A", 101, 2, SUMS[::2])])
def test_a_side_that_is_empty_has_no_rows_within_reach(side: str, best: int, order_id: int, sums: list[str]) -> None:
    behind = best - 1 if side == "B" else best + 1
    wide = [*QUOTES, rec(1, "A", side, behind, 9, 3), rec(2, "C", side, behind, 9, 3)]
    whole, near = ((frames_of(wide, parameters=ModelParameters(reach=reach))) for reach in (0, 4))
    assert whole[-1][sums[1]] == near[-1][sums[1]] > 0
    emptied = [*wide, rec(3, "C", side, best, 100, order_id)]
    whole, near = ((frames_of(emptied, parameters=ModelParameters(reach=reach))) for reach in (0, 4))
    assert whole[-1][sums[1]] > 0
    assert [near[-1][name] for name in sums] == [0.0, 0.0]


def counted(row: dict[str, Any], force: str, sign: int) -> float:
    """The sum of a force over the rows above (1) or below (-1) the mid, that of spot being where spot is."""
    spot = len(row[force]) // 2
    rows = row[force][spot + 1 :] if sign > 0 else row[force][:spot]
    if row["mid_price"] is not None and sign * (2 * row["spot_price"] - row["bid_price"] - row["ask_price"]) > 0:
        rows = [*rows, row[force][spot]]
    return float(np.sum(rows))


def test_the_four_sums_are_those_of_their_rows_and_make_the_score() -> None:
    rows = frames_of(random_market(3, 200, weights=CALM))
    for name in SUMS:
        assert sum(row[name] > 0 for row in rows) > 50, name
    for row in rows:
        for name in SUMS:
            force, _, side = name.partition("_")
            assert row[name] == pytest.approx(counted(row, force, 1 if side == "above" else -1), rel=1e-5, abs=1e-6)
        pressure_above, pressure_below, vacuum_above, vacuum_below = (row[name] for name in SUMS)
        total = pressure_above + pressure_below + vacuum_above + vacuum_below
        net = (pressure_below - pressure_above) + (vacuum_above - vacuum_below)
        assert row["score"] == pytest.approx(net / total if total else 0.0, abs=1e-6)


@pytest.mark.parametrize("silence", [3_600, 7_200, 14_400, 36_000])
def test_strength_is_finite_when_a_silence_of_hours_ends_at_one_clock(silence: int) -> None:
    """The first frame after it is all but without forces, and at its clock the baseline follows none that come."""
    before = [*QUOTES, rec(1, "A", "A", 101, 20, 3)]
    rows = frames_of([*before, trade(silence, "B", 101, 1), rec(silence, "A", "A", 101, 20, 4)])
    assert rows[-1]["ts_ns"] == rows[-2]["ts_ns"]
    assert 1e20 < rows[-1]["strength"] < np.inf
    assert (rows[-1]["state"], rows[-1]["score"]) == (-1, -1.0)


def mirrored(record: Rec, middle: int) -> Rec:
    """The same with bid and ask, and up and down, exchanged."""
    price = record.price if record.price == UNDEFINED_PRICE else 2 * middle - record.price
    return record._replace(price=price, side={"A": "B", "B": "A"}.get(record.side, record.side))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), reach=st.sampled_from((0, 1, 3)))
def test_a_market_in_the_mirror_turns_every_sign(seed: int, reach: int) -> None:
    """Of prices on ticks, and frames with a mid: half a tick, and a spot that stays, are rounded up in either."""
    market = random_market(seed, 120, weights=CALM)
    records = [record for record in market if record.price == UNDEFINED_PRICE or record.price % TICK == 0]
    middle = next(record.price for record in records if record.price != UNDEFINED_PRICE)
    of: dict[str, Any] = {"K": 200, "parameters": ModelParameters(reach=reach)}
    twins = [("buy_volume", "sell_volume"), ("bid_size", "ask_size"), SUMS[:2], SUMS[2:]]
    rows, others = frames_of(records, **of), frames_of([mirrored(record, middle) for record in records], **of)
    for row, other in zip(rows, others, strict=True):
        assert (row["ofi"], row["other_volume"]) == (-other["ofi"], other["other_volume"])
        if row["mid_price"] is not None:
            for one, two in twins:
                assert (row[one], row[two]) == pytest.approx((other[two], other[one]), rel=1e-5, abs=1e-4)
            if sum(row[name] for name in SUMS) > 1e-3:
                assert row["score"] == pytest.approx(-other["score"], abs=1e-4)
            assert (sum(row["bought"]), sum(row["sold"])) == (sum(other["sold"]), sum(other["bought"]))


# Volumes.


def rows_of(row: dict[str, Any], name: str) -> dict[int, float]:
    """A grid column by price in ticks, where it is not zero."""
    spot = row["spot_price"] // TICK
    return {spot + i - len(row[name]) // 2: value for i, value in enumerate(row[name]) if value}


def test_trades_stand_at_their_own_price_by_aggressor_since_the_last_frame() -> None:
    trades = [trade(1, "B", 101, 3, 0), trade(1, "B", 103, 4, 0), trade(1, "A", 100, 5, 0), trade(1, "A", 100, 6, 0)]
    first, second, third = frames_of([*QUOTES[:1], *trades, QUOTES[1], trade(2, "A", 99, 7), trade(3, "N", 98, 8)])[-3:]
    assert (rows_of(first, "bought"), rows_of(first, "sold")) == ({101: 3, 103: 4}, {100: 11})
    assert (first["buy_volume"], first["sell_volume"], first["other_volume"]) == (7, 11, 0)
    assert (rows_of(second, "bought"), rows_of(second, "sold")) == ({}, {99: 7})
    assert (third["buy_volume"], third["sell_volume"], third["other_volume"]) == (0, 0, 8)
    assert rows_of(third, "bought") == rows_of(third, "sold") == {}
    assert third["last_price"] == 98 * TICK


def test_what_lies_outside_the_rows_or_has_no_price_stands_in_the_scalars_alone() -> None:
    unpriced = trade(1, "B", 0, 2, 0)._replace(price=UNDEFINED_PRICE)
    (row,) = frames_of([*QUOTES, unpriced, trade(1, "B", 104, 3, 0), trade(1, "A", 105, 4)], K=3)[2:]
    assert (row["buy_volume"], row["sell_volume"]) == (5, 4)
    assert (rows_of(row, "bought"), rows_of(row, "sold")) == ({104: 3}, {})


def test_a_trade_of_undefined_size_is_no_volume() -> None:
    unsized = [trade(1, side, 101, UNDEFINED_SIZE, 0) for side in "BAN"]
    row = frames_of([*QUOTES, *unsized, trade(1, "A", 100, 4)])[-1]
    assert (row["buy_volume"], row["sell_volume"], row["other_volume"]) == (0, 4, 0)
    assert (rows_of(row, "bought"), rows_of(row, "sold")) == ({}, {100: 4})


@pytest.mark.parametrize("away", [60, 1024, 2048, 4096, FIRST_TRADED_ENTRIES, 10**6, -4096, -5000])
def test_spot_may_go_anywhere_between_a_trade_and_the_frame(away: int) -> None:
    """There, where others of the same place in a table trade, and back; and the frame where spot stays."""

    def moved(to: int, order_id: int) -> list[Rec]:
        old = [rec(2, "C", "B", 0, 1000, order_id - 2, 0), rec(2, "C", "A", 0, 1000, order_id - 1, 0)]
        return [*old, rec(2, "A", "B", to, 1, order_id, 0), rec(2, "A", "A", to + 1, 1, order_id + 1)]

    begin = moved(10_000, 10)
    there = [trade(1, "B", 10_000, 3, 0), *moved(10_000 + away, 12), trade(2, "A", 10_000 + away, 5)]
    back = [*moved(10_000, 14), trade(2, "B", 10_001, 7)]
    throttled = {"throttle_ns": 60 * SECOND}
    end = rec(100, "N", "N", 0, 0, 0)
    returned = frames_of([*begin, *there, *back, end], **throttled)[-1]
    assert (rows_of(returned, "bought"), rows_of(returned, "sold")) == ({10_000: 3, 10_001: 7}, {})
    stayed = frames_of([*begin, *there, end], **throttled)[-1]
    assert (rows_of(stayed, "bought"), rows_of(stayed, "sold")) == ({}, {10_000 + away: 5})
    assert (stayed["buy_volume"], stayed["sell_volume"]) == (3, 5)


def test_trades_at_more_prices_than_the_table_has_entries_are_all_remembered() -> None:
    count = 3 * FIRST_TRADED_ENTRIES
    step = FIRST_TRADED_ENTRIES // 4  # many have the same place
    prices = [1000 + (i * step) % (count * 7) + i // 28 for i in range(count)]
    assert len(set(prices)) > 2 * FIRST_TRADED_ENTRIES
    trades = [trade(1, "BA"[i & 1], ticks, 1 + i % 5, 0) for i, ticks in enumerate(prices)]
    machine = EventDrivenVPEngine(K=512, throttle_ns=SECOND)
    quotes = [rec(0, "A", "B", 1499, 1, 1), rec(0, "A", "A", 1500, 1, 2)]
    messages = run_frames(machine, events_of([*quotes, *trades, rec(9, "N", "N", 0, 0, 0)]))
    row = frame_rows(machine.layout, messages)[-1]
    for name, side in (("bought", "B"), ("sold", "A")):
        want: dict[int, float] = {}
        for record in trades:
            if record.side == side and abs(record.price // TICK - 1500) <= 512:
                want[record.price // TICK] = want.get(record.price // TICK, 0) + record.size
        assert rows_of(row, name) == want
    assert machine._model.traded.size > 2 * FIRST_TRADED_ENTRIES * TRADED_INTS


def test_volumes_of_the_first_frame_are_those_since_the_emit_boundary() -> None:
    records = [*QUOTES, trade(1, "B", 101, 3), trade(2, "B", 101, 4), trade(2, "N", 101, 5)]
    first, second = frames_of(records, emit_from_ns=2 * SECOND)
    assert (first["buy_volume"], rows_of(first, "bought"), first["other_volume"]) == (4, {101: 4}, 0)
    assert (second["buy_volume"], second["other_volume"]) == (0, 5)


# Order flow.


@pytest.mark.parametrize(
    ("event", "flow"),
    [
        (rec(1, "A", "B", 100, 5, 3), 5),  # the best bid grows
        (rec(1, "A", "A", 101, 5, 3), -5),  # the best ask grows
        (rec(1, "C", "B", 100, 4, 1), -4),
        (rec(1, "C", "A", 101, 4, 2), 4),
        (rec(1, "A", "B", 99, 5, 3), 0),  # behind the best price
        (rec(1, "A", "A", 102, 5, 3), 0),
        (rec(1, "M", "B", 99, 7, 1), -10),  # the bid falls: what was there has gone
        (rec(1, "M", "A", 102, 7, 2), 20),
        (trade(1, "B", 101, 5), 0),
    ],
    ids=lambda value: None if isinstance(value, int) else f"{value.action}{value.side}{value.price // TICK}",
)
def test_order_flow_of_one_event(event: Rec, flow: int) -> None:
    assert [row["ofi"] for row in frames_of([*QUOTES, event])[1:]] == [0, flow]


def test_a_bid_that_rises_brings_all_that_is_there_and_an_ask_that_falls_takes_it() -> None:
    wide = [rec(0, "A", "B", 100, 10, 1), rec(0, "A", "A", 104, 20, 2)]
    assert frames_of([*wide, rec(1, "A", "B", 102, 6, 3)])[-1]["ofi"] == 6
    assert frames_of([*wide, rec(1, "A", "A", 102, 6, 3)])[-1]["ofi"] == -6


def test_order_flow_adds_up_over_event_ends_since_the_last_frame_not_over_records() -> None:
    event = [rec(1, "A", "B", 100, 5, 3, 0), rec(1, "C", "B", 100, 5, 3, 0), rec(1, "A", "B", 100, 2, 4)]
    later = [rec(2, "A", "B", 101, 1, 5, 0), rec(2, "C", "B", 101, 1, 5), rec(2, "C", "B", 100, 2, 4)]
    assert [row["ofi"] for row in frames_of([*QUOTES, *event, *later])] == [0, 0, 2, 0, -2]
    throttled = frames_of([*QUOTES, *event, *later, rec(50, "N", "N", 0, 0, 0)], throttle_ns=20 * SECOND)
    assert [row["ofi"] for row in throttled] == [0, 2 - 2]


def test_order_flow_of_the_first_frame_is_what_came_since_the_emit_boundary() -> None:
    records = [*QUOTES, rec(1, "A", "B", 100, 5, 3), rec(2, "A", "B", 100, 7, 4)]
    assert frames_of(records, emit_from_ns=2 * SECOND)[0]["ofi"] == 7


def snapshot(seconds: float, bid_size: int, last: int) -> list[Rec]:
    return [
        rec(seconds, "R", "N", 0, 0, 0, F_SNAPSHOT),
        rec(seconds, "A", "B", 100, bid_size, 11, F_SNAPSHOT),
        rec(seconds, "A", "A", 101, 30, 12, F_SNAPSHOT | last),
    ]


@pytest.mark.parametrize(
    "between",
    [
        [rec(1, "C", "B", 100, 10, 1), rec(1, "A", "B", 100, 50, 3)],  # a side was empty
        [rec(1, "R", "N", 0, 0, 0, 0), rec(1, "A", "B", 100, 50, 3, 0), rec(1, "A", "A", 101, 50, 4)],  # cleared
        snapshot(1, 70, F_LAST),
        snapshot(1, 70, 0),
        snapshot(1, 70, 0)[1:],
    ],
    ids=["empty", "clear", "snapshot", "snapshot without an end", "snapshot without a clear or an end"],
)
def test_order_flow_starts_afresh(between: list[Rec]) -> None:
    """The first event end after it is compared with nothing, the second with the first."""
    after = [rec(2, "A", "B", 100, 3, 20), rec(3, "A", "B", 100, 4, 21)]
    flows = [row["ofi"] for row in frames_of([*QUOTES, *between, *after])]
    fresh = 3 if between[0].action == "C" or not between[-1].flags & F_SNAPSHOT else 0
    assert flows[-2:] == [fresh, 4]
    assert not any(flows[:-2])


def test_no_order_flow_while_another_publisher_is_within_a_snapshot() -> None:
    begins, ends = (
        rec(1, "A", side, ticks, 1, 11 + ticks, flags)._replace(publisher=2)
        for side, ticks, flags in (("B", 90, F_SNAPSHOT), ("A", 110, F_SNAPSHOT | F_LAST))
    )
    within = [rec(1, "A", "B", 100, 5, 3), rec(1, "A", "B", 100, 6, 4)]
    after = [rec(2, "A", "B", 100, 7, 5), rec(3, "A", "B", 100, 8, 6)]
    flows = [row["ofi"] for row in frames_of([*QUOTES, begins, *within, ends, *after])]
    assert flows == [0, 0, 0, 0, 0, 0, 8]


def test_what_builds_the_book_only_is_no_order_flow_of_the_event_that_it_comes_within() -> None:
    quotes = [rec(20, "A", "B", 100, 10, 1), rec(20, "A", "A", 101, 20, 2)]
    early = rec(5, "A", "B", 100, 50, 3, 0)
    records = [*quotes, early, rec(21, "A", "B", 100, 7, 4), rec(22, "A", "B", 100, 9, 5)]
    machine = EventDrivenVPEngine()
    rows = frame_rows(machine.layout, run_frames(machine, events_of(records, start_ns=10 * SECOND)))
    assert [(row["bid_size"], row["ofi"]) for row in rows[-2:]] == [(67, 0), (76, 9)]


# What cannot be below zero, and what speaks against a book.


@pytest.mark.parametrize(
    ("file", "tick_int"),
    [
        ("glbx-mdp3-20231225.mbo.dbn.zst", TICK),
        ("glbx-mdp3-20250924.mbo.dbn", TICK // 25),
        ("xnas-itch-20250717.mbo.dbn", TICK // 25),
    ],
    ids=["ESH4", "CLX5", "ARL"],
)
@pytest.mark.parametrize("parameters", [ModelParameters(), TOUCH], ids=["default", "touch"])
@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not beside the checkout")
def test_no_mass_flow_or_force_of_a_real_session_is_below_zero(
    file: str, tick_int: int, parameters: ModelParameters
) -> None:
    events = read_events(DbnFile(DATA / file), -1)
    machine = EventDrivenVPEngine(50, tick_int, parameters=parameters, frame_capacity=64)
    machine.start_emitting()
    places = {column.name: column for column in machine.layout.columns}

    def values(messages: np.ndarray, name: str) -> np.ndarray:
        first = places[name].offset
        return np.ascontiguousarray(messages[:, first : first + places[name].length_bytes]).view(np.float32)

    flows = [column for name in ("add", "pull", "fill") for column in (f"v_{name}", f"{name}_mass")]
    at = frames = 0
    while at < len(events):
        at, batch = machine.advance(events, at)
        frames += batch.count
        if batch.count:
            for name in ("pressure", "vacuum", "bought", "sold", "strength", *flows, *SUMS):
                assert values(batch.buffer, name).min() >= 0, name
            assert np.abs(values(batch.buffer, "score")).max() <= 1
    assert frames > 1000


def test_quality_says_what_speaks_against_the_book_and_incomplete_alone_does_not() -> None:
    whole = [rec(0, "R", "N", 0, 0, 0), *QUOTES]
    crossed = [rec(1, "A", "B", 101, 1, 3), rec(2, "A", "B", 102, 1, 4), rec(3, "C", "B", 101, 1, 3)]
    doubt = [rec(4, "C", "B", 102, 1, 4), rec(5, "N", "N", 0, 0, 0, F_LAST | F_MAYBE_BAD_BOOK), *snapshot(6, 5, F_LAST)]
    rows = frames_of([*whole, *crossed, *doubt])
    assert [row["quality"] for row in rows] == [1, 1, 0, 2, 2, 2, 0, 8, 0]
    assert [row["book_valid"] for row in rows] == [row["quality"] == 0 for row in rows]
    assert [(row["quality"], row["book_valid"]) for row in frames_of(QUOTES)] == [(17, False), (16, True)]
