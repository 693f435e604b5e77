"""Gaps of a live recording, from the manifest that lies beside its segments (vp.lake.segment_manifest)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from vp.lake.segment_manifest import manifest_beside, read_manifest
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
        manifests = dict.fromkeys(manifest_beside(raw) for raw in session.input.raw_files)
        gaps = [gap for manifest in manifests for gap in read_manifest(manifest).gaps]
        rows = [gap for gap in gaps if gap["end_ns"] >= window.start_ns and gap["start_ns"] < window.end_ns]
        yield pa.RecordBatch.from_pylist(rows, schema=GAP_SCHEMA)

    return ArrowSource(GAP_SCHEMA, batches)
