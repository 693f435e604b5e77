"""The three phases of a session: book-only fast-forward (cached), warmup, live emit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

import vp
from vp.dbn.contents import contents_of
from vp.dbn.contracts import belongs
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.definitions import with_defined_tick
from vp.dbn.growing_input import GrowingInput, GrowingReader, contracts_of
from vp.dbn.input_prices import input_prices
from vp.dbn.kept_surveys import KeptSurveys
from vp.dbn.opened_lake import open_lake
from vp.dbn.session_input import InputFile, SessionInput, find_input, session_reader
from vp.dbn.session_reader import EventSource, SessionReader
from vp.errors import BadParameterError, LakeError, UnknownSymbolError
from vp.feed_gap import FeedGap
from vp.files import most_mode_of
from vp.lake.cache_budget import BOOKS, CacheBudget
from vp.lake.cache_room import Room
from vp.lake.lake import Lake
from vp.lake.segment_manifest import gaps_of
from vp.lake.stated_totals import stated_totals
from vp.market.price_scale import InputPrices, PriceScale, check_bucket, needs_prices, price_scale
from vp.market.products import Product, canonical_symbol, is_contract
from vp.market.session_hours import Phases, SessionWindow, parse_dates, phases, window_of
from vp.market.symbols import find_spelling
from vp.model.book import Book
from vp.model.book_cache import CacheKey, cached_boundary_ns, load_book, save_book
from vp.model.early_end import InputEnd, early_end, first_cut
from vp.model.engine import EventDrivenVPEngine, FrameBatch
from vp.model.event_feed import EventFeed
from vp.model.live_session import LiveSession, run_until
from vp.model.progress import Progress, ProgressMeter, ignore_progress
from vp.model.session import SessionInfo, SessionSpec
from vp.model.tick_warnings import warn_of_guess, warn_of_off_tick_prices
from vp.settings.forms import BYTES_PER_GB, MAX_CONTEXT_MINUTES

K = 50
NS_PER_MINUTE = 60_000_000_000
LISTED = 5
CONTEXT_THROTTLE_NS = 1_000_000_000

log = logging.getLogger(__name__)


def prepare(
    spec: SessionSpec,
    on_progress: Callable[[Progress], None] = ignore_progress,
    new_engine: Callable[..., EventDrivenVPEngine] = EventDrivenVPEngine,
) -> LiveSession:
    """Find the file and the contract, build the book or take it from the cache, and warm the engine up.

    `new_engine` makes the engine, from the arguments of EventDrivenVPEngine.

    Raises
    ------
    VPError
        Each kind of wrong request or damaged file has its own type (vp.errors).
    """
    opened = _open(spec, on_progress)
    gaps = tuple(gaps_of(opened.input.raw_files, opened.window.start_ns, opened.window.end_ns))
    return _begin(spec, opened, on_progress, lambda: gaps, lambda: _instead(opened), _early_end(opened), new_engine)


def prepare_growing(
    spec: SessionSpec, recording: GrowingInput, on_progress: Callable[[Progress], None] = ignore_progress
) -> LiveSession:
    """The same of a session that is being recorded: it is over for the moment where the recording ends so far.

    Raises
    ------
    UnknownSymbolError
        The feed has not named the symbol; the message lists what it has.
    VPError
    """
    lake, product, window, bounds = _meaning(spec)
    contract = _contract_of_feed(lake, product, canonical_symbol(product, spec.symbol), recording)
    product = lake.products.of_contract(product, contract)

    def new_reader() -> GrowingReader:
        return GrowingReader(recording, contract, window.start_ns, window.end_ns)

    prices = input_prices(product, new_reader(), lambda _records: None) if needs_prices(product, spec.bucket) else None
    scale = price_scale(product, spec.bucket, prices)
    book = Book(scale.tick_int, scale.bucket_int)
    reader = new_reader()
    feed = EventFeed(reader, None, book.mark_gap)
    files = tuple(InputFile(raw, ()) for raw in recording.raw_files())
    opened = _Opened(lake, product, window, scale, SessionInput(contract, files), reader, bounds, book, feed, "off")
    return _begin(spec, opened, on_progress, recording.gaps, str, lambda _read: None)


def growing_contract(spec: SessionSpec, recording: GrowingInput) -> tuple[str, SessionWindow]:
    """The contract of a session that is being recorded, and its window; raises as prepare_growing."""
    lake, product, window, _ = _meaning(spec)
    return _contract_of_feed(lake, product, canonical_symbol(product, spec.symbol), recording), window


def _contract_of_feed(lake: Lake, product: Product, symbol: str, recording: GrowingInput) -> str:
    """The contract of a symbol: itself, or for a root the one of which most has come."""
    names = contracts_of(recording)
    name = find_spelling(symbol, frozenset(names))
    if name is not None:
        return name
    own = [name for name in names if belongs(lake.products, product, name) and is_contract(product, name)]
    if is_contract(product, symbol) or not own:
        raise UnknownSymbolError(
            f"The feed does not hold {symbol}; it holds {', '.join(names[:20]) or 'nothing yet'}.",
            hint="Ask for one of these.",
        )
    counts = recording.counts()
    return min(own, key=lambda name: (-counts.get(name, 0), name))


def _begin(
    spec: SessionSpec,
    opened: _Opened,
    on_progress: Callable[[Progress], None],
    gaps: Callable[[], Sequence[FeedGap]],
    instead: Callable[[], str],
    ends_early: Callable[[bool], str | None],
    new_engine: Callable[..., EventDrivenVPEngine] = EventDrivenVPEngine,
) -> LiveSession:
    """The engine of an opened session, warm at its emit boundary."""
    product, scale, bounds, feed = opened.product, opened.scale, opened.bounds, opened.feed
    info = SessionInfo(
        product_type=spec.product_type,
        symbol=spec.symbol,
        contract=opened.input.contract,
        dt=str(opened.window.dates),
        source=opened.input.source,
        raw_files=tuple(raw.path.name for raw in opened.input.raw_files),
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
    engine = new_engine(
        K,
        scale.tick_int,
        scale.bucket_int,
        parameters=spec.parameters,
        metadata=info.frame_metadata(),
        book=opened.book,
    )
    warn_of_guess(product, opened.input.contract, scale)
    if feed.ready() and not scale.tick_is_guessed:
        warn_of_off_tick_prices(opened.input.contract, scale, feed.events)
    meter = ProgressMeter("warmup", opened.reader.record_estimate(), on_progress)
    if info.context_from_ns < bounds.emit_from_ns:
        _advance(engine, feed, info.context_from_ns, meter)
        engine.start_emitting(CONTEXT_THROTTLE_NS)
    context = _advance(engine, feed, bounds.emit_from_ns, meter)
    meter.update(feed.records_seen, last=True)
    session = LiveSession(info, engine, feed, context, instead, ends_early, gaps)
    opened.reader.keep_decompressed(session.first_frame_is_out)
    return session


def _advance(engine: EventDrivenVPEngine, feed: EventFeed, until_ns: int, meter: ProgressMeter) -> np.ndarray:
    """Run the records under `until_ns`; the frames that the engine makes of them, uint8[n, message_bytes]."""
    made = [engine.no_frames().buffer.copy()]

    def take(batch: FrameBatch) -> None:
        meter.update(feed.records_seen)
        if batch.count:
            made.append(batch.buffer.copy())

    run_until(engine, feed, until_ns, take)
    return np.concatenate(made)


def _early_end(opened: _Opened) -> Callable[[bool], str | None]:
    """What tells what is known of an input's early end; called with whether it has been read."""
    files = [(raw.path, raw.size_bytes, stated_totals(raw.path)) for raw in opened.input.raw_files]
    cut = first_cut(files)
    path, size_bytes, stated = files[-1]
    reader = opened.reader
    assert isinstance(reader, SessionReader)

    def tell(read: bool) -> str | None:
        if cut is not None or not read:
            return cut
        last = reader.last
        end = InputEnd(
            path, size_bytes, last.records_seen, last.last_record_ns, last.file.dataset, last.file.end_ns, stated
        )
        return early_end(opened.window, end)

    return tell


