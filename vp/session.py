"""Which session: the one value by which every part of VP names one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionName:
    """A session as a user states it.

    Attributes
    ----------
    product_type : str
        future_mbo or equity_mbo.
    symbol : str
        A contract, root, continuous name or ticker.
    dt : str
        YYYY-MM-DD, or more days, as vp.market.session_hours.parse_dates takes them.
    start_time : str or None
        HH:MM in New York, or as vp.market.wall_times.parse_time takes it, at which frames begin; None: at the
        session's start.
    """

    product_type: str
    symbol: str
    dt: str
    start_time: str | None = None
