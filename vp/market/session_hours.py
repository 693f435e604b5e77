"""Dates, session windows and phases. Every time that a person states is in New York time, unless a zone follows it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

from vp.errors import BadDateError, BadStartTimeError, UnknownProductTypeError, quoted
from vp.market.wall_times import NEW_YORK, parse_time

NS_PER_SECOND = 1_000_000_000
WARMUP_NS = 30 * 60 * NS_PER_SECOND
DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TRADING_DAY = "-trading-day"
TRADING_DAY_FROM, TRADING_DAY_UNTIL = dt.time(18), dt.time(17)  # New York; CME closes for an hour between
MAX_DAYS = 366
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
        raise BadDateError(f"The date was {quoted(str(text))}, expected YYYY-MM-DD.", hint=hint)
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise BadDateError(f"The calendar has no day {text}, expected YYYY-MM-DD.", hint=hint) from None
    if date.year not in YEARS:
        raise BadDateError(f"The date was {text}, expected a year from {YEARS[0]} to {YEARS[-1]}.", hint=hint)
    return date


@dataclass(frozen=True)
class SessionDates:
    """The days that a session is played over.

    Attributes
    ----------
    first, last : datetime.date
        Both are part of it.
    trading_day : bool
        Whether they are the exchange's trading days instead of calendar days.
    """

    first: dt.date
    last: dt.date
    trading_day: bool = False

    def __str__(self) -> str:
        days = str(self.first) if self.first == self.last else f"{self.first}..{self.last}"
        return days + TRADING_DAY * self.trading_day


def parse_dates(text: str) -> SessionDates:
    """The days of a session: YYYY-MM-DD, or two of these with `..` between; `-trading-day` may follow.

    Raises
    ------
    BadDateError
        Another form, a day that the calendar does not have, the last before the first, or more than MAX_DAYS.
    """
    days = str(text).removesuffix(TRADING_DAY)
    first_text, dots, last_text = days.partition("..")
    first = parse_date(first_text)
    last = parse_date(last_text) if dots else first
    hint = "For example 2026-02-05..2026-02-06; both days are played."
    if last < first:
        raise BadDateError(f"The dates were {days}, expected the first day before the last.", hint=hint)
    if (last - first).days >= MAX_DAYS:
        raise BadDateError(f"The dates were {days}, expected at most {MAX_DAYS} days.", hint=hint)
    return SessionDates(first, last, days != text)


def as_trading_day(text: str) -> str:
    """The text of days, as `parse_dates` takes it, with `-trading-day` behind it; raises BadDateError."""
    return str(replace(parse_dates(text), trading_day=True))


@dataclass(frozen=True)
class SessionWindow:
    """The span of one session, [start_ns, end_ns) in ns UTC."""

    product_type: str
    dates: SessionDates
    start_ns: int
    end_ns: int

    @property
    def file_dates(self) -> tuple[dt.date, ...]:
        """The days of which files are needed. Futures: every UTC day that the span touches; equities: its own days."""
        first, last = self.dates.first, self.dates.last
        if self.product_type.startswith("future_"):
            first, last = from_ns(self.start_ns).date(), from_ns(self.end_ns - 1).date()
        return tuple(first + n * ONE_DAY for n in range((last - first).days + 1))

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


def session_window(
    product_type: str, first: dt.date, last: dt.date | None = None, *, trading_day: bool = False
) -> SessionWindow:
    """The session of a date, or of all days from a first to a last.

    Futures: UTC days, or with `trading_day` from 18:00 in New York of the day before the first to 17:00 of the last.
    Equities: New York's calendar days, of 23 to 25 hours, which are their trading days too.

    Raises
    ------
    UnknownProductTypeError
        The product type is neither of futures nor of equities.
    """
    if not product_type.startswith(("future_", "equity_")):
        raise UnknownProductTypeError(
            f"The product type {quoted(product_type)} has no session hours.", hint="Expected future_... or equity_..."
        )
    futures = product_type.startswith("future_")
    dates = SessionDates(first, last or first, trading_day and futures)
    if dates.trading_day:
        start = dt.datetime.combine(dates.first - ONE_DAY, TRADING_DAY_FROM, NEW_YORK)
        end = dt.datetime.combine(dates.last, TRADING_DAY_UNTIL, NEW_YORK)
    else:
        zone = dt.UTC if futures else NEW_YORK
        start, end = (dt.datetime.combine(day, dt.time(0), zone) for day in (dates.first, dates.last + ONE_DAY))
    return SessionWindow(product_type, dates, to_ns(start), to_ns(end))


def window_of(product_type: str, dates: SessionDates) -> SessionWindow:
    """The session over some days; raises as `session_window`."""
    return session_window(product_type, dates.first, dates.last, trading_day=dates.trading_day)


def time_in_session(window: SessionWindow, text: str) -> int:
    """The moment at which clocks show a time within the session.

    Where the text names no day, the session's first day goes before the day before it, on which futures sessions
    begin in the evening, and that before the later ones; of an hour that clocks show twice, the first is taken.

    Parameters
    ----------
    window : SessionWindow
    text : str
        As vp.market.wall_times.parse_time takes it.

    Returns
    -------
    int
        ns UTC, start_ns <= it < end_ns.

    Raises
    ------
    BadStartTimeError
        `text` is no time, or the session has no such time; the message states the session in ET.
    """
    first = window.dates.first
    days = (first, first - ONE_DAY, *_days(first + ONE_DAY, window.dates.last + ONE_DAY))
    return _moment(window, text, days, range(window.start_ns, window.end_ns), "start time")


def end_in_session(window: SessionWindow, text: str) -> int:
    """The moment at which a session is to end: as `time_in_session`, but after its start and up to its end.

    Where the text names no day, the session's last day goes first. 19:00 of a winter day ends a futures session
    where it ends anyway; so does 00:00 an equity session.
    """
    first, last = window.dates.first, window.dates.last
    days = (*reversed(_days(first - ONE_DAY, last)), last + ONE_DAY)
    allowed = range(window.start_ns + 1, window.end_ns + 1)
    return _moment(window, text, days, allowed, "end time")


def phases(window: SessionWindow, start_time: str | None, end_time: str | None = None) -> Phases:
    """The phases of a session; without `start_time` all of it is live.

    Raises
    ------
    BadStartTimeError
        A time is of another form or not within the session, or the end is not after the start.
    """
    emit_from_ns = window.start_ns if start_time is None else time_in_session(window, start_time)
    warmup_from_ns = max(window.start_ns, emit_from_ns - WARMUP_NS)
    end_ns = window.end_ns if end_time is None else end_in_session(window, end_time)
    if end_ns <= emit_from_ns:
        raise BadStartTimeError(
            f"The end time {end_time} ({as_et(end_ns)}) is not after the start time {start_time} "
            f"({as_et(emit_from_ns)}).",
            hint=f"The session of {window.dates} runs from {window.describe_et()}.",
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


def as_et(ns: int) -> str:
    """A moment, ns UTC, as a person in New York reads it: 2026-02-06 10:18:03 ET."""
    return f"{from_ns(ns).astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} ET"


def _moment(window: SessionWindow, text: str, days: tuple[dt.date, ...], allowed: range, name: str) -> int:
    """The first moment in `allowed` at which clocks show a time, on the day that it names or else on one of `days`."""
    try:
        time = parse_time(text, name)
    except BadStartTimeError as error:
        error.hint = f"The session of {window.dates} runs from {window.describe_et()}. {error.hint}"
        raise
    skipped = False
    for day in days if time.date is None else (time.date,):
        for local in time.on(day):
            ns = to_ns(local)
            if ns not in allowed:
                continue
            if time.is_shown(local):
                return ns
            skipped = True
    what = "is skipped, as clocks go forward, in" if skipped else "is not within"
    raise BadStartTimeError(
        f"The {name} {time} {what} the session of {window.dates}, which runs from {window.describe_et()}.",
        hint="Choose a time within it.",
    )


def _days(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    return tuple(first + n * ONE_DAY for n in range((last - first).days + 1))
