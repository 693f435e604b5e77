"""A file that a user names to be written: refused before any work where it cannot be, else written whole or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vp.errors import BadParameterError, VPError
from vp.files import written_whole


def output_path(name: str, lake_root: Path, endings: tuple[str, ...] = ()) -> Path:
    """The path that a user named.

    Parameters
    ----------
    name : str
    lake_root : Path
        Nothing is written among its raw files.
    endings : tuple of str
        Those that the name may have; none: any.

    Raises
    ------
    BadParameterError
        Another ending, a directory, no directory to lie in, or a place among the raw files.
    """
    out = Path(name).expanduser()
    if "://" in name:
        raise BadParameterError(
            "out was an address, expected a file.", hint="Only `vp backfill` writes to object storage."
        )
    if endings and out.suffix not in endings:
        raise BadParameterError(
            f"out was {name!r}, expected a name that ends in {' or '.join(endings)}.",
            hint=f"For example --out mnq{endings[-1]}.",
        )
    if out.is_dir():
        raise BadParameterError(f"out was {name!r}, which is a directory.", hint="Name a file in it.")
    if not out.parent.is_dir():
        raise BadParameterError(
            f"out was {name!r}, but there is no directory {str(out.parent)!r}.", hint="Make it first."
        )
    _refuse_among_raw_files(name, out, lake_root)
    return out


def output_directory(name: str, lake_root: Path) -> Path:
    """The directory that a user named, which need not be there yet.

    Raises
    ------
    BadParameterError
        Something else stands there, or on the way there, or it lies among the raw files of the lake.
    """
    out = Path(name).expanduser()
    there = next(path for path in (out, *out.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise BadParameterError(
            f"out was {name!r}, but {str(there)!r} is no directory.", hint="Name a directory, or a place for one."
        )
    _refuse_among_raw_files(name, out, lake_root)
    return out


def _refuse_among_raw_files(name: str, out: Path, lake_root: Path) -> None:
    if out.resolve().is_relative_to((lake_root / "raw").resolve()):
        raise BadParameterError(
            f"out was {name!r}, which lies among the lake's raw files; nothing is written there.",
            hint="Choose a place outside of raw/.",
        )


@contextmanager
def output_file(out: Path) -> Iterator[BinaryIO]:
    """The file to write to; it is there once the block ends well.

    Raises
    ------
    VPError
        The system could not write it.
    """
    try:
        with written_whole(out) as file:
            yield file
    except OSError as error:
        raise VPError(
            f"Cannot write {str(out)!r}: {error.strerror or error}.",
            hint="Choose a place with room that this user may write to.",
        ) from error
