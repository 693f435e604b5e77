"""Parquet files: what each column is encoded by, and that nothing of it is lost."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from vp.parquet_encoding import parquet_writer

ROWS, PLACES = 500, 7


def a_table() -> pa.Table:
    rng = np.random.default_rng(3)
    grid = rng.standard_normal(ROWS * PLACES).astype(np.float32)
    grid[::50] = np.nan
    return pa.table(
        {
            "price": pa.array(rng.integers(0, 4, ROWS) / 4),
            "grid": pa.FixedSizeListArray.from_arrays(pa.array(grid), PLACES),
            "wide": pa.array([[1.5] * (i % 3) if i % 5 else None for i in range(ROWS)], pa.list_(pa.float64())),
            "ids": pa.array([[i, i + 1] for i in range(ROWS)], pa.list_(pa.int64())),
            "pair": pa.array([{"side": "bid", "levels": [0.5]}] * ROWS),
            "word": pa.array(["above", "below"] * (ROWS // 2)),
        }
    )


def written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    with parquet_writer(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def test_floats_in_lists_are_split_by_bytes_and_all_else_is_by_dictionary() -> None:
    group = parquet.read_metadata(io.BytesIO(written(a_table()))).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    split = {column.path_in_schema for column in columns if "BYTE_STREAM_SPLIT" in column.encodings}
    by_dictionary = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert split == {"grid.list.element", "wide.list.element", "pair.levels.list.element"}
    assert by_dictionary == {"price", "ids.list.element", "pair.side", "word"}
    assert {column.compression for column in columns} == {"ZSTD"}


def test_what_is_written_is_read_by_each_reader_as_it_was(tmp_path: Path) -> None:
    table, path = a_table(), tmp_path / "table.parquet"
    path.write_bytes(written(table))
    expected = pl.DataFrame(table)
    assert pl.DataFrame(parquet.read_table(path, page_checksum_verification=True)).equals(expected)
    assert pl.read_parquet(path).equals(expected)
    assert pl.DataFrame(duckdb.read_parquet(str(path)).to_arrow_table()).equals(
        expected.with_columns(pl.col("grid").arr.to_list())
    )


def test_tables_of_plain_columns_alone_and_of_floats_alone_are_written_too() -> None:
    for names in (["price", "word"], ["grid"]):
        table = a_table().select(names)
        assert parquet.read_table(io.BytesIO(written(table))).num_rows == ROWS
