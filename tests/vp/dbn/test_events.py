"""Events as columns: from tuples by the decoder's own rules, and as views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.agreement import EARLIEST_NS, LATEST_NS, events_of
from tests.market_strategies import markets, random_market
from tests.oracle import Rec
from tests.oracle_records import UNDEFINED_TIME
from vp.dbn.events import Events
from vp.errors import BadParameterError
from vp.kernels.contract import BOOK_ONLY, CLOCK_KEPT, CLOCK_UNKNOWN, UNDEF_PRICE

DTYPES = ["int64", "int64", "int64", "uint32", "uint8", "uint8", "uint8", "uint16", "int64", "int64", "uint32"]
NARROW = 8
EXTREME = (0, "R", "N", -(2**63), 2**32 - 1, 2**64 - 1, 255)
SECOND = 1_000_000_000


def clock_of(rec: Rec) -> int:
    """What the oracle says of a record in a session without bounds."""
    if rec.builds_only(EARLIEST_NS, LATEST_NS):
        return BOOK_ONLY
    if rec.is_ahead:
        return CLOCK_KEPT
    return CLOCK_UNKNOWN if rec.ts_event == UNDEFINED_TIME else rec.ts_event


@settings(max_examples=40, deadline=None)
@given(records=markets(max_events=15).filter(bool))
def test_columns_hold_what_the_records_say(records: list[Rec]) -> None:
    columns = events_of(records).columns
    for i, rec in enumerate(records):
        found = (columns.price[i], columns.size[i], columns.flags[i], chr(columns.action[i]), chr(columns.side[i]))
        assert found == (rec.price, rec.size, rec.flags, rec.action, rec.side)
        assert int(columns.order_id[i]) % 2**64 == rec.order_id
        assert (columns.clock_ns[i], columns.publisher[i]) == (clock_of(rec), rec.publisher)


def test_extremes_keep_their_bits() -> None:
    columns = Events.from_records([EXTREME]).columns
    assert [str(column.dtype) for column in columns] == DTYPES
    assert columns.order_id[0] == -1
    assert (columns.price[0], columns.size[0], columns.flags[0]) == (-(2**63), 2**32 - 1, 255)


def test_publisher_and_time_of_receipt_may_be_named() -> None:
    add = (2 * SECOND, "A", "B", UNDEF_PRICE, 1, 5, 0)
    columns = Events.from_records([add, (*add, 65535), (*add, 7, 2 * SECOND), (*add, 7, SECOND - 1)]).columns
    assert columns.publisher.tolist() == [1, 65535, 7, 7]
    assert columns.clock_ns.tolist() == [2 * SECOND, 2 * SECOND, 2 * SECOND, CLOCK_KEPT]


def test_the_window_is_the_decoders() -> None:
    rows = [(time, "A", "B", 5, 1, 5, 0) for time in (9, 10, 19, 20, 2**64 - 1)]
    found = Events.from_records(rows, start_ns=10, end_ns=20)
    assert found.columns.clock_ns.tolist() == [BOOK_ONLY, 10, 19, CLOCK_UNKNOWN]


@pytest.mark.parametrize("letters", [("Z", "B"), ("A", "X")])
def test_letters_that_no_record_has(letters: tuple[str, str]) -> None:
    with pytest.raises(BadParameterError, match=f"'{letters[0]}' and '{letters[1]}'"):
        Events.from_records([(1, "A", "B", 5, 1, 5, 0), (1, *letters, 5, 1, 5, 0)])


@pytest.mark.parametrize("wide", [False, True])
def test_allocated_room(wide: bool) -> None:
    events = Events.allocate(5, wide=wide)
    assert len(events) == 5
    assert [str(column.dtype) for column in events.columns] == DTYPES
    assert [len(column) for column in events.columns] == [5] * NARROW + [5 * wide] * 3


def test_slices_are_views() -> None:
    events = events_of(random_market(1, 10))
    part = events.slice(2, 5)
    assert len(part) == 3
    assert len(events.head(4)) == 4
    for name in events.columns._fields[:NARROW]:
        whole, view = getattr(events.columns, name), getattr(part.columns, name)
        assert np.shares_memory(whole, view)
        assert view.flags["C_CONTIGUOUS"]
        assert view.tolist() == whole[2:5].tolist()
    assert len(events.slice(5, 5)) == 0


def test_no_events() -> None:
    assert len(Events.from_records([])) == 0
