"""What lies among a lake's raw files: what can be played, and what is passed over and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from vp.dbn.file import DbnFile
from vp.errors import FileError, RequestError
from vp.lake.directories import symbol_of_directory
from vp.lake.lake import Lake
from vp.lake.layout import ENDINGS, LAYOUT, Place
from vp.lake.names import parse_name
from vp.market.products import PRODUCT_TYPES

NOTE_ENDINGS = (".dbn.json", ".segments.jsonl")  # they tell of raw files and are none
LISTED_CONTRACTS = 4


@dataclass(frozen=True)
class ListedFile:
    """One file or directory below `raw`.

    Attributes
    ----------
    path : Path
        Relative to the lake's root.
    size_bytes : int
    holds : str
        What it holds, as a person reads it; "" where it is passed over.
    passed_over : str
        Why it is; "" where it is not.
    """

    path: Path
    size_bytes: int
    holds: str = ""
    passed_over: str = ""


def listed_files(lake: Lake) -> Iterator[ListedFile]:
    """Every file below `raw`, by path; of each raw file the header is read, and no more."""
    raw = lake.root / "raw"
    seen: set[str] = set()
    unreadable: list[OSError] = []
    for directory, names, files in os.walk(raw, onerror=unreadable.append, followlinks=True):
        seen.add(os.path.realpath(directory))
        for name in sorted(names):
            path = Path(directory) / name
            if path.is_symlink() and os.path.realpath(path) in seen:  # it leads in a circle, or to what has been listed
                names.remove(name)
                yield ListedFile(path.relative_to(lake.root), 0, passed_over=f"it is a link to {path.resolve()}")
        names.sort()
        for name in sorted(files):
            path = Path(directory) / name
            if name.endswith(NOTE_ENDINGS):
                continue
            try:
                status = path.stat()
            except OSError as error:
                yield ListedFile(path.relative_to(lake.root), 0, passed_over=f"it cannot be read: {error.strerror}")
                continue
            if not S_ISREG(status.st_mode):  # a pipe would be waited for
                yield ListedFile(path.relative_to(lake.root), 0, passed_over="it is no file")
                continue
            holds, why = _judge(lake, path, path.relative_to(raw), status.st_size)
            yield ListedFile(path.relative_to(lake.root), status.st_size, holds, why)
    for refused in unreadable:
        if not isinstance(refused, FileNotFoundError):  # gone meanwhile, or no lake at all
            path = Path(str(refused.filename)).relative_to(lake.root)
            yield ListedFile(path, 0, passed_over=f"it cannot be read: {refused.strerror}")


def _judge(lake: Lake, path: Path, below: Path, size_bytes: int) -> tuple[str, str]:
    """What a file holds, or why it is passed over."""
    place = _place(below)
    if place is None:
        return "", "no data have this place; `vp lake import` puts files where they belong"
    name = parse_name(path.name, place.schema)
    if name is None:
        if path.name.startswith(".") or path.name.endswith(".part"):
            return "", "it is not whole"
        foreign = path.name.endswith(ENDINGS)
        return (
            "",
            "its name does not say what it holds; `vp lake import` gives it one" if foreign else "it is no raw file",
        )
    if size_bytes == 0:
        return "", "it is empty"
    symbol = symbol_of_directory(below.parts[2]) or ""
    if place.product_type in PRODUCT_TYPES:
        try:
            root = lake.products.find(place.product_type, symbol).root
        except RequestError as error:
            return "", error.message.removesuffix(".")
        if root != symbol:
            return "", f"{symbol} is no root or ticker; its place is symbol={root}"
    try:
        file = DbnFile(path, place.schema)
    except (FileError, OSError) as error:
        what = error.message if isinstance(error, FileError) else str(error.strerror)
        return "", what.removeprefix(f"{path.name} ").removesuffix(".")
    days = str(name.first) + (f" to {name.last}" if name.last != name.first else "")
    names = sorted({mapping.raw_symbol for mapping in file.mappings})
    shown = ", ".join(names[:LISTED_CONTRACTS]) + (f" and {len(names) - LISTED_CONTRACTS} more" * (len(names) > 4))
    return f"{place.product_type} {symbol} {days} {place.schema}" + (f": {shown}" if names else ""), ""


def _place(below: Path) -> Place | None:
    """The kind of data of a file by its directories, below `raw`."""
    if len(below.parts) != 5:
        return None
    keys = dict(part.partition("=")[::2] for part in below.parts[:4])
    found = (one for one in LAYOUT if (one.product_type, one.table) == (keys.get("product_type"), keys.get("table")))
    places = list(found)
    return next((one for one in places if f".{one.schema}." in below.name), places[0] if places else None)
