"""The three phases of a session: book-only fast-forward (cached), warmup, live emit."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import vp
from vp.dbn.contracts import Contract, choose_contract
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.file import DbnFile
from vp.dbn.input_prices import input_prices
from vp.dbn.reader import EventReader
from vp.errors import BadParameterError, LakeError
from vp.lake.lake import BOOK_CACHE, DECOMPRESSED_CACHE, Lake, RawFile
from vp.market.price_scale import InputPrices, PriceScale, check_bucket, needs_prices, price_scale
from vp.market.products import Product, canonical_symbol
from vp.market.session_hours import Phases, SessionWindow, parse_dates, phases, window_of
from vp.model.book import Book
from vp.model.book_cache import CacheKey, load_book, save_book
from vp.model.engine import EventDrivenVPEngine
from vp.model.event_feed import EventFeed
from vp.model.live_session import LiveSession
from vp.model.progress import Progress, ProgressMeter, ignore_progress
from vp.model.session import SessionInfo, SessionSpec
from vp.settings.forms import MAX_CONTEXT_MINUTES

K = 50
NS_PER_MS = 1_000_000
NS_PER_MINUTE = 60_000_000_000
LISTED = 5
CONTEXT_THROTTLE_NS = 1_000_000_000
BYTES_PER_GB = 1_000_000_000

log = logging.getLogger(__name__)


def prepare(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> LiveSession:
    """Find the file and the contract, build the book or take it from the cache, and warm the engine up.

    Raises
    ------
    VPError
        Each kind of wrong request or damaged file has its own type (vp.errors).
    """
    opened = _open(spec, on_progress)
    product, scale, contract = opened.product, opened.scale, opened.contract
    bounds, feed = opened.bounds, opened.feed
    info = SessionInfo(
        product_type=spec.product_type,
        symbol=spec.symbol,
        contract=contract.name,
        dt=spec.dt,
        source=opened.raw.source,
        raw_file=opened.raw.path.name,
        start_time=spec.start_time,
        tick_int=scale.tick_int,
        bucket_int=scale.bucket_int,
        decimals=scale.decimals,
        currency=product.currency,
        tick_is_guessed=scale.tick_is_guessed,
        k=K,
        parameters=spec.parameters,
        throttle_ms=spec.throttle_ms,
        session_start_ns=bounds.session_start_ns,
        context_from_ns=max(bounds.warmup_from_ns, bounds.emit_from_ns - round(spec.context_minutes * NS_PER_MINUTE)),
        emit_from_ns=bounds.emit_from_ns,
        end_ns=bounds.end_ns,
        book_cache=opened.book_cache,
        version=vp.__version__,
    )
    engine = EventDrivenVPEngine(
        K,
        scale.tick_int,
        scale.bucket_int,
        parameters=spec.parameters,
        metadata=info.frame_metadata(),
        book=opened.book,
    )
    meter = ProgressMeter("warmup", opened.file.record_estimate(), on_progress)
    if info.context_from_ns < bounds.emit_from_ns:
        _advance(engine, feed, info.context_from_ns, meter)
        engine.start_emitting(CONTEXT_THROTTLE_NS)
    context = _advance(engine, feed, bounds.emit_from_ns, meter)
    meter.update(feed.records_seen, last=True)
    engine.start_emitting(round(spec.throttle_ms * NS_PER_MS))
    opened.file.keep_decompressed()
    return LiveSession(info, engine, feed, context, lambda: _instead(spec, opened))


def _advance(engine: EventDrivenVPEngine, feed: EventFeed, until_ns: int, meter: ProgressMeter) -> np.ndarray:
    """Run the records under `until_ns`; the frames that the engine makes of them, uint8[n, message_bytes]."""
    made = [engine.no_frames().buffer.copy()]
    while feed.ready():
        feed.index, batch = engine.advance(feed.events, feed.index, until_ns)
        meter.update(feed.records_seen)
        if batch.count:
            made.append(batch.buffer.copy())
        elif feed.index < len(feed.events):
            break
    return np.concatenate(made)


def _instead(spec: SessionSpec, opened: _Opened) -> str:
    """Which sessions there are besides an empty one: the nearest days, and other contracts of the file."""
    product, dates = opened.product, parse_dates(spec.dt)
    held = opened.lake.sessions()
    mine = {entry.date for entry in held if (entry.product_type, entry.symbol) == (product.product_type, product.root)}
    days = {day for day in mine if not dates.first <= day <= dates.last}
    nearest = sorted(sorted(days, key=lambda day: abs(day - dates.first))[:LISTED])
    others = sorted({mapping.raw_symbol for mapping in opened.file.mappings} - {opened.contract.name})[:LISTED]
    sentences = [
        *([f"The lake holds {product.root} of {', '.join(map(str, nearest))} too."] if nearest else []),
        *([f"The file names {', '.join(others)} too."] if others else []),
    ]
    return " ".join(sentences) or f"The lake holds no other session of {product.root}."


def cache_book(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> None:
    """Have the book at the warmup boundary in the cache, built now where it is not; raises as `prepare` does."""
    opened = _open(spec, on_progress)
    opened.feed.close()
    if opened.book.event_id == 0:
        log.warning("%s holds no record of %s up to there.", opened.raw.path.name, opened.contract.name)


def judge(spec: SessionSpec, *, look: bool = True) -> None:
    """Raise what is wrong with a request by itself: nothing is compiled for it, and no raw file is opened.

    `look`: also where its raw file lies, by the names in the lake.
    """
    meaning = _meaning(spec)
    if look:
        meaning.lake.find_raw(meaning.product, meaning.date)


class _Meaning(NamedTuple):
    """What the words of a request stand for."""

    lake: Lake
    product: Product
    date: datetime.date
    window: SessionWindow
    bounds: Phases


def _meaning(spec: SessionSpec) -> _Meaning:
    if not 0 <= spec.throttle_ms < float("inf"):
        raise BadParameterError(
            f"throttle_ms was {spec.throttle_ms}, expected 0 or more milliseconds.",
            hint="0 gives a frame at each event's end, 25 at most forty a second.",
        )
    if not 0 <= spec.context_minutes <= MAX_CONTEXT_MINUTES:
        raise BadParameterError(
            f"context_minutes was {spec.context_minutes}, expected 0 to {MAX_CONTEXT_MINUTES:g}.",
            hint="0 shows nothing of the time before the start.",
        )
    lake = Lake(spec.lake, spec.products)
    product = lake.products.find(spec.product_type, spec.symbol)
    check_bucket(product, spec.bucket)
    window = window_of(spec.product_type, parse_dates(spec.dt))
    return _Meaning(lake, product, window.dates.first, window, phases(window, spec.start_time, spec.end_time))


class _Opened(NamedTuple):
    lake: Lake
    product: Product
    scale: PriceScale
    raw: RawFile
    file: DbnFile
    contract: Contract
    bounds: Phases
    book: Book
    feed: EventFeed
    book_cache: str


def _open(spec: SessionSpec, on_progress: Callable[[Progress], None]) -> _Opened:
    """What a request means, the book at its warmup boundary, and the events from there on."""
    lake, product, date, window, bounds = _meaning(spec)
    raw = lake.find_raw(product, date)
    on_progress(Progress("decode", 0, None, 0.0))
    decompressed = DecompressedFiles(
        lake.cache_dir / DECOMPRESSED_CACHE, round(spec.decompressed_limit_gb * BYTES_PER_GB)
    )
    file = DbnFile(raw.path, decompressed=decompressed)
    contract = choose_contract(file, product, canonical_symbol(product, spec.symbol), date)
    product = lake.products.of_contract(product, contract.name)
    book, scale, feed, cache_state = _book_at_warmup(
        lake, raw, file, product, contract, spec, bounds, window.end_ns, on_progress
    )
    return _Opened(lake, product, scale, raw, file, contract, bounds, book, feed, cache_state)


def _book_at_warmup(
    lake: Lake,
    raw: RawFile,
    file: DbnFile,
    product: Product,
    contract: Contract,
    spec: SessionSpec,
    bounds: Phases,
    session_end_ns: int,
    on_progress: Callable[[Progress], None],
) -> tuple[Book, PriceScale, EventFeed, str]:
    """The book at the warmup boundary, tick and bucket, the events from there on, and what the cache was: hit, miss
    or off.
    """

    def new_reader() -> EventReader:
        return EventReader(file, contract.instrument_id, bounds.session_start_ns, session_end_ns)

    def look_at_prices() -> InputPrices | None:
        if not needs_prices(product, spec.bucket):
            return None
        meter = ProgressMeter("decode", file.record_estimate(), on_progress)
        return input_prices(product, new_reader(), meter.update)

    reader = new_reader()
    if bounds.warmup_from_ns <= bounds.session_start_ns:
        scale = price_scale(product, spec.bucket, look_at_prices())
        return Book(scale.tick_int, scale.bucket_int), scale, EventFeed(reader, None), "off"
    key = CacheKey.of(product.product_type, contract.name, spec.dt, bounds.warmup_from_ns, raw)
    directory = lake.cache_dir / BOOK_CACHE
    cached = load_book(directory, key)
    if cached is not None:
        scale = price_scale(product, spec.bucket, cached.prices or look_at_prices())
        cached.book.rescale(scale.tick_int, scale.bucket_int)
        return cached.book, scale, EventFeed(reader, cached.resume), "hit"
    prices = look_at_prices()
    scale = price_scale(product, spec.bucket, prices)
    book = Book(scale.tick_int, scale.bucket_int)
    feed = EventFeed(reader, None)
    meter = ProgressMeter("book", file.record_estimate(), on_progress)
    while feed.ready():
        feed.index = book.fast_forward(feed.events, feed.index, bounds.warmup_from_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
    try:
        save_book(directory, key, book, feed.resume(), prices)
    except LakeError as error:
        log.warning("%s", error)
    return book, scale, feed, "miss"
