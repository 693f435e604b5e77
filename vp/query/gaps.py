"""Gaps of a live recording, from the manifest that lies beside its segments.

The manifest of a day is `<dataset>-<YYYYMMDD>.mbo.segments.jsonl`, a JSON object a line in the order of time. One whose
`kind` is `gap` tells what the feed has not delivered: `start_ns` and `end_ns` (ns UTC, of the last record before it and
of the first one after it), `reason` (a sentence), and `bridged`, whether a replay has filled it. Those of other kinds
tell of the segments. A line without an end is still being written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vp.errors import DamagedFileError, UnreadableFileError
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
        manifests = {
            raw.path.with_name(f"{raw.dataset}-{raw.date:%Y%m%d}.mbo.segments.jsonl"): None
            for raw in session.input.raw_files
        }
        gaps = [gap for manifest in manifests for gap in _gaps(manifest)]
        rows = [gap for gap in gaps if gap["end_ns"] >= window.start_ns and gap["start_ns"] < window.end_ns]
        yield pa.RecordBatch.from_pylist(rows, schema=GAP_SCHEMA)

    return ArrowSource(GAP_SCHEMA, batches)


def _gaps(manifest: Path) -> Iterator[dict[str, Any]]:
    try:
        text = manifest.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableFileError(f"{manifest} cannot be read: {error.strerror}.", path=str(manifest)) from error
    for number, line in enumerate(text.split(b"\n")[:-1], 1):
        try:
            entry = json.loads(line)
            if entry["kind"] == "gap":
                start_ns, end_ns, reason, bridged = (entry[name] for name in GAP_SCHEMA.names)
                yield {
                    "start_ns": int(start_ns),
                    "end_ns": int(end_ns),
                    "reason": str(reason),
                    "bridged": bool(bridged),
                }
        except (ValueError, TypeError, KeyError):
            raise DamagedFileError(
                f"Line {number} of {manifest.name} is no entry of a segment manifest.",
                hint="Expected a JSON object with kind, and of a gap start_ns, end_ns, reason and bridged.",
                path=str(manifest),
            ) from None
