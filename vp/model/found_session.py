"""Which session a request means, and where its records are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vp.dbn.contracts import belongs
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.dbn.growing_input import GrowingInput, contracts_of
from vp.dbn.kept_surveys import KeptSurveys
from vp.dbn.opened_lake import open_lake
from vp.dbn.session_input import SessionInput, find_input, session_reader
from vp.dbn.session_reader import SessionReader
from vp.errors import BadParameterError, UnknownSymbolError
from vp.lake.cache_budget import CacheBudget
from vp.lake.lake import Lake
from vp.market.price_scale import check_bucket
from vp.market.products import Product, canonical_symbol, is_contract
from vp.market.session_hours import Phases, SessionWindow, parse_dates, phases, window_of
from vp.market.symbols import find_spelling
from vp.model.session import SessionSpec
from vp.settings.forms import BYTES_PER_GB, MAX_CONTEXT_MINUTES


class Meaning(NamedTuple):
    """What the words of a request stand for."""

    lake: Lake
    product: Product
    window: SessionWindow
    bounds: Phases


def meaning_of(spec: SessionSpec) -> Meaning:
    """What a request means, by its words alone; raises what is wrong with them."""
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
    return Meaning(lake, product, window, phases(window, spec.start_time, spec.end_time))


def judge(spec: SessionSpec, *, look: bool = True) -> None:
    """Raise what is wrong with a request by itself: nothing is compiled for it, and no raw file is opened.

    `look`: also where its raw file lies, by the names in the lake.
    """
    meaning = meaning_of(spec)
    if look:
        meaning.lake.inputs_by_date(meaning.product, meaning.window.file_dates)


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
    lake, product, window, bounds = meaning_of(spec)
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


def growing_contract(spec: SessionSpec, recording: GrowingInput) -> tuple[str, SessionWindow]:
    """The contract of a session that is being recorded, and its window; raises as prepare_growing."""
    lake, product, window, _ = meaning_of(spec)
    return contract_of_feed(lake, product, canonical_symbol(product, spec.symbol), recording), window


def contract_of_feed(lake: Lake, product: Product, symbol: str, recording: GrowingInput) -> str:
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
