"""Dates, session windows and phases, above all where New York's clocks change."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp.errors import BadDateError, BadStartTimeError, UnknownProductTypeError
from vp.market.session_hours import (
    Phases,
    SessionDates,
    SessionWindow,
    end_in_session,
    from_ns,
    parse_date,
    parse_dates,
    phases,
    session_window,
    time_in_session,
    to_ns,
    window_of,
)
from vp.market.wall_times import NEW_YORK, parse_time

S = 1_000_000_000
HOUR = 3600 * S
MINUTE = 60 * S

# 2026-01-01 is day 20454 since 1970. Clocks go forward on 2026-03-08 and back on 2026-11-01. Seconds UTC.
FUTURES = {
    "2026-03-06": (1772755200, 1772841600),
    "2026-03-08": (1772928000, 1773014400),
    "2026-03-09": (1773014400, 1773100800),
    "2026-10-30": (1793318400, 1793404800),
    "2026-11-01": (1793491200, 1793577600),
    "2026-11-02": (1793577600, 1793664000),
}
EQUITIES = {
    "2026-03-06": (1772773200, 1772859600),  # 05:00 UTC to 05:00 UTC
    "2026-03-08": (1772946000, 1773028800),  # 05:00 UTC to 04:00 UTC
    "2026-03-09": (1773028800, 1773115200),  # 04:00 UTC to 04:00 UTC
    "2026-10-30": (1793332800, 1793419200),  # 04:00 UTC to 04:00 UTC
    "2026-11-01": (1793505600, 1793595600),  # 04:00 UTC to 05:00 UTC
    "2026-11-02": (1793595600, 1793682000),  # 05:00 UTC to 05:00 UTC
}
HALF_PAST_NINE = {
    "2026-03-06": 1772807400,  # 14:30 UTC
    "2026-03-08": 1772976600,  # 13:30 UTC
    "2026-03-09": 1773063000,
    "2026-10-30": 1793367000,
    "2026-11-01": 1793543400,  # 14:30 UTC
    "2026-11-02": 1793629800,
}


def window(product_type: str, date: str) -> SessionWindow:
    return session_window(product_type, parse_date(date))


@pytest.mark.parametrize("date", FUTURES)
def test_windows(date: str) -> None:
    for product_type, expected in (("future_mbo", FUTURES), ("equity_mbo", EQUITIES)):
        got = window(product_type, date)
        assert (got.start_ns, got.end_ns) == tuple(second * S for second in expected[date])
        assert time_in_session(got, "09:30") == HALF_PAST_NINE[date] * S


def test_equity_days_have_23_24_and_25_hours() -> None:
    hours = {
        date: (window("equity_mbo", date).end_ns - window("equity_mbo", date).start_ns) / HOUR for date in EQUITIES
    }
    assert list(hours.values()) == [24, 23, 24, 24, 25, 24]


@pytest.mark.parametrize(
    ("date", "described"),
    [
        ("2026-03-06", "2026-03-05 19:00 ET to 2026-03-06 19:00 ET"),
        ("2026-03-08", "2026-03-07 19:00 ET to 2026-03-08 20:00 ET"),
        ("2026-03-09", "2026-03-08 20:00 ET to 2026-03-09 20:00 ET"),
        ("2026-10-30", "2026-10-29 20:00 ET to 2026-10-30 20:00 ET"),
        ("2026-11-01", "2026-10-31 20:00 ET to 2026-11-01 19:00 ET"),
        ("2026-11-02", "2026-11-01 19:00 ET to 2026-11-02 19:00 ET"),
    ],
)
def test_futures_sessions_in_new_york_time(date: str, described: str) -> None:
    assert window("future_mbo", date).describe_et() == described


def test_equity_session_in_new_york_time() -> None:
    assert window("equity_mbo", "2026-03-08").describe_et() == "2026-03-08 00:00 ET to 2026-03-09 00:00 ET"


@pytest.mark.parametrize(
    ("date", "time", "second"),
    [
        ("2026-03-06", "19:30", 1772757000),  # the evening before, 00:30 UTC
        ("2026-03-06", "19:00", 1772755200),  # the session's first moment
        ("2026-03-06", "18:59:59", 1772841599),  # its last second
        ("2026-03-08", "19:30", 1773012600),  # occurs twice: on the date itself, 23:30 UTC
        ("2026-03-08", "20:00", 1772931600),  # on the date it is the end already: the evening before, 01:00 UTC
        ("2026-03-08", "01:59", 1772953140),  # 06:59 UTC
        ("2026-03-08", "03:00", 1772953200),  # 07:00 UTC, one minute later
        ("2026-03-09", "20:00", 1773014400),
        ("2026-10-30", "20:00", 1793318400),
        ("2026-11-01", "20:00", 1793491200),
        ("2026-11-01", "01:30", 1793511000),  # shown twice: the first, 05:30 UTC
        ("2026-11-01", "02:00", 1793516400),  # 07:00 UTC
        ("2026-11-02", "19:30", 1793579400),  # the evening before, 00:30 UTC
        ("2026-11-02", "20:00", 1793581200),
    ],
)
def test_times_in_a_futures_session(date: str, time: str, second: int) -> None:
    assert time_in_session(window("future_mbo", date), time) == second * S


@pytest.mark.parametrize(
    ("date", "time", "second"),
    [
        ("2026-03-08", "00:00", 1772946000),
        ("2026-03-08", "23:59:59", 1773028799),
        ("2026-11-01", "01:30", 1793511000),
        ("2026-11-01", "23:59:59", 1793595599),
    ],
)
def test_times_in_an_equity_session(date: str, time: str, second: int) -> None:
    assert time_in_session(window("equity_mbo", date), time) == second * S


def test_time_that_the_session_lacks() -> None:
    with pytest.raises(
        BadStartTimeError, match=r"19:30 ET is not within .*2026-10-31 20:00 ET to 2026-11-01 19:00 ET\."
    ):
        time_in_session(window("future_mbo", "2026-11-01"), "19:30")


@pytest.mark.parametrize("product_type", ["future_mbo", "equity_mbo"])
@pytest.mark.parametrize("time", ["02:00", "02:30", "02:59:59"])
def test_hour_that_clocks_skip(product_type: str, time: str) -> None:
    with pytest.raises(BadStartTimeError, match=f"{time} ET is skipped.*2026-03-08, which runs from 2026-03-0[78]"):
        time_in_session(window(product_type, "2026-03-08"), time)


BAD_TIMES: list[Any] = [
    "9:30am", "9:30", "25:00", "24:00", "09:60", "", "09:30:00.5", "09:30:60", " 09:30", "09:30\n", "0930", "-1:30",
    "０９:30", "09:30  CT", "09:30 CT PT", "06.02.2026 09:30", "2026-02-06  09:30", "09:30 ../UTC",
    None, 930, dt.time(9, 30),
]  # fmt: skip


@pytest.mark.parametrize("time", BAD_TIMES)
def test_bad_times(time: Any) -> None:
    session = window("future_mbo", "2026-02-06")
    for read in (time_in_session, end_in_session):
        with pytest.raises(BadStartTimeError, match=r"expected HH:MM.*2026-02-05 19:00 ET") as caught:
            read(session, time)
        assert repr(time) in caught.value.message
        assert "For example 09:30, which is in New York, 08:30 CT" in caught.value.hint


@settings(max_examples=200, deadline=None)
@given(
    date=st.dates(dt.date(1990, 1, 2), dt.date(2100, 1, 1)),
    time=st.times().map(lambda moment: moment.replace(microsecond=0)),
    product_type=st.sampled_from(["future_mbo", "equity_mbo"]),
)
def test_a_time_is_what_clocks_show(date: dt.date, time: dt.time, product_type: str) -> None:
    session = session_window(product_type, date)
    shown = []
    for day in (date, date - dt.timedelta(days=1)):
        wall = dt.datetime.combine(day, time)
        moments = [to_ns(wall.replace(tzinfo=dt.UTC)) + hours * HOUR for hours in (4, 5)]  # EDT before EST
        shown += [ns for ns in moments if from_ns(ns).astimezone(NEW_YORK).replace(tzinfo=None) == wall]
    within = [ns for ns in shown if session.start_ns <= ns < session.end_ns]
    if within:
        assert time_in_session(session, time.isoformat()) == within[0]
    else:
        with pytest.raises(BadStartTimeError):
            time_in_session(session, time.isoformat())


@pytest.mark.parametrize(
    ("start", "warmup_from", "emit_from"),
    [
        ("09:30", "14:00:00", "14:30:00"),
        ("19:10", "00:00:00", "00:10:00"),  # inside the first half hour: from the session's start
        ("19:30", "00:00:00", "00:30:00"),
        ("19:31", "00:01:00", "00:31:00"),
        ("19:00", "00:00:00", "00:00:00"),
        ("09:30:15", "14:00:15", "14:30:15"),
        (None, "00:00:00", "00:00:00"),
    ],
)
def test_phases(start: str | None, warmup_from: str, emit_from: str) -> None:
    session = window("future_mbo", "2026-02-06")
    day_ns = 20490 * 24 * HOUR
    expected = Phases(day_ns, utc(warmup_from), utc(emit_from), day_ns + 24 * HOUR)
    assert phases(session, start) == expected


def utc(time: str) -> int:
    """Ns of a time of 2026-02-06 UTC, day 20490 since 1970."""
    hours, minutes, seconds = (int(part) for part in time.split(":"))
    return 20490 * 24 * HOUR + hours * HOUR + minutes * MINUTE + seconds * S


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("09:30", "16:00", utc("21:00:00")),
        (None, "09:30", utc("14:30:00")),
        ("20:00", "21:00", utc("02:00:00")),  # both on the evening before
        ("09:30", "19:00", utc("23:59:59") + S),  # the session's own end
        (None, "19:00", utc("23:59:59") + S),
        ("09:30", "09:30:01", utc("14:30:01")),
    ],
)
def test_end_time(start: str | None, end: str, expected: int) -> None:
    assert phases(window("future_mbo", "2026-02-06"), start, end).end_ns == expected


def test_midnight_ends_an_equity_session() -> None:
    assert phases(window("equity_mbo", "2026-11-01"), "09:30", "00:00").end_ns == 1793595600 * S


@pytest.mark.parametrize(("start", "end"), [("09:30", "09:30"), ("16:00", "09:30"), ("09:30", "19:01")])
def test_end_must_be_after_the_start(start: str, end: str) -> None:
    with pytest.raises(BadStartTimeError, match=f"end time {end} .* not after the start time {start} ") as caught:
        phases(window("future_mbo", "2026-02-06"), start, end)
    assert "2026-02-05 19:00 ET to 2026-02-06 19:00 ET" in caught.value.hint


def test_end_outside_the_session() -> None:
    with pytest.raises(BadStartTimeError, match="end time 19:30 ET is not within the session of 2026-11-01"):
        phases(window("future_mbo", "2026-11-01"), "09:30", "19:30")


def test_dates() -> None:
    assert parse_date("2026-02-06") == dt.date(2026, 2, 6)
    assert parse_date("2024-02-29") == dt.date(2024, 2, 29)


BAD_DATES: list[Any] = [
    "2026-2-6", "20260206", "06.02.2026", "", " 2026-02-06", "2026-02-06\n", "2026-W06-5", "2026-02-06T00:00",
    "２０２６-02-06", "../../etc", None, dt.date(2026, 2, 6),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_DATES)
def test_bad_dates(text: Any) -> None:
    with pytest.raises(BadDateError, match="expected YYYY-MM-DD"):
        parse_date(text)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "2026-00-01", "0000-01-01"])
def test_days_that_the_calendar_lacks(text: str) -> None:
    with pytest.raises(BadDateError, match=f"no day {text}"):
        parse_date(text)


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "2262-01-01", "9999-12-31"])
def test_years_beyond_int64(text: str) -> None:
    with pytest.raises(BadDateError, match="a year from 1970 to 2261"):
        parse_date(text)


@pytest.mark.parametrize("product_type", ["future_mbo", "equity_mbo"])
@pytest.mark.parametrize("date", ["1970-01-01", "2261-12-31"])
def test_every_date_has_a_session_within_int64(product_type: str, date: str) -> None:
    session = window(product_type, date)
    assert 0 <= session.start_ns < session.end_ns < 2**63
    assert session.start_ns <= time_in_session(session, "21:00") < session.end_ns


def test_session_of_an_unknown_product_type() -> None:
    with pytest.raises(UnknownProductTypeError, match="'bond_mbo'"):
        window("bond_mbo", "2026-02-06")


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
    ("product_type", "dates", "time", "shown"),
    [
        ("future_mbo", "2026-02-05..2026-02-06", "09:30", "2026-02-05 14:30"),
        ("future_mbo", "2026-02-05..2026-02-06", "2026-02-06 09:30", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-05..2026-02-06", "2026-02-06T09:30:15", "2026-02-06 14:30:15"),
        ("future_mbo", "2026-02-05..2026-02-06", "19:30", "2026-02-06 00:30"),  # of the first day's evening
        ("future_mbo", "2026-02-05..2026-02-06", "2026-02-04 19:30", "2026-02-05 00:30"),
        ("future_mbo", "2026-02-06-trading-day", "09:30", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06-trading-day", "18:00", "2026-02-05 23:00"),
        ("future_mbo", "2026-02-06-trading-day", "16:59", "2026-02-06 21:59"),
        ("future_mbo", "2026-02-06", "08:30 CT", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "08:30 ct", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "14:30 UTC", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "14:30 GMT", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "07:30 MT", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "06:30 PT", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "15:30 Europe/Berlin", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "09:30 america/new_york", "2026-02-06 14:30"),
        ("future_mbo", "2026-02-06", "23:30 UTC", "2026-02-06 23:30"),
        ("future_mbo", "2026-02-06", "00:30 UTC", "2026-02-06 00:30"),
        ("future_mbo", "2026-02-06", "08:30 Asia/Tokyo", "2026-02-06 23:30"),  # the day after, there
        ("future_mbo", "2026-02-06", "09:30 Asia/Tokyo", "2026-02-06 00:30"),
        ("future_mbo", "2026-02-06", "2026-02-07 08:30 Asia/Tokyo", "2026-02-06 23:30"),
        ("equity_mbo", "2026-07-08", "08:30 CT", "2026-07-08 13:30"),
        ("equity_mbo", "2026-07-08", "02:30 UTC", "2026-07-09 02:30"),  # 22:30 in New York
        ("equity_mbo", "2026-03-16", "13:30 Europe/London", "2026-03-16 13:30"),  # clocks there change later
        ("future_mbo", "2026-11-01", "01:30", "2026-11-01 05:30"),
        ("future_mbo", "2026-11-01", "01:30 CT", "2026-11-01 06:30"),
        ("future_mbo", "2026-10-25", "02:30 Europe/Berlin", "2026-10-25 00:30"),
    ],
)
def test_times_with_days_and_zones(product_type: str, dates: str, time: str, shown: str) -> None:
    moment = to_ns(dt.datetime.fromisoformat(f"{shown}+00:00"))
    session = window_of(product_type, parse_dates(dates))
    assert time_in_session(session, time) == moment
    if moment > session.start_ns:
        assert end_in_session(session, f"{shown} UTC") == moment


@pytest.mark.parametrize(("date", "shown"), [("2026-10-24", "2026-10-24 23:30"), ("2026-10-25", "2026-10-25 00:30")])
def test_of_an_hour_that_clocks_show_twice_the_one_within_is_taken(date: str, shown: str) -> None:
    moment = to_ns(dt.datetime.fromisoformat(f"{shown}+00:00"))  # there clocks go back at midnight UTC
    assert time_in_session(window("future_mbo", date), "2026-10-25 02:30 Europe/Chisinau") == moment


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


@pytest.mark.parametrize(
    ("dates", "time", "said"),
    [
        ("2026-02-06-trading-day", "17:30", "17:30 ET is not within the session of 2026-02-06-trading-day, which runs"),
        (
            "2026-02-06",
            "2026-02-07 09:30",
            "2026-02-07 09:30 ET is not within .*2026-02-05 19:00 ET to 2026-02-06 19:00",
        ),
        ("2026-02-06", "2026-02-07 09:30 CT", "2026-02-07 09:30 CT is not within .*2026-02-05 19:00 ET"),
        (
            "2026-03-29",
            "02:30 Europe/Berlin",
            "02:30 Europe/Berlin is skipped, as clocks go forward, in the session of",
        ),
        ("2026-02-06", "2026-02-30 09:30", "the calendar has no day 2026-02-30"),
        ("2026-02-06", "09:30 XT", "'09:30 XT', and there is no time zone 'XT'; expected ET, CT, MT, PT, UTC, GMT or"),
        ("2026-02-06", "09:30 CST", "no time zone 'CST'"),
        ("2026-02-06", "09:30am", "no time zone 'am'.* runs from 2026-02-05 19:00 ET"),
        ("2026-02-06", "09:30 America", "no time zone 'America'"),
        ("2026-02-06", "09:30 Europe/Berlim", "no time zone 'Europe/Berlim'"),
    ],
)
def test_times_with_days_and_zones_that_are_wrong(dates: str, time: str, said: str) -> None:
    with pytest.raises((BadStartTimeError, BadDateError), match=said):
        time_in_session(window_of("future_mbo", parse_dates(dates)), time)


@settings(max_examples=200, deadline=None)
@given(
    moment=st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2100, 1, 1)).map(lambda one: one.replace(microsecond=0)),
    zone=st.sampled_from(["ET", "CT", "UTC", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    product_type=st.sampled_from(["future_mbo", "equity_mbo"]),
)
def test_the_clock_of_any_zone_leads_back_to_the_moment(moment: dt.datetime, zone: str, product_type: str) -> None:
    ns = to_ns(moment.replace(tzinfo=dt.UTC))
    time = parse_time(f"00:00 {zone}")
    local = moment.replace(tzinfo=dt.UTC).astimezone(time.zone)
    date = moment.date() if product_type == "future_mbo" else moment.replace(tzinfo=dt.UTC).astimezone(NEW_YORK).date()
    session = session_window(product_type, date)
    found = time_in_session(session, f"{local:%Y-%m-%d %H:%M:%S} {zone}")
    assert from_ns(found).astimezone(time.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    assert found == ns or (local.fold == 1 and session.start_ns <= found < ns)


def test_ns_are_exact() -> None:
    moment = dt.datetime(2026, 2, 6, 9, 30, 0, 123457, NEW_YORK)
    assert to_ns(moment) == utc("14:30:00") + 123_457_000
    assert from_ns(to_ns(moment) + 999) == moment


def test_import_is_light() -> None:
    code = (
        "import sys, vp.lake.lake, vp.market.products, vp.market.session_hours\n"
        "print(*{'numpy', 'pyarrow', 'yaml', 'numba'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
