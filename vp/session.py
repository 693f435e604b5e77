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
        YYYY-MM-DD.
    start_time : str or None
        HH:MM in New York, at which frames begin; None: at the session's start.
    """

    product_type: str
    symbol: str
    dt: str
    start_time: str | None = None
