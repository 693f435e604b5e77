"""Where frames cannot be trusted, and why: runs of each bit of their column `quality`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from vp.errors import NoRecordingError
from vp.kernels.contract import (
    QUALITY_BAD_BOOK,
    QUALITY_CROSSED,
    QUALITY_EMPTY_SIDE,
    QUALITY_GAP,
    QUALITY_INCOMPLETE,
    QUALITY_SNAPSHOT,
)
from vp.query.sources import TIME, ArrowSource

if TYPE_CHECKING:
    from vp.model.recording_file import Recording
    from vp.query.session import ChosenSession

QUALITY_SCHEMA = pa.schema(
    [
        pa.field("start_ns", TIME, nullable=False),
        pa.field("end_ns", TIME, nullable=False),
        pa.field("bit", pa.uint8(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("frames", pa.int64(), nullable=False),
    ]
)
REASONS = {
    QUALITY_EMPTY_SIDE: "a side is empty",
    QUALITY_CROSSED: "locked or crossed",
    QUALITY_SNAPSHOT: "within a snapshot",
    QUALITY_BAD_BOOK: "the feed says that the book may be bad",
    QUALITY_INCOMPLETE: "a publisher has sent neither clear nor snapshot yet",
    QUALITY_GAP: "after a gap of the feed",
}
FRAMES_A_CALL = 256

Qualities = Iterator[tuple[np.ndarray, np.ndarray]]
"""Of frames in their order: clocks, int64 ns UTC, and bits, uint8."""


def recorded_quality(recording: Recording) -> ArrowSource:
    """The runs in a recording, as QUALITY_SCHEMA; a scan raises NoRecordingError where it has no column `quality`."""

    def qualities() -> Qualities:
        if "quality" not in recording.schema.names:
            raise NoRecordingError(
                f"{recording.path.name} has no column quality: version {recording.facts['version']} made it.",
                hint="Record the session anew.",
            )
        for batch in recording.frames().to_batches(columns=["ts_ns", "quality"]):
            yield batch.column(0).view(pa.int64()).to_numpy(), batch.column(1).to_numpy()

    return _source(qualities)


def replayed_quality(session: ChosenSession) -> ArrowSource:
    """The runs in the frames of every event's end of a session from its start time on, which a scan makes."""

    def qualities() -> Qualities:
        from vp.model.frames import column_values  # noqa: PLC0415 - kernels take a while to load
        from vp.model.pipeline import prepare  # noqa: PLC0415

        with contextlib.closing(prepare(session.spec(throttle_ms=0.0))) as live:
            column = next(column for column in live.layout.columns if column.name == "quality")
            while not live.finished:
                batch = live.advance(None, FRAMES_A_CALL)
                yield batch.ts_ns, column_values(batch.buffer, column)

    return _source(qualities)


def _source(qualities: Callable[[], Qualities]) -> ArrowSource:
    def batches() -> Iterator[pa.RecordBatch]:
        runs = _Runs()
        for clocks, bits in qualities():
            yield runs.followed(clocks, bits)
        yield runs.ended()

    return ArrowSource(QUALITY_SCHEMA, batches)


class _Runs:
    """Frames in a row that have a bit, over batches."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, int, int]] = {}  # bit: clocks of first and last frame, frames

    def followed(self, clocks: np.ndarray, bits: np.ndarray) -> pa.RecordBatch:
        """The runs that ended before or within these frames."""
        found = []
        for bit in REASONS if len(bits) else ():
            edges = np.flatnonzero(np.diff((bits & bit) != 0, prepend=False, append=False))
            for start, stop in edges.reshape(-1, 2).tolist():
                first_ns, _, frames = self._open.pop(bit) if start == 0 and bit in self._open else (clocks[start], 0, 0)
                found += self._close(bit)
                self._open[bit] = (int(first_ns), int(clocks[stop - 1]), frames + stop - start)
            if not bits[-1] & bit:
                found += self._close(bit)
        return _batch(found)

    def ended(self) -> pa.RecordBatch:
        """The runs that last to the end."""
        return _batch([row for bit in REASONS for row in self._close(bit)])

    def _close(self, bit: int) -> list[tuple[int, int, int, str, int]]:
        if bit not in self._open:
            return []
        first_ns, last_ns, frames = self._open.pop(bit)
        return [(first_ns, last_ns, bit, REASONS[bit], frames)]


def _batch(rows: list[tuple[int, int, int, str, int]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * len(QUALITY_SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, QUALITY_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=QUALITY_SCHEMA)
