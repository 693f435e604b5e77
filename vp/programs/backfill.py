"""`python -m vp.backfill`: every session of some symbols and days recorded, but for those that are there already."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from vp.errors import BadParameterError, VPError
from vp.output_file import output_directory
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.backfill.finished import FinishedOutputs
    from vp.backfill.job import Job, Outcome
    from vp.backfill.local_engine import LocalEngine
    from vp.backfill.object_plan import ObjectPlaces
    from vp.backfill.plan import Plan, Refusal, Request
    from vp.backfill.ray_engine import RayEngine
    from vp.backfill.report import Tally

DESCRIPTION = """\
Record every session of some symbols and days that the lake holds, a Parquet file a session,
the same as vp.record writes. What is there already, of the same inputs, request and
software, is left as it is: run it again after it was stopped, or after new files came."""

EPILOG = """\
examples:
  {command} --symbols ES,MNQ --start 2026-01-02 --end 2026-03-31 --out frames --dry-run
      what there is to do, and nothing else
  {command} --symbols ES,MNQ --start 2026-01-02 --end 2026-03-31 \\
      --start-time 09:30 --end-time 16:00 --throttle-ms 100 --fields pressure,vacuum --out frames
      the regular hours of a quarter, ten frames a second, two grids
  {command} --symbols ES --lake s3://market/lake --out s3://market/frames
      out of and into object storage, with the credentials of the environment
  {command} --out frames --then study
      everything that the lake holds of futures, a study of each day, and one of all days

