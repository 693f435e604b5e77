"""`python -m vp.cache`: what the lake's cache holds, and a way to clear it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from vp.errors import LakeError
from vp.files import ENDING
from vp.programs import command_line as cli

DESCRIPTION = """\
Show what the lake's cache holds: book snapshots, which spare a session the build of its
book, decompressed copies of .zst files, and overviews of whole sessions. All of it may be deleted at any time."""

EPILOG = """\
examples:
  {command}
  {command} --clear decompressed"""

UNFINISHED = f".*{ENDING}"
PATTERNS = {
    "books": ("*.arrow", UNFINISHED),
    "decompressed": ("*.blocks", UNFINISHED),
    "overviews": ("*.json", UNFINISHED),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("cache", DESCRIPTION, EPILOG), "cache", arguments)
    cli.configure_logging(values["log_level"])

    from vp.lake.lake import BOOK_CACHE, DECOMPRESSED_CACHE, OVERVIEW_CACHE, Lake  # noqa: PLC0415 - --help is fast

    cache_dir = Lake(values["lake"]).cache_dir
    directories = {
        "books": cache_dir / BOOK_CACHE,
        "decompressed": cache_dir / DECOMPRESSED_CACHE,
        "overviews": cache_dir / OVERVIEW_CACHE,
    }
    for name, directory in directories.items():
        files = sorted(
            path
            for pattern in PATTERNS[name]
            for path in directory.glob(pattern)
            if path.is_symlink() or path.is_file()
        )
        if values["clear"] in (name, "all"):
            total = clear(files)
            print(f"{name}: {len(files)} files deleted, {total:,} bytes")
        else:
            show(name, directory, files)
    return 0


def show(name: str, directory: Path, files: list[Path]) -> None:
    """Print one cache's files and their sizes."""
    sizes = {path: size for path in files if (size := _size_bytes(path)) is not None}
    print(f"{name}: {len(sizes)} files, {sum(sizes.values()):,} bytes in {directory}")
    for path, size in sizes.items():
        print(f"  {size:>15,}  {path.name}")


def clear(files: list[Path]) -> int:
    """Delete files; returns how many bytes they had.

    Raises
    ------
    LakeError
        One could not be deleted; all others are.
    """
    total = 0
    left: list[tuple[Path, OSError]] = []
    for path in files:
        size = _size_bytes(path) or 0
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            left.append((path, error))
        else:
            total += size
    if left:
        first, reason = left[0]
        raise LakeError(
            f"{len(left)} of {len(files)} files could not be deleted, the first of them {first}: {reason.strerror}.",
            hint="See who owns the cache, or delete it by hand: all of it may go.",
        )
    return total


def _size_bytes(path: Path) -> int | None:
    """The size of a file or link itself; None if it has gone meanwhile, as a server replaces files."""
    try:
        return path.lstat().st_size
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
