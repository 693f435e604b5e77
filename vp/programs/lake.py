"""`python -m vp.lake`: what the lake holds, and laying files into it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vp.errors import BadParameterError, NoRawFileError
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.lake.lake import Lake

DESCRIPTION = """\
Show what the lake holds, or lay files into it: each to its place by what it says itself,
whatever its name. Or make one checked file of a finished day's live recording. Nothing
that is there is ever changed."""

EPILOG = """\
examples:
  {command} list
      every raw file, and what is passed over and why
  {command} import ~/Downloads/GLBX-20260206-ABCDEF --dry-run
      where the files of a job would go
  {command} import ~/Downloads/GLBX-20260206-ABCDEF
      links to all of them, or to none; --copy makes copies
  {command} seal 2026-02-06
      what `vp capture` recorded that day, as one .dbn.zst, and the gaps in it

Exit code 0: done; 1: nothing could be imported, or the lake cannot be used; 2: what was
asked for does not exist."""

ACTIONS = ("import", "list", "seal")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    parser = cli.parser("lake", DESCRIPTION, EPILOG)
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="import, list or seal.")
    parser.add_argument(
        "paths", nargs="*", default=[], metavar="PATH", help="Files and directories to import, or the date to seal."
    )
    values = cli.parse(parser, "lake", arguments)
    cli.configure_logging(values["log_level"])
    if values["action"] == "seal":
        return _seal(values)
    paths = [Path(path).expanduser() for path in values["paths"]]
    if values["action"] == "list" and (paths or any(values[name] for name in ("copy", "link", "dry_run"))):
        raise BadParameterError("list takes no paths and none of --copy, --link and --dry-run.", hint="import does.")
    if values["copy"]:
        cli.refuse_beside("--copy", ("link",), values, "Give one of them, or none for links.")
    if values["action"] == "import":
        if not paths:
            raise BadParameterError("There is nothing to import.", hint="Name files or directories.")
        missing = next((path for path in paths if not path.exists()), None)
        if missing is not None:
            raise NoRawFileError(f"There is no file or directory {str(missing)!r}.", hint="See to its spelling.")

    from vp.lake.lake import Lake  # noqa: PLC0415 - --help is fast

    lake = Lake(values["lake"], values["products"])
    return _list(lake) if values["action"] == "list" else _import(lake, paths, values)


def _seal(values: dict[str, Any]) -> int:
    if len(values["paths"]) != 1 or any(values[name] for name in ("copy", "link", "dry_run")):
        raise BadParameterError("seal takes one date and nothing else.", hint="For example seal 2026-02-06.")
    from vp.capture.sealing import seal  # noqa: PLC0415
    from vp.lake.lake import Lake  # noqa: PLC0415
    from vp.market.session_hours import from_ns, parse_date  # noqa: PLC0415

    for one in seal(Lake(values["lake"], values["products"]), parse_date(values["paths"][0])):
        aside = f", {one.set_aside} set aside" if one.set_aside else ""
        segments = cli.counted(one.segments, "segment")
        print(
            f"{one.path}: {segments}{aside}, {one.records:,} records, {one.repeated:,} repeated ones left "
            f"out, {one.bytes:,} bytes before compression"
        )
        for gap in one.gaps:
            start, end = (f"{from_ns(time_ns):%H:%M:%S.%f}" for time_ns in (gap.start_ns, gap.end_ns))
            print(f"  {'bridged' if gap.bridged else 'GAP'}  {start} to {end} UTC: {gap.reason}")
        if one.ended:
            print(f"  it ends before its session: {one.ended}")
    return 0


def _list(lake: Lake) -> int:
    from vp.dbn.raw_listing import listed_files  # noqa: PLC0415

    held = passed_over = total = 0
    for one in listed_files(lake):
        if one.passed_over:
            passed_over += 1
            cli.show(f"passed over  {one.path}: {one.passed_over}")
        else:
            held += 1
            total += one.size_bytes
            cli.show(f"{one.size_bytes:>15,}  {one.path}: {one.holds}")
    cli.show(f"{lake.root}: {cli.counted(held, 'raw file')}, {total:,} bytes; {passed_over} passed over")
    return 0


def _import(lake: Lake, paths: Sequence[Path], values: dict[str, Any]) -> int:
    from vp.dbn.placement import placements, raw_files_among  # noqa: PLC0415
    from vp.lake.importing import COPIED, LINKED, THERE, Step, check, lay  # noqa: PLC0415

    steps: list[Step] = []
    there = passed_over = 0
    for one in placements(lake, raw_files_among(paths)):
        if one.refused:
            passed_over += 1
            cli.show(f"passed over  {one.file}: {one.refused}")
        for place in one.places:
            step = Step(one.file, place)
            found = check(step)
            there += found == THERE
            passed_over += found not in ("", THERE)
            if found:
                cli.show(f"{found if found == THERE else 'passed over'}  {one.file}: {_where(lake, place, found)}")
            else:
                steps.append(step)
    if not values["dry_run"]:
        lay(steps, copy=values["copy"])
    done = "would be " * values["dry_run"] + (COPIED if values["copy"] else LINKED)
    for step in steps:
        cli.show(f"{done}  {step.file} -> {step.place.relative_to(lake.root)}")
    cli.show(f"{lake.root}: {len(steps)} {done}, {there} there already, {passed_over} passed over")
    return 0 if steps or there else 1


def _where(lake: Lake, place: Path, found: str) -> str:
    from vp.lake.importing import THERE  # noqa: PLC0415

    relative = place.relative_to(lake.root)
    return str(relative) if found == THERE else f"{relative} is there already, and is another file"


if __name__ == "__main__":
    sys.exit(main())
