"""`python -m vp.record`: the frames of a session into a file, by the same pipeline that serves them."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vp.errors import BadParameterError, VPError
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from typing import BinaryIO

    import pyarrow as pa

    from vp.dbn.accounting import Accounting
    from vp.model.pipeline import LiveSession
    from vp.programs.progress import TerminalProgress

DESCRIPTION = """\
Record the frames of a session into an Arrow or Parquet file: one row a frame, the same
bits that the server sends. Without a session named, the generated demonstration."""

EPILOG = """\
examples:
  {command} --out demo.parquet
      the demonstration session
  {command} --product-type future_mbo --symbol ESH4 --dt 2023-12-25 \\
      --start-time 18:30 --end-time 19:00 --throttle-ms 100 --fields pressure,vacuum --out es.arrow
      half an hour of a session out of the lake, ten frames a second, two grids

Exit code 0: written; 2: what was asked for does not exist; 1: something could not be
used (lake, file). In every case but 0 there is no new file."""

ENDINGS = (".arrow", ".parquet")
FRAMES_A_CALL = 256
FRAMES_A_GROUP = 2048


class Writer(Protocol):
    """What the two formats' writers share."""

    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("record", DESCRIPTION, EPILOG), "record", arguments)
    cli.configure_logging(values["log_level"])
    demonstration = cli.choose_session(values)

    from vp.demo.session import ensure_demo  # noqa: PLC0415 - --help is fast
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.model.compilation import ensure_compiled  # noqa: PLC0415
    from vp.model.pipeline import SessionSpec, prepare  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415

    lake = Lake(values["lake"])
    out = check_out(values["out"], lake.root)
    names = ("product_type", "symbol", "dt", "start_time", "end_time", "throttle_ms", "lake", "decompressed_limit_gb")
    spec = SessionSpec(**{name: values[name] for name in names})
    started = time.monotonic()
    with TerminalProgress() as progress:
        ensure_compiled(lambda share: progress.share("compile", share))
        if demonstration:
            ensure_demo(lake.root, lambda share: progress.share("demo", share))
        session = prepare(spec, progress)
        cli.started()
        with contextlib.closing(session):
            frames = record(session, out, values["fields"], progress)
    accounting = session.accounting()
    if accounting.processed == 0:
        cli.say(f"WARNING: the file holds no record of {session.info.contract} in this time: the recording is empty.")
    print(summary(out, frames, accounting, session.anomalies(), time.monotonic() - started))
    return 0


def check_out(name: str | None, lake_root: Path) -> Path:
    """The file to write, refused before any work where it cannot be.

    Raises
    ------
    BadParameterError
        No name, another ending, a directory, no directory to lie in, or a place among the raw files.
    """
    if name is None:
        raise BadParameterError("--out is missing.", hint="For example --out mnq.parquet.")
    out = Path(name).expanduser()
    if out.suffix not in ENDINGS:
        raise BadParameterError(
            f"out was {name!r}, expected a name that ends in {' or '.join(ENDINGS)}.",
            hint="For example --out mnq.parquet.",
        )
    if out.is_dir():
        raise BadParameterError(f"out was {name!r}, which is a directory.", hint="Name a file in it.")
    if not out.parent.is_dir():
        raise BadParameterError(
            f"out was {name!r}, but there is no directory {str(out.parent)!r}.", hint="Make it first."
        )
    if out.resolve().is_relative_to((lake_root / "raw").resolve()):
        raise BadParameterError(
            f"out was {name!r}, which lies among the lake's raw files; nothing is written there.",
            hint="Choose a place outside of raw/.",
        )
    return out


def record(
    session: LiveSession,
    out: Path,
    fields: Sequence[str] | None = None,
    progress: TerminalProgress | None = None,
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
    progress : TerminalProgress, optional

    Returns
    -------
    int
        Number of frames written.
    """
    layout = session.layout
    schema = layout.project(fields).layout.schema if fields is not None else layout.schema
    emit_ns, span_ns = session.info.emit_from_ns, max(1, session.info.end_ns - session.info.emit_from_ns)
    frames = 0
    with written_whole(out) as file, contextlib.closing(_writer(out.suffix, file, schema)) as writer:
        group: list[pa.Table] = []
        while not session.finished:
            batch = session.advance(None, FRAMES_A_CALL)
            if batch.count:
                group.append(layout.table(batch.buffer).select(schema.names))
                frames += batch.count
            if sum(len(table) for table in group) >= FRAMES_A_GROUP:
                _write_group(writer, group)
            if progress is not None and session.clock_ns is not None:
                progress.share("live", min(1.0, (session.clock_ns - emit_ns) / span_ns))
        _write_group(writer, group)
        if progress is not None:
            progress.share("live", 1.0)
    return frames


@contextlib.contextmanager
def written_whole(out: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes `out` when the block ends well, and vanishes when it does not.

    Raises
    ------
    VPError
        The system could not write it.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.tmp-", dir=out.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(out)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(out.parent)
    except OSError as error:
        raise VPError(
            f"Cannot write {str(out)!r}: {error.strerror or error}.",
            hint="Choose a place with room that this user may write to.",
        ) from error


def summary(out: Path, frames: int, records: Accounting, anomalies: Mapping[str, int], seconds: float) -> str:
    """The last line: what came of it."""
    found = {name: count for name, count in anomalies.items() if count}
    listed = f" ({', '.join(f'{name} {count:,}' for name, count in found.items())})" if found else ""
    return f"{out}: {frames:,} frames, {records}, {sum(found.values()):,} anomalies{listed}, {seconds:.1f} seconds"


def _writer(ending: str, file: BinaryIO, schema: pa.Schema) -> Writer:
    if ending == ".arrow":
        from pyarrow import ipc  # noqa: PLC0415

        arrow: Writer = ipc.new_file(file, schema)
        return arrow
    from pyarrow import parquet  # noqa: PLC0415

    made: Writer = parquet.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True)
    return made


def _write_group(writer: Writer, group: list[Any]) -> None:
    """Write the tables gathered so far as one batch or row group, and forget them."""
    if not group:
        return
    import pyarrow as pa  # noqa: PLC0415

    writer.write_table(pa.concat_tables(group).combine_chunks())
    group.clear()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_directory(directory: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
