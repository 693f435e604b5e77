"""Columns of frames by hand: what stands above and below, and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import TICK
from tests.market_strategies import CALM, random_market
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, UNDEFINED_PRICE
from tests.places import DATA
from tests.vp.model.made_frames import QUOTES, frames_of, rec, snapshot, trade
from vp.dbn.file import DbnFile
from vp.dbn.reader import read_events
from vp.model.engine import EventDrivenVPEngine
from vp.model.parameters import ModelParameters

TOUCH = ModelParameters.preset("touch")
SUMS = ("pressure_above", "pressure_below", "vacuum_above", "vacuum_below")


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
    """Of prices on ticks, and frames with a mid: half a tick, and a spot that stays, are rounded up in either.

    So the grid reaches a row further up in one, and frames with a force in such a row are left out.
    """
    market = random_market(seed, 120, weights=CALM)
    records = [record for record in market if record.price == UNDEFINED_PRICE or record.price % TICK == 0]
    middle = next(record.price for record in records if record.price != UNDEFINED_PRICE)
    twins = [("buy_volume", "sell_volume"), ("bid_size", "ask_size"), SUMS[:2], SUMS[2:]]
    columns = ["ofi", "other_volume", "mid_price", "score", "pressure", "vacuum", "bought", "sold", *sum(twins, ())]
    of: dict[str, Any] = {"K": 200, "parameters": ModelParameters(reach=reach), "columns": columns}
    rows, others = frames_of(records, **of), frames_of([mirrored(record, middle) for record in records], **of)
    for row, other in zip(rows, others, strict=True):
        assert (row["ofi"], row["other_volume"]) == (-other["ofi"], other["other_volume"])
        forces = [frame[name] for frame in (row, other) for name in ("pressure", "vacuum")]
        if row["mid_price"] is not None and not any(force[0] or force[-1] for force in forces):
            for one, two in twins:
                assert (row[one], row[two]) == pytest.approx((other[two], other[one]), rel=1e-5, abs=1e-4)
            if sum(row[name] for name in SUMS) > 1e-3:
                assert row["score"] == pytest.approx(-other["score"], abs=1e-4)
            assert (sum(row["bought"]), sum(row["sold"])) == (sum(other["sold"]), sum(other["bought"]))


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
