"""The contracts of the nearest expiry, chosen from definitions that are bought once and kept in the lake."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from vp.download.calendar import Calendar
from vp.download.definitions import choose, parents_of_file, query
from vp.download.files import lay_down, sha256_of, write_whole
from vp.download.ledger import EMPTY, LAID, STREAMING, Entry, Ledger, Order, Want, now
from vp.download.spend import Budget, Cashier
from vp.download.vendor import Vendor
from vp.errors import DownloadError, VendorRefusedError
from vp.lake import Lake
from vp.layout import note_path

log = logging.getLogger(__name__)


class Definitions:
    """Chooses option contracts, and buys the definitions for it where the lake holds none.

    Definitions are streamed, not ordered as jobs: what they cost is written down as `streaming` before, so that
    it counts even where the program is killed meanwhile.
    """

    def __init__(
        self, vendor: Vendor, lake: Lake, ledger: Ledger, cashier: Cashier, budget: Budget, calendar: Calendar
    ) -> None:
        self._vendor = vendor
        self._lake = lake
        self._ledger = ledger
        self._cashier = cashier
        self._budget = budget
        self._calendar = calendar

    def contracts(
        self, want: Want, parents: Callable[[], list[str]], underlying: str | None, reserved_usd: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Calls and puts of the nearest expiry, and the parents that they were found under; none where none fit.

        Parameters
        ----------
        want : Want
            The definition file.
        parents : callable
            Gives those to try, in this order; called only where definitions must be bought.
        underlying : str or None
            The future that the options must be on.
        reserved_usd : float
            What else is about to be spent.

        Raises
        ------
        CostLimitError, DownloadError, FileError, LakeError, VendorRefusedError, VendorUnreachableError, ApiKeyError
        """
        held = self._lake.files(want.place, want.symbol)
        path = next((raw.path for raw in held if raw.date == want.date), None)
        if path is not None:
            return choose(path, want.date, underlying), parents_of_file(path)
        entry = self._ledger.find(want)
        if entry is not None and entry.state == EMPTY:  # bought before: none fitted
            return (), ()
        path = self._lake.directory(want.place, want.symbol) / want.place.file_name(want.date)
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._buy(want, parents(), underlying, reserved_usd, path, part)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise DownloadError(
                f"{path} cannot be written: {error.strerror or error}.",
                hint="Free some space or make the directory writable, and run the same command again.",
            ) from error

    def _buy(
        self, want: Want, parents: list[str], underlying: str | None, reserved_usd: float, path: Path, part: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        entry: Entry | None = None
        for parent in parents:
            entry = self._stream(Order(want, (parent,), "parent"), reserved_usd, part)
            symbols = choose(part, want.date, underlying)
            log.info("%s: %s holds %d contracts (%.2f USD)", want, parent, len(symbols), entry.cost_usd)
            if symbols:
                file = {"name": path.name, "size": part.stat().st_size, "sha256": sha256_of(part)}
                entry = entry.with_(state=LAID, file=file)
                write_whole(note_path(path), entry.note())
                lay_down(part, path)
                self._ledger.write(entry)
                return symbols, (parent,)
        if entry is not None:
            self._ledger.write(entry.with_(state=EMPTY))
        return (), ()

    def _stream(self, order: Order, reserved_usd: float, part: Path) -> Entry:
        """Definitions in `part`; the entry tells all that was spent for this file so far."""
        cost_usd = self._cashier.price(order)
        self._budget.require(reserved_usd + cost_usd, f"The definitions of {order.symbols[0]} and the jobs before them")
        condition = self._calendar.condition(order.want.place, order.want.date)
        old = self._ledger.find(order.want)
        before_usd = old.cost_usd if old else 0.0
        entry = self._ledger.write(Entry(order, STREAMING, before_usd + cost_usd, condition, now()))
        try:
            query(self._vendor, order, part)
        except VendorRefusedError as error:
            self._ledger.write(entry.with_(cost_usd=before_usd, error=error.message))
            raise
        self._budget.spent_usd += cost_usd
        return entry
