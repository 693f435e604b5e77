"""`python -m vp.cache`: what the lake's cache holds, and a way to clear it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from vp import cli

DESCRIPTION = """\
Show what the lake's cache holds: book snapshots, which spare a session the build of its
book, and decompressed copies of .zst files. All of it may be deleted at any time."""

EPILOG = """\
examples:
  python -m vp.cache
  python -m vp.cache --clear decompressed"""

PATTERNS = {"books": "*.arrow", "decompressed": "*.blocks*"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("cache", DESCRIPTION, EPILOG), "cache", arguments)
    cli.configure_logging(values["log_level"])

    from vp.lake import BOOK_CACHE, DECOMPRESSED_CACHE, Lake  # noqa: PLC0415 - --help is fast

    cache_dir = Lake(values["lake"]).cache_dir
    directories = {"books": cache_dir / BOOK_CACHE, "decompressed": cache_dir / DECOMPRESSED_CACHE}
    for name, directory in directories.items():
        files = sorted(directory.glob(PATTERNS[name]))
        if values["clear"] in (name, "all"):
            total = clear(files)
            print(f"{name}: {len(files)} files deleted, {total:,} bytes")
        else:
            show(name, directory, files)
    return 0


def show(name: str, directory: Path, files: list[Path]) -> None:
    """Print one cache's files and their sizes."""
    sizes = [path.stat().st_size for path in files]
    print(f"{name}: {len(files)} files, {sum(sizes):,} bytes in {directory}")
    for path, size in zip(files, sizes, strict=True):
        print(f"  {size:>15,}  {path.name}")


def clear(files: list[Path]) -> int:
    """Delete files; returns how many bytes they had."""
    total = 0
    for path in files:
        total += path.stat().st_size
        path.unlink()
    return total


if __name__ == "__main__":
    sys.exit(main())
