"""What rests in a book as a table; apart from the book, so that a query reads a snapshot without the kernels."""

from __future__ import annotations

import pyarrow as pa

KINDS = ("order", "level", "quote")
"""An order; an aggregated level of a publisher (F_MBP); the best level of a publisher's side (F_TOB)."""

ORDER_SCHEMA = pa.schema(
    [
        pa.field("order_id", pa.uint64(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
        pa.field("price", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("queue_rank", pa.int32(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),
        pa.field("publisher_id", pa.uint16(), nullable=False),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ]
)
