"""Dates, session windows and phases. Every time that a person states is in New York time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vp.errors import BadDateError, BadStartTimeError

NEW_YORK = ZoneInfo("America/New_York")
WARMUP_NS = 30 * 60 * 1_000_000_000
NS_PER_SECOND = 1_000_000_000
TIME_FORM = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_date(text: str) -> dt.date:
    """A date of the form YYYY-MM-DD.

    Raises
    ------
    BadDateError
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError  # noqa: TRY301 - one sentence for both
        return dt.date.fromisoformat(text)
    except (ValueError, TypeError):
        raise BadDateError(f"The date was {text!r}, expected YYYY-MM-DD.", hint="For example 2026-02-06.") from None


@dataclass(frozen=True)
class SessionWindow:
    """The span of one session, [start_ns, end_ns) in ns UTC."""

    product_type: str
    date: dt.date
    start_ns: int
    end_ns: int

    def describe_et(self) -> str:
        """The span as a person in New York reads it."""
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
    """Futures: the UTC day of the date. Equities: its New York calendar day."""
    zone = dt.UTC if product_type.startswith("future") else NEW_YORK
    start, end = (dt.datetime.combine(day, dt.time(0), zone) for day in (date, date + dt.timedelta(days=1)))
    return SessionWindow(product_type, date, to_ns(start), to_ns(end))


def time_in_session(window: SessionWindow, text: str) -> int:
    """The moment, ns UTC, at which clocks in New York show `text` (HH:MM or HH:MM:SS) within the session.

    The session's own date goes before the day before it, on which futures sessions begin in the evening; of
    an hour that occurs twice, the first is taken.

    Raises
    ------
    BadStartTimeError
        `text` is no time of day, or the session has no such time; the message states the session in ET.
    """
    found = TIME_FORM.fullmatch(text) if isinstance(text, str) else None
    hour, minute, second = (int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise BadStartTimeError(f"The time was {text!r}, expected HH:MM in New York time.", hint="For example 09:30.")
    for day in (window.date, window.date - dt.timedelta(days=1)):
        for fold in (0, 1):
            local = dt.datetime.combine(day, dt.time(hour, minute, second), NEW_YORK).replace(fold=fold)
            exists = local.astimezone(dt.UTC).astimezone(NEW_YORK).replace(tzinfo=None) == local.replace(tzinfo=None)
            if exists and window.start_ns <= to_ns(local) < window.end_ns:
                return to_ns(local)
    raise BadStartTimeError(
        f"{text} ET is not within the session of {window.date}, which runs from {window.describe_et()}.",
        hint="Choose a time within it.",
    )


def phases(window: SessionWindow, start_time: str | None, end_time: str | None = None) -> Phases:
    """The phases of a session; without `start_time` all of it is live."""
    emit_from_ns = window.start_ns if start_time is None else time_in_session(window, start_time)
    warmup_from_ns = max(window.start_ns, emit_from_ns - WARMUP_NS)
    end_ns = window.end_ns if end_time is None else time_in_session(window, end_time)
    if end_ns <= emit_from_ns:
        raise BadStartTimeError(
            f"The end time {end_time} ET is not after the start time {start_time or 'of the session'}.",
            hint=f"The session runs from {window.describe_et()}.",
        )
    return Phases(window.start_ns, warmup_from_ns, emit_from_ns, end_ns)


def to_ns(moment: dt.datetime) -> int:
    """Ns UTC of an aware datetime of whole microseconds, exact."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1000


def from_ns(ns: int) -> dt.datetime:
    """The aware datetime, UTC, of `ns`, cut to microseconds."""
    return EPOCH + dt.timedelta(microseconds=ns // 1000)