Exit code 0: every session is there; 1: some are not, and the table says why, or something
could not be used (lake, directory); 2: what was asked for cannot be. Ctrl-C leaves whole
files and no others."""

LINE_SECONDS = 10.0
MEMORY_SHARE = 0.9  # of what is free; the rest is for files that the system keeps in memory
STUDY = "study"
STAGING = "staging"
RAY = "ray"
ERASED_LINE = "\r\x1b[K"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("backfill", DESCRIPTION, EPILOG), "backfill", arguments)
    cli.configure_logging(values["log_level"])

    from vp.backfill.finished import FinishedOutputs  # noqa: PLC0415 - --help is fast
    from vp.backfill.job import RecordingJob  # noqa: PLC0415
    from vp.backfill.report import Tally  # noqa: PLC0415
    from vp.backfill.study_job import study_jobs  # noqa: PLC0415

    places = _object_places(values)
    engine = _engine(values)
    with TemporaryDirectory(prefix="vp-outline-") as root:
        request = _request(values, places, root)
        planned = _plan(request, places, root)
    again = f" ({len(planned.outdated)} of them again)" if planned.outdated else ""
    cli.say(f"{cli.counted(len(planned.jobs), 'session')} to record{again}, {len(planned.done)} done before")
    if values["dry_run"]:
        for job in planned.jobs:
            cli.show(f"{job.name}  {job.size_bytes / 1e6:,.1f} MB  {job.place}")
        return _report(Tally(()), planned.refused)
    if places is not None and places.target is not None:
        return _run(engine, Tally(planned.jobs), planned.refused)
    _make_directory(request.out)
    outputs = FinishedOutputs(request.out)
    try:
        code = _run(engine, Tally(planned.jobs), planned.refused, outputs)
    finally:
        outputs.remember()
    if values["then"] == STUDY:
        ended = [job for job in (*planned.done, *planned.jobs) if isinstance(job, RecordingJob)]
        recorded = [job for job in ended if outputs.digest(job.out) == job.digest]
        studies = Tally([job for job in study_jobs(recorded) if not job.is_done])
        code = max(code, _run(engine, studies, ()))
    return code


def _make_directory(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VPError(
            f"The directory {str(out)!r} cannot be made: {error.strerror or error}.",
            hint="Choose a place by --out that this user may write to.",
        ) from error


def _object_places(values: dict[str, Any]) -> ObjectPlaces | None:
    """What of it lies in object storage; None: nothing. `lake` has the value of the environment from here on."""
    from vp.backfill.object_plan import ObjectPlaces  # noqa: PLC0415
    from vp.kernels.user_cache import user_cache_directory  # noqa: PLC0415
    from vp.lake.lake import LAKE_VARIABLE  # noqa: PLC0415
    from vp.objects.location import is_location, parse_location  # noqa: PLC0415
    from vp.objects.staging import Staging  # noqa: PLC0415
    from vp.settings.forms import BYTES_PER_GB  # noqa: PLC0415

    values["lake"] = values["lake"] or os.environ.get(LAKE_VARIABLE)
    source, target = (
        parse_location(name, values[name]) if is_location(values[name]) else None for name in ("lake", "out")
    )
    if source is None and target is None:
        return None
    if values["then"] is not None:
        raise BadParameterError(
            "--then needs a lake and recordings on a disk.", hint="Record first; `vp study --recording` studies those."
        )
    below = values["staging_directory"] or user_cache_directory()
    if below is None:
        raise BadParameterError(
            "There is no place to stage objects in.", hint="For example --staging-directory /srv/vp."
        )
    directory = Path(below).expanduser().absolute() / STAGING
    return ObjectPlaces(source, target, Staging(directory, round(values["staging_limit_gb"] * BYTES_PER_GB)))


def _plan(request: Request, places: ObjectPlaces | None, root: str) -> Plan:
    from vp.backfill.object_plan import plan_objects  # noqa: PLC0415
    from vp.backfill.plan import plan  # noqa: PLC0415

    return plan(request) if places is None else plan_objects(request, places, Path(root))


def _request(values: dict[str, Any], places: ObjectPlaces | None, outline: str) -> Request:
    """What the options ask for; raises what is wrong with it by itself. A lake in object storage has an outline."""
    from vp.backfill.plan import Request  # noqa: PLC0415
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.model.frame_columns import judge_fields  # noqa: PLC0415

    if values["out"] is None:
        raise BadParameterError("--out is missing.", hint="For example --out frames.")
    first, last = values["start"], values["end"]
    if first is not None and last is not None and last < first:
        raise BadParameterError(f"The days were {first} to {last}, expected the first before the last.")
    judge_fields(values["fields"])
    lake = values["lake"] if places is None or places.source is None else outline
    root = Lake(lake, values["products"]).root.absolute()  # processes elsewhere have directories of their own
    if places is not None and places.target is not None:
        out = places.staging.directory
    else:
        out = output_directory(values["out"], root).absolute()
    products = None if values["products"] is None else str(Path(values["products"]).absolute())
    # Each file is read once: a decompressed copy is not worth its disk.
    every = {
        **values,
        **{"symbol": "", "dt": "", "lake": str(root), "products": products, "decompressed_limit_gb": 0.0},
    }
    return Request(
        cli.session_spec(every, cli.model_parameters(values)), values["symbols"], first, last, values["fields"], out
    )


def _engine(values: dict[str, Any]) -> LocalEngine | RayEngine:
    from vp.backfill.local_engine import LocalEngine  # noqa: PLC0415
    from vp.backfill.machine import available_bytes, processors  # noqa: PLC0415
    from vp.backfill.ray_engine import RayEngine  # noqa: PLC0415
    from vp.settings.forms import BYTES_PER_GB  # noqa: PLC0415

    memory_gb = values["memory_limit_gb"]
    memory_bytes = MEMORY_SHARE * available_bytes() if memory_gb is None else memory_gb * BYTES_PER_GB
    workers = values["workers"] or processors()
    if values["engine"] == RAY:
        return RayEngine(values["address"], workers)
    if values["address"] is not None:
        raise BadParameterError("--address is of a Ray cluster, and the engine is local.", hint="Add --engine ray.")
    return LocalEngine(workers, round(memory_bytes), values["log_level"])


def _run(
    engine: LocalEngine | RayEngine, tally: Tally, refused: Sequence[Refusal], outputs: FinishedOutputs | None = None
) -> int:
    """Run jobs and say what came of them, however it ends; the exit code. `outputs` takes notice of recordings."""
    from vp.model.compilation import ensure_compiled  # noqa: PLC0415
    from vp.programs.progress import TerminalProgress  # noqa: PLC0415

    try:
        if tally.jobs:
            with TerminalProgress() as progress:
                ensure_compiled(lambda share: progress.share("compile", share))
            lines = _ProgressLines(tally)
            for job, outcome in engine.run(tally.jobs, lines.hear):
                lines.end(job, outcome)
                if outputs is not None and outcome.result is not None:
                    outputs.digest(job.out)
    finally:
        code = _report(tally, refused)
    return code


def _report(tally: Tally, refused: Sequence[Refusal]) -> int:
    """Print the table; the exit code."""
    from vp.backfill.report import table  # noqa: PLC0415

    for line in table(tally, refused):
        cli.show(line)
    return 1 if tally.failed or tally.left or refused else 0


class _ProgressLines:
    """How far a backfill is: where someone watches one line that changes, else a line now and then."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._watched = sys.stderr.isatty()
        self._told_seconds = time.monotonic()

    def hear(self, job: Job, share: float) -> None:
        self._tally.hear(job, share)
        if self._watched or time.monotonic() - self._told_seconds >= LINE_SECONDS:
            self._tell()

    def end(self, job: Job, outcome: Outcome) -> None:
        self._tally.add(job, outcome)
        if outcome.result is None:
            self._clear()
            cli.say(f"{job.name} failed: {outcome.message}")
        if self._watched or time.monotonic() - self._told_seconds >= LINE_SECONDS or not self._tally.left:
            self._tell()
            if self._watched and not self._tally.left:
                cli.say("")

    def _tell(self) -> None:
        self._told_seconds = time.monotonic()
        self._clear()
        sys.stderr.write(self._tally.line() + ("" if self._watched else "\n"))
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._watched:
            sys.stderr.write(ERASED_LINE)


if __name__ == "__main__":
    sys.exit(main())
