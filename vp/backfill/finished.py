"""What an output says of itself: whether it is whole, and which work it is of."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from vp.model.recording_task import DIGEST_KEY


def finished_digest(out: Path, key: str = DIGEST_KEY) -> str | None:
    """The digest that a Parquet file carries in its schema; None where there is no whole file with one.

    The metadata of such a file stand at its end: what is cut short has none.
    """
    try:
        metadata = parquet.read_metadata(out).metadata
    except (OSError, pa.ArrowException):
        return None
    found = (metadata or {}).get(key.encode())
    return None if found is None else found.decode("ascii", "replace")