def _instead(opened: _Opened) -> str:
    """Which sessions there are besides an empty one: the nearest days, and other contracts of the file."""
    product, dates = opened.product, opened.window.dates
    days = [day for day in opened.lake.dates(product) if not dates.first <= day <= dates.last]
    nearest = sorted(sorted(days, key=lambda day: abs(day - dates.first))[:LISTED])
    held = {mapping.raw_symbol for raw in opened.input.raw_files for mapping in contents_of(raw).mappings}
    named = sorted(held - {opened.input.contract})[:LISTED]
    sentences = [
        *([f"The lake holds {product.root} of {', '.join(map(str, nearest))} too."] if nearest else []),
        *([f"The file names {', '.join(named)} too."] if named else []),
    ]
    return " ".join(sentences) or f"The lake holds no other session of {product.root}."


def book_at_warmup(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> Book:
    """The book at the warmup boundary, from the cache or built now and kept there; raises as `prepare` does."""
    opened = _open(spec, on_progress)
    opened.feed.close()
    if opened.book.event_id == 0:
        names = ", ".join(raw.path.name for raw in opened.input.raw_files)
        log.warning("%s holds no record of %s up to there.", names, opened.input.contract)
    return opened.book


def judge(spec: SessionSpec, *, look: bool = True) -> None:
    """Raise what is wrong with a request by itself: nothing is compiled for it, and no raw file is opened.

    `look`: also where its raw file lies, by the names in the lake.
    """
    meaning = _meaning(spec)
    if look:
        meaning.lake.inputs_by_date(meaning.product, meaning.window.file_dates)


class _Meaning(NamedTuple):
    """What the words of a request stand for."""

    lake: Lake
    product: Product
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
    lake = open_lake(spec.lake, spec.products, spec.file)
    product = lake.products.find(spec.product_type, spec.symbol)
    check_bucket(product, spec.bucket)
    window = window_of(spec.product_type, parse_dates(spec.dt))
    return _Meaning(lake, product, window, phases(window, spec.start_time, spec.end_time))


class FoundSession(NamedTuple):
    """Where a session's records are.

    Attributes
    ----------
    lake : Lake
    cache : CacheBudget
    product : Product
        With what is known of the contract.
    window : SessionWindow
    bounds : Phases
    input : SessionInput
    new_reader : callable
        Makes a reader of all of them.
    """

    lake: Lake
    cache: CacheBudget
    product: Product
    window: SessionWindow
    bounds: Phases
    input: SessionInput
    new_reader: Callable[[], SessionReader]


def find_session(spec: SessionSpec) -> FoundSession:
    """Find a session's contract and files, and read nothing of it yet; raises as `prepare` does."""
    lake, product, window, bounds = _meaning(spec)
    cache = CacheBudget(
        lake.cache_dir,
        round(spec.cache_limit_gb * BYTES_PER_GB),
        decompressed_limit_bytes=round(spec.decompressed_limit_gb * BYTES_PER_GB),
    )
    symbol = canonical_symbol(product, spec.symbol)
    found = find_input(lake, product, symbol, window.file_dates, KeptSurveys(cache))
    product = lake.products.of_contract(product, found.contract)
    decompressed = DecompressedFiles(cache)

    def new_reader() -> SessionReader:
        return session_reader(found, window.start_ns, window.end_ns, decompressed=decompressed)

    return FoundSession(lake, cache, product, window, bounds, found, new_reader)


class _Opened(NamedTuple):
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


def _open(spec: SessionSpec, on_progress: Callable[[Progress], None]) -> _Opened:
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

    def opened(book: Book, scale: PriceScale, feed: EventFeed, book_cache: str) -> _Opened:
        if max(kept_to_ns, bounds.session_start_ns) < bounds.warmup_from_ns:
            _fast_forward(book, feed, bounds.warmup_from_ns, meter)
        return _Opened(lake, product, window, scale, session, reader, bounds, book, feed, book_cache)

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


def _fast_forward(book: Book, feed: EventFeed, until_ns: int, meter: ProgressMeter) -> None:
    """Take the events before a moment through the book alone."""
    while feed.ready():
        feed.index = book.fast_forward(feed.events, feed.index, until_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
