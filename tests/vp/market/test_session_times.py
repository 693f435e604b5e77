"""Times within a session: of day, with days and zones, and where clocks show an hour twice or not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp.errors import BadDateError, BadStartTimeError
from vp.market.session_hours import (
    SessionWindow,
    end_in_session,
    from_ns,
    parse_date,
    parse_dates,
    session_window,
    time_in_session,
    to_ns,
    window_of,
)
from vp.market.wall_times import NEW_YORK, parse_time

HOUR = 3600 * 10**9


def window(product_type: str, date: str) -> SessionWindow:
    return session_window(product_type, parse_date(date))


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
