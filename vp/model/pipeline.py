"""The three phases of a session: book-only fast-forward (cached), warmup, live emit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import vp
from vp.dbn.contents import contents_of
from vp.dbn.growing_input import GrowingInput
from vp.dbn.session_reader import SessionReader
from vp.feed_gap import FeedGap
from vp.lake.segment_manifest import gaps_of
from vp.lake.stated_totals import stated_totals
from vp.model.early_end import InputEnd, early_end, first_cut
from vp.model.engine import EventDrivenVPEngine, FrameBatch
from vp.model.event_feed import EventFeed
from vp.model.live_session import LiveSession, run_until
from vp.model.opened_session import OpenedSession, open_growing, open_session
from vp.model.progress import Progress, ProgressMeter, ignore_progress
from vp.model.session import SessionInfo, SessionSpec
from vp.model.tick_warnings import warn_of_guess, warn_of_off_tick_prices

K = 50
NS_PER_MINUTE = 60_000_000_000
LISTED = 5
CONTEXT_THROTTLE_NS = 1_000_000_000


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
    opened = open_session(spec, on_progress)
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
    opened = open_growing(spec, recording)
    return _begin(spec, opened, on_progress, recording.gaps, str, lambda _read: None)


def _begin(
    spec: SessionSpec,
    opened: OpenedSession,
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


def _early_end(opened: OpenedSession) -> Callable[[bool], str | None]:
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


def _instead(opened: OpenedSession) -> str:
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
