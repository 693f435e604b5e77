"""What a session tells of itself: anomalies of after the emit boundary, and which crossed books are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lakes import DATE, OPEN_NS, dbn, put
from tests.oracle_book import Rec
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
F_LAST = 128
PRICE = 100_000_000_000
STEP = 10_000_000


def crossing(at: int, ask: int, order_id: int) -> list[Rec]:
    """An ask at or under the best bid, PRICE, and gone a second later: one event end with such a book."""
    return [
        Rec(at, "A", "A", ask, 1, order_id, F_LAST),
        Rec(at + SECOND, "C", "A", ask, 1, order_id, F_LAST),
    ]


def trade(at: int) -> Rec:
    return Rec(at, "T", "A", PRICE, 1, 0, F_LAST)


def anomalies(lake: Path, records: list[Rec], start_time: str | None = "09:30") -> list[dict[str, int]]:
    """Those of after the boundary and those of before it, as far as there are any."""
    first = OPEN_NS - 20 * MINUTE
    quotes = [
        Rec(first, "A", "B", PRICE, 5, 1, F_LAST),
        Rec(first, "A", "A", PRICE + 10 * STEP, 5, 2, F_LAST),
    ]
    put(lake, "equity_mbo", "CROSS", f"xnas-itch-{DATE.replace('-', '')}.mbo.dbn", dbn("CROSS", 1, quotes + records))
    session = prepare(SessionSpec("equity_mbo", "CROSS", DATE, start_time, lake=str(lake)))
    while not session.finished:
        session.advance(None, 1)
    found = [session.anomalies(), session.anomalies_before()]
    session.close()
    return [{name: count for name, count in counts.items() if count} for counts in found]


@pytest.mark.parametrize("start_time", ["09:30", None])
def test_anomalies_are_those_since_the_emit_boundary(tmp_path: Path, start_time: str | None) -> None:
    unknown = [Rec(OPEN_NS + at * SECOND, "C", "B", PRICE, 1, 99, F_LAST) for at in (-60, -30, 30)]
    after, before = anomalies(tmp_path, unknown, start_time)
    assert after == {"unknown_cancel": 1 if start_time else 3}
    assert before == ({"unknown_cancel": 2} if start_time else {})


def test_a_crossed_book_before_the_first_trade_is_none(tmp_path: Path) -> None:
    gathering = crossing(OPEN_NS + SECOND, PRICE, 10) + crossing(OPEN_NS + 3 * SECOND, PRICE - STEP, 11)
    trading = crossing(OPEN_NS + 60 * SECOND, PRICE, 12) + crossing(OPEN_NS + 63 * SECOND, PRICE - STEP, 13)
    assert anomalies(tmp_path, gathering)[0] == {}
    assert anomalies(tmp_path, [*gathering, trade(OPEN_NS + 10 * SECOND), *trading])[0] == {
        "locked_book": 1,
        "crossed_book": 1,
    }
    assert anomalies(tmp_path, [trade(OPEN_NS - MINUTE), *gathering])[0] == {"locked_book": 1, "crossed_book": 1}


def test_a_crossed_book_in_a_pause_of_trading_is_none(tmp_path: Path) -> None:
    begin = OPEN_NS + SECOND
    for seconds, counted in ((299, True), (301, False)):
        records = [trade(begin), *crossing(begin + seconds * SECOND, PRICE - STEP, 10)]
        assert anomalies(tmp_path, records)[0] == ({"crossed_book": 1} if counted else {}), seconds
        opened = [trade(begin + 400 * SECOND), *crossing(begin + 402 * SECOND, PRICE, 11)]
        assert anomalies(tmp_path, [*records, *opened])[0]["locked_book"] == 1


def test_what_was_before_the_boundary_and_before_an_opening_is_counted_as_before(tmp_path: Path) -> None:
    after, before = anomalies(tmp_path, crossing(OPEN_NS - MINUTE, PRICE - STEP, 10))
    assert (after, before) == ({}, {"crossed_book": 1})
