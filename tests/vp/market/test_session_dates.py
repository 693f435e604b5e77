"""Dates, and sessions of several days: which days they take, the files that cover them, and where they end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp.errors import BadDateError
from vp.market.session_hours import (
    SessionDates,
    end_in_session,
    parse_date,
    parse_dates,
    session_window,
    to_ns,
    window_of,
)

HOUR = 3600 * 10**9
BAD_DATES: list[Any] = [
    "2026-2-6", "20260206", "06.02.2026", "", " 2026-02-06", "2026-02-06\n", "2026-W06-5", "2026-02-06T00:00",
    "２０２６-02-06", "../../etc", None, dt.date(2026, 2, 6),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_DATES)
def test_bad_dates(text: Any) -> None:
    with pytest.raises(BadDateError, match="expected YYYY-MM-DD"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "first", "last", "trading_day"),
    [
        ("2026-02-06", "2026-02-06", "2026-02-06", False),
        ("2026-02-05..2026-02-06", "2026-02-05", "2026-02-06", False),
        ("2026-02-06-trading-day", "2026-02-06", "2026-02-06", True),
        ("2026-02-02..2026-02-06-trading-day", "2026-02-02", "2026-02-06", True),
        ("2025-12-30..2026-12-30", "2025-12-30", "2026-12-30", False),
    ],
)
def test_dates_of_a_session(text: str, first: str, last: str, trading_day: bool) -> None:
    dates = parse_dates(text)
    assert dates == SessionDates(parse_date(first), parse_date(last), trading_day)
    assert str(dates) == text
    assert parse_dates(f"{first}..{first}") == SessionDates(parse_date(first), parse_date(first))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-06..2026-02-05", "expected the first day before the last"),
        ("2026-02-06..2027-02-07", "expected at most 366 days"),
        ("2026-02-06..", "date was '', expected YYYY-MM-DD"),
        ("..2026-02-06", "date was '', expected YYYY-MM-DD"),
        ("2026-02-06..2026-02-30", "calendar has no day 2026-02-30"),
        ("2026-02-06..7", "date was '7', expected"),
        ("2026-02-06...2026-02-07", "date was '.2026-02-07', expected"),
        ("-trading-day", "date was '', expected"),
        ("2026-02-06 trading day", "expected YYYY-MM-DD"),
        *((text, "expected YYYY-MM-DD") for text in BAD_DATES if not isinstance(text, dt.date)),
    ],
)
def test_bad_dates_of_a_session(text: Any, said: str) -> None:
    with pytest.raises(BadDateError, match=said):
        parse_dates(text)


@pytest.mark.parametrize(
    ("product_type", "dates", "described", "hours", "files"),
    [
        ("future_mbo", "2026-02-05..2026-02-06", "2026-02-04 19:00 ET to 2026-02-06 19:00 ET", 48, [5, 6]),
        ("future_mbo", "2026-02-06-trading-day", "2026-02-05 18:00 ET to 2026-02-06 17:00 ET", 23, [5, 6]),
        ("future_mbo", "2026-02-02..2026-02-06-trading-day", "2026-02-01 18:00 ET to 2026-02-06 17:00 ET", 119,
         [1, 2, 3, 4, 5, 6]),
        ("equity_mbo", "2026-02-05..2026-02-06", "2026-02-05 00:00 ET to 2026-02-07 00:00 ET", 48, [5, 6]),
        ("equity_mbo", "2026-02-06-trading-day", "2026-02-06 00:00 ET to 2026-02-07 00:00 ET", 24, [6]),
        # Monday after clocks went forward, and the Monday after they went back: both days in one zone.
        ("future_mbo", "2026-03-09-trading-day", "2026-03-08 18:00 ET to 2026-03-09 17:00 ET", 23, [8, 9]),
        ("future_mbo", "2026-11-02-trading-day", "2026-11-01 18:00 ET to 2026-11-02 17:00 ET", 23, [1, 2]),
        # Trading days in which clocks change: the weekend's.
        ("future_mbo", "2026-03-06..2026-03-09-trading-day", "2026-03-05 18:00 ET to 2026-03-09 17:00 ET", 94,
         [5, 6, 7, 8, 9]),
        ("future_mbo", "2026-11-01-trading-day", "2026-10-31 18:00 ET to 2026-11-01 17:00 ET", 24, [31, 1]),
        ("equity_mbo", "2026-03-06..2026-03-09", "2026-03-06 00:00 ET to 2026-03-10 00:00 ET", 95, [6, 7, 8, 9]),
        ("equity_mbo", "2026-10-31..2026-11-01", "2026-10-31 00:00 ET to 2026-11-02 00:00 ET", 49, [31, 1]),
    ],
)  # fmt: skip
def test_sessions_of_several_days(product_type: str, dates: str, described: str, hours: int, files: list[int]) -> None:
    session = window_of(product_type, parse_dates(dates))
    assert session.describe_et() == described
    assert session.end_ns - session.start_ns == hours * HOUR
    assert [date.day for date in session.file_dates] == files


def test_a_trading_day_of_futures_is_another_session_than_the_day_and_of_equities_the_same() -> None:
    dates = parse_dates("2026-02-06-trading-day")
    assert str(window_of("future_mbo", dates).dates) == "2026-02-06-trading-day"
    assert window_of("equity_mbo", dates) == session_window("equity_mbo", dates.first)


@settings(max_examples=200, deadline=None)
@given(
    first=st.dates(dt.date(1990, 1, 2), dt.date(2100, 1, 1)),
    more_days=st.integers(0, 9),
    trading_day=st.booleans(),
    product_type=st.sampled_from(["future_mbo", "equity_mbo"]),
)
def test_days_of_files_cover_a_session_and_no_more(
    first: dt.date, more_days: int, trading_day: bool, product_type: str
) -> None:
    dates = SessionDates(first, first + dt.timedelta(days=more_days), trading_day)
    session = window_of(product_type, dates)
    days = session.file_dates
    assert list(days) == sorted(set(days))
    if product_type == "future_mbo":
        assert to_ns(dt.datetime.combine(days[0], dt.time(0), dt.UTC)) <= session.start_ns
        assert session.end_ns <= to_ns(dt.datetime.combine(days[-1], dt.time(0), dt.UTC)) + 24 * HOUR
        assert len(days) <= more_days + 2
    else:
        assert (days[0], days[-1]) == (dates.first, dates.last)
    parts = [window_of(product_type, SessionDates(day, day)) for day in days[:: len(days) - 1 or 1]]
    assert parts[0].start_ns <= session.start_ns < parts[0].end_ns
    assert parts[-1].start_ns < session.end_ns <= parts[-1].end_ns


@pytest.mark.parametrize(
    ("dates", "end", "ends"),
    [
        ("2026-02-05..2026-02-06", "16:00", "2026-02-06 21:00"),
        ("2026-02-05..2026-02-06", "2026-02-05 16:00", "2026-02-05 21:00"),
        ("2026-02-05..2026-02-06", "19:00", "2026-02-07 00:00"),
        ("2026-02-05..2026-02-06", "19:30", "2026-02-06 00:30"),
        ("2026-02-06-trading-day", "17:00", "2026-02-06 22:00"),
        ("2026-02-06-trading-day", "16:00 CT", "2026-02-06 22:00"),
        ("2026-02-06-trading-day", "22:00", "2026-02-06 03:00"),
    ],
)
def test_ends_of_sessions_of_several_days(dates: str, end: str, ends: str) -> None:
    session = window_of("future_mbo", parse_dates(dates))
    assert end_in_session(session, end) == to_ns(dt.datetime.fromisoformat(f"{ends}+00:00"))
