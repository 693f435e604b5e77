"""Recordings: the frames of a session in an Arrow or Parquet file, by the same pipeline that serves them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from vp.model.live_session import LiveSession
from vp.model.progress import ignore_share
from vp.output_file import output_file
from vp.parquet_encoding import parquet_writer

FRAMES_A_CALL = 256
FRAMES_A_GROUP = 2048


class Writer(Protocol):
    """What the two formats' writers share."""

    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def record(
    session: LiveSession,
    out: Path,
    fields: Sequence[str] | None = None,
    on_share: Callable[[float], None] = ignore_share,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write the rest of a session's frames to `out`, whole or not at all.

    Parameters
    ----------
    session : LiveSession
        Prepared; it is run to its end.
    out : Path
        Its ending chooses the format: .arrow (IPC file) or .parquet (ZSTD, page checksums).
    fields : sequence of str, optional
        Grid columns wanted; all if left out.
    on_share : callable
        Hears how much of the session's time is done, from 0 to 1.
    metadata : mapping of str to str, optional
        Stands in the file's schema beside what frames say of themselves.

    Returns
    -------
    int
        Number of frames written.

    Raises
    ------
    VPError
        The session cannot be read on, or the file not be written.
    """
    layout = session.layout
    schema = layout.project(fields).layout.schema if fields is not None else layout.schema
    schema = schema.with_metadata({**(schema.metadata or {}), **(metadata or {})})
    emit_ns, span_ns = session.info.emit_from_ns, max(1, session.info.end_ns - session.info.emit_from_ns)
    frames = 0
    with output_file(out) as file, contextlib.closing(_writer(out.suffix, file, schema)) as writer:
        group: list[pa.Table] = []
        while not session.finished:
            batch = session.advance(None, FRAMES_A_CALL)
            if batch.count:
                group.append(layout.table(batch.buffer).select(schema.names))
                frames += batch.count
            if sum(len(table) for table in group) >= FRAMES_A_GROUP:
                _write_group(writer, group)
            if session.clock_ns is not None:
                on_share(min(1.0, (session.clock_ns - emit_ns) / span_ns))
        _write_group(writer, group)
        on_share(1.0)
    return frames


def _writer(ending: str, file: BinaryIO, schema: pa.Schema) -> Writer:
    if ending == ".arrow":
        arrow: Writer = pa.ipc.new_file(file, schema)
        return arrow
    made: Writer = parquet_writer(file, schema)
    return made


def _write_group(writer: Writer, group: list[pa.Table]) -> None:
    """Write the tables gathered so far as one batch or row group, and forget them."""
    if not group:
        return
    writer.write_table(pa.concat_tables(group).combine_chunks())
    group.clear()
