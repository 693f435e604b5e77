"""`python -m vp.cache`: what the lake's cache holds, and a way to clear it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from vp.errors import LakeError
from vp.files import ENDING, parts_in, remove_part
from vp.programs import command_line as cli

DESCRIPTION = """\
Show what the lake's cache holds: book snapshots, which spare a session the build of its
book, decompressed copies of .zst files, overviews of whole sessions, and surveys of what
raw files hold. All of it may be deleted at any time."""

EPILOG = """\
examples:
  {command}
  {command} --clear decompressed"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("cache", DESCRIPTION, EPILOG), "cache", arguments)
    cli.configure_logging(values["log_level"])

    from vp.lake.cache_budget import KINDS, CacheBudget  # noqa: PLC0415 - --help is fast
    from vp.lake.lake import Lake  # noqa: PLC0415

    budget = CacheBudget(Lake(values["lake"]).cache_dir)
    for kind in KINDS:
        directory = budget.directory / kind.directory
        files = sorted([*(file.path for file in budget.files(kind)), *parts_in(directory)])
        if values["clear"] in (kind.name, "all"):
            deleted, total = clear(files)
            cli.show(f"{kind.name}: {cli.counted(deleted, 'file')} deleted, {total:,} bytes")
        else:
            show(kind.name, directory, files)
    return 0


def show(name: str, directory: Path, files: list[Path]) -> None:
    """Print one cache's files and their sizes."""
    sizes = {path: size for path in files if (size := _size_bytes(path)) is not None}
    cli.show(f"{name}: {cli.counted(len(sizes), 'file')}, {sum(sizes.values()):,} bytes in {directory}")
    for path, size in sizes.items():
        cli.show(f"  {size:>15,}  {path.name}")


def clear(files: list[Path]) -> tuple[int, int]:
    """Delete files, but for parts that somebody writes to just now; returns how many and how many bytes they had.

    Raises
    ------
    LakeError
        One could not be deleted; all others are.
    """
    deleted = total = 0
    left: list[tuple[Path, OSError]] = []
    for path in files:
        size = _size_bytes(path)
        if size is None:
            continue
        try:
            if path.name.endswith(ENDING):
                gone = remove_part(path)
            else:
                path.unlink(missing_ok=True)
                gone = True
        except OSError as error:
            left.append((path, error))
        else:
            deleted, total = deleted + gone, total + size * gone
    if left:
        first, reason = left[0]
        raise LakeError(
            f"{len(left)} of {len(files)} files could not be deleted, the first of them {first}: {reason.strerror}.",
            hint="See who owns the cache, or delete it by hand: all of it may go.",
        )
    return deleted, total


def _size_bytes(path: Path) -> int | None:
    """The size of a file or link itself; None if it has gone meanwhile, as a server replaces files."""
    try:
        return path.lstat().st_size
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
