"""Option families of futures roots: which of Databento's parents hold the options that expire on a day.

The codes are those of one team's practice, not of the exchange's rule book: Databento's symbology, which is
asked before anything is ordered, has the last word on which parents there are.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from vp.errors import UnknownRootError

ONE_DAY = dt.timedelta(days=1)
DAYS_AHEAD = 7
FRIDAY = 4
QUARTERS = (3, 6, 9, 12)


@dataclass(frozen=True)
class Families:
    """The option families of a root.

    Attributes
    ----------
    standard : str or None
        The quarterly options, expiring on the third Friday of March, June, September and December.
    month_end : str
        Expiring on the month's last business day.
    weekdays : tuple of str
        Monday to Friday; `#` stands for the occurrence of that weekday in its month.
    fridays : int
        The last occurrence of Friday that has a family.
    """

    standard: str | None
    month_end: str
    weekdays: tuple[str, str, str, str, str]
    fridays: int = 5


FAMILIES = {
    "ES": Families("ES", "EW", ("E#A", "E#B", "E#C", "E#D", "EW#"), 4),
    "NQ": Families("NQ", "QNE", ("Q#A", "Q#B", "Q#C", "Q#D", "QN#"), 4),
    "MES": Families("MES", "EX", ("X#A", "X#B", "X#C", "X#D", "EX#"), 4),
    "MNQ": Families("MNQ", "MQE", ("D#A", "D#B", "D#C", "D#D", "MQ#"), 4),
    "GC": Families(None, "OG", ("G#M", "G#T", "G#W", "G#R", "OG#")),
    "SI": Families(None, "SO", ("M#S", "S#T", "W#S", "R#S", "SO#")),
    "CL": Families(None, "LO", ("ML#", "NL#", "WL#", "XL#", "LO#")),
    "6E": Families(None, "EUU", ("MO#", "TU#", "WE#", "SU#", "#EU")),
}


def option_parents(root: str, date: dt.date) -> list[str]:
    """Parents to try for the nearest expiry on or after a date: that day's, the next seven days', the monthly.

    Of one day the standard family goes before the month's end, and that before the weekly one.

    Raises
    ------
    UnknownRootError
        The root has no families here; the message lists those that have.
    """
    if root not in FAMILIES:
        raise UnknownRootError(
            f"The options of {root} are not known; known are those of {', '.join(FAMILIES)}.",
            hint="Leave --options-schemas out, or add the root's families to vp/download/families.py.",
        )
    families = FAMILIES[root]
    codes = [code for ahead in range(DAYS_AHEAD + 1) for code in _expiring(families, date + ahead * ONE_DAY)]
    codes.append(families.month_end)
    return [f"{code}.OPT" for code in dict.fromkeys(codes)]


def _expiring(families: Families, day: dt.date) -> list[str]:
    if day.weekday() > FRIDAY:
        return []
    codes = []
    occurrence = (day.day - 1) // 7 + 1
    if families.standard and day.weekday() == FRIDAY and occurrence == 3 and day.month in QUARTERS:
        codes.append(families.standard)
    if day == _last_weekday(day):
        codes.append(families.month_end)
    if day.weekday() < FRIDAY or occurrence <= families.fridays:
        codes.append(families.weekdays[day.weekday()].replace("#", str(occurrence)))
    return codes


def _last_weekday(day: dt.date) -> dt.date:
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return last - max(last.weekday() - FRIDAY, 0) * ONE_DAY
