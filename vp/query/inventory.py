"""What the lake holds: raw files, cached books and recordings, as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from vp.lake.cache_budget import BOOKS
from vp.lake.lake import Lake
from vp.lake.layout import LAYOUT, Place
from vp.model.book_cache import KEY_METADATA
from vp.query.recordings import recordings
from vp.query.sources import TIME, ArrowSource

RAW_FILE_SCHEMA = pa.schema(
    [
        pa.field("product_type", pa.string(), nullable=False),
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("dt", pa.date32(), nullable=False),
        pa.field("last_dt", pa.date32(), nullable=False),
        pa.field("split_symbol", pa.string()),
        pa.field("schema", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("compressed", pa.bool_(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("modified", TIME, nullable=False),
        pa.field("condition", pa.string()),
        pa.field("file", pa.string(), nullable=False),
    ]
)
BOOK_FILE_SCHEMA = pa.schema(
    [
        pa.field("product_type", pa.string(), nullable=False),
        pa.field("contract", pa.string(), nullable=False),
        pa.field("dt", pa.string(), nullable=False),
        pa.field("book_ts", TIME, nullable=False),
        pa.field("raw_file", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("modified", TIME, nullable=False),
        pa.field("file", pa.string(), nullable=False),
    ]
)
RECORDING_FILE_SCHEMA = pa.schema(
    [
        pa.field("product_type", pa.string(), nullable=False),
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("contract", pa.string(), nullable=False),
        pa.field("dt", pa.string(), nullable=False),
        pa.field("raw_file", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("modified", TIME, nullable=False),
        pa.field("file", pa.string(), nullable=False),
    ]
)


def raw_files(lake: Lake) -> ArrowSource:
    """Every raw file of every kind, one row each; `file` is relative to the lake's root."""

    def rows() -> Iterator[dict[str, object]]:
        for place in LAYOUT:
            for symbol in lake.held_symbols(place):
                yield from _raw_rows(lake, place, symbol)

    return _table(RAW_FILE_SCHEMA, rows)


def book_files(lake: Lake) -> ArrowSource:
    """Every cached book, one row each, as its own metadata describes it; foreign files are passed over."""

    def rows() -> Iterator[dict[str, object]]:
        for path in sorted((lake.cache_dir / BOOKS.directory).glob("*.arrow")):
            if not path.is_file():  # a pipe would be waited for
                continue
            try:
                with pa.OSFile(str(path)) as file, ipc.open_file(file) as reader:
                    key = json.loads((reader.schema.metadata or {})[KEY_METADATA])
                yield {
                    "product_type": key["product_type"],
                    "contract": key["contract"],
                    "dt": key["dt"],
                    "book_ts": key["boundary_ns"],
                    "raw_file": ", ".join(name for name, _, _ in key["files"]),
                    **_file(lake, path),
                }
            except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
                continue

    return _table(BOOK_FILE_SCHEMA, rows)


def recording_files(lake: Lake) -> ArrowSource:
    """Every recording in the lake, one row each, as its own metadata describes it."""

    def rows() -> Iterator[dict[str, object]]:
        for recording in recordings(lake):
            names = ("product_type", "symbol", "contract", "dt", "raw_file", "version")
            yield {name: recording.facts[name] for name in names} | _file(lake, recording.path)

    return _table(RECORDING_FILE_SCHEMA, rows)


def _raw_rows(lake: Lake, place: Place, symbol: str) -> Iterator[dict[str, object]]:
    for raw in lake.every_file(place, symbol):
        yield {
            "product_type": place.product_type,
            "symbol": symbol,
            "dt": raw.name.first,
            "last_dt": raw.name.last,
            "split_symbol": raw.name.symbol,
            "schema": place.schema,
            "source": raw.source,
            "dataset": raw.dataset,
            "compressed": raw.compressed,
            "size_bytes": raw.size_bytes,
            "modified": raw.mtime_ns,
            "condition": lake.condition(raw),
            "file": str(raw.path.relative_to(lake.root)),
        }


def _file(lake: Lake, path: Path) -> dict[str, object]:
    status = path.stat()
    return {
        "size_bytes": status.st_size,
        "modified": status.st_mtime_ns,
        "file": str(path.relative_to(lake.root)),
    }


def _table(schema: pa.Schema, rows: Callable[[], Iterator[dict[str, object]]]) -> ArrowSource:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist(list(rows()), schema=schema)

    return ArrowSource(schema, batches)
