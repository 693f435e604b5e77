"""A session opened at its warmup boundary: its book, from the cache or built, and the events from there on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from vp.dbn.contract_search import InputFile
from vp.dbn.definitions import with_defined_tick
from vp.dbn.growing_input import GrowingInput, GrowingReader
from vp.dbn.input_prices import input_prices
from vp.dbn.session_input import SessionInput
from vp.dbn.session_reader import EventSource
from vp.errors import LakeError
from vp.files import most_mode_of
from vp.lake.cache_budget import BOOKS
from vp.lake.cache_room import Room
from vp.lake.lake import Lake
from vp.market.price_scale import InputPrices, PriceScale, needs_prices, price_scale
from vp.market.products import Product, canonical_symbol
from vp.market.session_hours import Phases, SessionWindow
from vp.model.book import Book
from vp.model.book_cache import CacheKey, cached_boundary_ns, load_book, save_book
from vp.model.event_feed import EventFeed
from vp.model.found_session import contract_of_feed, find_session, meaning_of
from vp.model.progress import Progress, ProgressMeter, ignore_progress
from vp.model.session import SessionSpec

log = logging.getLogger(__name__)


class OpenedSession(NamedTuple):
    """What a session is played from: `book` as it is where `feed` begins.

    `book_cache` says where the book is from: "hit", "miss", or "off" where none is kept.
    """

    lake: Lake
    product: Product
    window: SessionWindow
    scale: PriceScale
    input: SessionInput
    reader: EventSource
    bounds: Phases
    book: Book
    feed: EventFeed
    book_cache: str


def book_at_warmup(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> Book:
    """The book at the warmup boundary, from the cache or built now and kept there; raises as `prepare` does."""
    opened = open_session(spec, on_progress)
    opened.feed.close()
    if opened.book.event_id == 0:
        names = ", ".join(raw.path.name for raw in opened.input.raw_files)
        log.warning("%s holds no record of %s up to there.", names, opened.input.contract)
    return opened.book


def open_session(spec: SessionSpec, on_progress: Callable[[Progress], None]) -> OpenedSession:
    """What a request means, the book at its warmup boundary, and the events from there on."""
    on_progress(Progress("decode", 0, None, 0.0))
    lake, cache, product, window, bounds, session, new_reader = find_session(spec)
    raw_paths = [raw.path for raw in session.raw_files]
    product = with_defined_tick(product, session.contract, raw_paths, window.file_dates)

    def look_at_prices() -> InputPrices | None:
        if not needs_prices(product, spec.bucket):
            return None
        reader = new_reader()
        meter = ProgressMeter("decode", reader.record_estimate(), on_progress)
        return input_prices(product, reader, meter.update)

    reader = new_reader()

    def opened(book: Book, scale: PriceScale, feed: EventFeed, book_cache: str) -> OpenedSession:
        if max(kept_to_ns, bounds.session_start_ns) < bounds.warmup_from_ns:
            _fast_forward(book, feed, bounds.warmup_from_ns, meter)
        return OpenedSession(lake, product, window, scale, session, reader, bounds, book, feed, book_cache)

    meter = ProgressMeter("book", reader.record_estimate(), on_progress)
    kept_to_ns = cached_boundary_ns(bounds.warmup_from_ns)
    if kept_to_ns <= bounds.session_start_ns:
        scale = price_scale(product, spec.bucket, look_at_prices())
        book = Book(scale.tick_int, scale.bucket_int)
        return opened(book, scale, EventFeed(reader, None, book.mark_gap), "off")
    key = CacheKey.of(product.product_type, session.contract, str(window.dates), kept_to_ns, session.raw_files)
    directory = cache.directory / BOOKS.directory
    cached = load_book(directory, key)
    if cached is not None:
        scale = price_scale(product, spec.bucket, cached.prices or look_at_prices())
        cached.book.rescale(scale.tick_int, scale.bucket_int)
        reader.keep_from(cached.resume.place)
        return opened(cached.book, scale, EventFeed(reader, cached.resume, cached.book.mark_gap), "hit")
    prices = look_at_prices()
    scale = price_scale(product, spec.bucket, prices)
    book = Book(scale.tick_int, scale.bucket_int)
    reader.keep_from(None)
    feed = EventFeed(reader, None, book.mark_gap)
    _fast_forward(book, feed, kept_to_ns, meter)
    reader.keep_from(feed.resume().place)
    try:
        mode = most_mode_of(*raw_paths)
        save_book(directory, key, book, feed.resume(), prices, most_mode=mode, make_room=Room(cache, BOOKS).make)
    except (LakeError, OSError) as error:
        log.warning("%s", error)
    return opened(book, scale, feed, "miss")


def open_growing(spec: SessionSpec, recording: GrowingInput) -> OpenedSession:
    """A session that is being recorded, opened at its beginning; raises as `pipeline.prepare_growing`."""
    lake, product, window, bounds = meaning_of(spec)
    contract = contract_of_feed(lake, product, canonical_symbol(product, spec.symbol), recording)
    product = lake.products.of_contract(product, contract)

    def new_reader() -> GrowingReader:
        return GrowingReader(recording, contract, window.start_ns, window.end_ns)

    prices = input_prices(product, new_reader(), lambda _records: None) if needs_prices(product, spec.bucket) else None
    scale = price_scale(product, spec.bucket, prices)
    book = Book(scale.tick_int, scale.bucket_int)
    reader = new_reader()
    feed = EventFeed(reader, None, book.mark_gap)
    files = tuple(InputFile(raw, ()) for raw in recording.raw_files())
    return OpenedSession(lake, product, window, scale, SessionInput(contract, files), reader, bounds, book, feed, "off")


def _fast_forward(book: Book, feed: EventFeed, until_ns: int, meter: ProgressMeter) -> None:
    """Take the events before a moment through the book alone."""
    while feed.ready():
        feed.index = book.fast_forward(feed.events, feed.index, until_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
