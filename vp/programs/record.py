"""`python -m vp.record`: the frames of a session into a file, by the same pipeline that serves them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vp.errors import BadParameterError
from vp.output_file import output_path
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.dbn.accounting import Accounting

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("record", DESCRIPTION, EPILOG), "record", arguments)
    cli.configure_logging(values["log_level"])

    from vp.demo.session import ensure_demo  # noqa: PLC0415 - --help is fast
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.model.compilation import ensure_compiled  # noqa: PLC0415
    from vp.model.found_session import judge  # noqa: PLC0415
    from vp.model.frame_columns import judge_fields  # noqa: PLC0415
    from vp.model.recording_file import ENDINGS  # noqa: PLC0415
    from vp.model.recording_task import RecordingTask  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415

    lake = Lake(values["lake"], values["products"])
    if values["out"] is None:
        raise BadParameterError("--out is missing.", hint="For example --out mnq.parquet.")
    out = output_path(values["out"], lake.root, ENDINGS)
    judge_fields(values["fields"])
    parameters = cli.model_parameters(values)
    demonstration = cli.choose_session(values)  # the last, as it may look into a file
    spec = cli.session_spec(values, parameters)
    judge(spec, look=not demonstration)
    started = time.monotonic()
    with TerminalProgress() as progress:
        ensure_compiled(lambda share: progress.share("compile", share), demonstration=demonstration)
        if demonstration:
            ensure_demo(lake.root, lambda share: progress.share("demo", share))
        task = RecordingTask(spec, values["fields"])
        made = task.run(out, task.digest(), progress, lambda share: progress.share("live", share), cli.started)
    if made.emptiness is not None:
        cli.say(f"WARNING: The recording is empty: {made.emptiness}")
    for notice in made.notices:
        cli.say(f"WARNING: {notice}")
    found = {"anomalies": made.anomalies, "before the start": made.anomalies_before}
    cli.show(summary(out, made.frames, made.accounting, found, time.monotonic() - started, made.incomplete))
    return 0


def summary(
    out: Path,
    frames: int,
    records: Accounting,
    anomalies: Mapping[str, Mapping[str, int]],
    seconds: float,
    incomplete: str | None = None,
) -> str:
    """The last line: what came of it; `anomalies` by when they were, each by name; `incomplete`: what is of its end."""
    found = ", ".join(_listed(when, counts) for when, counts in anomalies.items())
    return f"{out}: {frames:,} frames, {records}, {found}, {seconds:.1f} seconds" + (
        f", {incomplete[0].lower()}{incomplete[1:].removesuffix('.')}" if incomplete else ""
    )


def _listed(when: str, counts: Mapping[str, int]) -> str:
    found = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    return f"{sum(counts.values()):,} {when}" + (f" ({found})" if found else "")


if __name__ == "__main__":
    sys.exit(main())
