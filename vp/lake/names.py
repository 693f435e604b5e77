"""Names of raw files: what each of them says of the data in it.

`<dataset>-<YYYYMMDD>[-<YYYYMMDD>].<schema>[.<symbol>][.<part>].dbn[.zst]`, as Databento's batch service writes them for
each way of splitting a job, and `<dataset>-<YYYYMMDD>.<schema>.<HHMMSSffffff>.dbn` for a segment of a live recording.
A name is a promise and no more: which instruments a file holds is what its own metadata say.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

NAME = re.compile(
    r"(?P<dataset>[a-z0-9]+(?:[-.][a-z0-9]+)*?)-(?P<first>[0-9]{8})(?:-(?P<last>[0-9]{8}))?"
    r"\.(?P<schema>[a-z0-9]+(?:-[a-z0-9]+)*)(?:\.(?P<rest>[^/\0]{1,120}?))?\.dbn(?P<zst>\.zst)?"
)
SEGMENT = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{6}")
PART = re.compile(r"[0-9]{1,6}")
PART_OF_SYMBOL = re.compile(r"(.*[^.])\.([0-9]{4,6})")  # fewer digits belong to the symbol: MNQ.v.0
SYMBOL = re.compile(r"(?!.*\.\.)[^\s./\\][^\\]*")
MOST_DAYS = 36_600  # a century: no job of Databento's is longer


@dataclass(frozen=True)
class RawName:
    """What the name of a raw file says.

    Attributes
    ----------
    dataset : str
        As names write it: glbx-mdp3.
    first, last : datetime.date
        The days that it holds, both included.
    schema : str
    symbol : str or None
        The one symbol of a job that was split by symbols; may be a parent or continuous name.
    part : int or None
        Which piece of a day that was split by size.
    segment : str or None
        HHMMSSffffff, UTC: when the connection began of which it is the recording.
    compressed : bool
    """

    dataset: str
    first: dt.date
    last: dt.date
    schema: str
    symbol: str | None = None
    part: int | None = None
    segment: str | None = None
    compressed: bool = False

    @property
    def is_whole_day(self) -> bool:
        """Whether it holds all that there is of one day."""
        return self.first == self.last and self.symbol is None and self.part is None and self.segment is None

    def days(self) -> list[dt.date]:
        """Every day that it may hold."""
        return [self.first + dt.timedelta(days=ahead) for ahead in range((self.last - self.first).days + 1)]


@lru_cache(maxsize=1 << 17)
def parse_name(name: str, schema: str = "mbo") -> RawName | None:
    """What a raw file's name says; None for foreign names and other schemas."""
    found = NAME.fullmatch(name)
    if found is None or found["schema"] != schema:
        return None
    first = _date(found["first"])
    last = _date(found["last"] or found["first"])
    if first is None or last is None or not 0 <= (last - first).days < MOST_DAYS:
        return None
    symbol, part, segment = None, None, None
    rest = found["rest"]
    if rest is not None and SEGMENT.fullmatch(rest):
        segment = rest
    elif rest is not None and PART.fullmatch(rest):
        part = int(rest)
    elif rest is not None:
        pieces = PART_OF_SYMBOL.fullmatch(rest)
        symbol = unquote(pieces[1] if pieces else rest)
        part = int(pieces[2]) if pieces else None
        if not (SYMBOL.fullmatch(symbol) and symbol.isprintable()):
            return None
    if segment is not None and (found["last"] is not None or found["zst"] is not None):
        return None
    return RawName(found["dataset"], first, last, schema, symbol, part, segment, found["zst"] is not None)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
