"""The lake's directories and files, as the file system shows them."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote

from vp.errors import LakeError
from vp.lake.inputs import RawFile
from vp.lake.names import parse_name
from vp.lake.seen import Seen, reason
from vp.market.symbols import canonical_ticker


def symbol_directories(product_dir: Path, seen: Seen | None = None) -> set[str]:
    """The roots and tickers that have a directory, as VP spells them; `seen` and errors as in `names_in`."""
    return {symbol for name in names_in(product_dir, seen) if (symbol := symbol_of_directory(name)) is not None}


def symbol_of_directory(name: str) -> str | None:
    """The root or ticker of a directory; of a class of shares in VP's own spelling. None for other directories."""
    key, _, symbol = name.partition("=")
    if key != "symbol":
        return None
    text = unquote(symbol)
    spelled = canonical_ticker(text)
    return spelled if "." in spelled else text


def raw_file(path: Path, source: str, schema: str = "mbo", seen: Seen | None = None) -> RawFile | None:
    """The raw file at a path; None for foreign names, what is no file, and what cannot be looked at (`seen` tells)."""
    name = parse_name(path.name, schema)
    if name is None:
        return None
    try:
        status = path.stat()
    except OSError as error:
        if seen is not None:
            seen.pass_over(path, error)
        return None
    if not S_ISREG(status.st_mode):
        return None
    if seen is not None:
        seen.found(status.st_mtime_ns)
    return RawFile(path, source, name, status.st_size, status.st_mtime_ns)


def names_in(directory: Path, seen: Seen | None = None) -> list[str]:
    """What stands in a directory, sorted; nothing where there is no such directory.

    Parameters
    ----------
    directory : Path
    seen : Seen, optional
        Takes note of the directory, and of one that cannot be read, which is passed over then.

    Raises
    ------
    LakeError
        It cannot be read, and `seen` is left out.
    """
    if seen is not None:
        seen.depend_on(directory)
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - names alone
    except FileNotFoundError:
        return []
    except OSError as error:
        if seen is not None:
            seen.pass_over(directory, error)
            return []
        raise LakeError(
            f"{directory} cannot be read: {reason(error)}.",
            hint="Expected a directory; see to its rights, or choose another lake with --lake or VP_LAKE.",
        ) from error
