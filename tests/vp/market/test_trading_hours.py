"""When trading ends within a session: by the venue's hours in New York, in summer and in winter."""

from __future__ import annotations

import datetime as dt

import pytest

from vp.market.session_hours import parse_dates, to_ns, window_of
from vp.market.trading_hours import trading_end_ns
from vp.market.wall_times import NEW_YORK

FUTURES, EQUITIES = "GLBX.MDP3", "XNAS.ITCH"
NEVER_NS = 2**63 - 1


def ends_at(dataset: str, days: str, until: str | None = None) -> str | None:
    kind = "future_mbo" if dataset.startswith(("GLBX", "XEUR")) else "equity_mbo"
    until_ns = NEVER_NS if until is None else to_ns(dt.datetime.fromisoformat(until).replace(tzinfo=NEW_YORK))
    found = trading_end_ns(dataset, window_of(kind, parse_dates(days)), until_ns)
    if found is None:
        return None
    return f"{dt.datetime.fromtimestamp(found // 10**9, NEW_YORK):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("dataset", "days", "until", "expected"),
    [
        (FUTURES, "2026-02-05", None, "2026-02-05 19:00"),  # a Thursday in winter: open again from 18:00
        (FUTURES, "2026-07-09", None, "2026-07-09 20:00"),  # in summer
        (FUTURES, "2026-02-06", None, "2026-02-06 17:00"),  # a Friday
        (FUTURES, "2026-02-07", None, None),  # a Saturday: its window begins at 19:00 on Friday
        (FUTURES, "2026-02-08", None, "2026-02-08 19:00"),  # a Sunday: from 18:00
        (FUTURES, "2026-02-05-trading-day", None, "2026-02-05 17:00"),
        (FUTURES, "2026-02-06..2026-02-08", None, "2026-02-08 19:00"),
        (FUTURES, "2026-02-05", "2026-02-05 17:30", "2026-02-05 17:00"),  # a file that ends in the hour's pause
        (FUTURES, "2026-02-05", "2026-02-05 10:30", "2026-02-05 10:30"),
        (FUTURES, "2026-02-08", "2026-02-08 12:00", None),
        (EQUITIES, "2026-07-08", None, "2026-07-08 16:00"),
        (EQUITIES, "2026-07-11", None, None),
        (EQUITIES, "2026-07-10..2026-07-12", None, "2026-07-10 16:00"),
        (EQUITIES, "2026-07-08", "2026-07-08 12:00", "2026-07-08 12:00"),
        (EQUITIES, "2026-07-08", "2026-07-08 09:00", None),
        ("XEUR.EOBI", "2026-02-05", None, None),
    ],
)
def test_when_trading_ends(dataset: str, days: str, until: str | None, expected: str | None) -> None:
    assert ends_at(dataset, days, until) == expected
