"""Events as columns: from tuples, as views, and as Arrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tests.agreement import events_of
from tests.market_strategies import markets, random_market
from tests.oracle import Rec
from vp.dbn.events import EVENT_SCHEMA, Events

DTYPES = ["int64", "int64", "int64", "uint32", "uint8", "uint8", "uint8", "int64", "uint32"]
EXTREME = (2**63 - 1, "R", "N", -(2**63), 2**32 - 1, 2**64 - 1, 255)


@settings(max_examples=40, deadline=None)
@given(records=markets(max_events=15).filter(bool))
def test_records_come_back_from_arrow(records: list[Rec]) -> None:
    table = events_of(records).to_arrow()
    assert table.schema.equals(pa.schema(list(EVENT_SCHEMA)[:7]))
    table = table.set_column(0, "ts_event", table["ts_event"].cast("int64"))
    order = ("ts_event", "action", "side", "price", "size", "order_id", "flags")
    assert [Rec(**{name: row[name] for name in order}) for row in table.to_pylist()] == records


def test_extremes_keep_their_bits() -> None:
    events = Events.from_records([EXTREME])
    assert [str(column.dtype) for column in events.columns[:7]] == DTYPES[:7]
    assert events.columns.order_id[0] == -1
    row = events.to_arrow().drop_columns(["ts_event"]).to_pylist()[0]
    assert row == {
        "order_id": 2**64 - 1,
        "price": -(2**63),
        "size": 2**32 - 1,
        "flags": 255,
        "action": "R",
        "side": "N",
    }


@pytest.mark.parametrize("wide", [False, True])
def test_allocated_room_and_its_arrow_schema(wide: bool) -> None:
    events = Events.allocate(5, wide=wide)
    assert len(events) == 5
    columns = events.columns
    assert [str(column.dtype) for column in columns] == DTYPES
    assert [len(column) for column in columns] == [5] * 7 + [5 * wide] * 2
    columns.action[:], columns.side[:] = ord("A"), ord("B")
    assert events.to_arrow().schema.equals(pa.schema(list(EVENT_SCHEMA)[: 9 if wide else 7]))


def test_slices_are_views() -> None:
    events = events_of(random_market(1, 10))
    part = events.slice(2, 5)
    assert len(part) == 3
    assert len(events.head(4)) == 4
    for name in events.columns._fields[:7]:
        whole, view = getattr(events.columns, name), getattr(part.columns, name)
        assert np.shares_memory(whole, view)
        assert view.flags["C_CONTIGUOUS"]
    assert events.slice(2, 5).to_arrow().equals(events.to_arrow().slice(2, 3))
    assert len(events.slice(5, 5)) == 0


def test_no_events() -> None:
    empty = Events.from_records([])
    assert len(empty) == 0
    assert empty.to_arrow().num_rows == 0
    assert Events.allocate(0, wide=True).to_arrow().schema.equals(EVENT_SCHEMA)
