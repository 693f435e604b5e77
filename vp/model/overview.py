"""A whole session at a glance: what was traded in each minute, at which prices; made once and kept in the cache."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from vp.dbn.events import Events
from vp.dbn.growing_input import GrowingInput, GrowingReader
from vp.kernels.contract import ACTION_TRADE, BOOK_ONLY, FLAG_LAST, NO_TIME, UNDEF_PRICE, UNDEF_SIZE
from vp.lake.cache_budget import OVERVIEWS
from vp.lake.kept_json import keep, load_kept
from vp.model.book_cache import CacheKey
from vp.model.found_session import find_session, growing_contract
from vp.model.session import SessionSpec

FORMAT_VERSION = 2
MOST_BINS = 2000
MOST_GROWING = 8
MINUTE_NS = 60_000_000_000
WIDTHS_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)
COLUMNS = ("volume", "events", "high", "low", "last")
NO_PRICE = UNDEF_PRICE

log = logging.getLogger(__name__)


def ignore_check() -> None:
    """Go on."""


@dataclass(frozen=True)
class Overview:
    """A session in bins of equal time.

    Attributes
    ----------
    start_ns, end_ns : int
        The session, ns UTC; the first bin begins at its start.
    bin_ns : int
        Width of a bin: a minute, and more where there would be over MOST_BINS.
    volume, events : int64[bins]
        Contracts or shares traded, and event ends.
    high, low, last : int64[bins]
        Of the trades, in 1e-9 units; NO_PRICE where nothing was traded.
    """

    start_ns: int
    end_ns: int
    bin_ns: int
    volume: np.ndarray
    events: np.ndarray
    high: np.ndarray
    low: np.ndarray
    last: np.ndarray

    @classmethod
    def empty(cls, start_ns: int, end_ns: int) -> Self:
        """A session in which nothing has happened yet."""
        span = end_ns - start_ns
        width = next((m for m in WIDTHS_MINUTES if span <= m * MINUTE_NS * MOST_BINS), WIDTHS_MINUTES[-1]) * MINUTE_NS
        bins = -(-span // width)
        counts = [np.zeros(bins, np.int64) for _ in range(2)]
        return cls(start_ns, end_ns, width, *counts, *[np.full(bins, NO_PRICE, np.int64) for _ in range(3)])

    def count(self, events: Events, clock_ns: int) -> int:
        """Count a run of events whose predecessors brought the clock to `clock_ns`; returns where these bring it."""
        columns = events.columns
        clock = np.maximum.accumulate(np.append(np.int64(clock_ns), columns.clock_ns))[1:]
        active = (columns.clock_ns != BOOK_ONLY) & (clock >= self.start_ns) & (clock < self.end_ns)
        ends = active & (columns.flags & FLAG_LAST != 0)
        self._add(self.events, clock[ends], 1)
        traded = active & (columns.action == ACTION_TRADE) & (columns.size != UNDEF_SIZE)
        self._add(self.volume, clock[traded], columns.size[traded].astype(np.int64))
        priced = traded & (columns.price != UNDEF_PRICE)
        at, price = (clock[priced] - self.start_ns) // self.bin_ns, columns.price[priced]
        self.high[at[self.high[at] == NO_PRICE]] = -NO_PRICE
        np.maximum.at(self.high, at, price)
        np.minimum.at(self.low, at, price)
        self.last[at] = price  # of equal bins the last one stays
        return int(clock[-1]) if len(clock) else clock_ns

    def _add(self, column: np.ndarray, clock: np.ndarray, amounts: np.ndarray | int) -> None:
        np.add.at(column, (clock - self.start_ns) // self.bin_ns, amounts)

    def to_json(self) -> dict[str, Any]:
        """By name; times and prices as decimal strings, a price that is not there as null."""
        prices = {
            name: [None if price == NO_PRICE else str(price) for price in getattr(self, name).tolist()]
            for name in ("high", "low", "last")
        }
        return {
            "start_ns": str(self.start_ns),
            "end_ns": str(self.end_ns),
            "bin_ns": str(self.bin_ns),
            "volume": self.volume.tolist(),
            "events": self.events.tolist(),
            **prices,
        }


class GrowingOverview:
    """The overview of a session that is being recorded: each record is counted once, however often it is asked for.

    Parameters
    ----------
    spec : SessionSpec
    recording : GrowingInput

    Raises
    ------
    VPError
        As vp.model.pipeline.prepare_growing.
    """

    def __init__(self, spec: SessionSpec, recording: GrowingInput) -> None:
        contract, window = growing_contract(spec, recording)
        self._reader = GrowingReader(recording, contract, window.start_ns, window.end_ns)
        self._counted = Overview.empty(window.start_ns, window.end_ns)
        self._clock_ns = NO_TIME

    def now(self, check: Callable[[], None] = ignore_check) -> dict[str, Any]:
        """What there is so far; `check` as in `overview`: what it ends is gone on with the next time."""
        for events, _place in self._reader.chunks():
            self._clock_ns = self._counted.count(events, self._clock_ns)
            check()
        return self._counted.to_json()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


class GrowingOverviews:
    """The overviews of the MOST_GROWING sessions that were asked for last; one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[GrowingInput, GrowingOverview]] = OrderedDict()

    def now(
        self, spec: SessionSpec, recording: GrowingInput, check: Callable[[], None] = ignore_check
    ) -> dict[str, Any]:
        """What there is so far of a session; raises as GrowingOverview."""
        key = spec.product_type, spec.symbol, spec.dt
        known, growing = self._kept.pop(key, (None, None))
        if growing is None or known is not recording:
            growing = GrowingOverview(spec, recording)
        self._kept[key] = recording, growing
        while len(self._kept) > MOST_GROWING:
            _, (_, oldest) = self._kept.popitem(last=False)
            oldest.close()
        return growing.now(check)

    def close(self) -> None:
        """Let go of their files."""
        while self._kept:
            self._kept.popitem()[1][1].close()


def overview(spec: SessionSpec, check: Callable[[], None] = ignore_check) -> dict[str, Any]:
    """The overview of a session, from the cache or made now and kept there, in the form of `Overview.to_json`.

    Parameters
    ----------
    spec : SessionSpec
        Its session; start, end and all that concerns frames count for nothing.
    check : callable
        Called between pieces of some ten milliseconds; what it raises ends the work.

    Raises
    ------
    VPError
        As vp.model.pipeline.prepare.
    """
    found = find_session(spec)
    window, reader = found.window, found.new_reader()
    key = CacheKey.of(
        found.product.product_type,
        found.input.contract,
        str(window.dates),
        window.start_ns,
        found.input.raw_files,
    ).to_json() + str(FORMAT_VERSION)
    kept: dict[str, Any] | None = load_kept(found.cache, OVERVIEWS, key)
    if kept is not None:
        return kept
    counted, clock_ns = Overview.empty(window.start_ns, window.end_ns), NO_TIME
    for events, _place in reader.chunks():
        check()
        clock_ns = counted.count(events, clock_ns)
    told = counted.to_json()
    if not keep(found.cache, OVERVIEWS, key, told, [raw.path for raw in found.input.raw_files]):
        log.warning("the overview of %s %s cannot be kept: there is no room for it", found.input.contract, window.dates)
    return told
