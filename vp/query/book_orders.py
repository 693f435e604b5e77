"""The cached book of a session as a table of its orders, without the kernels that built it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from vp.errors import NoBookSnapshotError
from vp.lake.cache_budget import BOOKS
from vp.model.book_cache import CacheKey, cached_boundary_ns, load_orders
from vp.model.order_schema import ORDER_SCHEMA
from vp.query.session import ChosenSession
from vp.query.sources import ArrowSource

if TYPE_CHECKING:
    from vp.model.progress import Progress

Tell = Callable[["Progress"], None]


def cached_book(session: ChosenSession, *, build: bool = False, tell: Tell | None = None) -> ArrowSource:
    """The orders resting 30 minutes before the session's start time, as vp.model.order_schema.ORDER_SCHEMA.

    Parameters
    ----------
    session : ChosenSession
    build : bool
        Build a book that the cache does not hold, and leave it there if that can be done.
    tell : callable, optional
        Told how far that is.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        yield from load_or_build(session, build=build, tell=tell).to_batches()

    return ArrowSource(ORDER_SCHEMA, batches)


def load_or_build(session: ChosenSession, *, build: bool, tell: Tell | None = None) -> pa.Table:
    """The table behind `cached_book`.

    Raises
    ------
    NoBookSnapshotError
        The cache does not hold it, or the session has no book before its start time.
    VPError
        Building it failed.
    """
    bounds = session.phases
    if bounds.warmup_from_ns <= bounds.session_start_ns:
        wanted = "No start time is given" if session.start_time is None else "The start time is within 30 minutes"
        raise NoBookSnapshotError(
            f"{wanted}{'' if session.start_time is None else ' of the session start'}, so there is no book before it; "
            f"the session runs from {session.window.describe_et()}.",
            hint="A book is kept as it stood 30 minutes before a start time, for example --start-time 09:30.",
        )
    kept_to_ns = cached_boundary_ns(bounds.warmup_from_ns)
    table = _load(session, kept_to_ns)
    if build if table is None else kept_to_ns < bounds.warmup_from_ns:  # what is kept is of up to a minute before
        table = _build(session, tell)
    if table is None:
        raise NoBookSnapshotError(
            f"The cache holds no book of {session.contract_name} on {session.dt} for the start time "
            f"{session.start_time}.",
            hint="--build builds it, which takes one pass over the raw file.",
        )
    return table.replace_schema_metadata(None)


def _load(session: ChosenSession, kept_to_ns: int) -> pa.Table | None:
    key = CacheKey.of(
        session.product.product_type,
        session.contract_name,
        session.dt,
        kept_to_ns,
        session.input.raw_files,
    )
    return load_orders(session.lake.cache_dir / BOOKS.directory, key)


def _build(session: ChosenSession, tell: Tell | None) -> pa.Table:
    """The orders of the book, built now; where the cache cannot be written, a warning says so."""
    from vp.model.opened_session import book_at_warmup  # noqa: PLC0415 - kernels take a while to load
    from vp.model.progress import ignore_progress  # noqa: PLC0415 - kernels take a while to load

    return book_at_warmup(session.spec(), tell or ignore_progress).to_arrow()
