"""Where a raw file belongs in a lake, by its own metadata and whatever its name."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from vp.dbn.contents import Contents
from vp.dbn.lone_file import dataset_in_names, days_held, product_type_of
from vp.dbn.symbol_mappings import UNDEFINED_TIME
from vp.errors import FileError, RequestError
from vp.lake.importing import is_same
from vp.lake.lake import Lake
from vp.lake.layout import ENDINGS, place_of
from vp.lake.names import parse_name
from vp.market.products import is_contract
from vp.market.session_hours import from_ns

MOST_PRODUCTS = 2000  # in one job of Databento's
LISTED_NAMES = 5
SAFE = "!#$&'()+,-.=@^_~ "  # what a name of a file may have besides letters and digits; the rest is escaped


@dataclass(frozen=True)
class Placement:
    """A file and its places; `refused` says why it has none.

    Attributes
    ----------
    file : Path
    places : tuple of Path
        One for each root or ticker that it holds.
    refused : str
        "" where it has places.
    start_ns : int
        When its records begin, ns UTC; 0 where nobody knows.
    """

    file: Path
    places: tuple[Path, ...] = ()
    refused: str = ""
    start_ns: int = 0


def placements(lake: Lake, files: Sequence[Path]) -> list[Placement]:
    """Where each file belongs. Files that would have the same name, as those split by size, are numbered parts.

    Of those with the same bytes, one has a place.
    """
    found = [_placement(lake, file) for file in files]
    by_place: dict[Path, list[int]] = {}
    for i, one in enumerate(found):
        for place in one.places:
            by_place.setdefault(place, []).append(i)
    for place, rivals in by_place.items():
        kept: list[int] = []
        for i in sorted(rivals, key=lambda i: (found[i].start_ns, found[i].file.name)):
            twin = next((found[j].file for j in kept if is_same(found[i].file, found[j].file)), None)
            if twin is None:
                kept.append(i)
            else:  # as a part of its own, its day would be played twice
                others = tuple(one for one in found[i].places if one != place)
                found[i] = replace(found[i], places=others, refused=f"it is the same as {twin}")
        for number, i in enumerate(kept if len(kept) > 1 else [], 1):
            part = _with_part(place, number)
            found[i] = replace(found[i], places=tuple(part if one == place else one for one in found[i].places))
    return found


def _placement(lake: Lake, file: Path) -> Placement:
    if file.exists() and not file.is_file():  # a pipe would be waited for
        return Placement(file, refused="it is no file")
    if not file.name.endswith(ENDINGS):
        return Placement(file, refused="its name ends in neither .dbn nor .dbn.zst")
    try:
        contents = Contents(file)
        return _place(lake, file, contents)
    except FileError as error:
        return Placement(file, refused=error.message.removeprefix(f"{file.name} ").removesuffix("."))
    except OSError as error:
        return Placement(file, refused=f"it cannot be read: {error.strerror or error}")


def _place(lake: Lake, file: Path, contents: Contents) -> Placement:
    kind = product_type_of(contents)
    names = sorted({mapping.raw_symbol for mapping in contents.mappings})
    if not names:
        return Placement(file, refused="it does not say which symbols it holds; play it with --file")
    roots, contracts = set(), set()
    for name in names:
        try:
            product = lake.products.find(kind, name)
        except RequestError:
            continue
        roots.add(product.root)
        contracts |= {name} if is_contract(product, name) else set()
    if not roots:
        shown = ", ".join(names[:LISTED_NAMES]) + (", ..." if len(names) > LISTED_NAMES else "")
        return Placement(file, refused=f"no known product is among its symbols ({shown}); products.yaml can name more")
    if len(roots) > MOST_PRODUCTS:
        return Placement(
            file, refused=f"it holds {len(roots)} products, more than the {MOST_PRODUCTS} that have a place"
        )
    dates = days_held(contents)
    if not dates:
        return Placement(file, refused="it holds no market-by-order records")
    name = _name(file, contents, dates, sorted(contracts), len(names))
    start_ns = _start_ns(contents)
    place = place_of(kind, "mbo")
    return Placement(file, tuple(lake.directory(place, root) / name for root in sorted(roots)), start_ns=start_ns)


def _name(file: Path, contents: Contents, dates: Sequence[dt.date], contracts: Sequence[str], symbols: int) -> str:
    """The file's own name where it says what is true; else one that does."""
    dataset = dataset_in_names(contents)
    said = parse_name(file.name)
    tells_truth = (
        said is not None
        and said.compressed == contents.file.compressed
        and said.dataset == dataset
        and said.first <= dates[0]
        and dates[-1] <= said.last
    )
    if tells_truth:
        return file.name
    days = f"{dates[0]:%Y%m%d}" + (f"-{dates[-1]:%Y%m%d}" if dates[-1] != dates[0] else "")
    rest = ""
    if contents.file.mixed and not contents.file.compressed and dates[0] == dates[-1]:
        began = from_ns(_start_ns(contents))
        rest = f".{began:%H%M%S%f}"
    elif symbols == 1 and contracts:
        rest = f".{quote(contracts[0], safe=SAFE)}"
    return f"{dataset}-{days}.mbo{rest}{ENDINGS[contents.file.compressed]}"


def _start_ns(contents: Contents) -> int:
    """When a file's records begin: as its header states it, else the time of the first of them."""
    file = contents.file
    if file.start_ns > 0:
        return file.start_ns
    with contextlib.closing(file.blocks()) as blocks:
        head = next(blocks, b"")
    return int.from_bytes(head[8:16], "little") % UNDEFINED_TIME


def _with_part(place: Path, number: int) -> Path:
    ending = next(ending for ending in sorted(ENDINGS, key=len, reverse=True) if place.name.endswith(ending))
    return place.with_name(f"{place.name.removesuffix(ending)}.{number:04d}{ending}")


def raw_files_among(paths: Iterable[Path]) -> list[Path]:
    """Every file of these paths, directories walked, each once and in order; hidden ones are left out."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for below in sorted(path.rglob("*")):
            if below.is_file() and not any(part.startswith(".") for part in below.relative_to(path).parts):
                found[below] = None
    return list(found)
