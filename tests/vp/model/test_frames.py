"""Frame messages are Arrow's: what the kernel wrote in place, Arrow's own reader reads, whole or projected."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import events_of, read_stream, run_frames
from tests.market_strategies import WILD, random_market
from tests.market_writer import SESSION_START_NS
from tests.oracle import Rec
from tests.oracle_book import F_LAST, UNDEFINED_PRICE
from vp.errors import BadParameterError
from vp.kernels.contract import GRID_COLUMNS, NULLABLE_COLUMNS, SCALAR_COLUMNS
from vp.model.engine import EventDrivenVPEngine
from vp.model.frame_columns import frame_schema, judge_fields
from vp.model.frames import FrameLayout, column_values

METADATA = {"vp.symbol": "MNQH6", "vp.parameters": "tau=30.0, ü"}
NUMPY_TYPES = {
    "timestamp_ns": "<i8",
    "int64": "<i8",
    "float64": "<f8",
    "float32": "<f4",
    "int8": "i1",
    "uint8": "u1",
    "float32[101]": "<101f4",
    "int64[101]": "<101i8",
}


@pytest.fixture(scope="module")
def engine() -> EventDrivenVPEngine:
    return EventDrivenVPEngine(metadata=METADATA)


@pytest.fixture(scope="module")
def messages(engine: EventDrivenVPEngine) -> np.ndarray:
    """Frames of a market with everything in it, the first of them before there is any price."""
    nothing_yet = Rec(SESSION_START_NS, "N", "N", UNDEFINED_PRICE, 0, 0, F_LAST)
    found = run_frames(engine, events_of([nothing_yet, *random_market(13, 250, weights=WILD)]))
    assert len(found) > 150
    return found


def test_schema_is_the_contracts() -> None:
    floats = pa.list_(pa.field("element", pa.float32(), nullable=False), 101)
    ints = pa.list_(pa.field("element", pa.int64(), nullable=False), 101)
    wanted: list[tuple[str, pa.DataType]] = [
        ("ts_ns", pa.timestamp("ns", tz="UTC")),
        *((name, pa.int64()) for name in ("event_id", "spot_price", "bid_price", "ask_price")),
        ("mid_price", pa.float64()),
        *((name, pa.int64()) for name in ("bid_size", "ask_size", "buy_volume", "sell_volume", "other_volume")),
        ("last_price", pa.int64()),
        ("ofi", pa.int64()),
        ("state", pa.int8()),
        ("score", pa.float32()),
        ("strength", pa.float32()),
        *((f"{force}_{side}", pa.float32()) for force in ("pressure", "vacuum") for side in ("above", "below")),
        ("book_valid", pa.bool_()),
        ("quality", pa.uint8()),
        *((name, floats) for name in ("pressure", "vacuum", "add_mass", "pull_mass", "fill_mass", "rest_depth")),
        *((f"{level}_{name}", floats) for level in "vaj" for name in ("add", "pull", "fill", "rest_depth")),
        *((name, floats) for name in ("bought", "sold")),
        ("last_event_id", ints),
    ]
    schema = frame_schema(METADATA)
    assert [(field.name, field.type) for field in schema] == wanted
    nullable = {"spot_price", "bid_price", "ask_price", "mid_price", "last_price"}
    assert {field.name for field in schema if field.nullable} == nullable
    assert schema.metadata == {key.encode(): value.encode() for key, value in METADATA.items()}


def test_messages_are_an_arrow_stream(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    assert messages.shape[1] == engine.layout.message_bytes
    table = read_stream(engine.layout, messages)
    assert table.schema.equals(engine.layout.schema, check_metadata=True)
    assert table.num_rows == len(messages)
    for name in set(table.column_names) - set(NULLABLE_COLUMNS):
        assert table[name].null_count == 0
    for name in NULLABLE_COLUMNS:
        assert 0 < table[name].null_count < len(messages), f"{name} is both null and not, here"
    for name in GRID_COLUMNS[:-1]:
        assert np.isfinite(table[name].combine_chunks().flatten().to_numpy()).all()


def test_each_message_stands_alone(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    schema = pa.ipc.read_schema(pa.py_buffer(engine.layout.schema_message))
    assert schema.equals(engine.layout.schema, check_metadata=True)
    whole = read_stream(engine.layout, messages)
    for i in (0, 1, len(messages) - 1):
        batch = pa.ipc.read_record_batch(pa.py_buffer(messages[i].tobytes()), schema)
        assert pa.Table.from_batches([batch]).equals(whole.slice(i, 1))


def test_a_message_is_what_arrow_would_have_written(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    """Read, written again by Arrow and read again it is the same; the lengths and offsets are Arrow's own."""
    schema = engine.layout.schema
    for message in messages[::40]:
        batch = pa.ipc.read_record_batch(pa.py_buffer(message.tobytes()), schema)
        if all(batch.column(batch.schema.get_field_index(name)).null_count for name in NULLABLE_COLUMNS):
            assert len(batch.serialize().to_pybytes()) == len(message)
        assert message[:4].tobytes() == b"\xff\xff\xff\xff"
        assert len(message) % 8 == 0


