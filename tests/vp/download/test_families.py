"""Which option families are tried for a date, and in which order."""

from __future__ import annotations

import datetime as dt

import pytest

from vp.download.families import FAMILIES, option_parents
from vp.errors import UnknownRootError
from vp.market.products import load_products


def parents(root: str, text: str) -> list[str]:
    return [parent.removesuffix(".OPT") for parent in option_parents(root, dt.date.fromisoformat(text))]


def test_the_day_itself_then_the_next_seven_then_the_monthly() -> None:
    assert parents("MNQ", "2026-02-03") == ["D1B", "D1C", "D1D", "MQ1", "D2A", "D2B", "MQE"]
    assert parents("6E", "2026-02-03") == ["TU1", "WE1", "SU1", "1EU", "MO2", "TU2", "EUU"]
    assert parents("SI", "2026-02-07") == ["M2S", "S2T", "W2S", "R2S", "SO2", "SO"]  # a Saturday


def test_quarterlies_and_month_ends_come_before_the_weekly_of_their_day() -> None:
    assert parents("ES", "2026-03-20")[:2] == ["ES", "EW3"]
    assert parents("ES", "2026-02-27")[:2] == ["EW", "EW4"]
    assert parents("ES", "2026-05-29")[:2] == ["EW", "E1A"]  # a fifth Friday has no weekly of its own
    assert parents("GC", "2026-03-20")[0] == "OG3"  # no separate quarterly
    assert parents("ES", "2026-01-30")[0] == "EW"  # the last business day is before the 31st, a Saturday


def test_the_seventh_of_a_month_is_still_in_its_first_week() -> None:
    assert parents("MNQ", "2026-08-07")[0] == "MQ1"
    assert parents("MNQ", "2026-07-14")[0] == "D2B"


def test_every_future_has_families() -> None:
    assert set(FAMILIES) == set(load_products().futures)
    with pytest.raises(UnknownRootError, match=r"The options of ZN are not known; known are those of ES, "):
        option_parents("ZN", dt.date(2026, 2, 3))
