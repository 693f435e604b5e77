"""Which instrument had which name when: out of a file's header, or out of the records among its market data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vp.market.session_hours import midnight_ns

EVER_NS = -(2**63)
NEVER_NS = 2**63 - 1
UNDEFINED_TIME = 2**64 - 1
INSTRUMENT_ID = "instrument_id"
PARENT = re.compile(r".*\.(FUT|OPT|SPOT)|ALL_SYMBOLS", re.IGNORECASE)  # names of many instruments, and so of none


@dataclass(frozen=True, slots=True)
class Mapping:
    """An instrument id and the name that it had from `start_ns` until `end_ns` (exclusive), ns UTC."""

    raw_symbol: str
    instrument_id: int
    start_ns: int = EVER_NS
    end_ns: int = NEVER_NS


def in_header(metadata: Any) -> tuple[Mapping, ...]:
    """The mappings of decoded metadata, whichever of its two symbologies is that of instrument ids.

    Raises
    ------
    ValueError, KeyError
        An interval is at no possible time.
    """
    from_ids = str(metadata.stype_in) == INSTRUMENT_ID and str(metadata.stype_out) != INSTRUMENT_ID
    found = []
    for asked, intervals in metadata.mappings.items():
        for interval in intervals:
            name, number = (interval["symbol"], asked) if from_ids else (asked, interval["symbol"])
            if name and number.isascii() and number.isdigit():
                start_ns, end_ns = midnight_ns(interval["start_date"]), midnight_ns(interval["end_date"])
                found.append(Mapping(name, int(number), start_ns, end_ns))
    return tuple(found)


class StatedMappings:
    """The mappings that records state, gathered in the order of the file; each holds until the id's next one.

    The first mapping of an id holds for what stands before it too. A mapping that only repeats the one before it takes
    no room.

    Parameters
    ----------
    version : int
        Of the file.
    record_bytes : int
        Length of such a record in it; those of another length are passed over.
    """

    def __init__(self, version: int, record_bytes: int) -> None:
        self._version = version
        self._record_bytes = record_bytes
        self._stated: dict[int, list[tuple[int, int, str]]] = {}

    def add(self, record: bytes) -> None:
        """Take in the next record."""
        if len(record) != self._record_bytes:
            return
        number, at_ns, end_ns, name = _read(self._version, record)
        if not name:
            return
        names = self._stated.setdefault(number, [])
        if not names or names[-1][2] != name:
            names.append((at_ns, end_ns, name))

    def mappings(self) -> tuple[Mapping, ...]:
        """All of them; what was gathered is let go."""
        found = []
        for number in tuple(self._stated):
            changes = self._stated.pop(number)
            for i, (at_ns, end_ns, name) in enumerate(changes):
                until_ns = changes[i + 1][0] if i + 1 < len(changes) else NEVER_NS
                found.append(Mapping(name, number, EVER_NS if i == 0 else at_ns, min(end_ns, until_ns)))
        return tuple(found)


def _read(version: int, record: bytes) -> tuple[int, int, int, str]:
    """Instrument id, times from which and until which it holds, and the instrument's name; "" where none is told."""
    length = 22 if version == 1 else 71
    kinds = 0 if version == 1 else 1  # bytes before each symbol that tell its symbology
    first = 16 + kinds
    second = first + length + kinds
    times = second + length + (4 if version == 1 else 0)
    asked, given = _text(record[first : first + length]), _text(record[second : second + length])
    number = int.from_bytes(record[4:8], "little")
    sent, start, end = (int.from_bytes(record[at : at + 8], "little") for at in (8, times, times + 8))
    named = [name for name in (given, asked) if name and name != str(number) and not PARENT.fullmatch(name)]
    # A live mapping names the instrument by its symbol on the output side, whatever symbology the side is said to have.
    at_ns = min(start if start not in (0, UNDEFINED_TIME) else sent, NEVER_NS)
    return number, at_ns, end if 0 < end < NEVER_NS else NEVER_NS, named[0] if named else ""


def _text(field: bytes) -> str:
    text = field.split(b"\0", 1)[0].decode("ascii", errors="replace")
    return text if text.isprintable() else ""