def test_table_reads_what_arrow_reads(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    table = engine.layout.table(messages)
    table.validate(full=True)
    assert table.equals(read_stream(engine.layout, messages))
    assert table.schema.equals(engine.layout.schema, check_metadata=True)
    empty = engine.layout.table(messages[:0])
    assert empty.num_rows == 0
    assert empty.schema.equals(table.schema)


def read_in_place(layout_description: dict[str, Any], message: bytes) -> dict[str, Any]:
    """As the page reads a frame: by the offsets of runtime_config, without an Arrow library."""
    row: dict[str, Any] = {}
    for column in layout_description["columns"]:
        at, length = column["offset"], column["length_bytes"]
        if column["validity_offset"] is not None and not message[column["validity_offset"]] & 1:
            row[column["name"]] = None
        elif column["type"] == "bool":
            row[column["name"]] = bool(message[at] & 1)
        else:
            values = np.frombuffer(message, np.dtype(NUMPY_TYPES[column["type"]]), 1, at)
            assert values.nbytes == length
            row[column["name"]] = values[0].tolist()
    return row


@pytest.mark.parametrize("count", [1, 2])
def test_a_table_stays_what_it_is_when_the_messages_are_written_over(
    engine: EventDrivenVPEngine, messages: np.ndarray, count: int
) -> None:
    buffer = messages[:count].copy()
    table = engine.layout.table(buffer)
    read = [column_values(buffer, column) for column in engine.layout.columns]
    buffer[:] = messages[5 : 5 + count]
    assert table.equals(engine.layout.table(messages[:count]))
    for column, values in zip(engine.layout.columns, read, strict=True):
        assert np.array_equal(values, column_values(messages[:count], column), equal_nan=True), column.name
    assert not table.equals(engine.layout.table(buffer))


def test_columns_can_be_read_in_place(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    description = json.loads(json.dumps(engine.layout.describe()))
    assert set(description) == {"message_bytes", "rows", "columns"}
    assert (description["message_bytes"], description["rows"]) == (messages.shape[1], 101)
    assert [column["name"] for column in description["columns"]] == [*SCALAR_COLUMNS, *GRID_COLUMNS]
    places = set()
    for column in description["columns"]:
        assert column["offset"] % 8 == 0
        assert column["offset"] + column["length_bytes"] <= messages.shape[1]
        assert (column["validity_offset"] is not None) == (column["name"] in NULLABLE_COLUMNS)
        places |= {column["offset"], column["validity_offset"]} - {None}
    assert len(places) == len(description["columns"]) + len(NULLABLE_COLUMNS)
    table = read_stream(engine.layout, messages)
    table = table.set_column(0, "ts_ns", table["ts_ns"].cast("int64"))
    for i in (0, 1, 7, len(messages) // 2, len(messages) - 1):
        assert read_in_place(description, messages[i].tobytes()) == table.slice(i, 1).to_pylist()[0]


def test_a_null_leaves_no_stale_value(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    for column in engine.layout.columns:
        if column.validity_offset is not None:
            null = messages[:, column.validity_offset] == 0
            assert not messages[null, column.offset : column.offset + column.length_bytes].any()


def test_fixed_parts_are_the_templates(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    """Everything but values, validity and null counts is the same in all frames: padding included."""
    mutable = np.zeros(messages.shape[1], bool)
    for column in engine.layout.columns:
        mutable[column.offset : column.offset + column.length_bytes] = True
        for place, length in ((column.validity_offset, 1), (column.null_count_offset, 8)):
            if place is not None:
                mutable[place : place + length] = True
    assert (messages[:, ~mutable] == engine.layout.template[~mutable]).all()


@settings(max_examples=25, deadline=None)
@given(fields=st.lists(st.sampled_from((*GRID_COLUMNS, "score", "ts_ns")), max_size=12), seed=st.integers(0, 999))
def test_projections_are_arrows_selections(
    engine: EventDrivenVPEngine, messages: np.ndarray, fields: list[str], seed: int
) -> None:
    rows = Random(seed).sample(range(len(messages)), 3)
    projection = engine.layout.project(fields)
    layout = projection.layout
    kept = [*SCALAR_COLUMNS, *(name for name in GRID_COLUMNS if name in fields)]
    assert layout.schema.names == kept
    assert layout.schema.metadata == engine.layout.schema.metadata
    projected = [projection.apply(memoryview(messages[i])) for i in rows]
    assert {len(message) for message in projected} == {layout.message_bytes}
    got = read_stream(layout, np.frombuffer(b"".join(projected), np.uint8))
    assert got.equals(read_stream(engine.layout, messages[rows]).select(kept))
    assert [column["name"] for column in layout.describe()["columns"]] == kept
    for i, message in zip(rows, projected, strict=True):  # by the validity bytes, where Arrow goes by null counts
        whole = read_in_place(engine.layout.describe(), messages[i].tobytes())
        assert read_in_place(layout.describe(), message) == {name: whole[name] for name in kept}


def test_projection_to_all_is_the_message_itself(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    projection = engine.layout.project(list(reversed(GRID_COLUMNS)))
    assert projection.identical
    assert projection.apply(messages[5]) == messages[5].tobytes()


def test_projection_of_a_projection(engine: EventDrivenVPEngine, messages: np.ndarray) -> None:
    first = engine.layout.project(["pressure", "vacuum", "last_event_id"])
    second = first.layout.project(["vacuum"])
    direct = engine.layout.project(["vacuum"])
    assert second.apply(first.apply(messages[9])) == direct.apply(messages[9])


def test_a_frame_of_scalars_alone_has_no_rows(engine: EventDrivenVPEngine) -> None:
    layout = engine.layout.project([]).layout
    assert (layout.rows, layout.grids) == (0, ())
    assert layout.message_bytes < 3000


@pytest.mark.parametrize("fields", [["presure"], ["pressure", ""], [" vacuum"], ["PRESSURE"]])
def test_unknown_fields_are_refused_with_the_known_ones(engine: EventDrivenVPEngine, fields: list[str]) -> None:
    with pytest.raises(BadParameterError, match=repr(fields[-1])) as caught:
        engine.layout.project(fields)
    assert all(name in caught.value.hint for name in GRID_COLUMNS)


@pytest.mark.parametrize("grid", [1, 2, 3, 50, 200, 512])
def test_grids_of_any_height(grid: int) -> None:
    engine = EventDrivenVPEngine(grid)
    messages = run_frames(engine, events_of(random_market(2, 10)))
    table = read_stream(engine.layout, messages)
    assert table.schema.field("pressure").type.list_size == engine.layout.rows == 2 * grid + 1
    assert engine.layout.table(messages).equals(table)


def test_a_layout_depends_on_its_schema_alone() -> None:
    one, two = (FrameLayout(frame_schema(METADATA)) for _ in range(2))
    assert one.columns == two.columns
    assert one.schema_message == two.schema_message
    assert one.template.tobytes() == two.template.tobytes()


def test_of_many_unknown_fields_a_few_are_named() -> None:
    with pytest.raises(BadParameterError) as caught:
        judge_fields([f"{'x' * 200}{i}" for i in range(500)])
    assert "and 495 more, which no frame has" in str(caught.value)
    assert len(str(caught.value)) < 2000
    with pytest.raises(BadParameterError, match="fields names 'vacwum', 'presure', which no frame has"):
        judge_fields(["vacwum", "presure", "vacuum"])
