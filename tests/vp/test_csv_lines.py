"""CSV that Polars, DuckDB and Python's own reader take for what was written, without being told any type."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from vp.csv_lines import CsvLines

ROWS = 250  # readers look at the first hundred to tell a type


def written(table: pa.Table, batch_rows: int = 64) -> bytes:
    lines = CsvLines(table.schema)
    return lines.header() + b"".join(lines.lines(batch) for batch in table.to_batches(max_chunksize=batch_rows))


def read(table: pa.Table) -> pl.DataFrame:
    return pl.read_csv(written(table))


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_floats_that_begin_whole_stay_floats(kind: pa.DataType) -> None:
    values = [0.0] * (ROWS - 5) + [-0.0, 0.1, 1e-7, 3e10, 2.0**70]
    column = pa.array(values, kind)
    found = read(pa.table({"x": column}))["x"]
    assert found.dtype == pl.Float64
    assert found.cast(pl.Float32 if kind == pa.float32() else pl.Float64).to_list() == column.to_pylist()


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint32(), pa.float64(), pa.float32()])
@pytest.mark.parametrize("leading", [1, 63, 64, 150])
def test_numbers_that_begin_with_nulls_stay_numbers(kind: pa.DataType, leading: int) -> None:
    values = [None] * leading + [1_234_567, None] + [7] * (ROWS - leading)
    found = read(pa.table({"x": pa.array(values, kind), "y": pa.array(range(len(values)))}))
    assert found["x"].dtype == pl.Float64
    assert found["x"].fill_nan(None).to_list() == values
    assert found["x"][leading + 1] is None  # later ones are nulls


def test_nulls_after_a_first_value_are_nulls() -> None:
    values = [5, None, -(2**63), 2**63 - 1, None]
    found = read(pa.table({"x": pa.array(values)}))["x"]
    assert found.dtype == pl.Int64
    assert found.to_list() == values


def test_text_is_what_it_was() -> None:
    texts = ["a,b", 'say "x"', "two\nlines", " 5 ", "", None, "日本", "NaN", "null"]
    table = pa.table({"n, o": pa.array(texts), "n": pa.array(range(len(texts)))})
    found = read(table)
    assert found.columns == table.column_names
    assert found["n, o"].to_list() == texts
    rows = list(csv.reader(io.StringIO(written(table).decode(), newline="")))
    assert [row[0] for row in rows[1:]] == [text or "" for text in texts]


def test_times_truth_and_lists(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ns": pa.array([1_770_388_200_123_456_789, None], pa.timestamp("ns", tz="UTC")),
            "us": pa.array([1_770_388_200_123_456, 0], pa.timestamp("us", tz="UTC")),
            "b": [True, None],
            "flags": [["LAST", "TOB"], None],
        }
    )
    text = written(table)
    assert text.decode().splitlines() == [
        '"ns","us","b","flags"',
        '2026-02-06T14:30:00.123456789Z,2026-02-06T14:30:00.123456Z,true,"[""LAST"", ""TOB""]"',
        ",1970-01-01T00:00:00.000000Z,,",
    ]
    found = pl.read_csv(text, try_parse_dates=True)
    assert found["us"].cast(pl.Int64).to_list() == [1_770_388_200_123_456, 0]
    assert found["b"].to_list() == [True, None]
    assert found["flags"].str.json_decode(pl.List(pl.String)).to_list() == [["LAST", "TOB"], None]
    (tmp_path / "x.csv").write_bytes(text)
    with duckdb.connect() as connection:
        kinds = connection.sql(f"FROM read_csv('{tmp_path / 'x.csv'}')").types
    assert [str(kind) for kind in kinds][1:3] == ["TIMESTAMP WITH TIME ZONE", "BOOLEAN"]


def test_infinities_and_nan_are_numbers() -> None:
    found = read(pa.table({"x": [float("nan"), float("inf"), float("-inf"), 1.0]}))["x"]
    assert found.dtype == pl.Float64
    assert found.is_nan().to_list() == [True, False, False, False]
    assert found.to_list()[1:] == [float("inf"), float("-inf"), 1.0]


def test_lists_that_are_spread_are_columns_in_their_order() -> None:
    grid = pa.FixedSizeListArray.from_arrays(pa.array([1.5, 2.0, 3.0, 4.0, 5.25, 6.0], pa.float32()), 3)
    table = pa.table({"id": [1, 2], "g": grid, "last": [9, 8]})
    lines = CsvLines(table.schema, {"g": ["g[-1]", "g[0]", "g[1]"]})
    text = lines.header() + b"".join(lines.lines(batch) for batch in table.slice(1).to_batches())
    assert text.decode() == '"id","g[-1]","g[0]","g[1]","last"\n2,4.0,5.25,6.0,8\n'
