"""Dates, session windows and phases, above all where New York's clocks change."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from vp.errors import BadDateError, BadStartTimeError, UnknownProductTypeError
from vp.market.session_hours import (
    Phases,
    SessionWindow,
    from_ns,
    parse_date,
    phases,
    session_window,
    time_in_session,
    to_ns,
)
from vp.market.wall_times import NEW_YORK

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


def test_what_strangers_sent_is_not_repeated_at_length() -> None:
    with pytest.raises(BadDateError) as error:
        parse_date("2022-0" + 500 * "\0")
    assert len(str(error.value)) < 500
    with pytest.raises(UnknownProductTypeError) as refused:
        session_window(500 * "\0", dt.date(2026, 2, 6))
    assert len(str(refused.value)) < 500
