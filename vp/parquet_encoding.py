"""Parquet files, encoded by what their columns hold."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetWriter

FLOATS = ("FLOAT", "DOUBLE")


def parquet_writer(file: IO[bytes], schema: pa.Schema) -> ParquetWriter:
    """A writer of tables and batches of a schema: ZSTD, and a checksum of each page.

    Floats within lists are written byte by byte of their places (Parquet's BYTE_STREAM_SPLIT), all else by dictionary
    as far as that serves. Of a grid, whose values seldom come twice, a dictionary takes four times the time and half
    as many bytes again.
    """
    from pyarrow import parquet  # noqa: PLC0415 - takes longer to load than most queries to run

    nothing = pa.BufferOutputStream()
    parquet.write_metadata(schema, nothing)
    leaves = parquet.read_metadata(pa.BufferReader(nothing.getvalue())).schema
    split, others = list[str](), list[str]()
    for leaf in map(leaves.column, range(len(leaves))):
        in_list_of_floats = leaf.max_repetition_level > 0 and leaf.physical_type in FLOATS
        (split if in_list_of_floats else others).append(leaf.path)
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=others or False,
        use_byte_stream_split=split or False,
    )
