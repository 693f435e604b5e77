"""Gaps of a live recording, from the manifest that lies beside its segments (vp.lake.segment_manifest)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from vp.lake.segment_manifest import gaps_of
from vp.query.sources import TIME, ArrowSource

if TYPE_CHECKING:
    from vp.query.session import ChosenSession

GAP_SCHEMA = pa.schema(
    [
        pa.field("start_ns", TIME, nullable=False),
        pa.field("end_ns", TIME, nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("bridged", pa.bool_(), nullable=False),
    ]
)


def session_gaps(session: ChosenSession) -> ArrowSource:
    """The gaps that reach into a session, as GAP_SCHEMA; none where it was not recorded live."""

    def batches() -> Iterator[pa.RecordBatch]:
        window = session.window
        rows = [asdict(gap) for gap in gaps_of(session.input.raw_files, window.start_ns, window.end_ns)]
        yield pa.RecordBatch.from_pylist(rows, schema=GAP_SCHEMA)

    return ArrowSource(GAP_SCHEMA, batches)
