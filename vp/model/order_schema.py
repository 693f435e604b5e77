"""The orders of a book as a table; apart from the book, so that a query reads a snapshot without the kernels."""

from __future__ import annotations

import pyarrow as pa

ORDER_SCHEMA = pa.schema(
    [
        pa.field("order_id", pa.uint64(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
        pa.field("price", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("queue_rank", pa.int32(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),
    ]
)
