"""Asking the lake with SQL: raw events, cached books and recordings as tables of a DuckDB connection.

May import market, settings, lake, dbn and model.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    import duckdb

__all__ = ["connect"]


def connect(
    lake: str | Path | None = None,
    *,
    symbol: str | None = None,
    dt: str | None = None,
    start_time: str | None = None,
    product_type: str | None = None,
    recording: str | Path | None = None,
    bucket: Decimal | str | None = None,
    products: str | Path | None = None,
    file: str | Path | None = None,
    build: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, that sees a lake.

    Always there are `raw_files`, `book_files` and `recording_files`. With `symbol` and `dt` there are `session`
    (one row), `events` and `book`; where the lake holds a recording of it, or with `recording`, `frames` and
    `recording` (one row). The named queries of sql/ are table macros: `FROM depth(levels := 5)`. Without a
    session, each session's events are a view by product type, symbol and date: `future_mbo.mnq_20260206`.

    Files are read when a query scans them, and are never changed.

    Parameters
    ----------
    lake : str or Path, optional
        Left out: the environment's VP_LAKE, else `lake` in the current directory.
    symbol, dt, start_time, product_type : str, optional
        The session, as `python -m vp.query` takes it. The book is the one 30 minutes before the start time.
    recording : str or Path, optional
        A file of frames, wherever it lies.
    bucket : Decimal or str, optional
        Width of a price bucket in the product's currency, by which `session` and the queries over it count; left out,
        the product's.
    products : str or Path, optional
        A file of products beside the lake's own.
    file : str or Path, optional
        A raw file, wherever it lies, that is read instead of the lake's.
    build : bool
        Build a book that the cache does not hold.

    Raises
    ------
    VPError
        Each kind of wrong request has its own type (vp.errors).

    Examples
    --------
    >>> connection = connect("lake", symbol="MNQH6", dt="2026-02-06")  # doctest: +SKIP
    >>> connection.sql("SELECT action, count(*) FROM events GROUP BY action").pl()  # doctest: +SKIP
    """
    from vp.dbn.opened_lake import open_lake  # noqa: PLC0415 - --help is fast
    from vp.query.connection import open_connection  # noqa: PLC0415
    from vp.settings import forms  # noqa: PLC0415

    width = None if bucket is None else forms.bucket("bucket", str(bucket))
    opened = open_lake(lake, products, file)
    return open_connection(opened, symbol, dt, start_time, product_type, recording, bucket=width, build=build)
