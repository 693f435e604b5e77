"""Definition files: what they say of instruments, and the tick that one beside a raw file gives a spread."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import databento_dbn

from vp.dbn.file import DbnFile
from vp.dbn.zstd import DAMAGED_HINT
from vp.errors import DamagedFileError, FileError, TruncatedFileError
from vp.lake.layout import definition_directories
from vp.lake.names import parse_name
from vp.market.products import Product, decimals_of
from vp.market.symbols import spelling_key

SCHEMA = "definition"
REMEMBERED_TICKS = 1024

log = logging.getLogger(__name__)


def read_definitions(path: Path) -> Iterator[Any]:
    """The instrument definitions of a file (databento_dbn.InstrumentDefMsg), in file order.

    Raises
    ------
    FileError
        The file is damaged or holds something else.
    """
    file = DbnFile(path, SCHEMA)
    decoder = databento_dbn.DBNDecoder()
    try:
        for block in file.blocks(0):
            decoder.write(block)
            for record in decoder.decode():
                if hasattr(record, "instrument_class"):
                    yield record
    except (databento_dbn.DBNError, ValueError) as error:
        raise DamagedFileError(
            f"{path.name} holds a definition that cannot be read: {error}.", hint=DAMAGED_HINT, path=str(path)
        ) from None
    if decoder.buffer():
        raise TruncatedFileError(f"{path.name} ends within a definition.", hint=DAMAGED_HINT, path=str(path))


def with_defined_tick(product: Product, contract: str, raw_files: Sequence[Path], dates: Sequence[dt.date]) -> Product:
    """A product whose tick is a guess with the tick that a definition file beside the raw files states, if one does.

    Such files lie in the raw file's own directory or in `table=definition` beside it. Of several, those of the
    session's days are looked into first, then the nearest in time. One that is damaged is passed over with a warning.
    """
    if not product.tick_is_guessed:
        return product
    for path in _files_beside(raw_files, contract, dates):
        status = path.stat()
        tick_int = _defined_tick(path, status.st_mtime_ns, status.st_size, contract)
        if tick_int is not None:
            decimals = decimals_of(tick_int)
            return replace(product, tick_int=tick_int, bucket_int=tick_int, decimals=decimals, tick_is_guessed=False)
    return product


def _files_beside(raw_files: Sequence[Path], contract: str, dates: Sequence[dt.date]) -> list[Path]:
    found: dict[Path, tuple[int, str]] = {}
    for raw in raw_files:
        for directory in definition_directories(raw.parent):
            for path in directory.glob(f"*.{SCHEMA}*"):
                name = parse_name(path.name, SCHEMA)
                if name is None or not path.is_file():
                    continue
                if name.symbol is None or "." in name.symbol or spelling_key(name.symbol) == spelling_key(contract):
                    ahead = max((name.first - dates[-1]).days, (dates[0] - name.last).days, 0)
                    found[path] = ahead, path.name
    return sorted(found, key=found.__getitem__)


@lru_cache(maxsize=REMEMBERED_TICKS)
def _defined_tick(path: Path, _mtime_ns: int, _size_bytes: int, contract: str) -> int | None:
    """The smallest price step of a contract by the last definition of it in a file, in 1e-9 units."""
    tick_int: int | None = None
    try:
        for definition in read_definitions(path):
            if definition.raw_symbol == contract and 0 < definition.min_price_increment < 2**63 - 1:
                tick_int = int(definition.min_price_increment)
    except FileError as error:
        log.warning("%s is no help with the tick of %s: %s", path.name, contract, error.message)
    return tick_int
