"""What a client asks of the query route, and what queries are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vp.query.limits import Limits
from vp.session import SessionName

if TYPE_CHECKING:
    from vp.query.sandbox import Answer


@dataclass(frozen=True)
class QueryRequest:
    """What a client asks: SQL or a named query, about a session.

    Attributes
    ----------
    sql, query : str or None
        One of the two.
    set : dict
        Values of a named query's parameters, as text.
    symbol, dt, start_time, product_type : str or None
        The session; None: the server's own.
    bucket : str or None
        Width of a price bucket in currency; None: the product's, and of the server's own session the server's.
    format : str
        json or arrow.
    """

    sql: str | None = None
    query: str | None = None
    set: Mapping[str, str] = field(default_factory=dict)
    symbol: str | None = None
    dt: str | None = None
    start_time: str | None = None
    product_type: str | None = None
    bucket: str | None = None
    format: str = "json"


@dataclass(frozen=True)
class QueryContext:
    """The lake and the session that queries are about, and what they may use.

    Attributes
    ----------
    lake : str or None
        Its root.
    session : SessionName
        The one that the server was started with.
    limits : Limits
    products : str or None
        The server's file of products.
    file : str or None
        The raw file that is played instead of the lake's.
    bucket : str or None
        Width of a price bucket of the server's own session; None: the product's.
    """

    lake: str | None
    session: SessionName
    limits: Limits = field(default_factory=Limits)
    products: str | None = None
    file: str | None = None
    bucket: str | None = None

    def answer(self, request: QueryRequest, begun: Callable[[], None] = lambda: None) -> Answer:
        """The answer, from the sandbox; raises VPError. `begun` is called when the session is found."""
        from vp.dbn.opened_lake import open_lake  # noqa: PLC0415 - loaded with the first query
        from vp.query import catalogue, sandbox  # noqa: PLC0415
        from vp.query.connection import choose_session, find_views  # noqa: PLC0415
        from vp.settings import forms  # noqa: PLC0415

        lake = open_lake(self.lake, self.products, self.file)
        if request.symbol is None and request.dt is None:
            own = self.session
            names: tuple[str | None, ...] = (own.symbol, own.dt, request.start_time or own.start_time, own.product_type)
            asked = request.bucket or self.bucket
        else:
            names = (request.symbol, request.dt, request.start_time, request.product_type)
            asked = request.bucket
        bucket = forms.bucket("bucket", asked) if asked else None
        session = choose_session(lake, *names, bucket=bucket)
        views = find_views(lake, session, replay=False)
        begun()
        if request.query is not None:
            named = catalogue.find(request.query)
            return sandbox.ask(views, named.sql, named.values(request.set), self.limits)
        assert request.sql is not None
        return sandbox.ask(views, request.sql, request.set, self.limits)
