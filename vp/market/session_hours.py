"""Dates, session windows and phases. Every time that a person states is in New York time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vp.errors import BadDateError, BadStartTimeError, UnknownProductTypeError

NEW_YORK = ZoneInfo("America/New_York")
NS_PER_SECOND = 1_000_000_000
WARMUP_NS = 30 * 60 * NS_PER_SECOND
DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME_FORM = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
YEARS = range(1970, 2262)  # those whose every moment is an int64 of ns UTC, not below 0
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ONE_DAY = dt.timedelta(days=1)


def parse_date(text: str) -> dt.date:
    """A date of the form YYYY-MM-DD.

    Raises
    ------
    BadDateError
        Another form, no day of the calendar, or a year outside of 1970 to 2261.
    """
    hint = "For example 2026-02-06."
    if not isinstance(text, str) or not DATE_FORM.fullmatch(text):
        raise BadDateError(f"The date was {text!r}, expected YYYY-MM-DD.", hint=hint)
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise BadDateError(f"The calendar has no day {text}, expected YYYY-MM-DD.", hint=hint) from None
    if date.year not in YEARS:
        raise BadDateError(f"The date was {text}, expected a year from {YEARS[0]} to {YEARS[-1]}.", hint=hint)
    return date


@dataclass(frozen=True)
class SessionWindow:
    """The span of one session, [start_ns, end_ns) in ns UTC."""

    product_type: str
    date: dt.date
    start_ns: int
    end_ns: int

    def describe_et(self) -> str:
        """The span as a person in New York reads it: 2026-02-05 19:00 ET to 2026-02-06 19:00 ET."""
        start, end = (from_ns(ns).astimezone(NEW_YORK) for ns in (self.start_ns, self.end_ns))
        return f"{start:%Y-%m-%d %H:%M} ET to {end:%Y-%m-%d %H:%M} ET"


@dataclass(frozen=True)
class Phases:
    """Where book-only fast-forward, warmup and live emit begin, and where the session ends; ns UTC."""

    session_start_ns: int
    warmup_from_ns: int
    emit_from_ns: int
    end_ns: int


def session_window(product_type: str, date: dt.date) -> SessionWindow:
    """The session of a date. Futures: its UTC day. Equities: its New York calendar day, of 23 to 25 hours.

    Raises
    ------
    UnknownProductTypeError
        The product type is neither of futures nor of equities.
    """
    if not product_type.startswith(("future_", "equity_")):
        raise UnknownProductTypeError(
            f"The product type {product_type!r} has no session hours.", hint="Expected future_... or equity_..."
        )
    zone = dt.UTC if product_type.startswith("future_") else NEW_YORK
    start_ns, end_ns = (to_ns(dt.datetime.combine(day, dt.time(0), zone)) for day in (date, date + ONE_DAY))
    return SessionWindow(product_type, date, start_ns, end_ns)


def time_in_session(window: SessionWindow, text: str) -> int:
    """The moment at which clocks in New York show a time within the session.

    The session's own date goes before the day before it, on which futures sessions begin in the evening; of
    an hour that clocks show twice, the first is taken.

    Parameters
    ----------
    window : SessionWindow
    text : str
        HH:MM or HH:MM:SS, in New York time.

    Returns
    -------
    int
        ns UTC, start_ns <= it < end_ns.

    Raises
    ------
    BadStartTimeError
        `text` is no time of day, or the session has no such time; the message states the session in ET.
    """
    days = (window.date, window.date - ONE_DAY)
    return _moment(window, text, days, range(window.start_ns, window.end_ns), "start time")


def end_in_session(window: SessionWindow, text: str) -> int:
    """The moment at which a session is to end: as `time_in_session`, but after its start and up to its end.

    19:00 of a winter day ends a futures session where it ends anyway; so does 00:00 an equity session.
    """
    days = (window.date, window.date - ONE_DAY, window.date + ONE_DAY)
    return _moment(window, text, days, range(window.start_ns + 1, window.end_ns + 1), "end time")


def phases(window: SessionWindow, start_time: str | None, end_time: str | None = None) -> Phases:
    """The phases of a session; without `start_time` all of it is live.

    Raises
    ------
    BadStartTimeError
        A time is no HH:MM or not within the session, or the end is not after the start.
    """
    emit_from_ns = window.start_ns if start_time is None else time_in_session(window, start_time)
    warmup_from_ns = max(window.start_ns, emit_from_ns - WARMUP_NS)
    end_ns = window.end_ns if end_time is None else end_in_session(window, end_time)
    if end_ns <= emit_from_ns:
        raise BadStartTimeError(
            f"The end time {end_time} ({_et(end_ns)}) is not after the start time {start_time} ({_et(emit_from_ns)}).",
            hint=f"The session of {window.date} runs from {window.describe_et()}.",
        )
    return Phases(window.start_ns, warmup_from_ns, emit_from_ns, end_ns)


def to_ns(moment: dt.datetime) -> int:
    """Ns UTC of an aware datetime, exact."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1000


def midnight_ns(date: dt.date) -> int:
    """Ns UTC at which a date begins in UTC, exact."""
    return (date - EPOCH.date()).days * 86_400 * NS_PER_SECOND


def from_ns(ns: int) -> dt.datetime:
    """The aware datetime, UTC, of `ns`, cut to microseconds."""
    return EPOCH + dt.timedelta(microseconds=ns // 1000)


def _moment(window: SessionWindow, text: str, days: tuple[dt.date, ...], allowed: range, name: str) -> int:
    form = TIME_FORM.fullmatch(text) if isinstance(text, str) else None
    if form is None:
        raise BadStartTimeError(
            f"The {name} was {text!r}, expected HH:MM or HH:MM:SS from 00:00 to 23:59:59 in New York time; "
            f"the session of {window.date} runs from {window.describe_et()}.",
            hint="For example 09:30.",
        )
    hour, minute, second = (int(part or 0) for part in form.groups())
    wall_time = dt.time(hour, minute, second)
    skipped = False
    for day in days:
        local = dt.datetime.combine(day, wall_time, NEW_YORK)  # of two such moments the first: fold is 0
        ns = to_ns(local)
        if ns not in allowed:
            continue
        if from_ns(ns).astimezone(NEW_YORK).time() == wall_time:
            return ns
        skipped = True
    what = "is skipped, as clocks go forward, in" if skipped else "is not within"
    raise BadStartTimeError(
        f"The {name} {text} ET {what} the session of {window.date}, which runs from {window.describe_et()}.",
        hint="Choose a time within it.",
    )


def _et(ns: int) -> str:
    return f"{from_ns(ns).astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} ET"
