"""The session that a query is about: which product, file, contract and moments its words mean."""

from __future__ import annotations

import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from vp.errors import NoRawFileError, RequestError
from vp.lake.lake import Lake, RawFile
from vp.market.price_scale import InputPrices, PriceScale, check_bucket, needs_prices, price_scale
from vp.market.products import PRODUCT_TYPES, Product, canonical_symbol, is_contract
from vp.market.session_hours import SessionWindow, parse_date, phases, session_window
from vp.query.events import TIME, session_events
from vp.query.sources import ArrowSource, one_row

if TYPE_CHECKING:
    from vp.dbn.contracts import Contract
    from vp.dbn.reader import EventReader

SESSION_SCHEMA = pa.schema(
    [
        pa.field("product_type", pa.string(), nullable=False),
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("contract", pa.string(), nullable=False),
        pa.field("dt", pa.date32(), nullable=False),
        pa.field("raw_file", pa.string(), nullable=False),
        pa.field("tick_int", pa.int64(), nullable=False),
        pa.field("bucket_int", pa.int64(), nullable=False),
        pa.field("multiplier", pa.float64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("session_start", TIME, nullable=False),
        pa.field("session_end", TIME, nullable=False),
        pa.field("book_ts", TIME),
        pa.field("emit_from", TIME, nullable=False),
    ]
)


class ChosenSession:
    """One session of the lake. Making it looks for the file and no further.

    Parameters
    ----------
    lake : Lake
    symbol, dt : str
        As a user states them: a contract, root, continuous name or ticker, and YYYY-MM-DD.
    start_time : str, optional
        HH:MM in New York; its cached book is the one 30 minutes before.
    product_type : str, optional
        Left out: the one whose raw file the lake holds, futures before equities.
    bucket : Decimal, optional
        Width of a price bucket in currency; left out, the product's.

    Raises
    ------
    RequestError
        Of its own type for each kind of wrong word, and where the lake holds no such file.
    """

    def __init__(
        self,
        lake: Lake,
        symbol: str,
        dt: str,
        start_time: str | None = None,
        product_type: str | None = None,
        *,
        bucket: Decimal | None = None,
    ) -> None:
        date = parse_date(dt)
        self.lake = lake
        self.asked_symbol = symbol
        self.dt = dt
        self.date = date
        self.start_time = start_time
        self.bucket = bucket
        self.product, self.raw = _find(lake, symbol, product_type, date)
        check_bucket(self.product, bucket)
        self.window = session_window(self.product.product_type, date)
        self.phases = phases(self.window, start_time)

    @property
    def symbol(self) -> str:
        """The symbol asked for, as files write it."""
        return canonical_symbol(self.product, self.asked_symbol)

    @property
    def contract_name(self) -> str:
        """The contract's name; of a bare root, the busiest contract of the file."""
        return self.symbol if is_contract(self.product, self.symbol) else self.contract.name

    @property
    def contract(self) -> Contract:
        """The instrument in the file; raises as vp.dbn.contracts.choose_contract does."""
        return _contract(self.raw, self.product, self.symbol, self.date)

    def events(self) -> ArrowSource:
        """The session's events; see vp.query.events."""
        return session_events(self._open_reader)

    def facts(self) -> ArrowSource:
        """One row of SESSION_SCHEMA."""
        return one_row(SESSION_SCHEMA, self._row)

    def _open_reader(self, chunk_rows: int) -> EventReader:
        from vp.dbn.file import DbnFile  # noqa: PLC0415
        from vp.dbn.reader import EventReader  # noqa: PLC0415

        return EventReader(
            DbnFile(self.raw.path),
            self.contract.instrument_id,
            self.window.start_ns,
            self.window.end_ns,
            chunk_rows=chunk_rows,
            wide=True,
        )

    @property
    def scale(self) -> PriceScale:
        """Tick and bucket, which can take a look at the file's first prices."""
        product = self.lake.products.of_contract(self.product, self.contract_name)
        needed = needs_prices(product, self.bucket)
        prices = _input_prices(self.raw, product, self.contract, self.window) if needed else None
        return price_scale(product, self.bucket, prices)

    def _row(self) -> dict[str, object]:
        scale = self.scale
        has_book = self.phases.warmup_from_ns > self.phases.session_start_ns
        return {
            "product_type": self.product.product_type,
            "symbol": self.symbol,
            "contract": self.contract_name,
            "dt": self.date,
            "raw_file": self.raw.path.name,
            "tick_int": scale.tick_int,
            "bucket_int": scale.bucket_int,
            "multiplier": self.product.multiplier,
            "currency": self.product.currency,
            "session_start": self.window.start_ns,
            "session_end": self.window.end_ns,
            "book_ts": self.phases.warmup_from_ns if has_book else None,
            "emit_from": self.phases.emit_from_ns,
        }


def _find(lake: Lake, symbol: str, product_type: str | None, date: datetime.date) -> tuple[Product, RawFile]:
    """The product and raw file that a symbol means on a date, whatever its product type."""
    first: RequestError | None = None
    for kind in PRODUCT_TYPES if product_type is None else (product_type,):
        try:
            product = lake.products.find(kind, symbol)
            return product, lake.find_raw(product, date)
        except RequestError as error:
            # A symbol that is known but has no file says more than one that is not known.
            if first is None or (isinstance(error, NoRawFileError) and not isinstance(first, NoRawFileError)):
                first = error
    assert first is not None
    raise first


@lru_cache(maxsize=64)
def _input_prices(raw: RawFile, product: Product, contract: Contract, window: SessionWindow) -> InputPrices:
    """What the first prices tell, remembered; a changed file is another key."""
    from vp.dbn.file import DbnFile  # noqa: PLC0415 - kernels take a while to load
    from vp.dbn.input_prices import input_prices  # noqa: PLC0415
    from vp.dbn.reader import EventReader  # noqa: PLC0415

    reader = EventReader(DbnFile(raw.path), contract.instrument_id, window.start_ns, window.end_ns)
    return input_prices(product, reader, lambda _records: None)


@lru_cache(maxsize=64)
def _contract(raw: RawFile, product: Product, symbol: str, date: datetime.date) -> Contract:
    """The instrument, remembered: to find the busiest takes a pass over the file. A changed file is another key."""
    from vp.dbn.contracts import choose_contract  # noqa: PLC0415 - kernels take a while to load
    from vp.dbn.file import DbnFile  # noqa: PLC0415

    return choose_contract(DbnFile(raw.path), product, symbol, date)
