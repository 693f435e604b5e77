"""When trading ends within a session, on a full day of the venues whose hours are known."""

from __future__ import annotations

import datetime as dt

from vp.market.session_hours import ONE_DAY, SessionWindow, from_ns, to_ns
from vp.market.wall_times import NEW_YORK

FUTURES_VENUE = "GLBX"
FUTURES_FROM, FUTURES_UNTIL = dt.time(18), dt.time(17)  # Sunday to Friday, New York; closed for the hour between
EQUITIES_FROM, EQUITIES_UNTIL = dt.time(9, 30), dt.time(16)
SATURDAY = 5


def trading_end_ns(dataset: str, window: SessionWindow, until_ns: int) -> int | None:
    """When trading ends for the last time within a session and before a moment, were every day of it a full one.

    Parameters
    ----------
    dataset : str
        Databento's code: GLBX.MDP3, XNAS.ITCH.
    window : SessionWindow
    until_ns : int
        ns UTC.

    Returns
    -------
    int or None
        ns UTC: `until_ns` or the window's end where trading goes on over it. None where nothing trades until then, or
        the venue's hours are not known here: of futures CME's alone are, of equities the regular hours.
    """
    futures = window.product_type.startswith("future_")
    if futures and dataset.partition(".")[0].upper() != FUTURES_VENUE:
        return None
    until_ns = min(until_ns, window.end_ns)
    first = from_ns(window.start_ns).astimezone(NEW_YORK).date()
    day = from_ns(until_ns).astimezone(NEW_YORK).date() + ONE_DAY
    while day >= first:
        opens = dt.datetime.combine(day - ONE_DAY, FUTURES_FROM) if futures else dt.datetime.combine(day, EQUITIES_FROM)
        closes = dt.datetime.combine(day, FUTURES_UNTIL if futures else EQUITIES_UNTIL)
        opens_ns, closes_ns = (to_ns(moment.replace(tzinfo=NEW_YORK)) for moment in (opens, closes))
        if day.weekday() < SATURDAY and opens_ns < until_ns and closes_ns > window.start_ns:
            return min(closes_ns, until_ns)
        day -= ONE_DAY
    return None
