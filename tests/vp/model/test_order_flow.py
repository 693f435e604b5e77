"""Order flow at the best prices from frame to frame."""

from __future__ import annotations

import pytest

from tests.agreement import TICK, events_of, frame_rows, run_frames
from tests.oracle import Rec
from tests.oracle_book import F_LAST, F_SNAPSHOT
from tests.vp.model.made_frames import QUOTES, SECOND, frames_of, rec, snapshot, trade
from vp.model.engine import EventDrivenVPEngine

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
