"""The three phases of a session: book-only fast-forward (cached), warmup, live emit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import vp
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader
from vp.dbn.session_input import SessionInput, find_input
from vp.dbn.session_reader import SessionReader
from vp.errors import BadParameterError, LakeError
from vp.lake.lake import BOOK_CACHE, DECOMPRESSED_CACHE, Lake
from vp.market.products import Product, canonical_symbol, find_product
from vp.market.session_hours import Phases, parse_date, phases, session_window
from vp.model.book import Book
from vp.model.book_cache import CacheKey, load_book, save_book
from vp.model.engine import EventDrivenVPEngine
from vp.model.event_feed import EventFeed
from vp.model.live_session import LiveSession
from vp.model.progress import Progress, ProgressMeter, ignore_progress
from vp.model.session import SessionInfo, SessionSpec

K = 50
NS_PER_MS = 1_000_000
BYTES_PER_GB = 1_000_000_000

log = logging.getLogger(__name__)


def prepare(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> LiveSession:
    """Find the file and the contract, build the book or take it from the cache, and warm the engine up.

    Raises
    ------
    VPError
        Each kind of wrong request or damaged file has its own type (vp.errors).
    """
    if not 0 <= spec.throttle_ms < float("inf"):
        raise BadParameterError(
            f"throttle_ms was {spec.throttle_ms}, expected 0 or more milliseconds.",
            hint="0 gives a frame at each event's end, 25 at most forty a second.",
        )
    opened = _open(spec, on_progress)
    product, bounds, feed = opened.product, opened.bounds, opened.feed
    info = SessionInfo(
        product_type=spec.product_type,
        symbol=spec.symbol,
        contract=opened.input.contract,
        dt=spec.dt,
        source=opened.input.source,
        raw_files=tuple(raw.path.name for raw in opened.input.raw_files),
        start_time=spec.start_time,
        tick_int=product.tick_int,
        bucket_int=product.bucket_int,
        decimals=product.decimals,
        k=K,
        parameters=spec.parameters,
        throttle_ms=spec.throttle_ms,
        session_start_ns=bounds.session_start_ns,
        emit_from_ns=bounds.emit_from_ns,
        end_ns=bounds.end_ns,
        book_cache=opened.book_cache,
        version=vp.__version__,
    )
    engine = EventDrivenVPEngine(
        K,
        product.tick_int,
        product.bucket_int,
        parameters=spec.parameters,
        throttle_ns=round(spec.throttle_ms * NS_PER_MS),
        metadata=info.frame_metadata(),
        book=opened.book,
    )
    meter = ProgressMeter("warmup", opened.reader.record_estimate(), on_progress)
    while feed.ready():
        feed.index, _ = engine.advance(feed.events, feed.index, bounds.emit_from_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
    engine.start_emitting()
    opened.reader.keep_decompressed()
    return LiveSession(info, engine, feed)


def book_at_warmup(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> Book:
    """The book at the warmup boundary, from the cache or built now and kept there; raises as `prepare` does."""
    opened = _open(spec, on_progress)
    opened.feed.close()
    return opened.book


class _Opened(NamedTuple):
    product: Product
    input: SessionInput
    reader: SessionReader
    bounds: Phases
    book: Book
    feed: EventFeed
    book_cache: str


def _open(spec: SessionSpec, on_progress: Callable[[Progress], None]) -> _Opened:
    """What a request means, the book at its warmup boundary, and the events from there on."""
    product = find_product(spec.product_type, spec.symbol)
    date = parse_date(spec.dt)
    window = session_window(spec.product_type, date)
    bounds = phases(window, spec.start_time, spec.end_time)
    lake = Lake(spec.lake)
    on_progress(Progress("decode", 0, None, 0.0))
    session = find_input(lake, product, canonical_symbol(product, spec.symbol), [date])
    decompressed = DecompressedFiles(
        lake.cache_dir / DECOMPRESSED_CACHE, round(spec.decompressed_limit_gb * BYTES_PER_GB)
    )
    reader = SessionReader(
        [
            EventReader(
                DbnFile(file.raw.path, decompressed=decompressed),
                file.spans[0].instrument_id,
                window.start_ns,
                window.end_ns,
            )
            for file in session.files
        ]
    )
    key = CacheKey.of(product.product_type, session.contract, spec.dt, bounds.warmup_from_ns, session.raw_files)
    book, feed, cache_state = _book_at_warmup(lake.cache_dir / BOOK_CACHE, key, reader, product, bounds, on_progress)
    return _Opened(product, session, reader, bounds, book, feed, cache_state)


def _book_at_warmup(
    directory: Path,
    key: CacheKey,
    reader: SessionReader,
    product: Product,
    bounds: Phases,
    on_progress: Callable[[Progress], None],
) -> tuple[Book, EventFeed, str]:
    """The book at the warmup boundary, the events from there on, and whether the cache was hit, missed or off."""
    if bounds.warmup_from_ns <= bounds.session_start_ns:
        return Book(product.tick_int, product.bucket_int), EventFeed(reader, None), "off"
    cached = load_book(directory, key)
    if cached is not None:
        return cached[0], EventFeed(reader, cached[1]), "hit"
    book = Book(product.tick_int, product.bucket_int)
    feed = EventFeed(reader, None)
    meter = ProgressMeter("book", reader.record_estimate(), on_progress)
    while feed.ready():
        feed.index = book.fast_forward(feed.events, feed.index, bounds.warmup_from_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
    try:
        save_book(directory, key, book, feed.resume())
    except LakeError as error:
        log.warning("%s", error)
    return book, feed, "miss"
