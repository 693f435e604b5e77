"""`python -m vp.query`: SQL, or a named query of sql/, over the lake."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vp.errors import BadParameterError
from vp.output_file import output_file, output_path
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.lake.lake import Lake
    from vp.query.session import ChosenSession

MEMORY = "2GB"  # of DuckDB; the orders of a busy session otherwise take 6, in the same time

DESCRIPTION = """\
Ask the lake with SQL. Raw files, cached books and recordings are read as they are: nothing
is converted first, and nothing is changed. Without a session named, a query about one is
about the generated demonstration."""

EPILOG = """\
examples:
  {command} --list
      the named queries, what they give and take, and the views that SQL sees
  {command} depth --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
      the book 30 minutes before 09:30 in New York, level by level
  {command} --sql "SELECT action, count(*) FROM events GROUP BY action" --symbol MNQH6 --dt 2026-02-06
      any SQL of DuckDB's
  {command} frame_rows --recording frames.parquet --out rows.parquet
      the frames of a recording, one row a price bucket

Exit code 0: answered; 2: what was asked for does not exist or cannot be run; 1: something
could not be used (lake, file)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    parser = cli.parser("query", DESCRIPTION, EPILOG)
    parser.add_argument("query", nargs="?", metavar="NAME", help="A named query of sql/; --list lists them.")
    values = cli.parse(parser, "query", arguments)
    cli.configure_logging(values["log_level"])
    if values["list"]:
        from vp.query.listing import listing  # noqa: PLC0415 - --help is fast

        sys.stdout.write(listing(values["query"]))
        return 0
    if (values["query"] is None) == (values["sql"] is None):
        raise BadParameterError(
            "Nothing is asked." if values["sql"] is None else "Both a named query and --sql are given.",
            hint='Give a named query, for example depth, or --sql "SELECT ..."; --list lists the queries.',
        )
    _answer(values)
    return 0


def _answer(values: dict[str, Any]) -> None:
    from vp.dbn.opened_lake import open_lake  # noqa: PLC0415
    from vp.model.recording_file import open_recording  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415
    from vp.query import catalogue, execution, output  # noqa: PLC0415
    from vp.query.connection import find_views  # noqa: PLC0415
    from vp.query.interruption import interruptible, signals_interrupt  # noqa: PLC0415
    from vp.query.views import RECORDING_VIEWS, in_memory  # noqa: PLC0415

    lake = open_lake(values["lake"], values["products"], values["file"])
    kind = output.format_of(values["format"], values["out"])
    out = None if values["out"] is None else output_path(values["out"], lake.root)
    if values["recording"] is not None:
        open_recording(Path(values["recording"]).expanduser())  # refused before a demonstration or a book is made
    with in_memory(_config()) as connection:
        if values["query"] is None:
            sql, parameters = values["sql"], dict(values["set"])
            reads = execution.referenced(connection, sql)
        else:
            named = catalogue.find(values["query"])
            sql, parameters, reads = named.sql, named.values(values["set"]), set(named.reads)
        with TerminalProgress() as progress:
            session = _choose(lake, values, reads, progress)
            reads_recording = bool(reads & set(RECORDING_VIEWS))
            views = find_views(
                lake,
                session,
                values["recording"],
                look_for_recording=reads_recording,
                build=values["build"],
                tell=progress,
            )
            views.register(connection, sql)
            with signals_interrupt(connection):
                schema, batches = execution.run(connection, views, sql, parameters)
            _put_out(out, kind, schema, interruptible(connection, batches))
        if (nothing := views.emptiness()) is not None:
            cli.say(nothing)


def _config() -> dict[str, Any]:
    """A sort or a grouping that needs more than MEMORY goes on in files, which are gone when the program ends."""
    directory = os.environ.get("TMPDIR") or "/var/tmp"  # noqa: S108 - on disk, where /tmp is often memory
    return {
        "python_enable_replacements": False,
        "memory_limit": MEMORY,
        "temp_directory": f"{directory}/vp-query-{os.getpid()}",
    }


def _choose(lake: Lake, values: dict[str, Any], reads: set[str], progress: Any) -> ChosenSession | None:
    """The session named; the demonstration where none is and the query needs one."""
    from vp.query.connection import choose_session  # noqa: PLC0415
    from vp.query.views import RECORDING_VIEWS, SESSION_VIEWS  # noqa: PLC0415

    names = ("symbol", "dt", "start_time", "product_type")
    wanted = set(SESSION_VIEWS) if values["recording"] is not None else {*SESSION_VIEWS, *RECORDING_VIEWS}
    if reads & wanted and all(values[name] is None for name in (*names, "file")):
        from vp.demo.session import DEMO, ensure_demo  # noqa: PLC0415

        ensure_demo(lake.root, lambda share: progress.share("demo", share))
        return choose_session(lake, DEMO.symbol, DEMO.dt, DEMO.start_time, DEMO.product_type, bucket=values["bucket"])
    return choose_session(lake, *(values[name] for name in names), bucket=values["bucket"])


def _put_out(out: Path | None, kind: str, schema: Any, batches: Any) -> None:
    """Write the answer to the file named, whole or not at all, or to standard output."""
    from vp.query import output  # noqa: PLC0415

    if out is None:
        if kind in output.BINARY and sys.stdout.isatty():
            raise BadParameterError(f"A terminal cannot show {kind}.", hint=f"Give --out, for example --out x.{kind}.")
        output.write(kind, schema, batches, sys.stdout.buffer)
        sys.stdout.flush()
        return
    with output_file(out) as file:
        rows = output.write(kind, schema, batches, file)
    cli.say(f"{out}: {rows:,} rows")


if __name__ == "__main__":
    sys.exit(main())
