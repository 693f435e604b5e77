"""What is to be recorded, and where: the symbols as the feed's subscriptions name them, the days, the directories."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vp.capture.connection import Symbols
from vp.errors import BadParameterError
from vp.lake.lake import Lake
from vp.lake.layout import place_of
from vp.market.products import Product, canonical_symbol, is_contract
from vp.market.session_hours import SessionWindow, from_ns, session_window
from vp.market.wall_times import NEW_YORK

PARENT, CONTINUOUS = "parent", "continuous"
OUTRIGHT = r"[FGHJKMNQUVXZ]\d{1,2}"
NOW, TODAY, WEEK = "now", "today", "week"
DATASETS = {"future_mbo": "GLBX.MDP3", "equity_mbo": "XNAS.ITCH"}


@dataclass(frozen=True)
class CapturePlan:
    """A recording.

    Attributes
    ----------
    product_type, dataset : str
        The dataset by Databento's code.
    products : tuple of Product
        Each once; their roots and tickers name directories.
    symbols : tuple of Symbols
    live_from : str
        NOW, TODAY or WEEK.
    directories : tuple of Path
        One a product: the first holds the segments, the others links to them.
    """

    product_type: str
    dataset: str
    products: tuple[Product, ...]
    symbols: tuple[Symbols, ...]
    live_from: str
    directories: tuple[Path, ...]

    @property
    def file_dataset(self) -> str:
        """The dataset as names of files write it."""
        return self.dataset.lower().replace(".", "-")

    @property
    def asked(self) -> list[str]:
        """Every symbol, as the feed is asked for it."""
        return [name for one in self.symbols for name in one.names]

    @property
    def has_snapshots(self) -> bool:
        """Whether a day begins with a snapshot; of other venues it begins with nothing."""
        return self.product_type.startswith("future_")

    def holds(self, product_type: str, root: str) -> bool:
        """Whether sessions of a futures root or ticker are recorded by it."""
        return product_type == self.product_type and root in {product.root for product in self.products}

    def window_at(self, time_ns: int) -> SessionWindow:
        """The session in which a time lies."""
        zone = dt.UTC if self.product_type.startswith("future_") else NEW_YORK
        return session_window(self.product_type, from_ns(time_ns).astimezone(zone).date())

    def start_ns(self, window: SessionWindow) -> int | None:
        """The start of a replay that a recording begins with; None: from now on."""
        if self.live_from == WEEK:
            return 0
        return window.start_ns if self.live_from == TODAY else None

    def segment_name(self, date: dt.date, time_ns: int) -> str:
        """The name of a segment of a session that begins at a time of its first UTC day."""
        return f"{self.file_dataset}-{date:%Y%m%d}.mbo.{from_ns(time_ns):%H%M%S%f}.dbn"


def plan(
    lake: Lake, product_type: str, symbols: Sequence[str], dataset: str | None = None, live_from: str | None = None
) -> CapturePlan:
    """What a recording of some symbols is.

    A contract or ticker is asked for by its name, a bare root (MNQ) as all of its contracts (MNQ.FUT), a continuous
    name (MNQ.v.0) as the gateway resolves it.

    Raises
    ------
    BadParameterError
        There is no symbol.
    RequestError
        One of them is none.
    """
    if not symbols:
        raise BadParameterError("There is nothing to record.", hint="For example --symbol MNQ.")
    by_stype: dict[str, dict[str, None]] = {}
    products: dict[str, Product] = {}
    for symbol in symbols:
        product = lake.products.find(product_type, symbol)
        products.setdefault(product.root, product)
        stype, name = _as_subscribed(product, symbol)
        by_stype.setdefault(stype, {})[name] = None
    _leave_out_covered(by_stype, products.values())
    place = place_of(product_type, "mbo")
    return CapturePlan(
        product_type,
        dataset or DATASETS[product_type],
        tuple(products.values()),
        tuple(Symbols(stype, tuple(names)) for stype, names in by_stype.items()),
        live_from or (NOW if product_type.startswith("future_") else TODAY),
        tuple(lake.directory(place, root) for root in products),
    )


def _leave_out_covered(by_stype: dict[str, dict[str, None]], products: Iterable[Product]) -> None:
    """Do not ask twice for what all contracts of a root hold: a replay would send it twice."""
    for product in products:
        if f"{product.root}.FUT" not in by_stype.get(PARENT, {}):
            continue
        covered = re.compile(rf"{re.escape(product.root)}({OUTRIGHT}|\..*)")
        for stype in [stype for stype in by_stype if stype != PARENT]:
            names = by_stype[stype] = {name: None for name in by_stype[stype] if not covered.fullmatch(name)}
            if not names:
                del by_stype[stype]


def _as_subscribed(product: Product, symbol: str) -> tuple[str, str]:
    """The symbology and the name of a symbol in it."""
    name = canonical_symbol(product, symbol)
    if product.product_type == "equity_mbo":
        return "raw_symbol", name
    if is_contract(product, name):
        return "raw_symbol", name
    if name == product.root or name.endswith(".FUT"):
        return PARENT, f"{product.root}.FUT"
    return CONTINUOUS, name
