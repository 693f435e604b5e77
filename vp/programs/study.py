"""`python -m vp.study`: what score and state foretold of the mid, with intervals, controls and a verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vp.errors import BadParameterError
from vp.output_file import output_path
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.model.parameters import ModelParameters
    from vp.study.request import RecordingFiles

DESCRIPTION = """\
Measure what score, state and other columns of frames foretold about the mid of sessions,
beside queue imbalance, order flow and momentum, with intervals and controls. The first
sentence is the verdict, which may be that there is too little to tell."""

EPILOG = """\
examples:
  {command}
      the demonstration session, the report as Markdown on standard output
  {command} --product-type future_mbo --symbol ESH4 --dt 2023-12-25 \\
      --start-time 18:00 --out es.html
      a session out of the lake: es.html with plots, es.md, and es.parquet with every figure
  {command} --symbol MNQ --parameters default,touch \\
      --choose 2026-02-02..2026-02-03 --report 2026-02-04..2026-02-06 --out mnq.html
      the better of two sets of parameters on two days, reported on three others
  {command} --recording mon.parquet --recording tue.parquet --out two.html
      two recordings that vp.record made

Exit code 0: done, whatever the verdict; 2: what was asked for does not exist; 1: something
could not be used (lake, file)."""

ENDING = ".html"
# Of numpy's products, which is not loaded yet: many small ones follow each other, and on a machine that is busy threads
# wait for each other ten times as long as one takes alone.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")
OF_A_SESSION = ("product_type", "symbol", "dt", "trading_day", "start_time", "end_time", "file", "bucket", "parameters")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("study", DESCRIPTION, EPILOG), "study", arguments)
    cli.configure_logging(values["log_level"])
    os.environ.setdefault(*ONE_THREAD)

    from vp.demo.session import ensure_demo  # noqa: PLC0415 - --help is fast
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.model.compilation import ensure_compiled  # noqa: PLC0415
    from vp.model.found_session import judge  # noqa: PLC0415
    from vp.model.session import SessionSpec  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415
    from vp.study.request import StudyRequest, judge_request  # noqa: PLC0415
    from vp.study.run import run_study  # noqa: PLC0415
    from vp.study.verdict import sentences  # noqa: PLC0415

    lake = Lake(values["lake"], values["products"])
    out = None if values["out"] is None else output_path(values["out"], lake.root, (ENDING,))
    sets: tuple[tuple[str, ModelParameters], ...] = ()
    source: SessionSpec | RecordingFiles
    if values["recording"]:
        source, demonstration = recording_files(values), False
    else:
        sets = parameter_sets(values["parameters"])
        values["dt"] = values["dt"] or values["report"]
        demonstration = cli.choose_session(values)
        source = cli.session_spec(values, sets[0][1])
    request = StudyRequest(
        source,
        sets,
        values["choose"],
        values["report"],
        values["every_seconds"],
        values["columns"],
        values["fees"],
        values["seed"],
        values["cross_check"],
    )
    judge_request(request)
    with TerminalProgress() as progress:
        if isinstance(source, SessionSpec):
            judge(source, look=False)
            ensure_compiled(lambda share: progress.share("compile", share), demonstration=demonstration, sampling=True)
        if demonstration:
            ensure_demo(lake.root, lambda share: progress.share("demo", share))
        cli.started()
        study = run_study(request, progress, lambda share: progress.share("live", share))
    if out is None:
        from vp.study.rendering import markdown  # noqa: PLC0415
        from vp.study.report import report  # noqa: PLC0415

        sys.stdout.write(markdown(report(study)))
        return 0
    from vp.study.report_files import write  # noqa: PLC0415

    for path in write(study, out):
        cli.say(f"written: {path}")
    print(" ".join(sentences(study)))
    return 0


def recording_files(values: Mapping[str, Any]) -> RecordingFiles:
    """The recordings that --recording names.

    Raises
    ------
    BadParameterError
        A session is named too, or what a recording has settled when it was made.
    """
    from vp.study.request import RecordingFiles  # noqa: PLC0415 - --help is fast

    why = "A recording is studied as it was made: leave one of the two out."
    cli.refuse_beside("--recording", OF_A_SESSION, values, why)
    return RecordingFiles(tuple(map(Path, values["recording"])), values["lake"], values["products"])


def parameter_sets(texts: Sequence[str]) -> tuple[tuple[str, ModelParameters], ...]:
    """The sets that --parameters names, each under the text that names it.

    Commas part names of presets and files; a text with name:value in it is one set.

    Raises
    ------
    BadParameterError
        One of them is no set of parameters.
    """
    from vp.model.parameter_texts import read_parameters  # noqa: PLC0415 - heavy, and not needed for --help

    names: list[str] = []
    for text in texts or ("default",):
        names += [text.strip()] if ":" in text else [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise BadParameterError("parameters names no set.", hint="For example --parameters default,touch.")
    return tuple((name, read_parameters(name)) for name in names)


if __name__ == "__main__":
    sys.exit(main())
