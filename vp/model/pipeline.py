"""The three phases of a session: book-only fast-forward (cached), warmup, live emit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import vp
from vp.dbn.accounting import Accounting, PassedOver
from vp.dbn.contracts import Contract, choose_contract
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.events import Events
from vp.dbn.file import DbnFile
from vp.dbn.reader import Chunk, EventReader
from vp.errors import BadParameterError, LakeError
from vp.kernels.contract import FLAG_SNAPSHOT
from vp.lake.lake import BOOK_CACHE, DECOMPRESSED_CACHE, Lake, RawFile
from vp.market.products import Product, canonical_symbol, find_product
from vp.market.session_hours import Phases, parse_date, phases, session_window
from vp.model.book import NO_LIMIT, Book
from vp.model.book_cache import CacheKey, Resume, load_book, save_book
from vp.model.engine import EventDrivenVPEngine, FrameBatch
from vp.model.frames import FrameLayout
from vp.model.parameters import ModelParameters
from vp.settings.forms import DECOMPRESSED_LIMIT_GB

K = 50
PROGRESS_SECONDS = 0.1
NS_PER_MS = 1_000_000
BYTES_PER_GB = 1_000_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionSpec:
    """What a user asks for; every part as the user states it."""

    product_type: str
    symbol: str
    dt: str
    start_time: str | None = None
    end_time: str | None = None
    throttle_ms: float = 25.0
    lake: str | None = None
    decompressed_limit_gb: float = DECOMPRESSED_LIMIT_GB
    parameters: ModelParameters = field(default_factory=ModelParameters)


@dataclass(frozen=True)
class Progress:
    """How far a phase is: `decode`, `book` or `warmup`; the total is None where the file does not tell."""

    phase: str
    records_done: int
    records_total: int | None
    records_per_second: float


@dataclass(frozen=True)
class SessionInfo:
    """What a session turned out to be."""

    product_type: str
    symbol: str
    contract: str
    dt: str
    source: str
    raw_file: str
    start_time: str | None
    tick_int: int
    bucket_int: int
    decimals: int
    k: int
    parameters: ModelParameters
    throttle_ms: float
    session_start_ns: int
    emit_from_ns: int
    end_ns: int
    book_cache: str
    version: str

    def to_json(self) -> dict[str, Any]:
        """The facts by name; 64-bit times as decimal strings, so that JavaScript keeps their digits."""
        facts = asdict(self)
        for name in ("session_start_ns", "emit_from_ns", "end_ns"):
            facts[name] = str(facts[name])
        return facts


class EventFeed:
    """The events of one session in file order, chunk by chunk, with the place of each chunk in the file."""

    def __init__(self, reader: EventReader, resume: Resume | None) -> None:
        self._chunks: Iterator[Chunk] = (
            reader.chunks()
            if resume is None
            else reader.chunks(resume.byte_offset, resume.record_index, resume.passed_over)
        )
        self._reader = reader
        self._skip = 0 if resume is None else resume.skip_events
        self._chunk = Chunk(Events.allocate(0), reader.file.data_offset, 0, PassedOver())
        self.index = 0

    @property
    def events(self) -> Events:
        """The chunk that is being processed."""
        return self._chunk.events

    @property
    def records_seen(self) -> int:
        """Records of the file read so far, of every type and instrument."""
        return self._reader.records_seen

    def ready(self) -> bool:
        """Make sure that an event stands at `index`; False when there are no more."""
        while self.index >= len(self.events):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._chunk = chunk
            self.index = min(self._skip, len(self.events))
            self._skip -= self.index
        return True

    def resume(self) -> Resume:
        """Where the event at `index` stands in the file."""
        chunk = self._chunk
        return Resume(chunk.byte_offset, chunk.record_index, self.index, chunk.passed_over)

    def account(self, book: Book) -> Accounting:
        """What became of the records read so far, given the book that they go into."""
        reader = self._reader
        return Accounting.of(
            book.tallies(),
            book.event_id,
            read=reader.records_seen,
            passed_over=reader.passed_over,
            waiting=len(self.events) - self.index,
        )

    def close(self) -> None:
        """Let go of the file."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class LiveSession:
    """A session whose book is built and whose engine is warm: frames on demand.

    Attributes
    ----------
    info : SessionInfo
    layout : FrameLayout
    """

    def __init__(self, info: SessionInfo, engine: EventDrivenVPEngine, feed: EventFeed) -> None:
        self.info = info
        self.layout: FrameLayout = engine.layout
        self.engine = engine
        self._feed = feed

    @property
    def next_event_ns(self) -> int | None:
        """Clock to which the next record brings the engine, ns UTC; None when the session is over."""
        feed = self._feed
        if not feed.ready():
            return None
        clock = self.engine.clock_ns
        ts_event = int(feed.events.columns.ts_event[feed.index])
        if feed.events.columns.flags[feed.index] & FLAG_SNAPSHOT:
            return self.info.session_start_ns if clock is None else clock
        reached = ts_event if clock is None else max(ts_event, clock)
        return None if reached >= self.info.end_ns else reached

    @property
    def finished(self) -> bool:
        """Whether every record of the session has been processed."""
        return self.next_event_ns is None

    @property
    def clock_ns(self) -> int | None:
        """The engine clock, ns UTC."""
        return self.engine.clock_ns

    @property
    def records_done(self) -> int:
        """Records of the instrument processed since the session's start."""
        return self.engine.book.event_id

    def anomalies(self) -> dict[str, int]:
        """The book's counters of what should not be, by name."""
        return self.engine.anomalies()

    def accounting(self) -> Accounting:
        """What became of every record read so far."""
        return self._feed.account(self.engine.book)

    def advance(self, until_clock_ns: int | None = None, max_frames: int | None = None) -> FrameBatch:
        """Run records whose clock stays under `until_clock_ns` (None: to the end).

        Comes back earlier once there are frames to hand over; no frames and an unreached clock never come
        together. The batch holds until the next call.
        """
        until_ns = min(until_clock_ns if until_clock_ns is not None else NO_LIMIT, self.info.end_ns)
        feed = self._feed
        while feed.ready():
            before = feed.index
            feed.index, batch = self.engine.advance(feed.events, before, until_ns, max_frames)
            if batch.count or feed.index < len(feed.events):
                return batch
        return self.engine.no_frames()

    def close(self) -> None:
        """Let go of the file."""
        self._feed.close()


