"""Times as people write them: 09:30, 08:30 CT, 2026-02-06 14:30 UTC, 09:30 Europe/Berlin."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vp.errors import BadDateError, BadStartTimeError, quoted

NEW_YORK = ZoneInfo("America/New_York")
ABBREVIATIONS = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "UTC": "UTC",
    "GMT": "UTC",
}
TIME_FORM = re.compile(
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[ T])?"
    r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
    r"(?: ?(?P<zone>[A-Za-z][A-Za-z0-9_+/\-]{0,39}))?"
)


@dataclass(frozen=True)
class WallTime:
    """What clocks of a zone show.

    Attributes
    ----------
    time : datetime.time
        To the second.
    zone : ZoneInfo
    zone_name : str
        As it was written; ET where none was.
    date : datetime.date or None
        None: of any day.
    """

    time: dt.time
    zone: ZoneInfo
    zone_name: str
    date: dt.date | None

    def __str__(self) -> str:
        day = "" if self.date is None else f"{self.date} "
        return f"{day}{self.time:{'%H:%M:%S' if self.time.second else '%H:%M'}} {self.zone_name}"

    def on(self, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """The time on a day; of an hour that clocks show twice the first comes first, else both are one moment."""
        local = dt.datetime.combine(day, self.time, self.zone)
        return local, local.replace(fold=1)

    def is_shown(self, local: dt.datetime) -> bool:
        """Whether clocks do show it: not where they are put forward past it."""
        return local.astimezone(dt.UTC).astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None)


def parse_time(text: str, name: str = "time") -> WallTime:
    """A time of day, HH:MM or HH:MM:SS; a date may go before it, a zone may follow. Without one it is New York's.

    A zone is ET, CT, MT, PT, UTC, GMT, or a name of the IANA's time-zone database.

    Raises
    ------
    BadStartTimeError
        Another form, a day that the calendar does not have, or a zone that is not known.
    """
    form = TIME_FORM.fullmatch(text) if isinstance(text, str) else None
    if form is None:
        raise BadStartTimeError(
            f"The {name} was {quoted(text) if isinstance(text, str) else repr(text)}, expected HH:MM or HH:MM:SS.",
            hint="For example 09:30, which is in New York, 08:30 CT, 14:30 UTC or 2026-02-06 09:30.",
        )
    try:
        date = None if form["date"] is None else dt.date.fromisoformat(form["date"])
    except ValueError:
        raise BadDateError(
            f"The {name} was {quoted(text)}, but the calendar has no day {form['date']}.",
            hint="For example 2026-02-06 09:30.",
        ) from None
    zone_name = form["zone"] or "ET"
    time = dt.time(int(form["hour"]), int(form["minute"]), int(form["second"] or 0))
    return WallTime(time, _zone(zone_name, name, text), zone_name, date)


def _zone(zone_name: str, name: str, text: str) -> ZoneInfo:
    for known_as in (ABBREVIATIONS.get(zone_name.upper(), zone_name), zone_name.title()):
        try:
            return ZoneInfo(known_as)
        except (KeyError, ValueError, OSError):  # the last for what is a directory of the database, or no file of it
            continue
    raise BadStartTimeError(
        f"The {name} was {quoted(text)}, and there is no time zone {quoted(zone_name)}; expected "
        f"{', '.join(ABBREVIATIONS)} or a name such as Europe/Berlin.",
        hint="The names are those of the IANA's time-zone database.",
    )
