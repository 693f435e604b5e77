"""Whether a session's input ends earlier than it should, and what is known of that: facts rather than verdicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vp.lake.stated_totals import StatedTotals
from vp.market.session_hours import SessionWindow, as_et
from vp.market.trading_hours import trading_end_ns

DAY_NS = 86_400_000_000_000
QUIET_NS = 10 * 60_000_000_000  # even a quiet file ends no earlier before the close


@dataclass(frozen=True)
class InputEnd:
    """Where the last file of a session's input ends.

    Attributes
    ----------
    path : Path
    size_bytes : int
    records : int
        Whole records read from it.
    last_ns : int or None
        When its last record was received, of whatever type and instrument, ns UTC.
    dataset : str
    until_ns : int or None
        Until when its header says that it goes, ns UTC.
    stated : StatedTotals
        What notes beside it say.
    """

    path: Path
    size_bytes: int
    records: int
    last_ns: int | None
    dataset: str
    until_ns: int | None
    stated: StatedTotals


def cut_sentence(path: Path, size_bytes: int, stated: StatedTotals, records: int | None = None) -> str | None:
    """What to say of a file that is not as large as its note says; None where it is, or nothing is said."""
    if stated.size_bytes is not None and stated.size_bytes != size_bytes:
        return f"{path.name} has {size_bytes:,} bytes, and {stated.note} says {stated.size_bytes:,}"
    if records is not None and stated.records is not None and stated.records != records:
        return f"{path.name} has {records:,} records, and {stated.note} says {stated.records:,}"
    return None


def early_end(window: SessionWindow, end: InputEnd, now_ns: int | None = None) -> str | None:
    """What to say of an input that has been read to its end, or None where nothing is wrong with it.

    A file that goes on as long as its header says, or as trading does on a full day, is whole; so is one of another
    venue, of which nobody here knows, and one whose header leaves its end open, as the live feed's does. On days that
    are not over nothing is expected yet.

    Parameters
    ----------
    window : SessionWindow
    end : InputEnd
    now_ns : int, optional
        The wall clock, ns UTC.
    """
    cut = cut_sentence(end.path, end.size_bytes, end.stated, end.records)
    if cut is not None:
        return cut
    if end.last_ns is None or end.until_ns is None:
        return None
    closes_ns = trading_end_ns(end.dataset, window, end.until_ns)
    part_of_day = end.until_ns % DAY_NS != 0
    expected_ns = min(end.until_ns, window.end_ns) if closes_ns is None and part_of_day else closes_ns
    now_ns = time.time_ns() if now_ns is None else now_ns
    if expected_ns is None or expected_ns - end.last_ns <= QUIET_NS or now_ns < expected_ns:
        return None
    until = "its header says" if expected_ns == end.until_ns else "trading goes on until"
    full_day = "" if expected_ns == end.until_ns else " on a full day"
    return f"the last record of {end.path.name} is of {as_et(end.last_ns)}, and {until} {as_et(expected_ns)}{full_day}"


def first_cut(files: Sequence[tuple[Path, int, StatedTotals]]) -> str | None:
    """What to say of the first of some files that is not as large as its note says."""
    return next((said for file in files if (said := cut_sentence(*file)) is not None), None)
