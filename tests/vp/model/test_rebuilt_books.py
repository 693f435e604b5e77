"""What builds the book again is no activity, and what cannot be trusted says so."""

from __future__ import annotations

import pytest

from tests.agreement import events_of, frame_rows, run_frames
from tests.market_writer import BASE_PRICE
from tests.oracle_book import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT
from tests.vp.model.quotes import QUOTES, SECOND, rebuilt, rec
from vp.kernels.contract import GRID_COLUMNS
from vp.model.engine import EventDrivenVPEngine

FLOWS = [name for name in GRID_COLUMNS if name in {"pressure", "vacuum"} or name.startswith(("v_", "a_", "j_"))]


@pytest.mark.parametrize("clear_flags", [0, F_SNAPSHOT, F_SNAPSHOT | F_LAST, None])
def test_a_snapshot_in_the_midst_of_a_session_is_no_flow(clear_flags: int | None) -> None:
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, *rebuilt(60, F_SNAPSHOT, clear_flags=clear_flags)]))
    assert engine.book.order_count == 16
    assert engine.grid["rest_depth"].sum() == 2 * sum(40 + 7 * ticks for ticks in range(8))
    for name in FLOWS:
        assert not engine.grid[name].any(), name
    run_frames(engine, events_of([rec(61, "A", "B", 0, 5, 99)]))
    bid = engine.grid[engine.grid["price"] == BASE_PRICE]
    assert bid["pressure"] > 0, "what comes after is activity again"
    assert bid["v_rest_depth"] == bid["v_add"] > 0, "and that alone: the snapshot's depth is no part of it"


def test_a_fill_that_is_remembered_is_no_part_of_what_rests() -> None:
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, rec(1, "F", "B", 0, 4, 1)]))
    assert engine.book.to_arrow()["size"].to_pylist() == [10, 10]
    run_frames(engine, events_of([rec(2, "C", "B", 0, 4, 1)]))
    assert engine.book.to_arrow()["size"].to_pylist() == [6, 10]
    assert not engine.grid["pull_mass"].any()


def test_orders_after_a_clear_alone_are_flow() -> None:
    """The same records without the snapshot's flag: the exchange began anew, and what comes is new."""
    engine = EventDrivenVPEngine(K=10)
    run_frames(engine, events_of([*QUOTES, *rebuilt(60, 0, clear_flags=0), rec(61, "A", "B", 0, 5, 99)]))
    assert engine.grid["v_add"].any()


def test_a_book_rebuilt_while_a_bucket_is_out_of_reach_is_no_flow_there() -> None:
    """Spot goes 1,500 buckets away, the book is rebuilt meanwhile, and the bucket comes back with another depth."""
    engine = EventDrivenVPEngine(K=10)
    away = [rec(1, "C", "A", 1, 10, 2), rec(2, "A", "A", 3000, 10, 3)]
    back = [rec(61, "C", "A", 3000, 40, 12), rec(62, "A", "A", 1, 10, 13)]
    snapshot = [
        rec(60, "R", "N", 0, 0, 0, F_SNAPSHOT),
        rec(60, "A", "B", 0, 40, 11, F_SNAPSHOT),
        rec(60, "A", "A", 3000, 40, 12, F_SNAPSHOT | F_LAST),
    ]
    run_frames(engine, events_of([*QUOTES, *away, *snapshot, *back, rec(63, "A", "B", 0, 5, 14)]))
    bid = engine.grid[engine.grid["price"] == BASE_PRICE]
    assert bid["rest_depth"] == 45
    assert bid["v_add"] > 0
    assert bid["v_rest_depth"] == bid["v_add"], "the five that came, not the thirty that the snapshot brought"


def test_no_frame_is_valid_between_a_bad_book_and_the_next_clear() -> None:
    bad = rec(1, "N", "N", 0, 0, 0, F_LAST | F_MAYBE_BAD_BOOK)
    later = [rec(seconds, "A", "B", -seconds, 5, 100 + seconds) for seconds in range(2, 8)]
    records = [*QUOTES, bad, *later, *rebuilt(9, F_SNAPSHOT, clear_flags=F_SNAPSHOT)]
    engine = EventDrivenVPEngine()
    rows = frame_rows(engine.layout, run_frames(engine, events_of(records)))
    during = [row["book_valid"] for row in rows if SECOND <= row["ts_ns"] < 9 * SECOND]
    assert during == [False] * 7
    assert (rows[-1]["ts_ns"], rows[-1]["book_valid"]) == (9 * SECOND, True)
