"""A session's input: which contract is meant, and the files that hold it, in the order in which they are read."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from vp.dbn.contract_search import ContractSearch, InputFile
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.file import DbnFile
from vp.dbn.kept_surveys import KeptSurveys
from vp.dbn.reader import CHUNK_ROWS, EventReader
from vp.dbn.session_reader import SessionReader
from vp.lake.inputs import RawFile
from vp.lake.lake import Lake, listed
from vp.lake.session_entry import QUIET_WEEKDAYS
from vp.market.products import Product, is_contract

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionInput:
    """What a session is played from.

    Attributes
    ----------
    contract : str
        Its name: the symbol asked for, or that of the busiest contract.
    files : tuple of InputFile
        One or more, in the order in which they are read.
    """

    contract: str
    files: tuple[InputFile, ...]

    @property
    def raw_files(self) -> tuple[RawFile, ...]:
        """The files alone."""
        return tuple(file.raw for file in self.files)

    @property
    def source(self) -> str:
        """Where the first file comes from: databento, generated or file."""
        return self.files[0].raw.source


def find_input(
    lake: Lake, product: Product, symbol: str, dates: Sequence[dt.date], surveys: KeptSurveys | None = None
) -> SessionInput:
    """Find a session's contract and its files.

    Parameters
    ----------
    lake : Lake
    product : Product
    symbol : str
        A contract; or a bare root, parent or continuous name, which is the contract of most records in its input.
    dates : sequence of datetime.date
        The days that the session touches, ascending.
    surveys : KeptSurveys, optional
        Where surveys of files are kept.

    Raises
    ------
    NoRawFileError
        There is no file of any of the days.
    UnknownSymbolError
        No file holds the symbol; the message lists what they hold.
    FileError
        No other file holds it, and one that should cannot be used.
    LakeError
    """
    by_date = lake.inputs_by_date(product, dates)
    search = ContractSearch(lake.products, product, dates, surveys)
    contract = symbol
    if not is_contract(product, symbol):
        contract = search.busiest(symbol, list(by_date.values()))
    files: list[InputFile] = []
    until = dt.date.min
    for date, inputs in by_date.items():
        if date <= until:
            continue
        held = search.holder(inputs, contract)
        if held is not None:
            # A file of several days would bring those before it again.
            more = [file if not files or file.raw.name.first == date else file.received_from(date) for file in held]
            files += [file for file in more if file.spans]
            until = max(file.raw.name.last for file in held)
    if not files:
        raise search.failure or search.refusal(symbol, [one for inputs in by_date.values() for one in inputs])
    covered = {day for file in files for day in file.raw.name.days()}
    missing = [day for day in dates if day not in covered and day.weekday() not in QUIET_WEEKDAYS[product.product_type]]
    if missing:
        log.warning(
            "the session of %s is played without %s: the lake holds no file of it for %s",
            *(contract, listed([str(day) for day in missing]), "that day" if len(missing) == 1 else "those days"),
        )
    if search.failure is not None:
        log.warning("%s is passed over: %s", search.failure.path, search.failure.message)
    return SessionInput(contract, tuple(files))


def session_reader(
    session: SessionInput,
    start_ns: int,
    end_ns: int,
    *,
    chunk_rows: int = CHUNK_ROWS,
    wide: bool = False,
    decompressed: DecompressedFiles | None = None,
) -> SessionReader:
    """A reader of the input's events within a window, ns UTC; options as those of EventReader and DbnFile."""
    return SessionReader(
        [
            EventReader(
                DbnFile(file.raw.path, decompressed=decompressed),
                file.spans,
                start_ns,
                end_ns,
                chunk_rows=chunk_rows,
                wide=wide,
                begin=file.begin,
                is_behind_gap=file.is_behind_gap,
            )
            for file in session.files
        ]
    )
