"""The contracts of the nearest expiry, chosen from definitions that are bought once and kept in the lake."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from vp.download.calendar import Calendar
from vp.download.definitions import choose, parents_of_file, stream
from vp.download.ledger import EMPTY, LAID, REFUSED, STREAMING, Entry, Ledger, Order, Want, now
from vp.download.spend import Budget, Cashier
from vp.download.vendor import Vendor
from vp.errors import (
    ApiKeyError,
    DownloadError,
    UncertainSubmissionError,
    VendorRefusedError,
    VendorUnreachableError,
)
from vp.files import lay_down, sha256_of, write_whole
from vp.lake.lake import Lake
from vp.lake.layout import note_path

STREAM_TRIES = 3

log = logging.getLogger(__name__)


class Definitions:
    """Chooses option contracts, and buys the definitions for it where the lake holds none.

    Definitions are streamed, not ordered as jobs: what each stream costs is written down as `streaming` before it
    begins, so that it counts as often as it may be charged, killed and broken ones too.
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
        self, want: Want, parents: Iterable[str], underlying: str | None, reserved_usd: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Calls and puts of the nearest expiry, and the parents that they were found under; none where none fit.

        Parameters
        ----------
        want : Want
            The definition file.
        parents : iterable of str
            Those to try, in this order; gone through only as far as definitions must be bought.
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
                return self._buy(want, parents, underlying, reserved_usd, path, part)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise DownloadError(
                f"{path} cannot be written: {error.strerror or error}.",
                hint="Free some space or make the directory writable, and run the same command again.",
            ) from error

    def _buy(
        self, want: Want, parents: Iterable[str], underlying: str | None, reserved_usd: float, path: Path, part: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        entry: Entry | None = None
        for parent in parents:
            entry = self._stream(Order(want, (parent,), "parent"), reserved_usd, part)
            symbols = choose(part, want.date, underlying)
            log.info("%s: %s holds %d contracts (%.2f USD)", want, parent, len(symbols), entry.cost_usd)
            if symbols:
                file = {
                    "name": path.name, "size": part.stat().st_size, "sha256": sha256_of(part), "laid_as": path.name,
                }  # fmt: skip
                entry = entry.with_(state=LAID, files=[file])
                write_whole(note_path(path), entry.note(file))
                lay_down(part, path)
                self._ledger.write(entry)
                return symbols, (parent,)
        if entry is not None:
            self._ledger.write(entry.with_(state=EMPTY))
        return (), ()

    def _stream(self, order: Order, reserved_usd: float, part: Path) -> Entry:
        """Definitions in `part`, streamed again where they broke off, each time within the budget."""
        condition = self._calendar.condition(order.want.place, order.want.date)
        for _ in range(STREAM_TRIES):
            cost_usd = self._cashier.price(order)
            what = f"The definitions of {order.symbols[0]} and the jobs before them"
            self._budget.require(reserved_usd + cost_usd, 1, what)
            old = self._ledger.find(order.want)
            former_usd = old.bought_usd if old else 0.0
            entry = Entry(order, STREAMING, cost_usd, condition, now(), former_usd=former_usd)
            self._ledger.write(entry)
            self._budget.spend(cost_usd)
            try:
                stream(self._vendor, order, part)
            except UncertainSubmissionError as error:
                said = error.message
                log.warning("%s; %.2f USD are counted for it", said.rstrip("."), cost_usd)
            except (VendorRefusedError, VendorUnreachableError, ApiKeyError) as error:
                self._budget.give_back(cost_usd)
                self._ledger.write(entry.with_(state=REFUSED, error=error.message))
                raise
            else:
                return entry
        raise DownloadError(
            f"{said} It was streamed {STREAM_TRIES} times.",
            hint="Run the same command again later; each stream may have been charged, and counts.",
        )
