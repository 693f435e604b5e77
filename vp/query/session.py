"""The session that a query is about: which product, file, contract and moments its words mean."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vp.errors import NoRawFileError, RequestError
from vp.lake.lake import Lake
from vp.market.price_scale import PriceScale, check_bucket, needs_prices, price_scale
from vp.market.products import PRODUCT_TYPES, Product, canonical_symbol, is_contract
from vp.market.session_hours import SessionDates, as_et, parse_dates, phases, window_of
from vp.query.events import session_events
from vp.query.sources import TIME, ArrowSource, one_row

if TYPE_CHECKING:
    from vp.dbn.session_input import SessionInput
    from vp.dbn.session_reader import SessionReader
    from vp.model.session import SessionSpec

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
        As a user states them: a contract, root, continuous name or ticker, and YYYY-MM-DD or a span of days.
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
        dates = parse_dates(dt)
        self.lake = lake
        self.asked_symbol = symbol
        self.start_time = start_time
        self.bucket = bucket
        self.product = _find(lake, symbol, product_type, dates)
        check_bucket(self.product, bucket)
        self.window = window_of(self.product.product_type, dates)
        self.dt = str(self.window.dates)
        self.phases = phases(self.window, start_time)

    @property
    def symbol(self) -> str:
        """The symbol asked for, as files write it."""
        return canonical_symbol(self.product, self.asked_symbol)

    @property
    def contract_name(self) -> str:
        """The contract's name; of a bare root, the busiest contract of the session's input."""
        return self.symbol if is_contract(self.product, self.symbol) else self.input.contract

    @cached_property
    def input(self) -> SessionInput:
        """The contract and its files; raises as vp.dbn.session_input.find_input does."""
        from vp.dbn.session_input import find_input  # noqa: PLC0415 - kernels take a while to load

        return find_input(self.lake, self.product, self.symbol, self.window.file_dates)

    def spec(self, **changes: Any) -> SessionSpec:
        """What to ask of vp.model.pipeline to play it; `changes` are fields of SessionSpec."""
        from vp.model.session import SessionSpec  # noqa: PLC0415 - the model's parameters are not needed to ask

        return SessionSpec(
            self.product.product_type,
            self.symbol,
            self.dt,
            self.start_time,
            lake=str(self.lake.root),
            products=self.lake.products_file,
            file=None if self.lake.lone_file is None else self.lake.lone_file.raw.path,
            bucket=self.bucket,
            **changes,
        )

    def events(self) -> ArrowSource:
        """The session's events; see vp.query.events."""
        return session_events(self._open_reader)

    def facts(self) -> ArrowSource:
        """One row of SESSION_SCHEMA."""
        return one_row(SESSION_SCHEMA, self._row)

    def _open_reader(self, chunk_rows: int) -> SessionReader:
        from vp.dbn.session_input import session_reader  # noqa: PLC0415

        return session_reader(self.input, self.window.start_ns, self.window.end_ns, chunk_rows=chunk_rows, wide=True)

    @cached_property
    def scale(self) -> PriceScale:
        """Tick and bucket, which can take a look at the first prices of the input."""
        from vp.dbn.definitions import with_defined_tick  # noqa: PLC0415
        from vp.dbn.input_prices import input_prices  # noqa: PLC0415
        from vp.dbn.session_input import session_reader  # noqa: PLC0415

        product = self.lake.products.of_contract(self.product, self.contract_name)
        if product.tick_is_guessed:
            raw_paths = [raw.path for raw in self.input.raw_files]
            product = with_defined_tick(product, self.contract_name, raw_paths, self.window.file_dates)
        if not needs_prices(product, self.bucket):
            return price_scale(product, self.bucket, None)
        reader = session_reader(self.input, self.window.start_ns, self.window.end_ns)
        return price_scale(product, self.bucket, input_prices(product, reader, lambda _records: None))

    def emptiness(self) -> str:
        """What to say where the session has no events."""
        files = ", ".join(raw.path.name for raw in self.input.raw_files)
        begins, ends = as_et(self.window.start_ns), as_et(self.window.end_ns)
        return f"There are no events of {self.contract_name} from {begins} to {ends} in {files}."

    def _row(self) -> dict[str, object]:
        scale = self.scale
        has_book = self.phases.warmup_from_ns > self.phases.session_start_ns
        return {
            "product_type": self.product.product_type,
            "symbol": self.symbol,
            "contract": self.contract_name,
            "dt": self.window.dates.first,
            "raw_file": ", ".join(raw.path.name for raw in self.input.raw_files),
            "tick_int": scale.tick_int,
            "bucket_int": scale.bucket_int,
            "multiplier": self.product.multiplier,
            "currency": self.product.currency,
            "session_start": self.window.start_ns,
            "session_end": self.window.end_ns,
            "book_ts": self.phases.warmup_from_ns if has_book else None,
            "emit_from": self.phases.emit_from_ns,
        }


def _find(lake: Lake, symbol: str, product_type: str | None, dates: SessionDates) -> Product:
    """The product that a symbol means on some days, whatever its product type; one whose raw files the lake holds."""
    first: RequestError | None = None
    for kind in PRODUCT_TYPES if product_type is None else (product_type,):
        try:
            product = lake.products.find(kind, symbol)
            lake.inputs_by_date(product, window_of(kind, dates).file_dates)
        except RequestError as error:
            # A symbol that is known but has no file says more than one that is not known.
            if first is None or (isinstance(error, NoRawFileError) and not isinstance(first, NoRawFileError)):
                first = error
        else:
            return product
    assert first is not None
    raise first