class _ProgressMeter:
    """Tells how far a phase is, a few times a second at the most."""

    def __init__(self, phase: str, total: int | None, tell: Callable[[Progress], None]) -> None:
        self._phase, self._total, self._tell = phase, total, tell
        self._started = self._told = time.monotonic()
        self._first: int | None = None

    def update(self, records: int, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = records
        if not last and now - self._told < PROGRESS_SECONDS:
            return
        self._told = now
        rate = (records - self._first) / max(now - self._started, 1e-6)
        self._tell(Progress(self._phase, records, self._total, rate))


def ignore_progress(_progress: Progress) -> None:
    """Do nothing with progress."""


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
    product, contract, bounds, feed = opened.product, opened.contract, opened.bounds, opened.feed
    info = SessionInfo(
        product_type=spec.product_type,
        symbol=spec.symbol,
        contract=contract.name,
        dt=spec.dt,
        source=opened.raw.source,
        raw_file=opened.raw.path.name,
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
        metadata=_frame_metadata(info),
        book=opened.book,
    )
    meter = _ProgressMeter("warmup", opened.file.record_estimate(), on_progress)
    while feed.ready():
        feed.index, _ = engine.advance(feed.events, feed.index, bounds.emit_from_ns)
        meter.update(feed.records_seen)
        if feed.index < len(feed.events):
            break
    meter.update(feed.records_seen, last=True)
    engine.start_emitting()
    opened.file.keep_decompressed()
    return LiveSession(info, engine, feed)


def cache_book(spec: SessionSpec, on_progress: Callable[[Progress], None] = ignore_progress) -> None:
    """Have the book at the warmup boundary in the cache, built now where it is not; raises as `prepare` does."""
    _open(spec, on_progress).feed.close()


class _Opened(NamedTuple):
    product: Product
    raw: RawFile
    file: DbnFile
    contract: Contract
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
    raw = lake.find_raw(product, date)
    on_progress(Progress("decode", 0, None, 0.0))
    decompressed = DecompressedFiles(
        lake.cache_dir / DECOMPRESSED_CACHE, round(spec.decompressed_limit_gb * BYTES_PER_GB)
    )
    file = DbnFile(raw.path, decompressed=decompressed)
    contract = choose_contract(file, product, canonical_symbol(product, spec.symbol), date)
    book, feed, cache_state = _book_at_warmup(
        lake, raw, file, product, contract, spec, bounds, window.end_ns, on_progress
    )
    return _Opened(product, raw, file, contract, bounds, book, feed, cache_state)


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
) -> tuple[Book, EventFeed, str]:
    """The book at the warmup boundary, the events from there on, and whether the cache was hit, missed or off."""
    reader = EventReader(file, contract.instrument_id, bounds.session_start_ns, session_end_ns)
    if bounds.warmup_from_ns <= bounds.session_start_ns:
        return Book(product.tick_int, product.bucket_int), EventFeed(reader, None), "off"
    key = CacheKey.of(product.product_type, contract.name, spec.dt, bounds.warmup_from_ns, raw)
    directory = lake.cache_dir / BOOK_CACHE
    cached = load_book(directory, key)
    if cached is not None:
        return cached[0], EventFeed(reader, cached[1]), "hit"
    book = Book(product.tick_int, product.bucket_int)
    feed = EventFeed(reader, None)
    meter = _ProgressMeter("book", file.record_estimate(), on_progress)
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


def _frame_metadata(info: SessionInfo) -> dict[str, str]:
    """Schema metadata of the frames: what made them, and nothing of when or how they were read."""
    parameters = ",".join(f"{name}={value!r}" for name, value in info.parameters.to_json().items())
    return {
        "vp.symbol": info.symbol,
        "vp.contract": info.contract,
        "vp.product_type": info.product_type,
        "vp.dt": info.dt,
        "vp.raw_file": info.raw_file,
        "vp.tick_int": str(info.tick_int),
        "vp.bucket_int": str(info.bucket_int),
        "vp.k": str(info.k),
        "vp.parameters": parameters,
        "vp.version": info.version,
    }
