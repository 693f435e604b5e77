"""When trading ends within a session, on a full day of the venues whose hours are known."""

from __future__ import annotations

import datetime as dt

from vp.market.session_hours import ONE_DAY, SessionWindow, from_ns, to_ns
from vp.market.wall_times import NEW_YORK

FUTURES_VENUE = "GLBX"
FUTURES_FROM, FUTURES_UNTIL = dt.time(18), dt.time(17)  # Sunday to Friday, New York; closed for the hour between
EQUITIES_UNTIL = dt.time(16)
SATURDAY = 5


def trading_end_ns(dataset: str, window: SessionWindow) -> int | None:
    """When trading ends within a session, were every day of it a full one.

    Parameters
    ----------
    dataset : str
        Databento's code: GLBX.MDP3, XNAS.ITCH.
    window : SessionWindow

    Returns
    -------
    int or None
        ns UTC, the window's end where trading goes on over it; None where nothing trades in it, or the venue's hours
        are not known here: of futures CME's alone are, of equities the regular hours.
    """
    futures = window.product_type.startswith("future_")
    if futures and dataset.partition(".")[0].upper() != FUTURES_VENUE:
        return None
    day = from_ns(window.end_ns - 1).astimezone(NEW_YORK).date() + ONE_DAY * futures
    while to_ns(dt.datetime.combine(day, dt.time(0), NEW_YORK)) > window.start_ns - 2 * 86_400_000_000_000:
        if day.weekday() < SATURDAY:
            opens = dt.datetime.combine(day - ONE_DAY, FUTURES_FROM, NEW_YORK)
            closes = dt.datetime.combine(day, FUTURES_UNTIL if futures else EQUITIES_UNTIL, NEW_YORK)
            if not futures:
                opens = dt.datetime.combine(day, dt.time(0), NEW_YORK)
            if to_ns(opens) < window.end_ns and to_ns(closes) > window.start_ns:
                return min(to_ns(closes), window.end_ns)
        day -= ONE_DAY
    return None
